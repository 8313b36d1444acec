// What a build must have left behind. A bundler that found nothing to do ends with success; this does not.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Rolldown } from 'vite'

/** @throws Error that names the first file that is missing or empty */
export function assertFiles(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const size = statSync(join(folder, name), { throwIfNoEntry: false })?.size
    if (!size) throw new Error(`the build left ${name} ${size === 0 ? 'empty' : 'out'}`)
  }
}

/** What the bundler makes of a `require` that it left in; a plain `require` stands in comments and in generated code only. */
const requireCall = /\b__require\(\s*["']([^"']+)["']\s*\)/g

/** What a bundle expects to find beside it: its imports, and what CommonJS inside it requires. */
export function importsOf(chunk: Pick<Rolldown.OutputChunk, 'imports' | 'dynamicImports' | 'code'>): readonly string[] {
  const required = [...chunk.code.matchAll(requireCall)].map((match) => match[1] ?? '')
  return [...new Set([...chunk.imports, ...chunk.dynamicImports, ...required])]
}
