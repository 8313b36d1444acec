// Plays a short story with invented people and takes a picture of every screen: `npm run screens`. The pictures lie in
// docs/screens, docs/screens.md shows them.

import { join } from 'node:path'
import { setTimeout as waitFor } from 'node:timers/promises'
import type { Locator, Page } from 'playwright-core'
import { root } from '../build/root.ts'
import { freshen } from '../start/freshen.ts'
import { type Album, openAlbum } from './album.ts'
import {
  addMint,
  addMoney,
  ask,
  beginStory,
  calm,
  type Person,
  pay,
  reach,
  type Seen,
  type Story,
  searched,
  stateOf,
  until,
} from './stage.ts'

/** Made up, and worth nothing: they are in the pictures. */
const phrases = {
  nora: 'carbon equip shaft powder torch baby quote universe off blouse smart derive',
  stall: 'intact economy picnic announce loud poet real pen sun invest expect flat',
  bakery: 'hidden luxury globe street muffin snow weapon super inform pride quarter profit',
  cafe: 'crawl frozen gospel lawn fossil ripple enter novel logic ship must unlock',
  jonas: 'rapid total define bomb better phrase clever tennis cradle evil arctic adapt',
  cheat: 'awesome million weird gentle pig beauty pipe garlic tray remove victory vivid',
} as const

/** Once a picture has moved into place. */
const restMs = 250

async function main(): Promise<void> {
  await freshen('renderer', (line) => console.log(line))
  const story = await beginStory('eur')
  try {
    const album = openAlbum()
    const nora = await story.seen('Nora', phrases.nora, true)
    await firstRun(nora, album)
    const others = await history(story, nora)
    await online(story, nora, others, album)
    await offline(story, nora, others, album)
    await errors(story, nora, others, album)
    await settings(nora, album)
    await safety(story, nora, album)
    const { count, bytes } = album.close()
    console.log(`farthing: ${count} pictures, ${(bytes / 1024 / 1024).toFixed(2)} MB, in docs/screens`)
  } catch (error) {
    await story.photograph(join(root, 'out', 'screens'))
    console.error('farthing: the story did not go on; out/screens shows where it stopped')
    throw error
  } finally {
    await story.end()
  }
}

// ── what is done with the screens

/** The question of the screen. */
async function arrive(page: Page, heading: string | RegExp): Promise<void> {
  await page.locator('#main').getByRole('heading', { level: 1, name: heading }).waitFor()
  await waitFor(restMs)
}
const press = (page: Page, name: string | RegExp): Promise<void> =>
  page.getByRole('button', { name }).or(page.getByRole('link', { name })).first().click()
const shows = (page: Page, words: string | RegExp): Promise<void> => page.getByText(words).first().waitFor()
const choose = (page: Page, within: string, option: string): Promise<void> =>
  page.getByRole('radiogroup', { name: within }).getByRole('radio', { name: option, exact: true }).click()
const payButton = (page: Page): Locator => page.getByRole('button', { name: /^Pay €/ })
/** A request that is pasted is taken at once. */
const payRequest = (page: Page, request: string): Promise<void> =>
  page.getByLabel('A name, or paste a request').fill(request)
/** Good news goes by itself; a picture does not wait for it. */
async function withoutToast(page: Page): Promise<void> {
  await page.locator('.toast').waitFor({ state: 'detached' })
}

// ── the story

