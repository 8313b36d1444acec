// SECURITY.md names tests: each of them is there.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const page = readFileSync(join(import.meta.dirname, '..', 'SECURITY.md'), 'utf8')

test('every promise of SECURITY.md names a test that is there', () => {
  const [, promised = ''] = page.split('## What is promised, and what proves it')
  const [promises = ''] = promised.split('## What is not promised')
  const named = [...promises.matchAll(/`([a-z/-]+)`/g)].map(([, name]) => name ?? '')
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((name) => !existsSync(join(import.meta.dirname, `${name}.test.ts`)))).toEqual([])
})
