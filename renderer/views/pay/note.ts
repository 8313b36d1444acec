// The note of a payment: what fits, in bytes of UTF-8. Pure.

/** Protocol section 10: memo ≤ 140 bytes of UTF-8. */
export const maxNoteBytes = 140

const encoder = new TextEncoder()

export function noteBytes(note: string): number {
  return encoder.encode(note).length
}

/** How many bytes are left; below zero it is too long. */
export function noteRoom(note: string): number {
  return maxNoteBytes - noteBytes(note)
}

/** As much of a text as fits, with an ellipsis for the rest; no character is cut in two. */
export function fittingNote(text: string): string {
  if (noteRoom(text) >= 0) return text
  const graphemes = [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)]
  let kept = ''
  for (const { segment } of graphemes) {
    if (noteRoom(`${kept}${segment}…`) < 0) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}
