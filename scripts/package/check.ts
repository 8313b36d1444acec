// What is in the package, compared with what may be: everything that was staged, each file of a kind that is allowed, and
// nothing besides. A package that ships a key, a source or a stray dependency fails here.

import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { extractFile, listPackage } from '@electron/asar'
import { electronFiles } from '../build/electron.ts'
import { root } from '../build/root.ts'

/** Every file of the archive matches one of these; paths with `/`, from the top of the archive. */
const allowed = [
  /^package\.json$/,
  /^LICENSE$/,
  /^dist\/electron\/(?:main|practice)\.js$/,
  /^dist\/electron\/preload\.cjs$/,
  /^dist\/electron\/(?:icon|tray|tray@2x|trayTemplate|trayTemplate@2x)\.png$/,
  /^dist\/electron\/(?:main|practice)\.js\.licences\.md$/,
  /^dist\/electron\/preload\.cjs\.licences\.md$/,
  /^dist\/renderer\/index\.html$/,
  /^dist\/renderer\/renderer\.licences\.md$/,
  /^dist\/renderer\/assets\/[\w.-]+\.(?:js|css|woff2|svg|png)$/,
  /^dist\/renderer\/[\w-]+\.(?:svg|png|ico|webmanifest)$/,
] as const

/** And these are never missing. */
const required: readonly string[] = [
  'package.json',
  'LICENSE',
  'dist/renderer/index.html',
  'dist/renderer/renderer.licences.md',
  ...electronFiles.map((name) => `dist/electron/${name}`),
  'dist/electron/main.js.licences.md',
  'dist/electron/practice.js.licences.md',
]

/** Names that stay out even where a pattern above is too generous. */
const forbidden = /\.map$|\.tsx?$|(?:^|\/)node_modules(?:\/|$)|\.test\.|(?:^|\/)node(?:\.exe)?$|\.node$|phrase|\.db$/
const text = /\.(?:js|cjs|css|html|json|md|svg)$/

/** What may lie beside the archive: what electron-builder and the systems put there. */
const resources = /^(?:app\.asar|apparmor-profile|package-type|elevate\.exe|Assets\.car|.*\.icns|.*\.lproj)$/

/**
 * @param asar the archive
 * @param staged the folder it was made from
 * @returns what is wrong with it, one line each; nothing when all is well
 */
export function checkArchive(asar: string, staged: string): readonly string[] {
  const names = filesOf(asar)
  const wanted = stagedFiles(staged)
  return [
    ...required.filter((name) => !names.includes(name)).map((name) => `${name} is missing`),
    ...names.filter((name) => !allowed.some((pattern) => pattern.test(name))).map((name) => `${name} is not allowed`),
    ...names.filter((name) => forbidden.test(name)).map((name) => `${name} is forbidden`),
    ...wanted.filter((name) => !names.includes(name)).map((name) => `${name} was staged and is not there`),
    ...names.filter((name) => !wanted.includes(name)).map((name) => `${name} was not staged`),
    ...names.flatMap((name) => contentOf(asar, name)),
  ]
}

/** @param folder the `resources` folder of a packaged app */
export function checkResources(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => !resources.test(name))
    .map((name) => `${basename(folder)}/${name} is not expected beside the archive`)
}

/** Every file of an archive, with `/`, without the folders; sorted. */
export function filesOf(asar: string): readonly string[] {
  const entries = listPackage(asar, { isPack: false }).map((entry) => entry.replaceAll('\\', '/').replace(/^\//, ''))
  return entries.filter((name) => !entries.some((other) => other.startsWith(`${name}/`))).sort()
}

function stagedFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort()
}

function contentOf(asar: string, name: string): readonly string[] {
  const content = extractFile(asar, name)
  if (content.length === 0) return [`${name} is empty`]
  if (!text.test(name)) return []
  const words = content.toString('utf8')
  return [
    ...(/^\/\/[#@] sourceMappingURL=|^\/\*[#@] sourceMappingURL=/m.test(words) ? [`${name} names a source map`] : []),
    ...(words.includes(root) ? [`${name} names the folder it was built in`] : []),
  ]
}
