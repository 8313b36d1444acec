// The built renderer as answers of the `app:` scheme. An address is compared with a strict pattern as it stands, nothing
// is decoded, and what is read is a plain file inside the folder: there is no traversal to get wrong.

import { readFile, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { securityHeaders } from './content-policy.ts'
import { origin } from './origin.ts'

export type FileServer = (request: { readonly url: string; readonly method: string }) => Promise<Response>

/** A file with any other ending is not served. */
const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.wav': 'audio/wav',
  '.txt': 'text/plain; charset=utf-8',
}

/** Segments of letters, digits, `_`, `-` and inner dots: no `..`, no `%`, no backslash, no NUL, no query. */
const pathPattern = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$/
const maxPathLength = 512

/** @param folder the built renderer; it may lie inside an asar archive */
export function createFileServer(folder: string): FileServer {
  let root: Promise<string> | undefined
  return async ({ url, method }) => {
    if (method !== 'GET') return refusal(405, { allow: 'GET' })
    const path = pathOf(url)
    const contentType = path === undefined ? undefined : contentTypes[extname(path)]
    if (path === undefined || contentType === undefined) return refusal(404)
    root ??= realpath(folder)
    const content = await readInside(await root, path)
    if (content === undefined) return refusal(404)
    return new Response(content, { headers: { ...securityHeaders, 'content-type': contentType } })
  }
}

function pathOf(url: string): string | undefined {
  if (url === origin || url === `${origin}/`) return '/index.html'
  const path = url.startsWith(`${origin}/`) ? url.slice(origin.length) : ''
  return path.length <= maxPathLength && pathPattern.test(path) ? path : undefined
}

/** A plain file, and not one that a symbolic link leads out to. */
async function readInside(root: string, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const file = await realpath(join(root, path))
    if (!file.startsWith(root + sep) || !(await stat(file)).isFile()) return undefined
    return new Uint8Array(await readFile(file))
  } catch {
    return undefined // not there: the same answer as for what may not be seen
  }
}

function refusal(status: number, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { status, headers: { ...securityHeaders, ...headers } })
}
