// A small disk of its own, real: a tmpfs in a private mount namespace, which needs root or user namespaces. Programs are
// started within it; the test itself reaches it from outside.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type SmallDisk = {
  /** Where it is mounted, for programs within. */
  readonly path: string
  /** The same folder for this process. */
  readonly outside: string
  /** Program and arguments that start a command within. */
  readonly within: readonly string[]
  /** Until not a byte fits. */
  fill(): void
  /** Take back what `fill` took. */
  free(): void
  /** While nobody has a file open on it. */
  remount(mode: 'ro' | 'rw'): void
  close(): Promise<void>
}

const pageBytes = 4096
const isRoot = process.getuid?.() === 0

/** @returns undefined where the system does not allow it, with the reason in the output: what is skipped is seen */
export async function openSmallDisk(kibibytes: number): Promise<SmallDisk | undefined> {
  const path = mkdtempSync(join(tmpdir(), 'farthing-disk-'))
  const mount = `mount -t tmpfs -o size=${kibibytes}k,mode=0700 tmpfs "$0" && echo mounted && exec cat`
  const holder = spawn('unshare', [...(isRoot ? ['-m'] : ['-rm']), 'sh', '-c', mount, path], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const close = async (): Promise<void> => {
    await end(holder)
    rmSync(path, { recursive: true, force: true })
  }
  const trouble = await readiness(holder)
  if (trouble !== undefined) {
    await close()
    console.warn(`SKIPPED: A REAL FULL DISK, SINCE NONE OF A TEST'S OWN CAN BE MOUNTED HERE (${trouble})`)
    return undefined
  }
  const target = ['--target', String(holder.pid), '--mount', ...(isRoot ? [] : ['--user', '--preserve-credentials'])]
  const within = ['nsenter', ...target, '--']
  const outside = `/proc/${holder.pid}/root${path}`
  const filler = join(outside, 'filler')
  return {
    path,
    outside,
    within,
    fill: () => fillUp(filler, kibibytes * 1024),
    free: () => rmSync(filler),
    remount: (mode) => {
      const [program = '', ...args] = [...within, 'mount', '-o', `remount,bind,${mode}`, path]
      const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
      if (status !== 0) throw new Error(stderr)
    },
    close,
  }
}

/** @returns why it is not ready */
async function readiness(holder: ChildProcess): Promise<string | undefined> {
  let said = ''
  holder.stderr?.on('data', (text) => {
    said += text
  })
  const ended = once(holder, 'close').then(
    () => said.trim() || 'it ended',
    (error: Error) => error.message,
  )
  const mounted = once(holder.stdout!, 'data').then(() => undefined)
  return Promise.race([mounted, ended])
}

async function end(holder: ChildProcess): Promise<void> {
  if (holder.pid === undefined || holder.exitCode !== null || holder.signalCode !== null) return
  const ended = once(holder, 'exit')
  holder.kill('SIGKILL')
  await ended
}

/** @param size of the disk: more than that fits only on another one */
function fillUp(filler: string, size: number): void {
  const file = openSync(filler, 'w')
  try {
    for (let written = 0; written <= size; written += pageBytes) writeSync(file, new Uint8Array(pageBytes))
    throw new Error('this is not the small disk')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  } finally {
    closeSync(file)
  }
}

/** Files of that process grow to this many bytes and no further, from now on. */
export function limitFiles(pid: number, bytes: string): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
  if (status !== 0) throw new Error(String(stderr))
}

/** Whether that works here; said aloud where it does not. */
export function mayLimit(): boolean {
  const isThere = spawnSync('prlimit', ['--version']).status === 0
  if (!isThere) console.warn('SKIPPED: A PROCESS THAT MAY NOT WRITE, SINCE THERE IS NO prlimit HERE')
  return isThere
}
