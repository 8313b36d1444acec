/** The key that does it; screen readers hear of it from the control itself. */
export function Kbd({ children }: { readonly children: string }) {
  return (
    <kbd>
      <span aria-hidden="true">{children}</span>
    </kbd>
  )
}
