// The licences of everything that is delivered: what the program depends on, whatever of it ends up in a bundle, and
// Electron. For the screen About, as a module that is loaded when somebody wants to read them.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'
import { z } from 'zod'
import { root } from './root.ts'

export type Licences = {
  readonly packages: readonly {
    readonly name: string
    readonly version: string
    /** SPDX, as the package says. */
    readonly licence: string
    /** Place in `texts`. */
    readonly text: number
  }[]
  /** Each text once, however many packages share it. */
  readonly texts: readonly string[]
}

/** What is delivered although nothing depends on it. */
const alsoDelivered = ['electron'] as const

const dependencies = z.record(z.string(), z.string()).default({})
const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      dependencies,
      optionalDependencies: dependencies,
      peerDependencies: dependencies,
    }),
  ),
})
export type Lock = z.infer<typeof lockSchema>

/** The folders of all packages that the program needs, itself not among them, as the lockfile names them. */
export function neededPackages({ packages }: Lock): readonly string[] {
  const found = new Set<string>()
  const take = (name: string, from: string): void => {
    const path = placeOf(name, from, packages)
    if (path === undefined || found.has(path)) return
    found.add(path)
    // A peer is delivered too, when something brings it here.
    const { dependencies, optionalDependencies, peerDependencies } = packages[path] ?? emptyPackage
    for (const next of [dependencies, optionalDependencies, peerDependencies].flatMap(Object.keys)) take(next, path)
  }
  for (const name of Object.keys(packages['']?.dependencies ?? {})) take(name, '')
  // Alone: what it depends on only fetches it.
  for (const name of alsoDelivered) found.add(`node_modules/${name}`)
  return [...found].filter((path) => !isTypes(path)).sort()
}

/** Node's way: the nearest `node_modules` on the way up. */
function placeOf(name: string, from: string, packages: Lock['packages']): string | undefined {
  for (let folder = from; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (packages[path]) return path
    if (folder === '') return undefined
  }
}

const emptyPackage = { dependencies: {}, optionalDependencies: {}, peerDependencies: {} }
/** They leave nothing in a bundle. */
const isTypes = (path: string): boolean => /(^|\/)node_modules\/@types\//.test(path)

/** @throws Error when a package names no licence, or one without a text to show: it may not be delivered like that */
export function readLicences(): Licences {
  const lock = lockSchema.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')))
  const texts: string[] = []
  const packages = neededPackages(lock).flatMap((path) => {
    const { version, license } = lock.packages[path] ?? {}
    // An optional part for another system is not installed, and not delivered.
    if (!existsSync(join(root, path))) return []
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const text = ownText(join(root, path)) ?? (license && /\bMIT\b/.test(license) ? mitText : null)
    if (!version || !license || text === null) throw new Error(`${path} has no licence that could be shown`)
    if (!texts.includes(text)) texts.push(text)
    return [{ name, version, licence: license, text: texts.indexOf(text) }]
  })
  return { packages: packages.sort((a, b) => (a.name < b.name ? -1 : 1)), texts }
}

/** The text that a package brings; null when it brings none. */
function ownText(folder: string): string | null {
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)([.-].*)?$/i.test(name))
  const texts = files.sort().map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim())
  return texts.length === 0 ? null : texts.join('\n\n')
}

/** Many packages name the licence, or a choice of two, and bring no text: then this one holds. https://spdx.org/licenses/MIT */
const mitText = `MIT License

Copyright (c) the authors of this package

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`

const id = 'virtual:licences'

/** The module of that name exports `licences`, as {@link Licences}. */
export function licences(): Plugin {
  return {
    name: 'farthing:licences',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load: (source) => (source === `\0${id}` ? `export const licences = ${JSON.stringify(readLicences())}` : undefined),
  }
}
