// Links of other programs that open Farthing: `cashu:` and `farthing:`. A link is a text to show, never a command.

export const linkSchemes = ['cashu', 'farthing'] as const

/** Far above any request; a command line of Windows ends at 32,767 characters. */
export const maxLinkLength = 16_384
/** Printable ASCII without spaces and quotes: base64url, bech32 and percent-encoding need no more. */
const linkPattern = /^(?:cashu|farthing):[!#-&(-;=?-~]+$/i

/** @returns the link if this is one, otherwise undefined. What it asks for is not looked at. */
export function readLink(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > maxLinkLength) return undefined
  return linkPattern.test(text) ? text : undefined
}

/** The first link among the arguments of a command line, as Windows and Linux hand it over. */
export function linkIn(argv: readonly string[]): string | undefined {
  return argv.map(readLink).find((link) => link !== undefined)
}
