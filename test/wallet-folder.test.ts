// A data folder: what belongs together is opened together, and nothing is made up for what is missing.

import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openWallet } from '../electron/wallet-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = (name = '') => openWallet({ folder, name, config: {}, emit: () => {}, report: () => {} })
const generation = () => {
  const wallet = open()
  const stored = wallet.store.read.meta('seed/generation')
  wallet.close()
  return stored
}
const codeOf = (work: () => unknown): unknown => {
  try {
    work()
    return 'opened'
  } catch (error) {
    return (error as { code?: string }).code
  }
}

test('a new wallet starts in generation 0 and stays there', () => {
  expect([generation(), generation()]).toEqual([0, 0])
})

test('a new database for an old phrase starts a generation whose indices nobody used', () => {
  generation()
  rmSync(join(folder, 'wallet.db'))
  const next = generation()
  expect(next).toBeGreaterThanOrEqual(1)
  expect(next).toBeLessThanOrEqual(16)
  expect(generation()).toBe(next)
})

test('a database without its phrase is not opened, and no phrase is made for it', () => {
  generation()
  renameSync(join(folder, 'phrase'), join(folder, 'elsewhere'))
  expect(codeOf(open)).toBe('no_phrase')
  expect(existsSync(join(folder, 'phrase'))).toBe(false)
  renameSync(join(folder, 'elsewhere'), join(folder, 'phrase'))
  expect(generation()).toBe(0)
})

test('a database is not opened with the phrase of another wallet, nor with none', () => {
  generation()
  writeFileSync(join(folder, 'phrase'), `${'abandon '.repeat(11)}about\n`)
  expect(codeOf(open)).toBe('bad_phrase')
  writeFileSync(join(folder, 'phrase'), 'twelve words that are no phrase\n')
  expect(codeOf(open)).toBe('bad_phrase')
})

test('a name too long for Terms is refused before anything is opened', () => {
  expect(codeOf(() => open('é'.repeat(33)))).toBe('bad_input')
  const wallet = open('é'.repeat(32))
  wallet.close()
})