async function firstRun({ page, cable, open, wallet }: Seen, album: Album): Promise<void> {
  album.chapter('First run')
  await open('#/welcome')
  await arrive(page, 'Money you hand over')
  await album.take(page, {
    name: 'welcome',
    caption: 'A new wallet, or play money at once: the first payment is a minute away.',
    also: ['small'],
  })
  await page.keyboard.press('Enter')
  await arrive(page, 'What should people see?')
  await page.keyboard.type('Nora Lindqvist')
  await album.take(page, {
    name: 'welcome-name',
    caption: 'What others see: an egg and four words drawn from the key.',
  })
  await page.keyboard.press('Enter')
  await arrive(page, /^Write these/)
  await album.take(page, { name: 'welcome-covered', caption: 'The twelve words stay covered until nobody is looking.' })
  await page.keyboard.press('Enter')
  await page.getByRole('list', { name: /^Your twelve words/ }).waitFor()
  await album.take(page, {
    name: 'welcome-words',
    caption: 'The twelve words, to be written on paper.',
    also: ['small'],
  })
  await page.keyboard.press('Enter')
  await arrive(page, /^Which words/)
  const words = (await wallet.call('phrase.show', {})).words
  const asked = (await page.locator('label').allInnerTexts()).map((label) => Number(label.replace(/\D/g, '')))
  const answer = (index: number, word: string | undefined): Promise<void> =>
    page.getByLabel(`Word ${asked[index]}`, { exact: true }).fill(word ?? '')
  const right = (index: number): string | undefined => words[(asked[index] ?? 0) - 1]
  for (const index of asked.keys()) await answer(index, index === 1 ? 'harvest' : right(index))
  await page.keyboard.press('Enter')
  await shows(page, /^This is not word/)
  await album.take(page, {
    name: 'welcome-check',
    caption: 'Three of them are asked back; a wrong one is said in words.',
  })
  await answer(1, right(1))
  await page.keyboard.press('Enter')
  await arrive(page, /^Where should your coins/)
  await album.take(page, {
    name: 'welcome-mint',
    caption: 'Where coins come from: a practice mint here, or one that you know.',
  })
  await page.getByLabel('Address of the mint').fill(cable.url)
  await press(page, 'Use this mint')
  await arrive(page, /^Hello, Nora/)
  await album.take(page, {
    name: 'home-first',
    caption: 'Home before the first payment: it offers one to a practice stall.',
  })
}

type Others = {
  readonly stall: Seen
  readonly bakery: Person
  readonly cafe: Person
  readonly jonas: Person
  readonly cheat: Person
}

/** What happened since: three days, in a few seconds. */
async function history(story: Story, nora: Seen): Promise<Others> {
  const stall = await story.seen('Honey & Hive', phrases.stall)
  const bakery = await story.person('Market bakery', phrases.bakery, { hasOwnCable: true })
  const cafe = await story.person('Café Lindenhof', phrases.cafe)
  const jonas = await story.person('Jonas Brandt', phrases.jonas)
  const cheat = await story.person('somebody', phrases.cheat, { hasOwnCable: true, isCheat: true })
  for (const person of [stall, bakery, cafe, jonas, cheat]) await addMint(person)

  await story.be('2026-06-18T09:14:00Z')
  await Promise.all([addMoney(story, nora, 15_000), addMoney(story, jonas, 6000), addMoney(story, cheat, 6000)])
  const paid: readonly (readonly [at: string, from: Person, to: Person, amount: number, memo: string])[] = [
    ['2026-06-18T09:41:00Z', nora, cafe, 420, 'Two coffees'],
    ['2026-06-19T13:05:00Z', nora, bakery, 680, 'Rye bread'],
    ['2026-06-19T18:22:00Z', jonas, nora, 2340, 'Cinema tickets'],
    ['2026-06-20T10:31:00Z', nora, stall, 1850, 'Beeswax candles'],
    ['2026-06-20T11:12:00Z', jonas, stall, 900, 'Honey, one jar'],
  ]
  for (const [at, from, to, amount, memo] of paid) {
    await story.be(at)
    await pay(from, await ask(story, to, amount), memo)
    await Promise.all([calm(from), calm(to)])
  }
  await story.be('2026-06-20T13:58:00Z')
  await Promise.all([calm(nora), calm(stall)])
  await Promise.all([searched(nora), searched(stall)])
  return { stall, bakery, cafe, jonas, cheat }
}

