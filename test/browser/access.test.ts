// Everybody can use the screens: an automated WCAG 2.2 A and AA audit of each of them, in both themes, wide and small.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isWithoutChromium } from './chromium.ts'
import { ask, confirm, heading, prepare, visit } from './screens.ts'
import { type Stage, setStage, type Window } from './stage.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

type Finding = { readonly id: string; readonly impact: string | null; readonly nodes: { readonly html: string }[] }

/** Serious and critical findings, in words. */
async function findings({ page }: Window): Promise<readonly string[]> {
  await page.evaluate(axe)
  const found = (await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(tags)}, resultTypes: ['violations'] }).then((result) => result.violations)`,
  )) as Finding[]
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`)
}

/** Of the screen as it is, in both themes. */
async function audit(window: Window): Promise<readonly string[]> {
  const all: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await window.page.emulateMedia({ colorScheme })
    for (const finding of await findings(window)) all.push(`${colorScheme}: ${finding}`)
  }
  const isTooWide = await window.page.evaluate('document.documentElement.scrollWidth > window.innerWidth')
  return isTooWide ? [...all, 'wider than the window'] : all
}

describe.skipIf(isWithoutChromium())('an audit finds nothing serious', () => {
  let stage: Stage
  let ann: Window
  let bob: Window
  beforeAll(async () => {
    stage = await setStage()
    ann = await stage.open('Ann', { coins: 100 })
    bob = await stage.open('Bob', { coins: 0, width: 390, height: 844 })
    const request = await ask(bob, '7')
    await prepare(ann, request)
    await confirm(ann.page)
    await heading(ann.page, 'Paid')
  }, 240_000)
  afterAll(() => stage.close())

  test('in the audit itself: it sees a button without a name', async () => {
    await visit(ann, '#/home')
    await heading(ann.page, /^Hello/)
    await ann.page.evaluate(
      `document.querySelector('#main').append(Object.assign(document.createElement('button'), { id: 'nameless' }))`,
    )
    expect(await audit(ann)).not.toEqual([])
    await ann.page.evaluate(`document.querySelector('#nameless').remove()`)
  })

  test.each([
    '#/home',
    '#/pay',
    '#/get-paid',
    '#/activity',
    '#/mints',
    '#/mints/0/add-money',
    '#/mints/0/cash-out',
    '#/mints/0/about',
    '#/mints/add',
    '#/settings',
    '#/settings/accept',
    '#/settings/about',
    '#/welcome',
    '#/welcome/name',
    '#/welcome/words',
    '#/welcome/mint',
  ])('on %s', async (route) => {
    for (const window of [ann, bob]) {
      await visit(window, route)
      await window.page.locator('#main h1').waitFor()
      expect(await audit(window)).toEqual([])
    }
  })

  test('on each step of a payment', async () => {
    const request = await ask(bob, '9')
    await prepare(ann, request)
    expect(await audit(ann)).toEqual([])
    await confirm(ann.page)
    await heading(ann.page, 'Paid')
    expect(await audit(ann)).toEqual([])
    await bob.page.getByText('2 paid').waitFor()
    expect(await audit(bob)).toEqual([])
    const [payment] = await ann.wallet.call('payments.list', { limit: 1 })
    await visit(ann, `#/activity/${payment?.id}`)
    await ann.page.getByText('What happened').first().waitFor()
    expect(await audit(ann)).toEqual([])
  }, 240_000)

  test('when the mint is out of reach, and when the app behind the screen is gone', async () => {
    await stage.cable.unplug()
    await visit(ann, '#/home')
    await ann.page
      .getByText(/not reached since/)
      .first()
      .waitFor({ timeout: 45_000 })
    expect(await audit(ann)).toEqual([])
    await stage.cable.plug()

    await ann.wallet.kill()
    await ann.page.getByRole('alert').getByRole('heading').waitFor({ timeout: 45_000 })
    expect(await audit(ann)).toEqual([])
    // The browser notes every try to reach it again.
    const gone = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED_ENCODING/
    expect(ann.complaints.splice(0).filter((line) => !gone.test(line))).toEqual([])
    await ann.page.goto('about:blank')
  }, 240_000)
})
