// npm run fuzz: every decoder, or one, for as long as wanted. Guided by coverage: inputs that reach new code are kept.
//
//   npm run fuzz -- [--seconds N] [--target NAME] [--seed N] [--keep]    N seconds for each target; default 20
//   npm run fuzz -- --target NAME --input FILE                           one input again

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { nameOf, readInput, writeInput } from './corpus.ts'
import { createOracle } from './oracle.ts'
import { fuzz } from './session.ts'
import type { Finding, Report } from './target.ts'
import { table } from './targets.ts'

const root = join(import.meta.dirname, '..', '..')
const corpus = join(root, 'test', 'corpus')
const found = join(root, 'out', 'fuzz')
const usage = `fuzz [--seconds N] [--target NAME] [--seed N] [--keep] | --target NAME --input FILE
targets: ${Object.keys(table).join(' ')}
  --keep   put inputs that reached new code into test/corpus`
/** A larger one is rarely worth its place in the corpus. */
const maxKeptBytes = 2_048

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '20' },
      target: { type: 'string' },
      seed: { type: 'string' },
      input: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const isKnown = values.target === undefined || Object.hasOwn(table, values.target)
  if (values.help || !isKnown) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  if (values.input !== undefined) return replay(values.target ?? '', values.input)
  const seed = wholeNumber(values.seed ?? String(Date.now() % 2 ** 31))
  const names = values.target === undefined ? Object.keys(table) : [values.target]
  console.log(`fuzz: seed ${seed}, ${values.seconds} s each; corpus ${sizeOf(corpus) >> 10} KiB`)
  console.log(line('target', 'runs', 'runs/s', 'corpus', 'new', 'findings'))
  let findings = 0
  for (const name of names) {
    const report = await fuzz({
      table: new URL('./targets.ts', import.meta.url),
      name,
      corpusFolder: join(corpus, name),
      seed,
      seconds: wholeNumber(values.seconds),
      isGuided: true,
    })
    tell(name, report, seed)
    findings += report.findings.length
    if (values.keep) keep(name, report.fresh)
  }
  console.log(findings === 0 ? 'fuzz: no findings' : `fuzz: ${findings} findings`)
  return findings === 0 ? 0 : 1
}

function tell(name: string, { runs, seconds, corpus: known, fresh, findings }: Report, seed: number): void {
  console.log(line(name, runs, Math.round(runs / seconds), known, fresh.length, findings.length))
  for (const finding of findings) tellFinding(name, finding, seed)
}

function tellFinding(name: string, { kind, text, input }: Finding, seed: number): void {
  console.log(`  ${kind}: ${text.replaceAll('\n', '\n  ')}`)
  const again = input
    ? `--input ${relative(root, writeInput(join(found, name), input, `${kind}-${nameOf(input)}`))}`
    : `--seed ${seed}`
  console.log(`  again: npm run fuzz -- --target ${name} ${again}`)
}

/** @returns 1 when it is a finding still. An input that hangs hangs here too: a debugger can look at it. */
async function replay(name: string, file: string): Promise<number> {
  const target = await table[name]?.()
  if (!target) throw new Error('--input needs --target')
  const opened = await target.open()
  const finding = await createOracle(target, opened)(readInput(join(root, file)))
  await opened.close()
  console.log(finding ? `${finding.kind}: ${finding.text}` : 'no finding')
  return finding ? 1 : 0
}

function keep(name: string, fresh: readonly Uint8Array[]): void {
  for (const input of fresh) if (input.length <= maxKeptBytes) writeInput(join(corpus, name), input)
}

const line = (...cells: readonly (string | number)[]): string =>
  cells.map((cell, index) => (index === 0 ? String(cell).padEnd(16) : String(cell).padStart(9))).join(' ')

function sizeOf(folder: string): number {
  if (!existsSync(folder)) return 0
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(folder, name)))
  return files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)
}

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,10}$/.test(text)) throw new Error(`not a whole number: ${text}`)
  return Number(text)
}

process.exitCode = await main()
