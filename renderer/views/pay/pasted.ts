// What a person typed, pasted or scanned where somebody to pay is expected. Pure; the host reads requests.

export type Pasted =
  /** Letters that a name may begin with. */
  | { readonly kind: 'name'; readonly text: string }
  /** Give it to `request.read`. */
  | { readonly kind: 'request'; readonly text: string }
  | OtherText

const otherCodes = ['invoice', 'coins', 'address', 'mint', 'part', 'text'] as const
/**
 * A Lightning invoice · coins as text · where other money is sent to · an address of a mint, perhaps · a piece of a code ·
 * a code that is only words
 */
export type OtherCode = (typeof otherCodes)[number]

const invoice = /^(lightning:(\/\/)?)?ln(bc|tb|bcrt|tbs)[0-9a-z]{20,}$/i
const address = /^((lightning:(\/\/)?)?lnurl1[0-9a-z]+|bitcoin:.*|(bc|tb)1[0-9a-z]{20,}|[13][1-9a-hj-np-z]{25,34})$/i
const coins = /^(cashu:(\/\/)?)?cashu[ab][\w-]{8,}/i
const part = /^farthing:part\//i
const request = /^((farthing|cashu):(\/\/)?)?creq[ab]/i
const web = /^https?:\/\/\S+$/i
/** Names have spaces, or are shorter: anything else is a code that somebody hoped we know. */
const longestWord = 40

/** A code of another kind, which has words of its own. */
export type OtherText = { readonly kind: OtherCode; readonly text: string }

/** @param text as it is in the field; a code may have spaces around it */
export function readPasted(text: string): Pasted {
  const bare = text.trim()
  if (part.test(bare)) return { kind: 'part', text: bare }
  if (request.test(bare)) return { kind: 'request', text: bare }
  if (coins.test(bare)) return { kind: 'coins', text: bare }
  if (invoice.test(bare)) return { kind: 'invoice', text: bare }
  if (address.test(bare)) return { kind: 'address', text: bare }
  if (web.test(bare)) return { kind: 'mint', text: bare }
  const isCode = /^(farthing|cashu|lightning):/i.test(bare) || (bare.length > longestWord && !/\s/.test(bare))
  return isCode ? { kind: 'request', text: bare } : { kind: 'name', text: bare }
}

/** Whether a name, or the four words beside it, go with what was typed. */
export function isNamed(search: string, name: string, words: readonly string[]): boolean {
  const wanted = folded(search)
  if (wanted === '') return true
  return folded(name).includes(wanted) || wanted.split(' ').every((part) => words.some((word) => word.startsWith(part)))
}

/** Small letters without marks, so that "kase" finds "Käse". */
function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/g, ' ').trim()
}
