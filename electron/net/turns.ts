// What strangers make this computer work out, one piece in each turn of the event loop, and address after address: between
// two of them everything else has its turn, and a flood from one address keeps only itself waiting.

/** Most pieces that wait for one address. */
const maxWaiting = 16

export type Turns = {
  /** Resolves when it is this address's turn; at once to false when too much waits for it already. */
  wait(address: string): Promise<boolean>
}

export function createTurns(): Turns {
  /** In the order in which the addresses have their turn. */
  const waiting = new Map<string, (() => void)[]>()
  let isRunning = false

  const next = (): void => {
    const [first] = waiting
    if (!first) {
      isRunning = false
      return
    }
    const [address, [begin, ...rest]] = first
    waiting.delete(address)
    if (rest.length > 0) waiting.set(address, rest)
    begin?.()
    setImmediate(next)
  }
  return {
    wait: (address) =>
      new Promise((resolve) => {
        const before = waiting.get(address) ?? []
        if (before.length >= maxWaiting) return resolve(false)
        waiting.set(address, [...before, () => resolve(true)])
        if (isRunning) return
        isRunning = true
        setImmediate(next)
      }),
  }
}
