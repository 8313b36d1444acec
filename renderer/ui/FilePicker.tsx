import { useId } from 'react'
import { Icon } from './Icon.tsx'

/** A button that opens the system's window to pick a file; its words are beside it for everybody. */
export function FilePicker({
  children,
  accept,
  onFile,
}: {
  /** What the button says. */
  readonly children: string
  /** File endings, such as `.txt`. */
  readonly accept: string
  readonly onFile: (file: File) => void
}) {
  const id = useId()
  return (
    <label className="button button-plain button-l button-wide file-picker" htmlFor={id}>
      <Icon name="download" />
      <span className="button-words">{children}</span>
      <input
        id={id}
        type="file"
        accept={accept}
        onChange={(event) => {
          const [file] = event.target.files ?? []
          if (file) onFile(file)
          // The same file again is a choice too.
          event.target.value = ''
        }}
      />
    </label>
  )
}
