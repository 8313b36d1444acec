import { useState } from 'react'
import { useAct } from '../act.ts'
import { announce } from '../store.ts'
import { commonWords } from '../words/common.ts'
import { Button, type ButtonProps } from './Button.tsx'

type Props = Pick<ButtonProps, 'children' | 'look' | 'size' | 'isWide' | 'isDisabled'> & {
  /** What goes to the clipboard. */
  readonly text: string
}

/** Copies a text; for two seconds it says that it did. */
export function CopyButton({ text, children, look = 'plain', size = 'm', isWide = false, isDisabled = false }: Props) {
  const [isCopied, setCopied] = useState(false)
  const copy = useAct(async () => {
    await navigator.clipboard.writeText(text)
    announce(commonWords.copied)
    setCopied(true)
    setTimeout(() => setCopied(false), 2000)
  })
  const words = copy.error ? commonWords.notCopied : isCopied ? commonWords.copied : children
  return (
    <Button
      onClick={copy.run}
      look={look}
      size={size}
      isWide={isWide}
      isDisabled={isDisabled}
      icon={isCopied ? 'check' : 'copy'}
    >
      {words}
    </Button>
  )
}
