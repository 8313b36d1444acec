// What crosses between a screen and its wallet in a whole session: no phrase, no seed, no coin, no key, no handover.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { mnemonicToSeedSync } from '@scure/bip39'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSecrets } from '../../electron/wallet/secrets.ts'
import { isWithoutChromium } from './chromium.ts'
import { ask, button, confirm, heading, prepare, visit, waitForText } from './screens.ts'
import { type Stage, setStage } from './stage.ts'

type Path = { generation: number; account: number; purse: number; coin: number }

/** Everything of a wallet that no screen may hear, by what it is. */
function secretsOf(folder: string): ReadonlyMap<string, string> {
  const phrase = readFileSync(join(folder, 'phrase'), 'utf8').trim()
  const seed = Buffer.from(mnemonicToSeedSync(phrase))
  const derived = createSecrets(seed, { bytes: (length) => new Uint8Array(length) })
  const db = new DatabaseSync(join(folder, 'wallet.db'), { readOnly: true })
  const secrets = new Map<string, string>([
    [phrase, 'the phrase'],
    [phrase.split(' ').slice(0, 3).join(' '), 'three words of the phrase'],
    [seed.toString('hex'), 'the seed'],
    [seed.toString('hex').slice(0, 32), 'a part of the seed'],
    [Buffer.from(derived.payeePeerSeed(0)).toString('hex'), 'the peer key'],
  ])
  const outputs = db.prepare(
    'SELECT generation, account, purse, coin, B_ FROM output JOIN purse ON purse.id = output.purse_id',
  )
  for (const { B_, ...path } of outputs.all() as (Path & { B_: string })[]) {
    secrets.set(derived.nonce(path), 'a nonce')
    secrets.set(derived.blindingFactor(path).toString(16).padStart(64, '0'), 'a blinding factor')
    secrets.set(derived.purseKey(path), 'a purse key')
    secrets.set(B_, 'a blinded message')
  }
  for (const coin of db.prepare('SELECT Y, C, e, s FROM coin').all() as Record<string, string>[]) {
    for (const [name, value] of Object.entries(coin)) secrets.set(value, `${name} of a coin`)
  }
  for (const { data } of db.prepare('SELECT data FROM operation').all() as { data: string }[]) {
    const { handover, settledHandover, terms, claim, receipt, swap } = JSON.parse(data)
    for (const text of [
      handover,
      settledHandover,
      swap?.signature,
      terms?.body,
      terms?.sig,
      claim?.sig,
      receipt?.sig,
    ]) {
      if (typeof text === 'string') secrets.set(text, 'part of a payment')
    }
  }
  db.close()
  return secrets
}

describe.skipIf(isWithoutChromium())('between screen and wallet', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await setStage()
  })
  afterEach(() => stage.close())

  test('in a whole session nothing secret crosses', async () => {
    const ann = await stage.open('Ann', { coins: 100 })
    const bob = await stage.open('Bob', { coins: 10 })
    for (const isOnline of [true, false]) {
      if (!isOnline) await stage.cable.unplug()
      const request = await ask(bob, '11')
      await prepare(ann, request)
      await confirm(ann.page)
      await heading(ann.page, /^(Paid|Signed)/)
    }
    await stage.cable.plug()
    await heading(ann.page, 'Paid')
    for (const window of [ann, bob]) {
      for (const route of ['#/home', '#/activity', '#/mints/0/about', '#/settings', '#/settings/about']) {
        await visit(window, route)
        await window.page.locator('#main h1').waitFor()
      }
      const [payment] = await window.wallet.call('payments.list', { limit: 1 })
      await visit(window, `#/activity/${payment?.id}`)
      await waitForText(window.page, 'What happened')
      await visit(window, '#/activity')
      await button(window.page, /^Export/).click()
    }
    await expect
      .poll(() => ann.crossed.some((text) => text.includes('payments.export') || text.includes('csv')))
      .toBe(true)
    for (const [window, name] of [
      [ann, 'Ann'],
      [bob, 'Bob'],
    ] as const) {
      const all = window.crossed.join('\n')
      expect(all).toContain('"latest"')
      expect(all, 'also what came by events was read').toContain('"kind":"payment"')
      const secrets = secretsOf(join(stage.folder, name))
      expect(secrets.size).toBeGreaterThan(30)
      const found = [...secrets].filter(([text]) => all.includes(text)).map(([, what]) => what)
      expect(found).toEqual([])
    }
  }, 240_000)

  test('the twelve words cross when a person asks to see them, and at no other time', async () => {
    const { page, crossed } = await stage.open('Cleo', { coins: 0 })
    const phrase = readFileSync(join(stage.folder, 'Cleo', 'phrase'), 'utf8').trim()
    const words = phrase.split(' ')
    const heard = () => crossed.filter((text) => text.includes(words.slice(0, 2).join('","')))
    await visit({ page }, '#/settings')
    await page.locator('#main h1').waitFor()
    expect(heard()).toEqual([])
    await button(page, 'Write them down').click()
    await button(page, 'Show the words').click()
    await page.getByText(words[11]!).first().waitFor()
    expect(heard()).toHaveLength(1)
    await visit({ page }, '#/home')
    await heading(page, /^Hello/)
    const kept = await page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.title, location.href])',
    )
    expect(kept).not.toContain(words[0])
    expect(await page.content()).not.toContain(words.slice(0, 2).join(' '))
  }, 240_000)
})
