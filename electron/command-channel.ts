// Commands of the parent process over Node's process channel, each answered under its number.

import { toAppError } from '../shared/errors.ts'
import { readAs, z } from '../shared/schema.ts'

const callSchema = z.object({ id: z.number(), command: z.string(), input: z.unknown() })

export type ParentChannel = {
  /** `{ event }` or `{ ready: true }`, to the parent. */
  send(message: object): void
  /** Answer each command with `{ id, reply }` from now on. */
  answer(route: (command: string, input: unknown) => Promise<unknown>): void
  /** The parent is gone, however it ended. */
  onGone(then: () => void): void
}

/** @returns undefined for a process that was not started with a channel */
export function parentChannel(log: (line: string) => void): ParentChannel | undefined {
  if (!process.send) return undefined
  const send = (message: object): void => {
    // The parent may be gone already: then nobody waits for this.
    if (process.connected) process.send?.(message)
  }
  return {
    send,
    answer: (route) => {
      process.on('message', (message) => {
        const call = readAs(callSchema, message)
        if (!call.success) return log('bad_input: a message that is no command')
        const { id, command, input } = call.data
        route(command, input).then(
          (reply) => send({ id, reply }),
          (error) => log(`internal: ${toAppError(error).message}`),
        )
      })
    },
    onGone: (then) => {
      process.once('disconnect', then)
    },
  }
}
