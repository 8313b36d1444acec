// Where a window may go: nowhere. Links to the few pages named here open in the person's own browser.

import { type App, shell, type WebContents } from 'electron'
import { isOurs } from './origin.ts'

/** Hosts the app itself links to. */
const externalHosts: readonly string[] = ['cashu.space', 'docs.cashu.space', 'github.com', 'www.electronjs.org']
const maxUrlLength = 2048

/** Whether the system's browser may be asked to open this. */
function isExternalLink(text: string): boolean {
  const url = text.length <= maxUrlLength ? URL.parse(text) : null
  return (
    url?.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    url.port === '' &&
    externalHosts.includes(url.hostname)
  )
}

/** Every page that ever comes to be, guarded from its beginning. */
export function guardPages(app: App, log: (line: string) => void): void {
  app.on('web-contents-created', (_event, contents) => guardPage(contents, log))
  // Electron's default is the same; nobody shall change it without being seen.
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, callback) => {
    event.preventDefault()
    callback(false)
  })
}

function guardPage(contents: WebContents, log: (line: string) => void): void {
  const openOutside = (url: string): void => {
    if (isExternalLink(url)) shell.openExternal(url).catch(() => log('a link could not be opened'))
    else log('a navigation was refused')
  }
  contents.on('will-frame-navigate', (event) => {
    // The page shows its screens by itself: only a reload of it is left.
    if (event.isMainFrame && isOurs(event.url)) return
    event.preventDefault()
    if (event.isMainFrame) openOutside(event.url)
  })
  contents.on('will-redirect', (event) => {
    if (!(event.isMainFrame && isOurs(event.url))) event.preventDefault()
  })
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(({ url }) => {
    openOutside(url)
    return { action: 'deny' }
  })
}
