// What a person does on the screens, in the words they see.

import { setTimeout } from 'node:timers/promises'
import type { Locator, Page } from 'playwright-core'
import type { Window } from './stage.ts'

const waitMs = 45_000

/** The question of the screen. */
export const heading = (page: Page, name: string | RegExp): Promise<void> =>
  page.locator('#main').getByRole('heading', { level: 1, name }).waitFor({ timeout: waitMs })

/** Something to press, whether it acts or leads elsewhere. */
export const button = (page: Page, name: string | RegExp): Locator =>
  page.getByRole('button', { name }).or(page.getByRole('link', { name }))

/** All words on the screen, in one line. */
export const text = async (page: Page): Promise<string> =>
  (await page.locator('#main').innerText()).replace(/\s+/g, ' ')

export const waitForText = (page: Page, what: string | RegExp): Promise<void> =>
  page.locator('#main').getByText(what).first().waitFor({ timeout: waitMs })

/** Until each of them says that its mint is away. */
export async function noticeAway(...windows: readonly Pick<Window, 'page'>[]): Promise<void> {
  for (const { page } of windows)
    await page
      .getByText(/not reached since/)
      .first()
      .waitFor({ timeout: waitMs })
}

/** Show another screen: `#/…`. */
export async function visit({ page }: Pick<Window, 'page'>, route: string): Promise<void> {
  await page.goto(new URL(route, page.url()).href)
}

/** Get paid: an amount, and the link of its request. */
export async function ask(window: Window, amount: string): Promise<string> {
  const { page } = window
  await visit(window, '#/get-paid')
  await heading(page, 'Get paid')
  await page.getByLabel(/^Amount in/).fill(amount)
  await page.getByRole('img', { name: /^Code:/ }).waitFor({ timeout: waitMs })
  await button(page, 'Copy link').click()
  return String(await page.evaluate('navigator.clipboard.readText()'))
}

/** Paste a request with an amount and go as far as the summary. */
export async function prepare(window: Window, request: string): Promise<void> {
  const { page } = window
  await visit(window, '#/pay')
  await page.getByLabel('A name, or paste a request').fill(request)
  await page.getByRole('button', { name: /^Pay [^ ]/ }).waitFor({ timeout: waitMs })
}

/** Say yes to the summary, with Enter. It takes none before a person can have seen it. */
export async function confirm(page: Page): Promise<void> {
  const pay = page.getByRole('button', { name: /^Pay [^ ]/ })
  await pay.waitFor({ timeout: waitMs })
  for (; await pay.isVisible(); await setTimeout(200)) await page.keyboard.press('Enter')
}
