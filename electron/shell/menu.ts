// The application menu: the usual commands of each system, and the four places a person goes to.

import { Menu, type MenuItemConstructorOptions } from 'electron'
import { routes } from './routes.ts'
import { menuWords } from './words.ts'

export type MenuParts = {
  readonly isDevelopment: boolean
  /** Show the window at this screen. */
  readonly open: (route: string) => void
  /** Ask for the passphrase from now on; null when there is none, or it is asked for already. */
  readonly lock: (() => void) | null
}

export function setApplicationMenu(parts: MenuParts): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate([...menuTemplate(process.platform, parts)]))
}

export function menuTemplate(
  platform: NodeJS.Platform,
  { isDevelopment, open, lock }: MenuParts,
): readonly MenuItemConstructorOptions[] {
  const isMac = platform === 'darwin'
  const go = (label: string, route: string, accelerator: string): MenuItemConstructorOptions => ({
    label,
    accelerator,
    click: () => open(route),
  })
  const settings = go(menuWords.settings, routes.settings, 'CmdOrCtrl+,')
  const lockItems: MenuItemConstructorOptions[] = lock
    ? [{ type: 'separator' }, { label: menuWords.lock, accelerator: 'CmdOrCtrl+L', click: lock }]
    : []
  const places = [
    go(menuWords.home, routes.home, 'CmdOrCtrl+1'),
    go(menuWords.pay, routes.pay, 'CmdOrCtrl+P'),
    go(menuWords.getPaid, routes.getPaid, 'CmdOrCtrl+G'),
    go(menuWords.activity, routes.activity, 'CmdOrCtrl+2'),
  ]
  const applicationMenu: MenuItemConstructorOptions = {
    role: 'appMenu',
    submenu: [
      { role: 'about' },
      { type: 'separator' },
      settings,
      { type: 'separator' },
      { role: 'services' },
      { type: 'separator' },
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      { type: 'separator' },
      { role: 'quit' },
    ],
  }
  return [
    ...(isMac ? [applicationMenu] : []),
    {
      label: menuWords.file,
      submenu: [
        ...places,
        ...lockItems,
        { type: 'separator' },
        ...(isMac
          ? [{ role: 'close' as const }]
          : [settings, { type: 'separator' as const }, { role: 'close' as const }, quitItem()]),
      ],
    },
    {
      label: menuWords.edit,
      submenu: [
        { role: 'undo' },
        { role: 'redo' },
        { type: 'separator' },
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'pasteAndMatchStyle' },
        { role: 'selectAll' },
      ],
    },
    {
      label: menuWords.view,
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
        ...(isDevelopment ? [{ role: 'reload' as const }, { role: 'toggleDevTools' as const }] : []),
      ],
    },
    {
      role: 'windowMenu',
      label: menuWords.window,
      submenu: [
        { role: 'minimize', accelerator: 'CmdOrCtrl+M' },
        ...(isMac ? [{ role: 'zoom' as const }, { type: 'separator' as const }, { role: 'front' as const }] : []),
      ],
    },
  ]
}

/** On Windows the role has no key of its own; there and on Linux it is Ctrl+Q. */
function quitItem(): MenuItemConstructorOptions {
  return { role: 'quit', label: menuWords.quit, accelerator: 'CmdOrCtrl+Q' }
}
