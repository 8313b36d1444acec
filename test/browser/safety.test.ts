// Nothing is lost and nobody gets in, as people see it: restoring from words and from a file, the lock, a damaged file.

import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isWithoutChromium } from './chromium.ts'
import { ask, button, confirm, heading, noticeAway, prepare, text, visit, waitForText } from './screens.ts'
import { type Stage, setStage, until, type Window } from './stage.ts'

const passphrase = 'seven copper farthings'

const type = (page: Page, label: string, what: string): Promise<void> =>
  page.getByLabel(label, { exact: true }).fill(what)

/** Where a person has got to through "Restore a wallet". */
async function beginRestore(page: Page, way: RegExp): Promise<void> {
  await button(page, /^Restore a wallet/).click()
  await heading(page, 'Restore a wallet')
  await button(page, way).click()
}

/** Twelve words as one has them on the clipboard or types them: all into the first field. */
async function giveWords({ page }: Window, words: readonly string[]): Promise<void> {
  await type(page, 'Word 1', words.map((word, index) => `${index + 1}. ${word}`).join(' '))
  await expect.poll(() => page.getByLabel('Word 12', { exact: true }).inputValue()).toBe(words[11])
}

describe.skipIf(isWithoutChromium())('nothing is lost and nobody gets in', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await setStage()
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.log(`see ${(await stage.photograph(task.name)).join(' ')}`)
    await stage.close()
  })

  test('twelve words bring the coins back on an empty computer: they rest, come home, and can be paid with', async () => {
    const old = await stage.open('Ann', { coins: 100 })
    const { words } = await old.wallet.call('phrase.show', {})
    await old.page.goto('about:blank')
    await old.wallet.stop()

    const ann = await stage.open('Ann again')
    const { page } = ann
    await beginRestore(page, /^Twelve words/)
    await heading(page, 'Type your twelve words')
    await giveWords(ann, [...words.slice(0, 11), 'farthing'])
    await page.keyboard.press('Enter')
    await waitForText(page, 'Word 12 is not in the list of words.')
    await type(page, 'Word 12', words[11] ?? '')
    await page.keyboard.press('Enter')
    await heading(page, 'Which mints had your coins?')
    await type(page, 'Address of the mint', stage.cable.url)
    await page.keyboard.press('Enter')
    await waitForText(page, 'Looking here')
    await button(page, 'Go on').click()
    // Some ten thousand places are looked at, on a computer that may be busy.
    await page.getByText('Complete').waitFor({ timeout: 180_000 })
    await heading(page, 'Your coins')
    expect(await text(page)).toMatch(/\d+ coins found 100 sat/)
    expect(await text(page)).toContain('Found coins rest first.')
    await page.keyboard.press('Enter')
    await waitForText(page, 'found, resting')
    expect(await text(page)).toMatch(/You can spend Play money 0 sat/)

    await button(page, 'See what this means').click()
    await button(page, 'I have no open payments').click()
    await button(page, 'No payment is open').click()
    await until(async () => {
      const [mint] = await ann.wallet.call('mints.list', {})
      return mint?.balances[0]?.spendable === 100
    })
    await visit(ann, '#/home')
    await waitForText(page, '100 sat')

    const bob = await stage.open('Bob', { coins: 0 })
    await prepare(ann, await ask(bob, '40'))
    await confirm(page)
    await heading(page, 'Paid')
  }, 420_000)

  test('a backup file brings back what the words cannot: a payment that was signed and not final', async () => {
    const ann = await stage.open('Ann', { coins: 100 })
    const old = await stage.open('Bob', { coins: 0 })
    const request = await ask(old, '12')
    await stage.cable.unplug()
    await noticeAway(ann, old)
    await prepare(ann, request)
    await confirm(ann.page)
    await heading(ann.page, 'Signed')
    await ann.page.goto('about:blank')
    await ann.wallet.stop()

    await visit(old, '#/settings/phrase')
    await button(old.page, 'Save a file').click()
    await old.page
      .getByRole('button', { name: 'A passphrase' })
      .or(old.page.getByRole('radio', { name: 'A passphrase' }))
      .first()
      .click()
    await type(old.page, 'Passphrase', passphrase)
    await type(old.page, 'Once more', passphrase)
    const saving = old.page.waitForEvent('download')
    await button(old.page, 'Save the file').click()
    const file = join(stage.folder, 'saved.farthing-backup')
    await (await saving).saveAs(file)
    await old.page.goto('about:blank')
    await old.wallet.kill()

    const bob = await stage.open('Bob again')
    await beginRestore(bob.page, /^Backup file/)
    await heading(bob.page, 'Choose the backup file')
    await bob.page.locator('input[type=file]').setInputFiles(file)
    await bob.page
      .getByRole('button', { name: 'A passphrase' })
      .or(bob.page.getByRole('radio', { name: 'A passphrase' }))
      .first()
      .click()
    await type(bob.page, 'Passphrase of the file', 'seven copper pennies')
    await button(bob.page, 'Restore').click()
    await waitForText(bob.page, 'That is not the passphrase')
    await type(bob.page, 'Passphrase of the file', passphrase)
    await button(bob.page, 'Restore').click()
    await heading(bob.page, /coins/)
    await stage.cable.plug()
    await until(async () => {
      const [payment] = await bob.wallet.call('payments.list', { limit: 1 })
      return payment?.state === 'final'
    })
    await button(bob.page, 'Go to Home').click()
    await waitForText(bob.page, '12 sat')
  }, 300_000)

  test('a passphrase locks the screen and the start; wrong tries wait; payments go on underneath', async () => {
    const ann = await stage.open('Ann', { coins: 100 })
    const bob = await stage.open('Bob', { coins: 0 })
    const { page } = bob
    await visit(bob, '#/settings/phrase')
    await button(page, 'Set a passphrase').click()
    await type(page, 'New passphrase', passphrase)
    await type(page, 'Once more', passphrase)
    await button(page, 'Save').click()
    await button(page, 'Lock now').waitFor()
    const request = await ask(bob, '9')
    await visit(bob, '#/settings/phrase')
    await button(page, 'Lock now').click()
    await heading(page, 'Farthing is locked')
    await prepare(ann, request)
    await confirm(ann.page)
    await heading(ann.page, 'Paid')
    expect(await text(page)).not.toMatch(/\d sat|Bob|payment.*9/)
    await expect(bob.wallet.call('payments.list', { limit: 1 })).rejects.toMatchObject({ code: 'locked' })

    await type(page, 'Passphrase', 'not this one, no')
    await page.keyboard.press('Enter')
    await waitForText(page, 'That is not it.')
    await type(page, 'Passphrase', passphrase)
    await page.keyboard.press('Enter')
    await visit(bob, '#/home')
    await waitForText(page, '9 sat')

    await page.goto('about:blank')
    await bob.wallet.kill()
    const again = await stage.open('Bob')
    await heading(again.page, 'Farthing is locked')
    for (let tries = 0; tries < 6; tries++) {
      await type(again.page, 'Passphrase', `guess number ${tries}`)
      await again.page.keyboard.press('Enter')
      await waitForText(again.page, /That is not it\.|Next try in|Too many wrong tries/)
    }
    await waitForText(again.page, /Next try in \d+ s/)
  }, 300_000)

  test('the words on paper open the wallet that is here: without its passphrase, and without the file that keeps them', async () => {
    const ann = await stage.open('Ann', { coins: 25 })
    const { words } = await ann.wallet.call('phrase.show', {})
    await ann.wallet.call('gate.setPassphrase', { next: passphrase })
    await ann.page.goto('about:blank')
    await ann.wallet.stop()

    const locked = await stage.open('Ann')
    const { page } = locked
    await heading(page, 'Farthing is locked')
    await button(page, 'Use the twelve words of this wallet').click()
    await heading(page, 'Type the twelve words of this wallet')
    await page.keyboard.press('Escape')
    await heading(page, 'Farthing is locked')
    await button(page, 'Use the twelve words of this wallet').click()
    await giveWords(locked, [...Array(11).fill('abandon'), 'about'])
    await page.keyboard.press('Enter')
    await waitForText(page, 'These are not the words of this wallet.')
    await giveWords(locked, words)
    await type(page, 'New passphrase, optional', 'short')
    await type(page, 'Once more', 'short')
    await page.keyboard.press('Enter')
    await waitForText(page, 'This passphrase is too easy to guess')
    await type(page, 'New passphrase, optional', '')
    await button(page, 'Open the wallet').click()
    await heading(page, /^Hello, Ann/)
    await waitForText(page, '25 sat')
    await page.goto('about:blank')
    await locked.wallet.stop()

    rmSync(join(stage.folder, 'Ann', 'phrase'))
    const wordless = await stage.open('Ann')
    await heading(wordless.page, 'The twelve words are missing here')
    await giveWords(wordless, words)
    await wordless.page.keyboard.press('Enter')
    await heading(wordless.page, /^Hello, Ann/)
    await waitForText(wordless.page, '25 sat')
  }, 300_000)

  test('a database that cannot be read is set aside, and the newest copy is brought back', async () => {
    const ann = await stage.open('Ann', { coins: 100 })
    const copies = join(stage.folder, 'stick')
    mkdirSync(copies)
    await visit(ann, '#/settings/phrase')
    await button(ann.page, 'Choose a folder').click()
    await type(ann.page, 'Folder on this computer', copies)
    await button(ann.page, 'Use this folder').click()
    await waitForText(ann.page, 'The newest ten are kept in')
    await until(async () => readdirSync(copies).some((name) => name.endsWith('.farthing-backup')))
    await ann.page.goto('about:blank')
    await ann.wallet.stop()
    spoil(join(stage.folder, 'Ann', 'wallet.db'))
    // The stick is not plugged in.
    renameSync(copies, `${copies} in a drawer`)

    const again = await stage.open('Ann')
    const { page } = again
    await heading(page, 'The wallet’s file cannot be read')
    await waitForText(page, `Copies of this wallet went to ${copies}.`)
    expect(await text(page)).not.toContain('From the copy of')
    renameSync(`${copies} in a drawer`, copies)
    await button(page, 'Look for copies again').click()
    await waitForText(page, 'From the copy of')
    expect(await text(page)).not.toContain('Copies of this wallet went to')
    expect(await text(page)).toMatch(/From the copy of \d\d:\d\d/)
    await page.keyboard.press('Enter')
    await heading(page, /^Hello, Ann/)
    await waitForText(page, 'found, resting')
    expect(readdirSync(join(stage.folder, 'Ann')).some((name) => name.includes('damaged'))).toBe(true)
  }, 300_000)
})

/** Zeros in the middle of every table. */
function spoil(path: string): void {
  const file = openSync(path, 'r+')
  for (let page = 1; page < 40; page++) writeSync(file, Buffer.alloc(3000, 0x5a), 0, 3000, page * 4096 + 512)
  closeSync(file)
}
