// Builds what is missing or was built from other sources. Contents are compared, not times: a clone gives every file the
// time of the clone, and a checkout of something older gives it the time of the checkout.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { root } from '../build/root.ts'

export type Part = 'renderer' | 'electron'

/** Files and folders that a part is built from, and the file without which it is not there. */
const parts: { readonly [P in Part]: { readonly from: readonly string[]; readonly result: string } } = {
  renderer: {
    from: ['renderer', 'shared', 'vite.config.ts', 'scripts/build', 'package.json', 'package-lock.json'],
    result: 'dist/renderer/index.html',
  },
  electron: {
    from: ['electron', 'shared', 'mint', 'practice', 'build', 'scripts/build', 'package.json', 'package-lock.json'],
    result: 'dist/electron/main.js',
  },
}

/** @throws Error when the build fails; what it printed says why */
export async function freshen(part: Part, say: (line: string) => void): Promise<void> {
  const { from, result } = parts[part]
  const stamp = join(root, 'dist', `${part}.sources`)
  // Taken before the build: what changes meanwhile is built the next time.
  const sources = digest(from)
  if (existsSync(join(root, result)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return
  say(`Building ${part === 'renderer' ? 'the screens' : 'the window'} …`)
  const build = spawn(process.execPath, [join(root, 'scripts', 'build', 'main.ts'), part], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code, signal] = await once(build, 'exit')
  if (code !== 0) throw new Error(`the build of ${part} ended with ${signal ?? code}`)
  mkdirSync(join(root, 'dist'), { recursive: true })
  writeFileSync(stamp, sources)
}

/** Names and contents of all files, in one order on every system. */
function digest(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of paths.flatMap(filesIn)) {
    const content = readFileSync(join(root, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

function filesIn(path: string): readonly string[] {
  const full = join(root, path)
  const info = statSync(full, { throwIfNoEntry: false })
  if (!info) return []
  if (!info.isDirectory()) return [path]
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length).split(sep).join('/'))
    .sort()
}
