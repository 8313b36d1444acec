import type { FingerprintView } from '../../shared/model.ts'

/** The four words of a key, to compare with the other screen or by voice. */
export function FourWords({
  words,
  label = 'Words to compare',
  size = 'm',
}: {
  readonly words: FingerprintView['words']
  readonly label?: string
  /** `s` is one line of text. */
  readonly size?: 's' | 'm'
}) {
  if (size === 's') return <span className="four-words-line">{words.join('\u00a0· ')}</span>
  return (
    <ul className="four-words" aria-label={label}>
      {words.map((word, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a word may come twice, and none changes its place
        <li key={index}>{word}</li>
      ))}
    </ul>
  )
}
