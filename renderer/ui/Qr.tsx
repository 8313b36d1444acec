// Always ink on white. A text that is too long for one code is shown in parts, one after the other.

import { type ErrorCorrection, encodeQR } from 'qr'
import { memo, useEffect, useState } from 'react'
import { qrParts } from '../../shared/qr-parts.ts'
import { commonWords } from '../words/common.ts'
import { Wren } from './Wren.tsx'

/** Slow enough for a camera of 15 frames a second to see each part twice. */
const partMs = 280

export const Qr = memo(function Qr({ text, label }: { readonly text: string; readonly label: string }) {
  const parts = qrParts(text)
  const at = useTurn(parts.length)
  const part = parts[at % parts.length] ?? text
  const { ecc, hasWren } = density(part)
  const rows = modules(part, ecc)
  const size = rows.length
  return (
    <figure className="qr">
      <div className="qr-code">
        <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
          <path d={drawing(rows)} />
        </svg>
        {hasWren && (
          <span className="qr-wren">
            <Wren size={44} />
          </span>
        )}
      </div>
      {parts.length > 1 && <figcaption>{commonWords.qrParts(parts.length)}</figcaption>}
    </figure>
  )
})

function useTurn(count: number): number {
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    if (count === 1) return
    const timer = setInterval(() => setTurn((before) => (before + 1) % count), partMs)
    return () => clearInterval(timer)
  }, [count])
  return turn
}

/**
 * Large modules are read from further away than much correction helps: a screen has no scratches. So as little correction
 * as the length allows, and the wren only where a quarter of the code may be missing.
 */
function density(text: string): { readonly ecc: ErrorCorrection; readonly hasWren: boolean } {
  if (text.length <= 120) return { ecc: 'quartile', hasWren: true }
  return text.length <= 300 ? { ecc: 'medium', hasWren: false } : { ecc: 'low', hasWren: false }
}

/** The library insists on a border; ours is the padding around the picture. */
function modules(text: string, ecc: ErrorCorrection): readonly (readonly boolean[])[] {
  return encodeQR(text, 'raw', { ecc, border: 1 })
    .slice(1, -1)
    .map((row) => row.slice(1, -1))
}

/** One path; runs of dark modules in a row are one stroke. */
function drawing(rows: readonly (readonly boolean[])[]): string {
  let path = ''
  for (const [y, row] of rows.entries()) {
    for (let x = 0; x < row.length; x += 1) {
      if (!row[x]) continue
      let width = 1
      while (row[x + width]) width += 1
      path += `M${x} ${y}h${width}v1h-${width}z`
      x += width
    }
  }
  return path
}
