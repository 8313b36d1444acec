// The two channels between the window and the app: calls in, events out. Who calls is checked every time.

import { type BrowserWindow, type IpcMainInvokeEvent, ipcMain } from 'electron'
import { AppError } from '../shared/errors.ts'
import { type HostEvent, type Reply, toErrorReply } from '../shared/ipc.ts'
import type { Router } from './router.ts'
import { callChannel, eventChannel, isOurs, origin } from './shell/origin.ts'

export type IpcOptions = {
  readonly router: Router
  readonly window: () => BrowserWindow | undefined
  /** A command of our own page was answered. */
  readonly onAnswered: (name: string) => void
  readonly log: (line: string) => void
}

export type Ipc = {
  /** To the page of our window, if there is one; what nobody hears is in the next snapshot. */
  send(event: HostEvent): void
}

/** Registers the handler, once in the life of the process. It never throws: whoever calls is answered with a reply. */
export function serveWindow({ router, window, onAnswered, log }: IpcOptions): Ipc {
  ipcMain.handle(callChannel, async (event, name: unknown, input: unknown): Promise<Reply<unknown>> => {
    if (!isOurPage(event, window())) {
      log('a call from somewhere else was refused')
      return refusal('only the page of the app is answered')
    }
    if (typeof name !== 'string') return refusal('a command has a name')
    const reply = await router(name, input)
    if (reply.ok) onAnswered(name)
    return reply
  })
  return {
    send: (event) => {
      const contents = window()?.webContents
      if (contents && !contents.isDestroyed() && !contents.isCrashed() && isOurs(contents.getURL())) {
        contents.send(eventChannel, event)
      }
    },
  }
}

/** The top frame of our own window, showing our own page: not a frame inside it, not another window, not another page. */
function isOurPage({ sender, senderFrame }: IpcMainInvokeEvent, window: BrowserWindow | undefined): boolean {
  return (
    window !== undefined &&
    !window.isDestroyed() &&
    sender.id === window.webContents.id &&
    senderFrame !== null &&
    senderFrame.parent === null &&
    senderFrame.origin === origin &&
    isOurs(senderFrame.url)
  )
}

function refusal(message: string): Reply<never> {
  return { ok: false, error: toErrorReply(new AppError('bad_input', message)) }
}
