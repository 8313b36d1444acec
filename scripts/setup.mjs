// Makes a bare clone ready: the packages of package-lock.json, among them the Node that runs everything else.
// Plain JavaScript without dependencies, because the machine's own Node (20 or newer) runs it before anything is there.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Oldest Node that runs the sources as they are: type stripping and a `node:sqlite` that prints no warning. */
const oldestNode = [24, 18]

/**
 * Install what is missing and say so in one line.
 * @returns path of the Node binary that runs the project
 */
export function setUp() {
  const reason = whyInstall()
  if (reason) {
    console.log(`farthing: ${reason}, installing the packages of package-lock.json (npm ci) …`)
    const started = Date.now()
    const status = npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'])
    if (status !== 0) throw new Error(`npm ci failed with ${status}: is the package registry reachable?`)
    console.log(`farthing: installed in ${Math.round((Date.now() - started) / 1000)} s`)
  }
  return projectNode()
}

/**
 * Compares what the lockfile wants with what npm noted as installed. Contents, not times: a clone gives every file
 * the time of the clone. npm writes its note last, so an interrupted install counts as none.
 * @returns undefined when everything is installed
 */
function whyInstall() {
  const wanted = packagesOf(join(root, 'package-lock.json'))
  if (!wanted) throw new Error('package-lock.json is missing or damaged: restore it from git')
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  if (!installed) return 'node_modules is missing or incomplete'
  for (const [path, { integrity }] of Object.entries(installed)) {
    if (wanted[path]?.integrity !== integrity) return 'node_modules is not what package-lock.json says'
  }
  for (const [path, { optional, devOptional }] of Object.entries(wanted)) {
    const needed = path !== '' && (!(optional || devOptional) || path === nodePackage()?.path)
    if (needed && !installed[path]) return 'node_modules is older than package-lock.json'
  }
  return undefined
}

/** The `packages` of a lockfile, by path; undefined when it cannot be read. */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** Where the lockfile's Node for this platform lies; undefined when the registry has none for it. */
function nodePackage() {
  const found = Object.entries(packagesOf(join(root, 'package-lock.json')) ?? {}).find(
    ([path, { bin, os, cpu }]) =>
      /^node_modules\/node-/.test(path) &&
      bin?.node !== undefined &&
      [os].flat().includes(process.platform) &&
      [cpu].flat().includes(process.arch),
  )
  return found && { path: found[0], binary: join(root, found[0], found[1].bin.node) }
}

function projectNode() {
  const binary = nodePackage()?.binary
  if (binary !== undefined && existsSync(binary)) return binary
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return process.execPath
  const why = binary === undefined ? 'the package registry has no Node for' : 'npm did not install the Node for'
  throw new Error(
    `${why} ${process.platform}-${process.arch}: install Node ${oldestNode.join('.')} or newer, this is ${process.versions.node}`,
  )
}

/** Run npm with the Node that started it: the project's own Node is among the files that npm replaces. */
function npm(args) {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env
  const direct = cli !== undefined && node !== undefined && /npm-cli\.[cm]?js$/.test(cli) && existsSync(cli)
  const options = { cwd: root, stdio: 'inherit' }
  const { status, error } = direct
    ? spawnSync(node, [cli, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' }) // npm.cmd needs a shell
  if (error) throw new Error(`cannot start npm: ${error.message}`)
  return status ?? 1
}
