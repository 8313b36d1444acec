// Something in place of Electron where its binary cannot be fetched: enough for electron-builder to lay out a package
// whose contents can be checked. It cannot run.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createPackage } from '@electron/asar'
import { z } from 'zod'
import { root } from '../build/root.ts'

/** Where Electron's binary has its fuses (electron/electron, build/fuses), and how they come: version 1, nine of them. */
const fuseSentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
const fuseDefaults = '101100011'

/** @returns a folder to be used as `electronDist` */
export async function makePlaceholderElectron(folder: string): Promise<string> {
  const source = join(folder, 'default-app')
  const dist = join(folder, 'electron')
  mkdirSync(source, { recursive: true })
  mkdirSync(join(dist, 'resources'), { recursive: true })
  mkdirSync(join(dist, 'locales'))
  writeFileSync(join(source, 'package.json'), '{ "name": "placeholder", "main": "main.js" }\n')
  writeFileSync(join(source, 'main.js'), '')
  await createPackage(source, join(dist, 'resources', 'default_app.asar'))
  writeFileSync(join(dist, 'electron'), executable())
  chmodSync(join(dist, 'electron'), 0o755)
  writeFileSync(join(dist, 'locales', 'en-US.pak'), 'placeholder')
  writeFileSync(join(dist, 'version'), `v${electronVersion()}`)
  writeFileSync(join(dist, 'LICENSE'), 'placeholder\n')
  writeFileSync(join(dist, 'LICENSES.chromium.html'), '<!doctype html><title>placeholder</title>\n')
  return dist
}

/** A script that says what it is, and after it a fuse wire, so that setting the fuses is part of what is checked. */
function executable(): Buffer {
  const script = '#!/bin/sh\necho "a placeholder: this is not Electron" >&2\nexit 1\n'
  return Buffer.concat([
    Buffer.from(script + fuseSentinel),
    Buffer.from([1, fuseDefaults.length]),
    Buffer.from(fuseDefaults),
  ])
}

function electronVersion(): string {
  const manifest = readFileSync(join(root, 'node_modules', 'electron', 'package.json'), 'utf8')
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version
}
