// The practice stall: somebody to pay the first coin to. A wallet like any other, at 127.0.0.1, with nobody behind it.

import { startApp } from '../electron/app.ts'
import { AppError } from '../shared/errors.ts'

export type Stall = {
  /** A request to pay one coin, once: `creqA…`. */
  request(): Promise<string>
  stop(): Promise<void>
}

const name = 'Practice stall'

/** @throws AppError of the folder, and of the mint when it cannot be added */
export async function openStall(options: {
  readonly folder: string
  readonly mintUrl: string
  readonly unit: string
  readonly log: (line: string) => void
}): Promise<Stall> {
  const { folder, mintUrl, unit, log } = options
  const { handlers, stop } = await startApp({
    folder,
    name,
    listenHost: '127.0.0.1',
    // Play money, in the folder of the practice mint: nobody restores it.
    memoryFolder: null,
    onEvent: () => {},
    log,
  })
  try {
    // Nobody on the local network has anything to do with it.
    await handlers['settings.change']({ lan: false })
    await handlers['mints.add']({ url: mintUrl }).catch((error) => {
      if (!(error instanceof AppError && error.code === 'mint_exists')) throw error
    })
  } catch (error) {
    await stop()
    throw error
  }
  return {
    request: async () => {
      const order = { mintUrl, unit, amount: 1, description: 'One practice coin', singleUse: true }
      return (await handlers['request.create'](order)).text
    },
    stop,
  }
}
