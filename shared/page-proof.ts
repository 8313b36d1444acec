// What host and page of the browser host agree on when the page wants to know that the host is still the same.

/** What is authenticated under the key of the page's session. @param nonce base64url, 16 random bytes of the page */
export const pageProofText = (nonce: string): string => `farthing/page/1 ${nonce}`
