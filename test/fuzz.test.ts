// Every decoder, fed with its corpus and with inputs that chance makes of it: read or refused, quickly, and nothing else.
// The same inputs at every run, unless FARTHING_FUZZ_SEED says otherwise; `npm run fuzz` goes on for as long as wanted.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readCorpus, writeInput } from '../scripts/fuzz/corpus.ts'
import { createMutator } from '../scripts/fuzz/mutate.ts'
import { mutateValue } from '../scripts/fuzz/mutate-value.ts'
import { createRandom } from '../scripts/fuzz/random.ts'
import { fuzz } from '../scripts/fuzz/session.ts'
import { table } from '../scripts/fuzz/targets.ts'
import { bytesOf, textOf } from '../scripts/fuzz/text.ts'

const seed = Number(process.env['FARTHING_FUZZ_SEED'] ?? 1)
const corpus = join(import.meta.dirname, 'corpus')
const inputs = 1_500
/** What goes over a socket or to a disk, or through all of a library, is slower. */
const slowInputs = 150
const slow = new Set([
  'mint-answer',
  'mint-request',
  'mint-http',
  'page-http',
  'ipc-app',
  'operation-row',
  'row',
  'backup-file',
  'backup-database',
  'phrase-file',
  'muxer',
  'camera',
])
const folder = mkdtempSync(join(tmpdir(), 'farthing-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a decoder', () => {
  console.log(`fuzz: seed ${seed} (FARTHING_FUZZ_SEED)`)

  test.concurrent.each(Object.keys(table))(
    'reads or refuses whatever it is given: %s',
    { timeout: 240_000 },
    async (name) => {
      const { runs, findings } = await fuzz({
        table: new URL('../scripts/fuzz/targets.ts', import.meta.url),
        name,
        corpusFolder: join(corpus, name),
        seed,
        runs: slow.has(name) ? slowInputs : inputs,
        isGuided: false,
        hangMs: 60_000,
      })
      const told = findings.map(({ kind, text, input }) => {
        const file = input && writeInput(join(import.meta.dirname, '..', 'out', 'fuzz', name), input)
        return `${kind}: ${text}\nnpm run fuzz -- --target ${name} ${file ? `--input ${file}` : `--seed ${seed}`}`
      })
      expect(told).toEqual([])
      expect(runs).toBeGreaterThanOrEqual(slow.has(name) ? slowInputs : inputs)
    },
  )

  test('has a corpus of its own, which is small and can be read', () => {
    const folders = readdirSync(corpus)
    expect(folders.filter((name) => !Object.hasOwn(table, name))).toEqual([])
    expect(Object.keys(table).filter((name) => !folders.includes(name))).toEqual([])
    const files = readdirSync(corpus, { recursive: true, encoding: 'utf8' }).map((name) => join(corpus, name))
    const sizes = files.map((file) => statSync(file)).filter((file) => file.isFile())
    expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(300 * 1024)
    for (const name of folders) expect(readCorpus(join(corpus, name)).length, name).toBeGreaterThan(0)
  })
})

describe('the fuzzer finds', () => {
  const planted = (name: string, more: object = {}) =>
    fuzz({
      table: new URL('./fuzz-planted.ts', import.meta.url),
      name,
      corpusFolder: join(folder, 'none'),
      seed: 3,
      runs: 3_000,
      isGuided: false,
      hangMs: 1_500,
      maxFindings: 1,
      ...more,
    })

  test('nothing in a decoder without a bug', async () => {
    expect((await planted('clean')).findings).toEqual([])
  })

  test.each([
    ['throws', 'threw', /TypeError: no such thing/],
    ['throws another code', 'threw', /internal: .*not documented/],
    ['hangs', 'hang', /does not end/],
    ['slow', 'slow', /takes \d+ ms/],
    ['takes memory', 'memory', /takes \d+ MiB/],
    ['takes all memory', 'memory', /memory/],
    ['keeps memory', 'memory', /keeps \d+ MiB of 3\d\d\d inputs/],
    ['marks all objects', 'threw', /every object has a new property/],
    ['accepts two forms', 'threw', /two forms/],
    ['loses a value', 'property', /what is written is read: \[500\]/],
    ['ends the process', 'died', /ended with 7/],
    ['never answers', 'hang', /does not end/],
  ])('a decoder that %s', { timeout: 120_000 }, async (name, kind, text) => {
    const { findings } = await planted(name, {
      ...(kind === 'hang' ? {} : { hangMs: 60_000 }),
      ...(name === 'takes all memory' ? { maxHeapMiB: 64 } : {}),
    })
    expect(findings.map((finding) => finding.kind)).toContain(kind)
    const found = findings.find((finding) => finding.kind === kind)!
    expect(found.text).toMatch(text)
    if (name === 'throws') expect(found.input, 'as short as it can be').toEqual(Uint8Array.of(0xff))
    if (kind === 'hang' && name === 'hangs') expect(found.input?.[0]).toBe(0x80)
  })

  test('by coverage what chance does not: a bug behind three bytes', { timeout: 120_000 }, async () => {
    const guided = await planted('deep', { isGuided: true, runs: 200_000, seconds: 60 })
    expect(guided.findings.map(({ text }) => text.split('\n')[0])).toEqual(['TypeError: behind three bytes'])
    expect(guided.fresh.length).toBeGreaterThanOrEqual(3)
  })

  test('the same with the same seed', async () => {
    const [a, b, c] = await Promise.all([planted('throws'), planted('throws'), planted('throws', { seed: 4 })])
    expect(a.runs).toBe(b.runs)
    expect(a.findings).toEqual(b.findings)
    expect(c.findings).not.toEqual([])
  })

  test('a bug again from the file that it was written to', async () => {
    const corpusFolder = join(folder, 'corpus')
    writeInput(corpusFolder, Uint8Array.of(1, 0xff, 2))
    const { findings } = await planted('throws', { runs: 0, corpusFolder })
    expect(findings).toHaveLength(1)
  })
})

describe('inputs', () => {
  test('are on disk as they were, as text where a person can read it', () => {
    const all = [Uint8Array.of(), Uint8Array.of(0, 255, 128), bytesOf('creqA\nx'), bytesOf('\u202e'), bytesOf('a\r\n')]
    const kinds = all.map((input) => {
      const file = writeInput(join(folder, 'inputs'), input)
      expect(readCorpus(join(folder, 'inputs')).map((one) => Buffer.from(one.input).toString('hex'))).toContain(
        Buffer.from(input).toString('hex'),
      )
      return file.slice(file.lastIndexOf('.'))
    })
    expect(kinds).toEqual(['.txt', '.hex', '.txt', '.hex', '.hex'])
    expect(
      readFileSync(join(folder, 'inputs', readdirSync(join(folder, 'inputs')).find((name) => name.endsWith('txt'))!)),
    ).toBeDefined()
  })

  test('are texts that UTF-8 has not, too', () => {
    for (const text of ['', 'é😀', '\ud800', 'a\udfffb', '\ud83d', 'x\ud83d\ude00\ud83d'])
      expect(textOf(bytesOf(text))).toBe(text)
  })

  test('are changed in many ways, and stay within their limit', () => {
    const random = createRandom(7)
    const input = bytesOf('{"amount":5,"unit":"sat"}')
    const mutate = createMutator(random, { maxBytes: 99, isText: true, words: [], others: () => [input] })
    const made = new Set(Array.from({ length: 2_000 }, () => textOf(mutate(input))))
    expect(made.size).toBeGreaterThan(1_500)
    expect(Array.from({ length: 500 }, () => mutate(input)).every(({ length }) => length <= 99)).toBe(true)
    const values = new Set(
      Array.from({ length: 300 }, () => JSON.stringify(mutateValue(random, { a: [1, 'x'], b: true }))),
    )
    expect(values.size).toBeGreaterThan(60)
  })
})
