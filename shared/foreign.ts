// Text that somebody else wrote: names, notes, descriptions. It may try to look like something else. Pure.

/** What turns the direction of the text around it. */
const turns = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g
const controls = /[\p{Cc}\u2028\u2029]+/gu

/** Anything that can be seen (Unicode: what is "default ignorable" cannot). */
const visible = /[^\s\p{Default_Ignorable_Code_Point}]/u

/**
 * Without what only deceives: one line, no control characters, nothing where there is nothing to see. On screens shown
 * inside `<bdi>`.
 */
export function plainText(text: string): string {
  const plain = text.replace(turns, '').replace(controls, ' ').replace(/\s+/g, ' ').trim()
  return visible.test(plain) ? plain : ''
}

/** For the middle of a sentence that is text and no markup: isolated, so that it cannot turn the words around it. */
export function isolated(text: string): string {
  return `\u2068${plainText(text)}\u2069`
}
