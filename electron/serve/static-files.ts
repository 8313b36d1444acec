// The files of the renderer. They are listed, and only what is in the list exists: a path that climbs, hides or is
// written in another way is simply not in it, and neither is a symbolic link.

import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { AppError } from '../../shared/errors.ts'

export type StaticFile = { readonly body: Buffer; readonly type: string; readonly isImmutable: boolean }

export type StaticFiles = {
  /** The first page, with the list made anew: the program may have been built again. @throws AppError `not_found` */
  index(): Promise<StaticFile>
  /** @param path below the folder, with slashes, as it stands in the address */
  get(path: string): Promise<StaticFile | undefined>
}

/** What a page is made of; files of other kinds are not given out. */
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.wav': 'audio/wav',
}
const indexName = 'index.html'
/** Where the build puts files whose names change with their contents. */
const hashedFolder = 'assets/'

export function createStaticFiles(folder: string): StaticFiles {
  let listed = list(folder)

  const get = async (path: string): Promise<StaticFile | undefined> => {
    const type = listed.get(path)
    if (type === undefined) return undefined
    const body = await readFile(join(folder, ...path.split('/'))).catch(() => undefined)
    return body && { body, type, isImmutable: path.startsWith(hashedFolder) }
  }
  return {
    get,
    index: async () => {
      listed = list(folder)
      const file = await get(indexName)
      if (!file) throw new AppError('not_found', 'the pages of Farthing are not built')
      return file
    },
  }
}

/** Paths of all regular files of a known kind, with their types. */
function list(folder: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const type = types[extname(entry.name)]
      if (entry.isDirectory()) walk(`${below}${entry.name}/`)
      else if (entry.isFile() && type !== undefined) found.set(`${below}${entry.name}`, type)
    }
  }
  try {
    walk('')
  } catch {
    // Not built, or being built: whoever asks is told that there is no first page.
  }
  return found
}
