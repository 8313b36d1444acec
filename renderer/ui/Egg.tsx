// A key as a speckled egg. Eggs help to recognise; only the words beside them verify.

import { memo, useId } from 'react'
import { eggPicture } from '../egg.ts'

export const Egg = memo(function Egg({
  picture,
  size = 40,
}: {
  /** `FingerprintView.picture` */
  readonly picture: string
  readonly size?: number
}) {
  const clip = useId()
  const { shell, speckles } = eggPicture(picture)
  return (
    <svg className="egg" width={size} height={size} viewBox="0 0 40 40" aria-hidden="true">
      <clipPath id={clip}>
        <path d="M20 2.5c7.5 0 13.5 10.5 13.5 19.8 0 9-5.8 15.2-13.5 15.2S6.5 31.3 6.5 22.3C6.5 13 12.5 2.5 20 2.5z" />
      </clipPath>
      <g clipPath={`url(#${clip})`}>
        <path fill={shell} d="M0 0h40v40H0z" />
        {speckles.map(({ x, y, rx, ry, color, opacity }) => (
          <ellipse key={`${x} ${y} ${rx}`} cx={x} cy={y} rx={rx} ry={ry} fill={color} opacity={opacity} />
        ))}
      </g>
    </svg>
  )
})
