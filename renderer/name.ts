// A name as it is typed: never longer than others can be shown. Pure.

/** UTF-8 bytes; what `profile.rename` accepts. */
export const maxNameBytes = 64

/** The beginning of a text that fits, cut between characters. */
export function fittingName(text: string): string {
  const bytes = new TextEncoder()
  let fitting = ''
  let size = 0
  for (const character of text.toWellFormed()) {
    size += bytes.encode(character).length
    if (size > maxNameBytes) return fitting
    fitting += character
  }
  return fitting
}
