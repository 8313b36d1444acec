// Nothing secret in anything that is said: two wallets and a mint as real processes, at their most talkative, through a
// whole session in which everything goes wrong that can. What they wrote, told and died of is searched for every secret.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { foreignInvoice } from './mint-fixture.ts'
import { type Liar, startLiar, startTalker, type Talker, until } from './talkative.ts'
import { formsOf, formsOfPhrase, found, type Secret, secretsOfMint, secretsOfWallet } from './wallet-secrets.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-said-'))
const at = (...path: readonly string[]) => join(folder, ...path)
const tuning = {
  ...{ settleDelayMs: [0, 0], refreshDelayMs: [1e9, 1e9], readingGapMs: 50, retryMs: [50, 300], tickMs: 300 },
  ...{ settleFirstMs: 2_000, settleBeforeAnswerMs: 500 },
}
const passphrase = 'correct horse battery staple 4711'
const env = { FARTHING_STATE: at('state') }

const talkers = new Map<string, Talker[]>()
/** Command lines of everything that ran. */
const commandLines: string[] = []
let mint: Talker
let liar: Liar
let ann: Talker
let bob: Talker

async function start(
  name: string,
  script: string,
  args: readonly string[],
  isReady: (said: Talker['said']) => boolean,
) {
  const talker = await startTalker(script, args, { env, isReady })
  talkers.set(name, [...(talkers.get(name) ?? []), talker])
  if (process.platform === 'linux') commandLines.push(readFileSync(`/proc/${talker.pid}/cmdline`, 'latin1'))
  return talker
}
const saysReady = (said: Talker['said']) => said.messages.includes('"ready":true')
const flags = (name: string) => [
  '--data',
  at(name),
  '--name',
  name,
  '--listen-host',
  '127.0.0.1',
  '--tuning',
  JSON.stringify(tuning),
]
const startAnn = () => start('ann', 'electron/headless.ts', flags('ann'), saysReady)
const startBob = () => start('bob', 'electron/serve/main.ts', [...flags('bob'), '--no-practice'], saysReady)

const phraseOf = (name: string) => readFileSync(at(name, 'phrase'), 'utf8').trim()
const value = async (talker: Talker, command: string, input?: unknown) => {
  const { ok, value, error } = await talker.call(command, input)
  if (!ok) throw new Error(`${command}: ${error?.code} ${error?.message}`)
  return value as never
}
const stateOf = async (talker: Talker, id: string) =>
  ((await value(talker, 'payments.get', { id })) as { state: string }).state

async function pay(
  amount: number,
  meanwhile: (requestId: string) => Promise<unknown> = async () => {},
): Promise<string> {
  const order = { mintUrl: liar.url, unit: 'sat', amount, singleUse: true }
  const request: { text: string; id: string } = await value(bob, 'request.create', order)
  const { id }: { id: string } = await value(ann, 'pay.prepare', { request: request.text, memo: 'Bread' })
  await meanwhile(request.id)
  await ann.call('pay.confirm', { id })
  return id
}

/** All that was said, with where. */
function everything(): readonly (readonly [string, string])[] {
  return [...talkers].flatMap(([name, all]) =>
    all.flatMap(({ said }, index) =>
      Object.entries(said).map(([way, text]) => [`${way} of ${name} ${index}`, text] as const),
    ),
  )
}
const leaksOf = (secrets: readonly Secret[]) => everything().flatMap(([where, text]) => found(secrets, where, text))

beforeAll(async () => {
  const args = ['--data', at('mint'), '--port', '0', '--practice-delay-ms', '50']
  mint = await start('mint', 'mint/main.ts', args, ({ stdout }) => stdout.includes('listening on'))
  liar = await startLiar(/http:\/\/127\.0\.0\.1:\d+/.exec(mint.said.stdout)![0])
  ann = await startAnn()
  bob = await startBob()
}, 240_000)

afterAll(async () => {
  for (const talker of [...talkers.values()].flat()) await talker.kill('SIGKILL')
  liar?.close()
  rmSync(folder, { recursive: true })
})