async function online(story: Story, nora: Seen, { stall }: Others, album: Album): Promise<void> {
  const { page } = nora
  album.chapter('Home')
  await nora.open('#/home')
  await arrive(page, /^Hello, Nora/)
  await shows(page, 'Beeswax candles')
  await album.take(page, {
    name: 'home',
    caption: 'Home: what one can spend, what one can do, and what happened last.',
    also: ['dark', 'small'],
  })

  album.chapter('Get paid')
  await stall.open('#/get-paid')
  await arrive(stall.page, 'Get paid')
  await stall.page.getByLabel(/^Amount in/).fill('12.60')
  await stall.page.getByLabel('What it is for').fill('Honey, two jars')
  await stall.page.getByRole('img', { name: /^Code:.*12.60/ }).waitFor()
  await stall.page.getByRole('switch', { name: 'Visible nearby' }).click()
  await shows(stall.page, /^People on this network see you/)
  await waitFor(restMs)
  await album.take(stall.page, {
    name: 'get-paid',
    caption: 'Get paid: an amount, and a code that others scan; or being seen by people nearby.',
    also: ['small', 'dark'],
  })
  await press(stall.page, 'Show large')
  await arrive(stall.page, /^Pay €12\.60/)
  await album.take(stall.page, {
    name: 'get-paid-large',
    caption: 'The same code for a screen that stands on the counter.',
  })
  await stall.page.goBack()
  await arrive(stall.page, 'Get paid')

  album.chapter('Pay')
  await press(page, /^Pay\b/)
  await arrive(page, 'Who do you want to pay?')
  const onList = page.getByRole('button', { name: /Honey & Hive.*€12\.60/ })
  const isNear = await onList.waitFor({ timeout: 15_000 }).then(
    () => true,
    () => false, // a computer without a network
  )
  await waitFor(restMs)
  await album.take(page, {
    name: 'pay-who',
    caption: 'Who: somebody nearby, or a request that is pasted or scanned.',
    also: ['small', 'dark'],
  })
  if (isNear) await onList.click()
  else await payRequest(page, await ask(story, stall, 1260, 'Honey, two jars'))
  await payButton(page).waitFor()
  // A press that comes too early is no answer to what was not seen yet.
  await waitFor(800)
  await album.take(page, {
    name: 'pay-confirm',
    caption: 'What will happen: who, how much, the fee, and that it will be final.',
    also: ['small'],
  })
  await payButton(page).click()
  await arrive(page, /^Paid/)
  await waitFor(restMs)
  await album.take(page, { name: 'pay-paid', caption: 'Paid: the mint has confirmed it.', also: ['small', 'dark'] })
  await shows(stall.page, '1 paid')
  await withoutToast(stall.page)
  await album.take(stall.page, { name: 'get-paid-arrived', caption: 'On the other screen it arrives by itself.' })

  await Promise.all([calm(nora), calm(stall)])
  await nora.open('#/pay')
  await arrive(page, 'Who do you want to pay?')
  const open = await stall.wallet.call('request.create', {
    mintUrl: stall.cable.url,
    unit: story.unit,
    singleUse: true,
  })
  await payRequest(page, open.text)
  await arrive(page, 'How much?')
  for (const key of '8.40') await page.keyboard.press(key)
  await album.take(page, {
    name: 'pay-amount',
    caption: 'A request without an amount: the keypad asks how much.',
    also: ['small'],
  })

  album.chapter('Mints')
  await nora.open('#/mints/0')
  await page.getByRole('radiogroup', { name: 'What to do at this mint' }).waitFor()
  await choose(page, 'What to do at this mint', 'About')
  await waitFor(restMs)
  await album.take(page, { name: 'mints', caption: 'The mints, and what is known of one.', also: ['small'] })
  await choose(page, 'What to do at this mint', 'Add money')
  await shows(page, /^How much do you want to/)
  for (const key of '50') await page.keyboard.press(key)
  await waitFor(restMs)
  await album.take(page, { name: 'mints-add-money', caption: 'Adding money: an amount first.' })
  await press(page, 'Add €50.00')
  await shows(page, 'The invoice pays itself')
  await waitFor(restMs)
  await album.take(page, {
    name: 'mints-adding',
    caption: 'The coins are made by themselves once the mint sees the payment; play money pays itself.',
  })
  await shows(page, '€50.00 added')
  await choose(page, 'What to do at this mint', 'Cash out')
  await waitFor(restMs)
  await album.take(page, { name: 'mints-cash-out', caption: 'Cashing out: the mint pays a Lightning invoice.' })
  await Promise.all([calm(nora), calm(stall)])
}

