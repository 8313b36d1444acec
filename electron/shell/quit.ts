// The way out: a person hears once that payments are not final, then everything is stopped in order. Nothing is lost
// either way: what left this computer was stored before it left.

import { type App, type BrowserWindow, dialog } from 'electron'
import { quitWords } from './words.ts'

export type Quit = {
  /** Whether the app is on its way out, so that windows may close. */
  isUnderWay(): boolean
  /** Without asking: the system shuts down, or something is broken. */
  now(): void
}

export type QuitOptions = {
  /** How many payments are signed or on their way, in both directions. */
  readonly waiting: () => number
  /** End what runs. Called once. */
  readonly stop: () => Promise<void>
  readonly window: () => BrowserWindow | undefined
  readonly log: (line: string) => void
}

/** A stream in the middle of a payment, a swap at a slow mint: all of it goes on at the next start. Milliseconds. */
const stopTimeoutMs = 8_000

/** `open` → `asking` → `stopping` → `stopped`; from `asking` back to `open` when the person stays. */
type Phase = 'open' | 'asking' | 'stopping' | 'stopped'

/** Takes over `before-quit`: the app ends only through `stop`. */
export function guardQuit(app: App, options: QuitOptions): Quit {
  let phase: Phase = 'open'

  const stop = async (): Promise<void> => {
    phase = 'stopping'
    options.window()?.hide()
    try {
      await withTimeout(options.stop(), stopTimeoutMs)
    } catch (error) {
      options.log(`stopping failed: ${String(error).slice(0, 200)}`)
    }
    phase = 'stopped'
    app.quit()
  }
  const askAndStop = async (): Promise<void> => {
    phase = 'asking'
    const count = options.waiting()
    const stays = count > 0 && !(await wantsToQuit(count, options.window()))
    // Meanwhile the system may have begun to shut down.
    if (phase !== 'asking') return
    if (stays) phase = 'open'
    else await stop()
  }
  app.on('before-quit', (event) => {
    if (phase === 'stopped') return
    event.preventDefault()
    if (phase === 'open') {
      askAndStop().catch((error) => {
        options.log(`the question before quitting failed: ${String(error).slice(0, 200)}`)
        void stop()
      })
    }
  })
  return {
    isUnderWay: () => phase === 'stopping' || phase === 'stopped',
    now: () => {
      if (phase === 'open' || phase === 'asking') void stop()
    },
  }
}

async function wantsToQuit(count: number, window: BrowserWindow | undefined): Promise<boolean> {
  const question = {
    type: 'question' as const,
    title: 'Farthing',
    message: quitWords.message(count),
    detail: quitWords.detail(count),
    buttons: [quitWords.keepOpen, quitWords.quit],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  }
  const { response } = window ? await dialog.showMessageBox(window, question) : await dialog.showMessageBox(question)
  return response === 1
}

async function withTimeout(work: Promise<void>, timeoutMs: number): Promise<void> {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(() => timeout.reject(new Error(`not done after ${timeoutMs} ms`)), timeoutMs)
  try {
    await Promise.race([work, timeout.promise])
  } finally {
    clearTimeout(timer)
  }
}
