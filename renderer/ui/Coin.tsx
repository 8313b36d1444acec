// The picture of a result: a dashed ring is drawn like a pen stroke, a closed one closes. In place when a signed payment
// becomes final in front of you.

import type { Grade } from './grade.ts'

export function Coin({ grade, size = 124 }: { readonly grade: Grade; readonly size?: number }) {
  return (
    <svg className={`coin coin-${grade}`} width={size} height={size} viewBox="0 0 124 124" aria-hidden="true">
      <mask id="coin-stroke">
        <circle className="coin-stroke" cx="62" cy="62" r="58" pathLength="1" />
      </mask>
      <circle className="coin-fill" cx="62" cy="62" r="60" />
      <g mask={grade === 'signed' ? 'url(#coin-stroke)' : undefined}>
        <circle className="coin-ring" cx="62" cy="62" r="58" />
      </g>
      {grade === 'paid' && <circle className="coin-beads" cx="62" cy="62" r="52.5" />}
      <path className="coin-sign" d={signs[grade]} />
      {grade === 'signed' && <path className="coin-dots" d="M36 89h52" />}
    </svg>
  )
}

const signs: Record<Grade, string> = {
  paid: 'm40 63.5 15.5 15.5L86 45.5',
  signed:
    'M31 75c9-31 20-38 22-30 2.4 10-8.5 32-1 31 7-1 9.5-17 15-16 4.5.8.5 12 5.5 12 6 0 6.5-8 10.5-7.5 3.5.4 3 4.5 10 3',
  way: 'M40 62h42M68 46l16 16-16 16',
  bounced: 'M50 42 36 56l14 14M38 56h32a13 13 0 0 1 0 26H58',
  needs: 'M62 36v30M62 84v1',
  notsent: 'M42 62h40',
}
