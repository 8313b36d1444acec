// What the page may ask the system for: the camera, to scan a request, and writing to the clipboard when a person presses
// Copy. Everything else is refused, and nothing but the app itself is ever loaded.

import { type Session, systemPreferences } from 'electron'
import { isOurs, origin } from './origin.ts'

/** Addresses a page may load from; its own content policy is stricter still. */
const ownUrls = /^(?:app:\/\/farthing\/|blob:app:\/\/farthing\/|data:)/
const developerUrls = /^(?:devtools|chrome):/

export function guardSession(session: Session, parts: { readonly isDevelopment: boolean }): void {
  session.setPermissionRequestHandler((_contents, permission, callback, details) => {
    const isAllowed =
      details.isMainFrame &&
      isOurs(details.requestingUrl) &&
      (permission === 'clipboard-sanitized-write' ||
        (permission === 'media' && 'mediaTypes' in details && isCameraOnly(details.mediaTypes)))
    if (!isAllowed || permission !== 'media') return callback(isAllowed)
    allowedBySystem().then(callback, () => callback(false))
  })
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin, details) => {
    if (!details.isMainFrame || details.embeddingOrigin !== undefined || withoutSlash(requestingOrigin) !== origin) {
      return false
    }
    return permission === 'clipboard-sanitized-write' || (permission === 'media' && details.mediaType === 'video')
  })
  session.setDevicePermissionHandler(() => false)
  session.setDisplayMediaRequestHandler((_request, callback) => callback(null))
  session.webRequest.onBeforeRequest(({ url }, callback) => {
    callback({ cancel: !(ownUrls.test(url) || (parts.isDevelopment && developerUrls.test(url))) })
  })
  session.on('will-download', (event, item) => {
    // Reports and backups are made by the page itself; there is nothing else to save.
    if (!ownUrls.test(item.getURL())) event.preventDefault()
  })
}

function isCameraOnly(mediaTypes: readonly string[] | undefined): boolean {
  return mediaTypes?.length === 1 && mediaTypes[0] === 'video'
}

/** macOS asks the person once, on behalf of the app. */
async function allowedBySystem(): Promise<boolean> {
  return process.platform !== 'darwin' || systemPreferences.askForMediaAccess('camera')
}

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url
}
