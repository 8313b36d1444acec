// Whether there is a screen to show something on, and showing a link in the browser that the person uses.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as waitFor } from 'node:timers/promises'

/** Windows and macOS have one; on Linux the session says. */
export function hasDisplay(): boolean {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  return process.platform !== 'linux' || Boolean(DISPLAY) || Boolean(WAYLAND_DISPLAY)
}

/** An opener that has not failed by then is taken to have worked: some wait for the browser to end. */
const patienceMs = 3_000

/**
 * Open a link in the default browser. It has a token in it, and command lines can be read by other users of the computer:
 * on Linux the host turns them away, on a Mac the link goes through a pipe, Windows shows command lines to nobody else.
 * @param turnsAwayOthers whether the host does: where it cannot, a person opens the link (unless it is for play money)
 * @returns false when there is no screen, or nothing that opens links
 */
export async function openInBrowser(link: string, turnsAwayOthers = true): Promise<boolean> {
  if (!hasDisplay() || (process.platform === 'linux' && !turnsAwayOthers)) return false
  const { command, args, input } = opener(link)
  const child = spawn(command, args, {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.stdin?.end(input)
  child.unref()
  const failed = new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(true))
    once(child, 'exit').then(
      ([code]) => resolve(code !== 0),
      () => resolve(true),
    )
  })
  return !(await Promise.race([failed, waitFor(patienceMs, false, { ref: false })]))
}

function opener(link: string): { command: string; args: readonly string[]; input?: string } {
  switch (process.platform) {
    case 'darwin':
      return { command: 'osascript', args: ['-'], input: `open location ${JSON.stringify(link)}\n` }
    case 'win32':
      return { command: 'rundll32', args: ['url.dll,FileProtocolHandler', link] }
    default:
      return { command: 'xdg-open', args: [link] }
  }
}
