// Inputs on disk, one file each: `.txt` when it can be read as it is, else `.hex`.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'

const hexColumns = 96

/** All inputs of a folder by name; none when there is no folder. @throws for a file that is neither `.txt` nor `.hex` */
export function readCorpus(folder: string): readonly { readonly name: string; readonly input: Uint8Array }[] {
  return namesIn(folder).map((name) => ({ name, input: readInput(join(folder, name)) }))
}

export function readInput(file: string): Uint8Array {
  const bytes = readFileSync(file)
  if (extname(file) === '.txt') return bytes
  if (extname(file) !== '.hex') throw new Error(`${file} is neither .txt nor .hex`)
  return Buffer.from(bytes.toString('latin1').replace(/\s/g, ''), 'hex')
}

/** @returns the file it was written to */
export function writeInput(folder: string, input: Uint8Array, name = nameOf(input)): string {
  mkdirSync(folder, { recursive: true })
  const isText = isReadable(input)
  const file = join(folder, `${name}.${isText ? 'txt' : 'hex'}`)
  writeFileSync(file, isText ? input : hexLines(input))
  return file
}

/** The first 12 hex digits of its SHA-256. */
export const nameOf = (input: Uint8Array): string => createHash('sha256').update(input).digest('hex').slice(0, 12)

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

/** Whether an editor and a version control would leave it as it is. */
function isReadable(input: Uint8Array): boolean {
  const text = Buffer.from(input).toString('utf8')
  return Buffer.from(text, 'utf8').equals(input) && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text.replaceAll('\n', ''))
}

function hexLines(input: Uint8Array): string {
  const hex = Buffer.from(input).toString('hex')
  const lines: string[] = []
  for (let at = 0; at < hex.length; at += hexColumns) lines.push(`${hex.slice(at, at + hexColumns)}\n`)
  return lines.join('')
}
