/** Three dots: the only thing that moves by itself. Say beside it what is awaited. */
export function Waiting() {
  return (
    <span className="waiting" aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
  )
}
