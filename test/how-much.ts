// How much of what takes long is tried. `npm test` takes a bounded part; `npm run test:crash` sets FARTHING_CRASH=whole.

export const isWhole = process.env['FARTHING_CRASH'] === 'whole'

/** How many runs or rounds: FARTHING_RUNS, or one of two defaults. */
export function howMany(bounded: number, whole: number): number {
  const text = process.env['FARTHING_RUNS'] ?? ''
  if (text === '') return isWhole ? whole : bounded
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`FARTHING_RUNS takes a number, not "${text}"`)
  return number
}
