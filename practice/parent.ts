// The parent of the practice process: another Node process (fork) or an Electron app (utilityProcess). Both speak alike.

import { z } from '../shared/schema.ts'

export type Parent = {
  send(message: object): void
  onMessage(then: (message: unknown) => void): void
  /** The parent ended, however it did. */
  onGone(then: () => void): void
}

/** Electron's `process.parentPort`: messages arrive in `data`. It goes away with the parent, and this process with it. */
const portSchema = z.custom<{
  postMessage(message: object): void
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void
}>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'postMessage') === 'function' &&
    typeof Reflect.get(value, 'on') === 'function',
)

/** @returns undefined for a process that was started by hand */
export function findParent(): Parent | undefined {
  const port = portSchema.safeParse(Reflect.get(process, 'parentPort'))
  if (port.success) {
    return {
      send: (message) => port.data.postMessage(message),
      onMessage: (then) => port.data.on('message', ({ data }) => then(data)),
      onGone: () => {},
    }
  }
  if (!process.send) return undefined
  return {
    send: (message) => {
      if (process.connected) process.send?.(message)
    },
    onMessage: (then) => {
      process.on('message', then)
    },
    onGone: (then) => {
      process.once('disconnect', then)
    },
  }
}