describe('a whole session', () => {
  test('goes as it should, and is talked about', async () => {
    for (const wallet of [ann, bob]) await value(wallet, 'mints.add', { url: liar.url })
    await value(ann, 'withdraw.start', { mintUrl: liar.url, unit: 'sat', amount: 500 })
    await until(async () => {
      const { slices }: { slices: { mints: { balances: { spendable: number }[] }[] } } = await value(
        ann,
        'app.snapshot',
      )
      return slices.mints[0]?.balances[0]?.spendable === 500
    }, 'coins')
    const id = await pay(11)
    await until(async () => (await stateOf(ann, id)) === 'final', 'a payment')
    expect(bob.said.stderr).toMatch(/libp2p:/)
    expect(ann.said.messages).toContain('"kind":"payment"')
  }, 240_000)

  test('pays with the mint away, with it lying, and settles when it is honest again', async () => {
    liar.mode = 'down'
    for (const wallet of [ann, bob]) await value(wallet, 'mints.sync')
    const signed = await pay(13)
    await until(async () => (await stateOf(ann, signed)) === 'signed', 'a signed payment')
    for (const mode of ['garbage', 'echo'] as const) {
      liar.mode = mode
      const echoedBefore = liar.echoed()
      for (const wallet of [ann, bob]) {
        await value(wallet, 'mints.sync')
        await wallet.call('withdraw.start', { mintUrl: liar.url, unit: 'sat', amount: 9 })
        await wallet.call('cashOut.prepare', { mintUrl: liar.url, unit: 'sat', invoice: await foreignInvoice(5) })
        await wallet.call('mints.add', { url: `${liar.url}/other` })
      }
      if (mode === 'echo') await until(() => liar.echoed() > echoedBefore, 'a mint that repeats secrets')
      // What it said is noted beside the payment, and shown.
      await until(
        async () =>
          JSON.stringify(await value(bob, 'payments.list', { limit: 9 })).includes('11001') || mode !== 'echo',
        'a note',
      )
      await value(ann, 'payments.get', { id: signed })
    }
    liar.mode = 'honest'
    await until(async () => (await stateOf(ann, signed)) === 'final', 'settled')
  }, 240_000)

  test('voids, reclaims and cashes out', async () => {
    const voided = await pay(17, (id) => value(bob, 'request.close', { id }))
    await until(
      async () => ['voided', 'reclaimed', 'reclaiming', 'final'].includes(await stateOf(ann, voided)),
      'a void',
    )
    await ann.call('pay.reclaim', { id: voided, isWarned: true })
    liar.mode = 'down'
    for (const wallet of [ann, bob]) await value(wallet, 'mints.sync')
    const lost = await pay(19, () => bob.kill('SIGKILL'))
    liar.mode = 'honest'
    await ann.call('pay.reclaim', { id: lost, isWarned: true })
    await until(async () => (await stateOf(ann, lost)) === 'taken_back', 'a reclaim')
    bob = await startBob()
    const quoted: { id: string } = await value(ann, 'cashOut.prepare', {
      ...{ mintUrl: liar.url, unit: 'sat', invoice: await foreignInvoice(23) },
    })
    await value(ann, 'cashOut.confirm', { id: quoted.id })
    await until(
      async () => ((await value(ann, 'cashOut.get', { id: quoted.id })) as { state: string }).state === 'done',
      'cash out',
    )
  }, 240_000)

  test('refuses what it does not understand, without repeating it', async () => {
    const phrase = phraseOf('ann')
    const words = phrase.split(' ')
    const wrong: readonly (readonly [string, unknown])[] = [
      [phrase, {}],
      ['request.read', { text: phrase }],
      ['pay.prepare', { request: `creqA${phrase}` }],
      ['mints.add', { url: phrase }],
      ['mints.add', { url: `http://${words.slice(0, 3).join(' ')}` }],
      ['profile.rename', { name: phrase }],
      ['phrase.check', { words: words.slice(0, 3) }],
      ['gate.unlock', { passphrase: [passphrase] }],
      ['gate.restorePhrase', { words }],
      ['gate.restorePhrase', { words: [...words.slice(0, 11), 'notaword'] }],
      ['gate.restoreBackup', { file: Buffer.from(phrase).toString('base64'), passphrase }],
      ['backup.merge', { file: Buffer.from(phrase).toString('base64'), passphrase }],
      ['backup.setFolder', { folder: `/${phrase}` }],
      ['payments.get', { id: words.slice(0, 3).join(' ') }],
      [`payments.get ${words.slice(0, 3).join(' ')}`, { [phrase]: phrase }],
    ]
    for (const [command, input] of wrong) {
      expect(await ann.call(command, input), `${command} ${JSON.stringify(input)}`).toMatchObject({ ok: false })
    }
    await value(ann, 'phrase.challenge')
    await ann.call('phrase.check', { words: words.slice(0, 3) })
  }, 240_000)

  test('is locked, unlocked, and saved', async () => {
    await value(bob, 'backup.export', { passphrase })
    await value(bob, 'gate.setPassphrase', { next: passphrase })
    await value(bob, 'gate.lock')
    expect((await bob.call('gate.unlock', { passphrase: `${passphrase}!` })).ok).toBe(false)
    await value(bob, 'gate.unlock', { passphrase })
    await value(bob, 'gate.setPassphrase', { current: passphrase, next: null })
  }, 240_000)

  test('has defects in its handlers, its runner and its store, which quote what they had in hand', async () => {
    for (const [name, talker] of [
      ['ann', ann],
      ['bob', bob],
    ] as const) {
      const { text } = secretsOfWallet(at(name)).find(({ what }) => what === 'the secret of a coin')!
      talker.suffer('store', `${phraseOf(name)} and ${text}`)
      for (const command of ['app.snapshot', 'mints.list', 'audit.totals', 'payments.export', 'mints.sync']) {
        expect((await talker.call(command)).ok, command).toBe(false)
      }
      await until(() => talker.said.stderr.includes('internal'), 'a defect in the log')
      talker.suffer('well')
      await until(async () => (await talker.call('app.snapshot')).ok, 'well again')
    }
    // Whole keys: half of one looks like an id.
    const keys = secretsOfMint(at('mint')).filter(({ text }) => /^[0-9a-f]{64}$/.test(text))
    mint.suffer(
      'store',
      keys
        .slice(0, 3)
        .map(({ text }) => text)
        .join(' '),
    )
    await until(async () => (await fetch(`${liar.url}/v1/keysets`)).status >= 500, 'a mint that fails')
    mint.suffer('well')
  }, 240_000)

  test('opens a database that is damaged in its rows', async () => {
    await ann.kill()
    const db = new DatabaseSync(at('ann', 'wallet.db'))
    db.exec('PRAGMA ignore_check_constraints = ON')
    const rows = db.prepare("SELECT id, data FROM operation WHERE data LIKE '%secret%'").all() as {
      id: string
      data: string
    }[]
    expect(rows.length).toBeGreaterThan(1)
    const kept = new Map(rows.map(({ id, data }) => [id, data]))
    for (const [index, { id, data }] of rows.entries()) {
      const cut = data.indexOf('nonce') + 12 + index
      db.prepare('UPDATE operation SET data = ?, next_attempt_at = 1 WHERE id = ?').run(data.slice(0, cut), id)
    }
    ann = await startAnn().catch(() => bob)
    for (const command of ['app.snapshot', 'payments.export', 'mints.sync']) await ann.call(command)
    for (const { id } of rows) await ann.call('payments.get', { id })
    await ann.kill()
    for (const [id, data] of kept)
      db.prepare('UPDATE operation SET data = ?, next_attempt_at = NULL WHERE id = ?').run(data, id)
    db.close()
    ann = await startAnn()
    if (bob === ann) throw new Error('a wallet that does not start again')
  }, 240_000)

  test('dies of what nobody caught, and its last words are clean', async () => {
    for (const [name, again] of [
      ['ann', startAnn],
      ['bob', startBob],
    ] as const) {
      for (const misfortune of ['throw', 'reject'] as const) {
        const talker = talkers.get(name)!.at(-1)!
        const { text } = secretsOfWallet(at(name)).find(({ what }) => what === 'a nonce')!
        talker.suffer(misfortune, `${phraseOf(name)} ${text}`)
        expect(await talker.ended, `${name} ${misfortune}`).not.toBe(0)
        expect(talker.said.stderr.slice(-3_000)).toMatch(/internal: /)
        await again()
      }
    }
    mint.suffer('throw', secretsOfMint(at('mint'))[0]!.text)
    expect(await mint.ended).not.toBe(0)
  }, 240_000)

  test('said nothing secret: no log, no error, no event, no last word', () => {
    const secrets = [
      ...secretsOfWallet(at('ann')),
      ...secretsOfWallet(at('bob')),
      ...secretsOfMint(at('mint')),
      ...[passphrase, Buffer.from(passphrase).toString('base64'), Buffer.from(passphrase).toString('hex')].map(
        (text) => ({
          ...{ text, what: 'the passphrase' },
        }),
      ),
    ]
    expect(secrets.length).toBeGreaterThan(1_000)
    expect(everything().reduce((sum, [, text]) => sum + text.length, 0)).toBeGreaterThan(100_000)
    expect(leaksOf(secrets)).toEqual([])
    const seen = new Set(secrets.map(({ what }) => what))
    for (const what of [
      'the seed',
      'a nonce',
      'a blinding factor',
      'the key of a purse',
      'part of a frame',
      'C of a coin',
      'witness at the mint',
      'C_ at the mint',
      'a key of the mint',
    ])
      expect(seen, what).toContain(what)
  })

  test('named no file and no process after a secret', () => {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    const secrets = [...secretsOfWallet(at('ann')), ...secretsOfWallet(at('bob')), ...secretsOfMint(at('mint'))]
    expect(names.length).toBeGreaterThan(6)
    expect(found(secrets, 'a name of a file', names.join('\n'))).toEqual([])
    if (process.platform !== 'linux') return console.log('skipped: only Linux shows command lines here')
    expect(commandLines.length).toBeGreaterThan(6)
    expect(found(secrets, 'a command line', commandLines.join('\n'))).toEqual([])
    expect(commandLines.join()).not.toContain(passphrase)
  })
})

