// The app and its page together: a wallet that is used in a browser.

import { type AppOptions, startApp } from '../app.ts'
import { createRouter, type Router } from '../router.ts'
import { type ServeHost, startServeHost } from '../serve.ts'

export type AppPageOptions = Omit<AppOptions, 'onEvent'> & {
  readonly rendererFolder: string
  /** Default: any free port. */
  readonly port?: number
}

export type AppPage = Pick<ServeHost, 'url' | 'newLink' | 'turnsAwayOthers'> & {
  /** The same commands, for who started it. */
  readonly route: Router
  /** The page first, then the wallet. */
  stop(): Promise<void>
}

/** @throws AppError of `startApp`; the system's error when the port cannot be opened */
export async function startAppPage({ rendererFolder, port, ...options }: AppPageOptions): Promise<AppPage> {
  // What happens before the page is there is in its first snapshot.
  let host: ServeHost | undefined
  const app = await startApp({ ...options, onEvent: (event) => host?.send(event) })
  const route = createRouter(app.handlers, app.report)
  try {
    host = await startServeHost({ route, rendererFolder, log: options.log, ...(port === undefined ? {} : { port }) })
  } catch (error) {
    await app.stop()
    throw error
  }
  const { url, newLink, turnsAwayOthers, close } = host
  return {
    url,
    newLink,
    turnsAwayOthers,
    route,
    stop: async () => {
      await close()
      await app.stop()
    },
  }
}
