// Single keys of the terminal, without Enter.

/** @returns false when this is no terminal, and nothing is listened to */
export function onKeys(actions: Readonly<Record<string, () => void>>): boolean {
  const { stdin } = process
  if (!stdin.isTTY) return false
  stdin.setRawMode(true)
  stdin.setEncoding('utf8').on('data', (text: string) => {
    for (const key of text) if (Object.hasOwn(actions, key)) actions[key]?.()
  })
  process.once('exit', () => stdin.setRawMode(false))
  return true
}
