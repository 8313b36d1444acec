// The mint as its operator has it: a command, a folder with a seed and a database, and a keyset that is rotated.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test } from 'vitest'
import { createKeyring } from '../mint/keys.ts'
import { startMintServer } from '../mint/start.ts'
import { verifyKeyset } from '../shared/cashu/keyset.ts'
import { type KeysetsResponse, keysetsResponseSchema, keysResponseSchema } from '../shared/cashu/wire.ts'
import { openMint } from './mint-fixture.ts'

const children: ChildProcess[] = []
const folders: string[] = []

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), 'farthing-mint-'))
  folders.push(parent)
  return join(parent, 'data')
}

function command(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../mint/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const output = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    output.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.err += chunk
  })
  return { child, output }
}

async function run(...args: string[]) {
  const { child, output } = command(...args)
  const [code] = await once(child, 'close')
  return { code, ...output }
}

async function serve(...args: string[]) {
  const { child, output } = command('--port', '0', ...args)
  while (!output.out.includes('\n')) await once(child.stdout!, 'data')
  const url = /http:\S+/.exec(output.out)![0]
  const keysets = async (): Promise<KeysetsResponse['keysets']> =>
    keysetsResponseSchema.parse(await (await fetch(`${url}/v1/keysets`)).json()).keysets
  return { child, output, url, keysets }
}

describe('the command', () => {
  test('makes a private folder, says its address in one line, and ends cleanly on SIGTERM and SIGINT', async () => {
    const data = newFolder()
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const { child, output, url } = await serve('--data', data)
      expect(output.out.trim().split('\n')).toHaveLength(1)
      expect((await fetch(`${url}/v1/info`)).status).toBe(200)
      const modes = readdirSync(data).map((name) => [name, statSync(join(data, name)).mode & 0o777])
      expect(modes.map(([name]) => name)).toContain('seed')
      expect(new Set(modes.map(([, mode]) => mode))).toEqual(new Set([0o600]))
      expect(modes.map(([name]) => name)).toContain('mint.sqlite-wal')
      expect(statSync(data).mode & 0o777).toBe(0o700)
      child.kill(signal)
      expect(await once(child, 'exit')).toEqual([0, null])
      expect(output.err).toBe('')
    }
  })

  test('rotates the keyset of a mint that is being served, which uses the new one at once', async () => {
    const data = newFolder()
    const { child, keysets } = await serve('--data', data, '--fee-ppk', '100')
    const [first] = await keysets()
    expect(first).toMatchObject({ active: true, input_fee_ppk: 100, unit: 'sat' })
    expect(await run('rotate', '--data', data, '--fee-ppk', '7')).toMatchObject({ code: 0 })
    expect(await run('rotate', '--data', data)).toMatchObject({ code: 0 })
    const all = await keysets()
    expect(all.map(({ active, input_fee_ppk }) => [active, input_fee_ppk])).toEqual([
      [false, 100],
      [false, 7],
      [true, 7],
    ])
    expect(new Set(all.map(({ id }) => id)).size).toBe(3)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const again = await serve('--data', data, '--fee-ppk', '100') // the fee of the first start changes nothing
    expect(await again.keysets()).toEqual(all)
  })

  test.each([
    [[], /--data/],
    [['--data', 'x', '--port', '65536'], /--port/],
    [['--data', 'x', '--port', 'http'], /--port/],
    [['--data', 'x', '--fee-ppk', '-1'], /fee-ppk/],
    [['--data', 'x', '--fee-ppk', '0.5'], /--fee-ppk/],
    [['--data', 'x', '--unit', 'Sat'], /--unit/],
    [['--data', 'x', '--final-expiry', '1'], /--final-expiry/],
    [['--data', 'x', '--colour', 'red'], /colour/],
    [['explode', '--data', 'x'], /explode/],
    [['rotate', '--data', '/nowhere/at/all'], /no mint/],
  ])('refuses %j and says why', async (args, why) => {
    const { code, err, out } = await run(...args)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(why)
    expect(err).not.toMatch(/^\s+at /m)
  })

  test('says that the port is taken', async () => {
    const { url } = await serve('--data', newFolder())
    const { code, err } = await run('--data', newFolder(), '--port', new URL(url).port)
    expect(code).toBe(1)
    expect(err).toMatch(/EADDRINUSE/)
  })
})