async function offline(story: Story, nora: Seen, { stall, bakery, cheat }: Others, album: Album): Promise<void> {
  const { page } = nora
  album.chapter('Without the mint')
  await story.be('2026-06-20T14:05:00Z')
  const toStall = await ask(story, stall, 2350, 'Candles and honey')
  const coming = await ask(story, nora, 640)
  // Somebody promises the same coins to two payees.
  const twice = [await ask(story, bakery, 3200), await ask(story, stall, 3200)] as const
  await reach([nora, stall, bakery], false)
  await cheat.cable.unplug()
  await story.be('2026-06-20T14:21:00Z')
  await pay(stall, coming, 'Change for the jars')
  await nora.open('#/home')
  await shows(page, /not reached since/)
  await shows(page, 'signed to you, not final yet')
  await waitFor(restMs)
  await album.take(page, {
    name: 'home-offline',
    caption: 'The mint is out of reach: what is signed and not final stands beneath, and what can still be paid.',
    also: ['small'],
  })
  await nora.open('#/pay')
  await payRequest(page, toStall)
  await payButton(page).waitFor()
  await waitFor(800)
  await album.take(page, {
    name: 'pay-confirm-offline',
    caption: 'Without the mint it says before that a payment will be signed, not final.',
  })
  await payButton(page).click()
  await arrive(page, /^Signed/)
  await waitFor(restMs)
  await album.take(page, {
    name: 'pay-signed',
    caption: 'Signed: handed over and checked, final when one of the two is online.',
    also: ['small', 'dark'],
  })

  album.chapter('Activity')
  await nora.open('#/activity')
  await arrive(page, 'Activity')
  await shows(page, 'Two coffees')
  await waitFor(restMs)
  await album.take(page, {
    name: 'activity',
    caption: 'Every payment there was, with how it stands.',
    also: ['small', 'dark'],
  })
  await page.locator('a.payment').first().click()
  await shows(page, 'What happened')
  await waitFor(restMs)
  await album.take(page, {
    name: 'activity-signed',
    caption: 'One payment: what is known, what can be done, what happened.',
    also: ['small'],
  })

  for (const [index, request] of twice.entries()) {
    const { id } = await cheat.wallet.call('pay.prepare', { request, mintUrl: cheat.cable.url })
    await cheat.wallet.call('pay.confirm', { id })
    const payee = index === 0 ? bakery : stall
    await until(
      'what was promised',
      async () => (await payee.wallet.call('payments.list', { limit: 1 }))[0]?.state === 'signed',
    )
  }
  const [promised] = await stall.wallet.call('payments.list', { limit: 1 })
  if (!promised) throw new Error('nothing was promised')
  await story.be('2026-06-20T14:52:00Z')
  await reach([bakery], true)
  await calm(bakery)
  await reach([nora, stall], true)
  await until('an end', async () => (await stateOf(stall, promised.id)) === 'bounced')
  await stall.open(`#/activity/${promised.id}`)
  await shows(stall.page, 'What happened')
  await waitFor(restMs)
  await album.take(stall.page, {
    name: 'activity-bounced',
    caption: 'Bounced: the payer had promised the same coins to somebody else. What is kept as evidence is said.',
    also: ['small'],
  })
  // The payer does not ask the mint at once.
  await story.be('2026-06-20T16:30:00Z')
  await nora.wallet.call('mints.sync', {})
  await calm(nora)
  await page.locator('#main').getByText('Paid', { exact: true }).first().waitFor()
  await withoutToast(page)
  await waitFor(restMs)
  await album.take(page, {
    name: 'activity-paid',
    caption: 'The mint is back, and the signed payment has become final by itself.',
  })
}

async function errors(story: Story, nora: Seen, { stall }: Others, album: Album): Promise<void> {
  const { page } = nora
  album.chapter('When something does not work')
  await nora.open('#/pay')
  await arrive(page, 'Who do you want to pay?')
  await page
    .getByLabel('A name, or paste a request')
    .fill('lnbc20u1p3y0x3hpp5743k2g0fsqqxj7n8qzuhns5gmkk4djeejk3wkp64ppevgekvc0jq')
  await shows(page, 'This is a Lightning invoice.')
  await waitFor(restMs)
  await album.take(page, {
    name: 'error-other-code',
    caption: 'A code that is no request: it says what it is instead.',
  })

  await stall.wallet.call('settings.change', { limits: { single: 2000, total: 6000, perHour: 12 } })
  const request = await ask(story, stall, 3850)
  await Promise.all([calm(nora), calm(stall)])
  await reach([nora, stall], false)
  await nora.open('#/pay')
  await payRequest(page, request)
  await arrive(page, 'Not sent')
  await waitFor(restMs)
  await album.take(page, {
    name: 'error-not-sent',
    caption: 'Not sent: what happened, what it means for the money, and what to do.',
    also: ['small', 'dark'],
  })

  await nora.open('#/mints/add')
  await page.getByLabel('Address of the mint').fill(nora.cable.url.replace('127.0.0.1', 'localhost'))
  await press(page, 'Add this mint')
  await shows(page, /^No mint answers/)
  await waitFor(restMs)
  await album.take(page, { name: 'error-mint', caption: 'A mint that does not answer cannot be added.' })
  await reach([nora, stall], true)
}

