// SECURITY.md names tests: each of them is there, and no promise is without one.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const page = readFileSync(join(import.meta.dirname, '..', 'SECURITY.md'), 'utf8')
const [, after = ''] = page.split('## What is promised, and what proves it')
const [promises = ''] = after.split('## What is not promised')

const namedIn = (text: string) => [...text.matchAll(/`([a-z][a-z/-]+)`/g)].map(([, name]) => name ?? '')
const isTest = (name: string) => existsSync(join(import.meta.dirname, `${name}.test.ts`))

test('every test that SECURITY.md names is there', () => {
  const notTests = ['phrase', 'test/']
  const named = namedIn(page).filter((name) => !notTests.includes(name))
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((name) => !isTest(name))).toEqual([])
})

test('every promise of SECURITY.md names a test', () => {
  // A promise begins with bold words; the steps below one are promises, too.
  const each = promises.split(/^(?=\*\*|- )/m).filter((text) => /^(\*\*|- )/.test(text))
  expect(each.length).toBeGreaterThan(15)
  const introduces = '**No coin is lost or made.**'
  const bare = each.filter((text) => !text.startsWith(introduces) && !namedIn(text).some(isTest))
  expect(bare).toEqual([])
})