describe('the search itself', () => {
  test('finds what was planted, in every form', async () => {
    const phrase = `${'abandon '.repeat(9)}zoo wild about`
    const key = Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 3)
    const planted = [
      `internal: ${phrase}`,
      `{"words":${JSON.stringify(phrase.split(' '))}}`,
      `key=${Buffer.from(key).toString('hex')}`,
      `frame ff00${Buffer.from(key).toString('hex')}00`,
      `Buffer ${Buffer.from(key).toString('base64')}`,
      `x${Buffer.from([1, ...key]).toString('base64url')}`,
      `y${Buffer.from([1, 2, ...key]).toString('base64')}`,
      `[${[...key].join(', ')}]`,
      JSON.stringify({ data: [...key] }),
      Buffer.from(key).toString('hex').match(/../g)!.join(' '),
      String(BigInt(`0x${Buffer.from(key).toString('hex')}`)),
    ]
    const secrets = [...formsOfPhrase(phrase), ...formsOf(key, 'a key')]
    for (const text of planted) expect(found(secrets, 'a log', text), text).toHaveLength(1)
    expect(found(secrets, 'a log', 'abandon the about page')).toEqual([])
  })

  test('finds what a process says', async () => {
    const talker = await startTalker('test/blabber.ts', [], { isReady: ({ messages }) => messages.includes('said') })
    talkers.set('blabber', [talker])
    const key = Uint8Array.from({ length: 32 }, (_, index) => index)
    expect(leaksOf(formsOf(key, 'a key')).map((line) => line.split(':')[0])).toEqual([
      'a key in stdout of blabber 0',
      'a key in stderr of blabber 0',
      'a key in messages of blabber 0',
    ])
    talkers.delete('blabber')
    await talker.kill('SIGKILL')
  })
})