async function settings(nora: Seen, album: Album): Promise<void> {
  const { page } = nora
  album.chapter('Settings')
  await nora.wallet.call('settings.change', { limits: { single: 2000, total: 6000, perHour: 12 } })
  await nora.open('#/settings')
  await arrive(page, 'Settings')
  await album.take(page, {
    name: 'settings',
    caption: 'Settings: the twelve words, and in a sentence what is accepted without the mint and what it can cost.',
    also: ['small', 'dark'],
  })
  await nora.open('#/settings/about')
  await press(page, 'Show licences')
  await page.getByRole('dialog', { name: /^Fonts and libraries/ }).waitFor()
  await waitFor(restMs * 2)
  await album.take(page, {
    name: 'settings-licences',
    caption: 'What Farthing is made with, and under which licences.',
  })
}

/** A search takes this long on a busy machine. */
const searchMs = 300_000

/** The laptop is lost: everything from the words, on another one; and what keeps others out of it. */
async function safety(story: Story, lost: Seen, album: Album): Promise<void> {
  album.chapter('When a computer is lost')
  const { words } = await lost.wallet.call('phrase.show', {})
  await lost.page.goto('about:blank')
  await lost.wallet.stop()
  const nora = await story.seen('Another laptop', null, true)
  const { page } = nora
  await nora.open('#/welcome')
  await press(page, /^Restore a wallet/)
  await arrive(page, 'Restore a wallet')
  await album.take(page, {
    name: 'restore',
    caption: 'A wallet of before comes back from twelve words or a backup file.',
  })
  await press(page, /^Twelve words/)
  await arrive(page, /^Type your twelve/)
  await page.getByLabel('Word 1', { exact: true }).fill([...words.slice(0, 11), 'money'].join(' '))
  await page.keyboard.press('Enter')
  await page.getByRole('alert').waitFor()
  await album.take(page, {
    name: 'restore-words',
    caption: 'The words are typed or pasted; what is wrong with them is said.',
    also: ['small', 'dark'],
  })
  await page.getByLabel('Word 12', { exact: true }).fill(words[11] ?? '')
  await page.keyboard.press('Enter')
  await arrive(page, 'Which mints had your coins?')
  await page.getByLabel('Address of the mint').fill(nora.cable.url)
  await page.keyboard.press('Enter')
  await shows(page, 'Looking here')
  await album.take(page, { name: 'restore-mints', caption: 'The words do not name the mints: each one is added.' })
  await press(page, 'Go on')
  // Where nothing is found for a while, most of a search is arithmetic.
  await page
    .getByText(/coins? found/)
    .first()
    .waitFor({ timeout: searchMs })
  await album.take(page, {
    name: 'restore-search',
    caption: 'Looking for the coins, with counts; one can go on meanwhile.',
    also: ['small', 'dark'],
  })
  await page.getByText('Complete').first().waitFor({ timeout: searchMs })
  await page.keyboard.press('Enter')
  await shows(page, 'found, resting')
  await album.take(page, {
    name: 'home-resting',
    caption: 'Found coins rest until it is clear that no payment with them is open.',
    also: ['small'],
  })
  await press(page, 'See what this means')
  await press(page, 'I have no open payments')
  await page.getByRole('alertdialog').waitFor()
  await waitFor(restMs * 2)
  await album.take(page, { name: 'restore-release', caption: 'What it means to say so, before it is said.' })
  await press(page, 'No payment is open')

  await nora.open('#/settings/phrase')
  await arrive(page, 'Settings')
  await press(page, 'Save a file')
  await page.getByRole('dialog', { name: 'Save a backup file' }).waitFor()
  await waitFor(restMs * 2)
  await album.take(page, { name: 'backup-save', caption: 'A backup file holds what the words cannot.' })
  await page.keyboard.press('Escape')
  await press(page, 'Set a passphrase')
  await page.getByLabel('New passphrase').fill('seven copper farthings')
  await page.getByLabel('Once more').fill('seven copper farthings')
  await waitFor(restMs * 2)
  await album.take(page, { name: 'passphrase', caption: 'A passphrase seals the twelve words and locks the app.' })
  await press(page, 'Save')
  await press(page, 'Lock now')
  await arrive(page, 'Farthing is locked')
  await album.take(page, {
    name: 'locked',
    caption: 'Locked: nothing of the wallet is in this window; payments go on underneath.',
    also: ['small', 'dark'],
  })
}

await main()
