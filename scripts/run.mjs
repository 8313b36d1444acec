// Every command of package.json comes through here: set up what is missing, then run it with the project's own Node.
// Usage: node scripts/run.mjs <command> [arguments]; the commands are those of the table below.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { root, setUp } from './setup.mjs'

const tools = {
  tsc: join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
  biome: join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome'),
  vitest: join(root, 'node_modules', 'vitest', 'vitest.mjs'),
}
/** What Node made of the sources the last time: starts take two thirds of the time. */
const compiled = join(root, 'node_modules', '.cache', 'farthing-compiled')
/** What takes as long as it is let: see test/how-much.ts. */
const crashTests = ['crash', 'interleavings', 'kill', 'mint-crash', 'mint-death', 'races', 'replacement-death'].map(
  (name) => join('test', `${name}.test.ts`),
)
/** Where vitest writes its report for the closing line, from the top of the project. */
const results = join('out', 'test-results.json')

const script = (...path) => join(root, ...path)
const commands = {
  start: (args) => run(script('scripts', 'start', 'main.ts'), args),
  demo: (args) => run(script('scripts', 'demo', 'main.ts'), args),
  mint: (args) => run(script('mint', 'main.ts'), args),
  build: (args) => run(script('scripts', 'build', 'main.ts'), args),
  package: (args) => run(script('scripts', 'package', 'main.ts'), args),
  screens: (args) => run(script('scripts', 'screens', 'main.ts'), args),
  bench: (args) => run(script('scripts', 'bench', 'main.ts'), args),
  // Every decoder fed with what it should refuse; a bounded part of it is in `test`.
  fuzz: (args) => run(script('scripts', 'fuzz', 'main.ts'), args),
  interop: (args) => run(script('test', 'interop', 'run.ts'), args),
  check: async () => worst([...(await typesAndLint()), await run(tools.vitest, ['run', 'test/layers.test.ts'])]),
  test,
  // All that `test` tries a bounded part of: death and a bad network at every place, drawn interleavings, kill -9. An hour.
  'test:crash': (args) => run(tools.vitest, ['run', ...crashTests, ...args], { FARTHING_CRASH: 'whole' }),
  // The app in a real Chromium: part of `test`, alone here.
  'test:e2e': (args) => run(tools.vitest, ['run', 'test/browser', ...args]),
  // The app in a real Electron, where its binary is; says loudly that it was skipped elsewhere.
  'test:electron': (args) => run(script('test', 'electron', 'run.ts'), args),
}

/** Types and lint first, then every test; all of them run even when one fails. Arguments go to vitest. */
async function test(args) {
  const checks = await typesAndLint()
  rmSync(join(root, results), { force: true })
  mkdirSync(join(root, dirname(results)), { recursive: true })
  const reporters = ['default', 'json', join('test', 'still-running.ts')].map((name) => `--reporter=${name}`)
  const code = await run(tools.vitest, ['run', ...reporters, `--outputFile.json=${results}`, ...args])
  const failedChecks = checks.filter((check) => check !== 0).length
  if (failedChecks > 0) console.log('farthing: types or lint failed, see above; counted as failed below')
  console.log(closingLine(failedChecks, code))
  return worst([...checks, code])
}

async function typesAndLint() {
  return [
    await run(tools.tsc, ['-p', '.']),
    await run(tools.tsc, ['-p', 'renderer']),
    await run(tools.biome, ['check', '--no-errors-on-unmatched', '--error-on-warnings', '.']),
  ]
}

/**
 * What every test run ends with, alone on its line. A file that cannot be loaded counts as one failed test, and so does
 * a run that fails without naming a test.
 */
function closingLine(failedChecks, code) {
  const file = join(root, results)
  if (!existsSync(file)) return `0 passed, ${failedChecks + 1} failed, 0 skipped`
  const report = JSON.parse(readFileSync(file, 'utf8'))
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'),
  ).length
  const failed = Math.max(report.numFailedTests + broken, code === 0 ? 0 : 1) + failedChecks
  return `${report.numPassedTests} passed, ${failed} failed, ${report.numPendingTests + report.numTodoTests} skipped`
}

const worst = (codes) => codes.find((code) => code !== 0) ?? 0

/** Run a script with the project's Node, hand on signals, and answer with its exit code. */
async function run(script, args, env = {}) {
  console.log(`farthing: ${[relative(root, script), ...args].join(' ')}`)
  if (!existsSync(script)) throw new Error(`${relative(root, script)} is not there`)
  const child = spawn(node, [script, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: {
      NODE_COMPILE_CACHE: compiled,
      ...process.env,
      ...env,
      PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
    },
  })
  // Ctrl-C reaches the whole process group by itself; a second one would be taken for impatience.
  let interrupted = false
  const handOn = (signal) => {
    interrupted = true
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, handOn)
  const watch = watchParent(() => handOn('SIGTERM'))
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (status, signal) => resolve(status ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 0)))
  })
  for (const signal of signals) process.off(signal, handOn)
  clearInterval(watch)
  if (interrupted) process.exit(code)
  return code
}

/** npm hands a signal on to the shell it started, not to what that shell runs: its end is all we see of it. */
function watchParent(onEnd) {
  const parent = process.ppid
  if (process.env.npm_lifecycle_event === undefined) return undefined
  return setInterval(() => process.ppid !== parent && onEnd(), 500)
}

const [name = '', ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined
if (!command) {
  console.error(`usage: npm run <${Object.keys(commands).join('|')}> [-- arguments]`)
  process.exit(2)
}
let node = process.execPath
try {
  node = setUp()
  process.exitCode = await command(args)
} catch (error) {
  console.error(`farthing: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
