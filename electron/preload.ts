// What the page gets of Electron: two functions. Data crosses by structured clone; no event object, no channel, no
// `ipcRenderer` does. Bundled to CommonJS, because the preload of a sandboxed page must be.

import { contextBridge, ipcRenderer } from 'electron'
import { callChannel, eventChannel } from './shell/origin.ts'

contextBridge.exposeInMainWorld('farthing', {
  /** @returns the `Reply` of the command */
  call: (name: unknown, input: unknown): Promise<unknown> => ipcRenderer.invoke(callChannel, String(name), input),
  /** @returns a function that ends the subscription */
  onEvent: (listener: unknown): (() => void) => {
    if (typeof listener !== 'function') throw new TypeError('onEvent takes a function')
    const forward = (_event: unknown, value: unknown): void => {
      listener(value)
    }
    ipcRenderer.on(eventChannel, forward)
    return () => {
      ipcRenderer.off(eventChannel, forward)
    }
  },
})