describe('the lease', () => {
  test('lets one process serve a folder, beside it the operator rotates, and a killed one leaves nothing behind', async () => {
    const data = newFolder()
    const { child, url } = await serve('--data', data)
    const second = await run('--data', data, '--port', '0')
    expect(second).toEqual({ code: 1, out: '', err: 'mint: another mint serves this folder\n' })
    expect((await fetch(`${url}/v1/info`)).status).toBe(200)
    expect(await run('rotate', '--data', data)).toMatchObject({ code: 0 })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const { keysets } = await serve('--data', data)
    expect(await keysets()).toHaveLength(2)
  })

  test('is taken before anything is made: of two that start on an empty folder, one serves it and the other says why', async () => {
    const data = newFolder()
    const starts = [1, 2].map(() => command('--data', data, '--port', '0'))
    const ends = starts.map(async ({ child, output }) => {
      const first = await Promise.race([once(child.stdout!, 'data').then(() => 'serves'), once(child, 'close')])
      return first === 'serves' ? first : output.err
    })
    expect((await Promise.all(ends)).sort()).toEqual(['mint: another mint serves this folder\n', 'serves'])
  })
})

describe('the folder', () => {
  const start = (dataFolder: string) => startMintServer({ dataFolder, report: () => {} })

  test('of a stopped mint opens again with the same keysets', async () => {
    const mint = await openMint()
    const before = (await mint.get('/v1/keys')).text
    await mint.restart()
    expect((await mint.get('/v1/keys')).text).toBe(before)
  })

  test('with a seed that others may read is refused', async () => {
    const data = newFolder()
    await (await start(data)).close()
    chmodSync(join(data, 'seed'), 0o640)
    await expect(start(data)).rejects.toMatchObject({ code: 'folder_damaged' })
  })

  test('with another seed than its keysets were made from is refused', async () => {
    const [data, other] = [newFolder(), newFolder()]
    await (await start(data)).close()
    await (await start(other)).close()
    writeFileSync(join(data, 'seed'), readFileSync(join(other, 'seed')))
    await expect(start(data)).rejects.toMatchObject({ code: 'folder_damaged' })
  })

  test('that has lost its seed gets no new one', async () => {
    const data = newFolder()
    await (await start(data)).close()
    rmSync(join(data, 'seed'))
    await expect(start(data)).rejects.toMatchObject({ code: 'not_found' })
    expect(readdirSync(data)).not.toContain('seed')
  })

  test('with a seed that is no seed is refused', async () => {
    const data = newFolder()
    await (await start(data)).close()
    writeFileSync(join(data, 'seed'), 'correct horse battery staple')
    await expect(start(data)).rejects.toMatchObject({ code: 'folder_damaged' })
  })

  test('of a newer mint is refused, and its file is not changed by a byte', async () => {
    const data = newFolder()
    await (await start(data)).close()
    const db = new DatabaseSync(join(data, 'mint.sqlite'))
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 1000')
    db.close()
    const before = readFileSync(join(data, 'mint.sqlite'))
    await expect(start(data)).rejects.toMatchObject({ code: 'folder_too_new' })
    expect(readFileSync(join(data, 'mint.sqlite')).equals(before)).toBe(true)
  })

  test('with a database that is none is refused', async () => {
    const data = newFolder()
    await (await start(data)).close()
    writeFileSync(join(data, 'mint.sqlite'), 'hello, this is no database, and it is long enough to be looked at')
    await expect(start(data)).rejects.toMatchObject({ code: 'folder_damaged' })
  })

  test('that others may write to is refused', async () => {
    const data = newFolder()
    await (await start(data)).close()
    chmodSync(data, 0o777)
    await expect(start(data)).rejects.toMatchObject({ code: 'folder_damaged' })
  })

  test('writes with synchronous=FULL and WAL, and keeps what is spent or signed against any statement', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    await mint.swap([coin], await mint.outputs(4))
    const db = new DatabaseSync(join(mint.folder, 'mint.sqlite'))
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    for (const statement of [
      'DELETE FROM coins',
      `UPDATE coins SET state = 'PENDING'`,
      'DELETE FROM signatures',
      'UPDATE signatures SET amount = 1',
    ]) {
      expect(() => db.exec(statement), statement).toThrow(/stays/)
    }
    db.close()
  })
})

