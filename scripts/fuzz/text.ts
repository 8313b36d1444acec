// Text as bytes that can be changed one by one. JavaScript has texts that UTF-8 has not: half of a pair of surrogates
// stands as the three bytes it would have (WTF-8), so that no text is left out.

const surrogate = /\xed([\xa0-\xbf])([\x80-\xbf])/g

export function textOf(bytes: Uint8Array): string {
  const raw = Buffer.from(bytes).toString('latin1')
  const parts: string[] = []
  let from = 0
  for (const match of raw.matchAll(surrogate)) {
    const [, high = '', low = ''] = match
    parts.push(Buffer.from(raw.slice(from, match.index), 'latin1').toString('utf8'))
    parts.push(String.fromCharCode(0xd000 | ((high.charCodeAt(0) & 0x3f) << 6) | (low.charCodeAt(0) & 0x3f)))
    from = match.index + 3
  }
  parts.push(Buffer.from(raw.slice(from), 'latin1').toString('utf8'))
  return parts.join('')
}

export function bytesOf(text: string): Uint8Array {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8')
  return Buffer.concat(
    Array.from(text, (character) => (character.isWellFormed() ? Buffer.from(character) : half(character))),
  )
}

function half(character: string): Buffer {
  const code = character.charCodeAt(0)
  return Buffer.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
}
