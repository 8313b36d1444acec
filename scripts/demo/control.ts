// The control page of the demonstration, behind the same door as a wallet's: who may take the mint away is the person
// at this computer.

import { join } from 'node:path'
import { type ServeHost, startServeHost } from '../../electron/serve.ts'
import { AppError } from '../../shared/errors.ts'
import { toErrorReply } from '../../shared/ipc.ts'
import { z } from '../../shared/schema.ts'

export type ControlState = { readonly wallets: readonly string[]; readonly isMintOn: boolean }

export type ControlParts = {
  readonly state: () => ControlState
  /** A link to this wallet that works once. */
  readonly linkTo: (wallet: string) => Promise<string>
  readonly switchMint: (isOn: boolean) => Promise<void>
  readonly log: (line: string) => void
}

const linkInput = z.strictObject({ name: z.string().max(64) })
const switchInput = z.strictObject({ isOn: z.boolean() })

/** Its events are the state, whole. */
export function startControlPage({ state, linkTo, switchMint, log }: ControlParts): Promise<ServeHost<ControlState>> {
  const answer = async (command: string, input: unknown): Promise<unknown> => {
    switch (command) {
      case 'state':
        return state()
      case 'wallet.link':
        return linkTo(linkInput.parse(input).name)
      case 'mint.switch':
        await switchMint(switchInput.parse(input).isOn)
        return state()
      default:
        throw new AppError('unknown_command', 'no such command')
    }
  }
  return startServeHost<ControlState>({
    route: (command, input) =>
      answer(command, input).then(
        (value) => ({ ok: true, value }),
        (error) => ({ ok: false, error: toErrorReply(error) }),
      ),
    rendererFolder: join(import.meta.dirname, 'control'),
    log,
  })
}
