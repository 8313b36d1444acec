// The wren of the last farthing coin: our mark.

/** @param size in pixels; from 48 on with the coin's beaded rim */
export function Wren({ size }: { readonly size: number }) {
  return (
    <svg className="wren" width={size} height={size} viewBox="0 0 64 64" aria-hidden="true">
      <circle className="wren-coin" cx="32" cy="32" r="32" />
      {size < 48 ? (
        <>
          <path className="wren-bird" d={body} />
          <path className="wren-legs" strokeWidth="3.6" d="M29 47v8M37.5 46.5v8.5" />
          <circle className="wren-coin" cx="25" cy="23.8" r="2.5" />
        </>
      ) : (
        <>
          <circle className="wren-legs" cx="32" cy="32" r="28.7" strokeWidth="1.25" strokeDasharray="0 3.7572" />
          <g transform="translate(32.4 32.6) scale(.84) translate(-31.6 -32)">
            <path className="wren-bird" d={body} />
            <path
              className="wren-wing"
              d="M28.6 34.2C31.8 41.2 40.4 41.6 44.8 34.4M29.6 30.4C34 36.2 41 35.6 45.2 29.4"
            />
            <path className="wren-legs" strokeWidth="2.6" d="M29.4 47.5v7.2M37.4 47.5v7.2M24.6 55.6h18" />
            <circle className="wren-coin" cx="25" cy="23.8" r="2" />
          </g>
        </>
      )}
    </svg>
  )
}

const body =
  'M8.4 26.2 17.4 22.9C19 17.9 23.4 15 28.4 15.8 32.8 16.5 35.3 20 38.2 22.4 40.4 24.2 42.8 24.4 44 22.4L47.4 11.6C48.2 9 53.6 10 53.3 12.8L51.2 29.6C50.4 40 43.6 48.2 33.8 48.4 23.6 48.6 15.8 41.8 15.9 34.2 15.9 32.2 16.6 30.8 17.3 29.3Z'
