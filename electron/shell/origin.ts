// The one origin of the window, and the two IPC channels: what main, preload and every check of a sender agree on.

export const scheme = 'app'
export const origin = `${scheme}://farthing`
export const startUrl = `${origin}/`

/** Calls: `invoke(callChannel, name, input)` is answered with a `Reply`. */
export const callChannel = 'farthing:call'
/** Events: one `HostEvent` each. */
export const eventChannel = 'farthing:event'

/** Whether an address is a page of this app. The text itself is compared: nothing is parsed, nothing is normalised. */
export function isOurs(url: string): boolean {
  return url === origin || url.startsWith(startUrl)
}
