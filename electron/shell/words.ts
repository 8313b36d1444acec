// The words of menus, the tray and the dialogs of the desktop host. What a screen says is in `shared/words.ts`.

export const menuWords = {
  about: 'About Farthing',
  file: 'File',
  edit: 'Edit',
  view: 'View',
  window: 'Window',
  home: 'Home',
  pay: 'Pay',
  getPaid: 'Get paid',
  activity: 'Activity',
  settings: 'Settings…',
  show: 'Show Farthing',
  visible: 'Visible nearby',
  lock: 'Lock now',
  quit: 'Quit Farthing',
} as const

export const quitWords = {
  /** @param count payments signed or on their way, at least 1 */
  message: (count: number): string =>
    count === 1 ? 'One payment is not final yet.' : `${count} payments are not final yet.`,
  detail: (count: number): string =>
    `${count === 1 ? 'It becomes' : 'They become'} final by ${count === 1 ? 'itself' : 'themselves'} when Farthing is open and online.`,
  keepOpen: 'Keep open',
  quit: 'Quit',
} as const

export const crashWords = {
  title: 'Farthing’s window stopped working',
  body: 'It was opened anew and stopped again, so Farthing closes now. Your money is safe: everything is kept as it was. Please start Farthing again.',
} as const

export const defectWords = {
  title: 'Farthing has to close',
  body: 'Something unexpected happened. Your money is safe: everything that left this computer was written down before. Please start Farthing again.',
} as const

export const folderWords = {
  title: 'A folder for copies of your wallet',
  choose: 'Use this folder',
} as const

/** @param file where the log is */
export const detailsWords = (code: string, file: string): string => `Details: ${code}\nLog: ${file}`
