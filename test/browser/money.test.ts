// Money through the screens, as two people see it: real wallet processes, a real mint, a real Chromium on each.

import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startMint } from '../../scripts/demo/processes.ts'
import { writeClip } from './camera.ts'
import { isWithoutChromium } from './chromium.ts'
import { ask, button, confirm, heading, noticeAway, prepare, text, visit, waitForText } from './screens.ts'
import { type Stage, setStage } from './stage.ts'

describe.skipIf(isWithoutChromium())('two people', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await setStage()
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.log(`see ${(await stage.photograph(task.name)).join(' ')}`)
    await stage.close()
  })

  test('just try it: from nothing to a first payment with five presses of Enter', async () => {
    const { page } = await stage.open('Nobody yet')
    await button(page, /^Just try it/).focus()
    await page.keyboard.press('Enter')
    await button(page, 'Pay one practice coin').waitFor({ timeout: 60_000 })
    expect(await text(page)).toMatch(/100 coins/)
    await page.keyboard.press('Enter')
    await heading(page, 'They ask you to pay')
    expect(await text(page)).toMatch(/1 coin/)
    await page.keyboard.press('Enter')
    await confirm(page)
    await heading(page, 'Paid')
    await page.keyboard.press('Enter')
    await heading(page, 'Welcome')
    await waitForText(page, 'Practice stall')
    expect(await text(page)).toMatch(/99 coins/)
  }, 240_000)

  test('first run with practice coins, then a payment to the other one: both screens are right', async () => {
    const ann = await stage.open('Ann')
    await button(ann.page, /^New wallet/).click()
    await ann.page.getByLabel('Name, optional').fill('Ann')
    await ann.page.keyboard.press('Enter')
    await heading(ann.page, 'Write these twelve words on paper')
    await button(ann.page, 'Later').click()
    await heading(ann.page, 'Where should your coins come from?')
    await button(ann.page, /^Practice mint/).click()
    await button(ann.page, /^Pay one practice coin/).waitFor({ timeout: 60_000 })
    expect(await text(ann.page)).toContain('Hello, Ann')
    expect(await text(ann.page)).toMatch(/100 coins/)
    const [mint] = await ann.wallet.call('mints.list', {})

    const bob = await stage.open('Bob', { coins: 0 })
    await bob.wallet.call('mints.add', { url: mint?.url ?? '' })
    await bob.wallet.call('mints.remove', { url: stage.cable.url })
    // What is typed before the screen knows of it would be asked for at the mint that is gone.
    await waitForText(bob.page, 'coins')
    const request = await ask(bob, '30')
    await prepare(ann, request)
    expect(await text(ann.page)).toMatch(/Pay Bob.*30.*coins.*Play money/)
    await confirm(ann.page)
    await heading(ann.page, 'Paid')
    await waitForText(bob.page, '1 paid')
    await ann.page.keyboard.press('Enter')
    await waitForText(ann.page, /70/)
    await button(ann.page, /Bob/).first().click()
    await waitForText(ann.page, 'What happened')
  }, 240_000)

  test('offline it is signed, in words and shape, and the chip says so; the mint back, it becomes paid by itself', async () => {
    const ann = await stage.open('Cleo', { coins: 100 })
    const bob = await stage.open('Dan', { coins: 0 })
    const request = await ask(bob, '12')
    await stage.cable.unplug()
    await noticeAway(ann, bob)
    await prepare(ann, request)
    expect(await text(ann.page)).toContain('This payment will be signed.')
    await confirm(ann.page)
    await heading(ann.page, /^Signed/)
    expect(await text(ann.page)).not.toMatch(/\bPaid\b/)
    await waitForText(bob.page, '1 signed')
    expect(await text(bob.page)).not.toMatch(/\bpaid,|\bPaid\b/)
    await stage.cable.plug()
    await heading(ann.page, /^Paid/)
    await waitForText(bob.page, '1 paid')
    for (const { page } of [ann, bob]) expect(await page.getByText(/not reached since/).count()).toBe(0)
  }, 240_000)

  test('a refused payment is said on Home to wait for its person, and its coins come back there', async () => {
    const ann = await stage.open('Mia', { coins: 20 })
    const bob = await stage.open('Ned', { coins: 0 })
    await bob.wallet.call('settings.change', { limits: { single: 5, total: 5, perHour: 5 } })
    const request = await ask(bob, '12')
    await prepare(ann, request)
    await stage.cable.unplug()
    await noticeAway(ann, bob)
    await confirm(ann.page)
    await heading(ann.page, 'Refused')
    await visit(ann, '#/')
    const waiting = ann.page.getByRole('region', { name: 'Waiting for you' })
    await waiting.waitFor()
    await stage.cable.plug()
    await waiting.locator('a.payment').click()
    await button(ann.page, 'Take back 12 sat').click()
    await waitForText(ann.page, 'Taken back')
    await visit(ann, '#/')
    await waitForText(ann.page, /20/)
    expect(await waiting.count()).toBe(0)
  }, 240_000)

  test('a code shown by one is read by the camera of the other', async () => {
    const bob = await stage.open('Eva', { coins: 0 })
    const { text: shown } = await bob.wallet.call('request.create', {
      mintUrl: stage.cable.url,
      unit: 'sat',
      amount: 8,
      description: 'Two loaves',
      singleUse: true,
    })
    const clip = `${stage.folder}/code.y4m`
    writeClip(clip, [shown])
    const ann = await stage.open('Fay', { coins: 20, camera: clip })
    await button(ann.page, /^Pay/).first().click()
    await button(ann.page, 'Scan').click()
    await button(ann.page, /^Pay [^ ]/).waitFor({ timeout: 60_000 })
    expect(await text(ann.page)).toMatch(/Pay Eva.*8.*sat.*Two loaves/)
    await confirm(ann.page)
    await heading(ann.page, 'Paid')
  }, 240_000)

  test('with the keyboard alone, from Home to paid', async () => {
    const bob = await stage.open('Gus', { coins: 0 })
    const { text: open } = await bob.wallet.call('request.create', {
      mintUrl: stage.cable.url,
      unit: 'sat',
      singleUse: false,
    })
    const { page } = await stage.open('Hal', { coins: 20 })
    await heading(page, /^Hello/)
    await page.keyboard.press('p')
    await heading(page, 'Who do you want to pay?')
    await page.keyboard.insertText(open)
    await heading(page, 'How much?')
    for (const key of ['1', '5', 'Backspace', '7']) await page.keyboard.press(key)
    await page.keyboard.press('Enter')
    await confirm(page)
    await heading(page, 'Paid')
    await page.keyboard.press('Enter')
    await heading(page, /^Hello/)
    expect(await text(page)).toContain('3')
  }, 240_000)

  test('an amount above what is there is said before anybody is asked, and costs nothing', async () => {
    const bob = await stage.open('Ida', { coins: 0 })
    const request = await ask(bob, '500')
    const { page, wallet } = await stage.open('Joe', { coins: 20 })
    await page.goto(new URL(`#/pay/request/${encodeURIComponent(request)}`, page.url()).href)
    await waitForText(page, /20 sat/)
    expect(await text(page)).toMatch(/more than you have|not enough/i)
    expect(await wallet.call('payments.list', { limit: 5 })).toEqual([])
  }, 240_000)

  test('a new payment and its way to paid repaint its own row and no other', async () => {
    const ann = await stage.open('Kim', { coins: 50 })
    const bob = await stage.open('Lou', { coins: 0 })
    const pay = async (amount: number): Promise<void> => {
      const order = { mintUrl: stage.cable.url, unit: 'sat', amount, singleUse: true }
      const request = await bob.wallet.call('request.create', order)
      const { id } = await ann.wallet.call('pay.prepare', { request: request.text })
      await ann.wallet.call('pay.confirm', { id })
    }
    for (const amount of [1, 2, 3]) await pay(amount)
    await visit(ann, '#/activity')
    const rows = ann.page.locator('a.payment')
    await expect.poll(() => rows.count()).toBe(3)
    await expect.poll(() => rows.getByText('Paid', { exact: true }).count()).toBe(3)
    await ann.page.evaluate(`{
      window.repainted = 0
      for (const row of document.querySelectorAll('a.payment')) {
        row.dataset.old = ''
        new MutationObserver((changes) => { window.repainted += changes.length })
          .observe(row, { subtree: true, childList: true, characterData: true })
      }
    }`)
    await pay(4)
    await expect.poll(() => rows.getByText('Paid', { exact: true }).count(), { timeout: 45_000 }).toBe(4)
    expect(await ann.page.locator('a.payment[data-old]').count(), 'the old rows are the same ones').toBe(3)
    expect(await ann.page.evaluate('window.repainted')).toBe(0)
  }, 240_000)

  test('cash out: what it costs first, then yes, and the coins are gone when the mint has paid', async () => {
    const other = await startMint(join(stage.folder, 'other'), 0)
    try {
      const { page, wallet } = await stage.open('Max', { coins: 100 })
      const asked = await fetch(`${other.url}/v1/mint/quote/bolt11`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ amount: 40, unit: 'sat' }),
      })
      const { request } = (await asked.json()) as { request: string }
      await visit({ page }, '#/mints/0/cash-out')
      await page.getByLabel('Lightning invoice, with an amount').fill(request)
      await button(page, 'What does it cost?').click()
      await button(page, /^Cash out 40/).waitFor({ timeout: 45_000 })
      const [before] = await wallet.call('mints.list', {})
      expect(before?.balances[0]?.spendable, 'asking costs nothing').toBe(100)
      await button(page, /^Cash out 40/).click()
      await waitForText(page, 'Cashed out')
      await expect.poll(async () => (await wallet.call('mints.list', {}))[0]?.balances[0]?.spendable).toBe(60)
      const [books] = await wallet.call('audit.totals', {})
      expect(books).toMatchObject({ spendable: 60, reserved: 0, cashedOut: 40, feesPaid: 0 })
    } finally {
      await other.kill()
    }
  }, 240_000)
})
