// One process per data folder, which a crash releases; and nobody else on this computer reads or changes what lies there.
// Real processes, real kill -9.

import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { takeLease } from '../electron/store/lease.ts'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { startWallet, type WalletProcess } from '../scripts/demo/processes.ts'
import { openMint } from './mint-fixture.ts'
import { startMintProcess } from './mint-process.ts'

let parent: string
let folder: string
const started: { kill(): Promise<unknown> }[] = []
const log: string[] = []
const stateBefore = process.env['FARTHING_STATE']

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'farthing-lease-'))
  folder = join(parent, 'data')
  process.env['FARTHING_STATE'] = join(parent, 'state')
})
afterEach(async () => {
  for (const one of started.splice(0)) await one.kill()
  log.splice(0)
  rmSync(parent, { recursive: true })
  if (stateBefore === undefined) delete process.env['FARTHING_STATE']
  else process.env['FARTHING_STATE'] = stateBefore
})

async function start(): Promise<WalletProcess> {
  const wallet = await startWallet({
    name: 'Ann',
    folder,
    offlineCapable: [],
    tuning: {},
    onLog: (line) => log.push(line),
  })
  started.push(wallet)
  return wallet
}

describe('the lease', () => {
  test('is held by one process: a second is refused with its reason, a third gets it at once when the first was killed', async () => {
    const first = await start()
    await expect(start()).rejects.toThrow('ended (1)')
    expect(log.join('\n')).toContain('folder_in_use')
    expect(await first.call('mints.list', {})).toEqual([])
    for (let times = 0; times < 3; times++) {
      await started.at(-1)!.kill()
      const next = await start()
      expect(await next.call('mints.list', {})).toEqual([])
    }
  })

  test('is refused in the same process too, and given back by whoever had it', async () => {
    const lease = takeLease(folder)
    expect(() => takeLease(folder)).toThrow(expect.objectContaining({ code: 'folder_in_use' }))
    await expect(start()).rejects.toThrow('ended (1)') // looking at it did not loosen it
    expect(log.join('\n')).toContain('folder_in_use')
    lease.release()
    takeLease(folder).release()
    await start()
  })

  test.each([1, 600, 5000])('is not kept from anybody by %i bytes of something else in its file', (length) => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'lease'), 'x'.repeat(length))
    const lease = takeLease(folder)
    expect(() => takeLease(folder)).toThrow(expect.objectContaining({ code: 'folder_in_use' }))
    lease.release()
  })

  test('that cannot be taken for another reason says that reason', () => {
    mkdirSync(join(folder, 'lease'), { recursive: true })
    expect(() => takeLease(folder)).toThrow(expect.objectContaining({ code: 'disk_unwritable' }))
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'a file where the folder should be')
    expect(() => takeLease(folder)).toThrow(/EEXIST|ENOTDIR/)
  })
})

const isPosix = process.platform !== 'win32'
const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8)

/** Mode of every folder and every file in it, by name; what is as it should be is left out. */
function tooOpen(root: string): readonly string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true })
  const files = entries.map((entry) => [join(entry.parentPath, entry.name), entry.isDirectory()] as const)
  return [[root, true] as const, ...files].flatMap(([path, isFolder]) =>
    modeOf(path) === (isFolder ? '700' : '600') ? [] : [`${path.slice(root.length)} ${modeOf(path)}`],
  )
}

/** Processes started from here on have this file mode creation mask. */
async function withUmask<T>(mask: number, work: () => Promise<T>): Promise<T> {
  const before = process.umask(mask)
  try {
    return await work()
  } finally {
    process.umask(before)
  }
}

describe.runIf(isPosix)('what the app makes', () => {
  test.each(['000', '022', '077'])('is for its owner alone under umask %s', async (octal) => {
    const mask = Number.parseInt(octal, 8)
    const mint = await openMint()
    await withUmask(mask, async () => {
      const wallet = await start()
      await wallet.call('mints.add', { url: mint.url() })
      await wallet.call('withdraw.start', { mintUrl: mint.url(), unit: 'sat', amount: 8 })
      await wallet.call('settings.change', { sounds: false })
    })
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['lease', 'phrase', 'wallet.db', 'wallet.db-wal']))
    expect(tooOpen(folder)).toEqual([])
    await started.at(-1)!.kill()
    expect(tooOpen(folder)).toEqual([])
  })

  test('is taken back from others in a folder that was open to them, also what a crash left', async () => {
    await start()
    await started.at(-1)!.kill()
    expect(existsSync(join(folder, 'wallet.db-wal'))).toBe(true)
    chmodSync(folder, 0o777)
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o666)
    await start()
    expect(tooOpen(folder)).toEqual([])
  })

  test('is not led out of the folder by a link that somebody left in it: neither written to nor opened up', async () => {
    const elsewhere = join(parent, 'elsewhere')
    for (const name of ['lease', 'wallet.db', 'wallet.db-wal', 'wallet.db-shm', 'wallet.db-journal']) {
      mkdirSync(folder)
      writeFileSync(elsewhere, 'not ours', { mode: 0o644 })
      symlinkSync(elsewhere, join(folder, name))
      const open = () => {
        const lease = takeLease(folder)
        try {
          openWalletStore(join(folder, 'wallet.db')).close()
        } finally {
          lease.release()
        }
      }
      expect(open, name).toThrow(expect.objectContaining({ code: 'folder_damaged' }))
      expect([name, readFileSync(elsewhere, 'utf8'), modeOf(elsewhere)]).toEqual([name, 'not ours', '644'])
      rmSync(folder, { recursive: true })
    }
  })

  test('by the mint is for its owner alone, too', async () => {
    await withUmask(0o000, async () => {
      started.push(await startMintProcess({ folder }))
    })
    expect(readdirSync(folder).sort()).toEqual(['lease', 'mint.sqlite', 'mint.sqlite-shm', 'mint.sqlite-wal', 'seed'])
    expect(tooOpen(folder)).toEqual([])
    expect(statSync(parent).mode & 0o777).toBe(0o700)
  })
})
