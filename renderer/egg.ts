// The speckles of a key's egg, computed from its picture: the same key looks the same everywhere. Pure.

export type Speckle = {
  readonly x: number
  readonly y: number
  readonly rx: number
  readonly ry: number
  readonly color: string
  readonly opacity: number
}
export type EggPicture = { readonly shell: string; readonly speckles: readonly Speckle[] }

const shells = ['#F4E7B6', '#E1DCEF', '#F1E4CF', '#D5E3EF', '#DEE6C8', '#CCE6E2', '#EDD9DB'] as const
const inks = ['#6B3B22', '#8A4B12', '#27573F', '#34476F', '#4A3A63', '#7A2E45'] as const
const sizes = [0.9, 1.2, 1.6, 2.2, 3.1] as const

/** On a field of 40 × 40. @param picture 32 hex characters (`FingerprintView.picture`) */
export function eggPicture(picture: string): EggPicture {
  const next = sequence(picture)
  const pick = <T>(from: readonly [T, ...T[]]): T => from[next(from.length)] ?? from[0]
  const shell = pick(shells)
  const [first, second] = [pick(inks), pick(inks)]
  const speckles = Array.from({ length: 9 + next(7) }, (): Speckle => {
    const rx = pick(sizes)
    return {
      x: 7 + next(260) / 10,
      y: 5 + next(320) / 10,
      rx,
      ry: Math.round(rx * (65 + next(66))) / 100,
      color: next(5) < 3 ? first : second,
      opacity: rx < 2 ? 0.95 : 0.8,
    }
  })
  return { shell, speckles }
}

/** Numbers below a bound, from a seed (xorshift32 over a running hash of all its characters): looks, not secrets. */
function sequence(seed: string): (bound: number) => number {
  let state = 0x811c9dc5
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  state ||= 1
  return (bound) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}
