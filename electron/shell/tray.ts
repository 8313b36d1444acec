// The icon in the tray or menu bar: the same few ways in, and whether this computer is visible nearby.

import { Menu, nativeImage, Tray } from 'electron'
import { routes } from './routes.ts'
import { menuWords } from './words.ts'

export type TrayParts = {
  /** Image file; with `@2x` beside it for dense screens. On macOS a template image. */
  readonly icon: string
  readonly show: () => void
  readonly open: (route: string) => void
  /** A person wants it so; the icon is told with its own `setVisible` what came of it. */
  readonly setVisible: (on: boolean) => void
  readonly quit: () => void
}

export type TrayIcon = {
  /** Whether this computer can be seen nearby. */
  setVisible(on: boolean): void
  remove(): void
}

export function createTray(parts: TrayParts): TrayIcon {
  const image = nativeImage.createFromPath(parts.icon)
  if (process.platform === 'darwin') image.setTemplateImage(true)
  const tray = new Tray(image)
  /** What the menu shows; unknown after a click, which ticks the box before anything has happened. */
  let shown: boolean | undefined
  const setVisible = (on: boolean): void => {
    if (on === shown) return
    shown = on
    const ask = (): void => {
      shown = undefined
      parts.setVisible(!on)
    }
    // On Linux a menu that is shown does not change: a new one takes its place.
    tray.setContextMenu(trayMenu(parts, on, ask))
  }
  tray.setToolTip('Farthing')
  // On macOS, and on most Linux desktops, a click opens the menu.
  if (process.platform === 'win32') tray.on('click', parts.show)
  setVisible(false)
  return { setVisible, remove: () => tray.destroy() }
}

function trayMenu({ show, open, quit }: TrayParts, isVisible: boolean, toggle: () => void): Menu {
  return Menu.buildFromTemplate([
    { label: menuWords.show, click: show },
    { type: 'separator' },
    { label: menuWords.pay, click: () => open(routes.pay) },
    { label: menuWords.getPaid, click: () => open(routes.getPaid) },
    { label: menuWords.visible, type: 'checkbox', checked: isVisible, click: toggle },
    { type: 'separator' },
    { label: menuWords.quit, click: quit },
  ])
}
