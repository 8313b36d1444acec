// The few pages that are not the app: what a person reads who comes without a link, or with an old one. They repeat
// nothing of what was asked, and hold no secret.

const page = (title: string, text: string, head = ''): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
  `<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">${head}<title>Farthing</title><h1>${title}</h1><p>${text}</p></html>\n`

const newLink = 'Press Enter in the terminal where Farthing runs: it prints a new link. Open it in this browser.'

/** 401: no session. */
export const closedPage = page('Open Farthing with its link', `This page opens with a link that works once. ${newLink}`)

/** 401: the link is old, or was never given out. */
export const oldLinkPage = page('This link does not work any more', `A link works once, for five minutes. ${newLink}`)

/** 401: the link was used before. */
export const usedLinkPage = page(
  'This link was used before',
  `To be safe, the page that was opened with it is closed. If it was not you who opened it, stop Farthing and ask who else uses this computer. ${newLink}`,
)

/** Any other refusal. @param text words of ours, never of the request */
export const refusedPage = (text: string): string => page('Farthing does not answer this', text)

/** Goes on to the app by itself. @param path of ours: letters, digits, `-`, `_` and slashes */
export const enterPage = (path: string): string =>
  page('Farthing', `<a href="${path}">Go on</a>`, `<meta http-equiv="refresh" content="0; url=${path}">`)