describe('keys', () => {
  const keyring = createKeyring(new Uint8Array(32).fill(7))
  const first = { index: 0, unit: 'sat', feePpk: 0, finalExpiry: null }

  test('are always derived from the seed as they were from the start', () => {
    const id = keyring.idOf(first)
    const { keys } = keyring.open({ ...first, id, active: true })
    expect({ id, smallest: keys['1'], largest: keys[String(2 ** 31)], count: Object.keys(keys).length }).toEqual({
      id: '012b11ff1c15580b3f708f546072ac36b997a84a00dfb818979544499c1447ead6',
      smallest: '02899b7a4b4866878e8a4981fcaf19714e5239007a1915e769f4bb9759ae033735',
      largest: '03a7a46b898b700bfaafbf0639bf1b54a01331b9646cc41028b6ffb91d31f39ab5',
      count: 32,
    })
  })

  test('are all different, in one keyset and between keysets', () => {
    const all = [0, 1, 256, 2 ** 31].flatMap((index) => {
      const record = { ...first, index, active: true }
      return Object.values(keyring.open({ ...record, id: keyring.idOf(record) }).keys)
    })
    expect(new Set(all).size).toBe(4 * 32)
  })

  test('have an id that commits to unit, fee and expiry', () => {
    const records = [
      first,
      { ...first, unit: 'eur' },
      { ...first, feePpk: 1 },
      { ...first, finalExpiry: 2_000_000_000 },
    ]
    expect(new Set(records.map((record) => keyring.idOf(record))).size).toBe(records.length)
  })

  test('are served under an id that a wallet computes from them', async () => {
    const mint = await openMint({ feePpk: 100, finalExpiry: 2_000_000_000 })
    const [served] = keysResponseSchema.parse((await mint.get('/v1/keys')).body).keysets
    const { id, unit, keys } = served!
    expect(verifyKeyset({ id, unit, keys, active: true, feePpk: 100, finalExpiry: 2_000_000_000 }).idV2).toBe(id)
    expect((await mint.get(`/v1/keys/${id}`)).body).toEqual({ keysets: [served] })
  })

  test('of an inactive keyset are served by id only', async () => {
    const mint = await openMint()
    const old = await mint.keysetId()
    mint.rotate()
    const { keysets } = keysResponseSchema.parse((await mint.get('/v1/keys')).body)
    expect(keysets.map(({ id }) => id)).toEqual([await mint.keysetId()])
    expect((await mint.get(`/v1/keys/${old}`)).body).toMatchObject({ keysets: [{ id: old, active: false }] })
  })

  test('of one unit are rotated without touching another unit, which must be named', async () => {
    const mint = await openMint()
    const sat = await mint.keysetId('sat')
    await mint.restart({ unit: 'eur' })
    const eur = await mint.keysetId('eur')
    expect(() => mint.rotate()).toThrow(/several units/)
    mint.rotate({ unit: 'eur' })
    expect(await mint.keysetId('sat')).toBe(sat)
    expect(await mint.keysetId('eur')).not.toBe(eur)
  })
})
