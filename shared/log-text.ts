// What may stand in a log, in the note beside a payment, and in the last words of a process. Errors are written by whoever
// throws them, libraries and mints among them: what looks like money or a key is taken out, wherever it comes from. Pure.

import { wordlist } from '@scure/bip39/wordlists/english.js'
import { AppError } from './errors.ts'

const maxLineLength = 600
const taken = '[…]'

/** Tokens and requests of Cashu, invoices, links, and what is longer than an id of ours: keys, secrets, signatures. */
const secretLooking = [
  /\b(?:cashu[A-Z]|creq[A-Z]|creqb1)[\w+/=-]{8,}/gi,
  /\bln(?:bc|tb|bcrt)[a-z0-9]{16,}/gi,
  /\b(?:cashu|farthing):\S+/gi,
  /[0-9a-f]{33,}/gi,
  /\d{40,}/g,
]

/** One line, cut to its limit, without anything that could be spent or that opens a wallet. */
export function withoutSecrets(line: string): string {
  const flat = line.replace(/[\r\n]+/g, ' ')
  const clean = withoutWords(secretLooking.reduce((text, pattern) => text.replace(pattern, taken), flat))
  return clean.length > maxLineLength ? `${clean.slice(0, maxLineLength)}…` : clean
}

const listed: ReadonlySet<string> = new Set(wordlist)
/** Fewer are found in any sentence. */
const wordsInARow = 3

/** Without runs of words that a phrase is made of, as text or as a list. */
function withoutWords(text: string): string {
  // Words and what is between them, in turn.
  const parts = text.split(/([a-z]+)/i)
  const kept: string[] = []
  let run: string[] = []
  let words = 0
  const end = (): void => {
    kept.push(...(words >= wordsInARow ? [taken] : run))
    run = []
    words = 0
  }
  for (const [index, part] of parts.entries()) {
    const isWord = index % 2 === 1
    if (isWord && listed.has(part.toLowerCase())) {
      words++
      run.push(part)
    } else if (!isWord && words > 0 && /^["',\s]+$/.test(part)) {
      run.push(part)
    } else {
      end()
      kept.push(part)
    }
  }
  end()
  return kept.join('')
}

const maxCauses = 3
const maxFrames = 8

/**
 * What was thrown, of whatever kind: name, code, message and the places it went through, and the same of what caused it.
 * Never what else it carries. Several lines.
 */
export function describeThrown(thrown: unknown): string {
  const lines: string[] = []
  for (let one = thrown, depth = 0; depth <= maxCauses && one !== undefined; depth++) {
    lines.push(...linesOf(one).map((line) => (depth === 0 ? line : `caused by ${line}`)))
    one = one instanceof Error ? one.cause : undefined
  }
  return lines.join('\n')
}

function linesOf(thrown: unknown): readonly string[] {
  if (!(thrown instanceof Error)) return [`${typeof thrown} thrown`]
  const code = thrown instanceof AppError ? `${thrown.code}: ` : ''
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return [`${code}${thrown.name}: ${thrown.message}`, ...frames.slice(0, maxFrames)].map(withoutSecrets)
}
