import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { acceptsNothing, limitAmount, limitCount, maxPerHour, totalInEach } from '../renderer/limits.ts'
import { isMintAddress, mintAddress } from '../renderer/mint-address.ts'
import { fittingName, maxNameBytes } from '../renderer/name.ts'
import { readRoute, to } from '../renderer/route.ts'
import { hasPracticeCoins, practiceStep } from '../renderer/views/welcome/practice-step.ts'
import { phraseWords } from '../renderer/words/phrase.ts'
import { settingsWords } from '../renderer/words/settings.ts'
import { welcomeWords } from '../renderer/words/welcome.ts'
import { type Lock, neededPackages, readLicences } from '../scripts/build/licences.ts'
import { commands } from '../shared/ipc.ts'
import { maxNameBytes as acceptedNameBytes } from '../shared/messages.ts'
import type { MintView } from '../shared/model.ts'
import { formatAmount } from '../shared/units.ts'

describe('a name', () => {
  test('is cut where the host would refuse it, and between characters', () => {
    expect(maxNameBytes).toBe(acceptedNameBytes)
    expect(fittingName('Nora Lindqvist')).toBe('Nora Lindqvist')
    expect(fittingName('é'.repeat(40))).toBe('é'.repeat(32))
    expect(fittingName(`${'a'.repeat(62)}🐦`)).toBe('a'.repeat(62))
  })

  test('is accepted by the host, whatever was typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 90 }), (text) => {
        const fitting = fittingName(text)
        expect(commands['profile.rename'].input.safeParse({ name: fitting }).success).toBe(true)
        expect(text.toWellFormed().startsWith(fitting)).toBe(true)
      }),
    )
  })
})

describe('the address of a mint', () => {
  test.each([
    ['mint.example', 'https://mint.example'],
    ['  mint.example/path ', 'https://mint.example/path'],
    ['https://mint.example', 'https://mint.example'],
    ['http://mint.example', 'http://mint.example'],
    ['127.0.0.1:3338', 'http://127.0.0.1:3338'],
    ['localhost:3338', 'http://localhost:3338'],
    ['192.168.1.20:3338/x', 'http://192.168.1.20:3338/x'],
    ['till.local', 'http://till.local'],
    ['172.40.0.1', 'https://172.40.0.1'],
    ['', ''],
  ])('%j is %s', (text, address) => {
    expect(mintAddress(text)).toBe(address)
  })

  test.each(['mint.example', 'https://mint.example/cashu', 'http://127.0.0.1:3338', 'localhost:3338'])(
    'a scanned %s can be one',
    (text) => {
      expect(isMintAddress(text)).toBe(true)
    },
  )

  test.each(['creqAp2F0', 'farthing:creqAp2F0', 'lightning:lnbc1', 'lnbc20u1p', 'ftp://mint.example', 'two words', ''])(
    'a scanned %j cannot',
    (text) => {
      expect(isMintAddress(text)).toBe(false)
    },
  )
})

describe('a limit', () => {
  test.each([
    ['€20.00', 'eur', 2000],
    ['20', 'eur', 2000],
    ['12,5', 'eur', 1250],
    ['0', 'eur', 0],
    ['€0.00', 'eur', 0],
    ['0 sat', 'sat', 0],
    ['10,000 sat', 'sat', 10_000],
    ['60 coins', 'coin', 60],
    ['', 'eur', null],
    ['abc', 'eur', null],
    ['.', 'eur', null],
    ['99999999999999999999', 'sat', null],
  ])('of %j in %s is %s', (text, unit, amount) => {
    expect(limitAmount(text, unit)).toBe(amount)
  })

  test('that is shown and entered again is the same', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e9 }), fc.constantFrom('eur', 'sat', 'jpy', 'coin'), (amount, unit) => {
        expect(limitAmount(formatAmount(amount, unit), unit)).toBe(amount)
      }),
    )
  })

  test.each([
    ['12', 12],
    [' 1,200 ', 1200],
    ['0', 0],
    [String(maxPerHour), maxPerHour],
    [String(maxPerHour + 1), null],
    ['-1', null],
    ['1.5', null],
    ['', null],
  ])('of %j an hour is %s', (text, count) => {
    expect(limitCount(text)).toBe(count)
  })

  test('of nothing takes nothing', () => {
    expect(acceptsNothing({ single: 100, total: 100, perHour: 1 })).toBe(false)
    expect(acceptsNothing({ single: 0, total: 100, perHour: 1 })).toBe(true)
    expect(acceptsNothing({ single: 100, total: 100, perHour: 0 })).toBe(true)
  })

  test('holds for each kind of money, and is said once for each', () => {
    expect(totalInEach({ single: 1, total: 6000, perHour: 1 }, ['eur', 'sat', 'eur'])).toEqual(['€60.00', '6,000 sat'])
  })
})

describe('practice coins', () => {
  const mint = (isPractice: boolean, spendable: number): MintView => ({
    url: 'http://127.0.0.1:1',
    name: null,
    isPlayMoney: true,
    isPractice,
    isOnlineOnly: false,
    isReachable: true,
    since: 1,
    lastReachedAt: 1,
    alarm: null,
    version: null,
    units: ['coin'],
    feePpk: 0,
    keysetEndsAt: null,
    coins: 0,
    waiting: { in: 0, out: 0 },
    balances: [
      { unit: 'coin', spendable, onItsWay: 0, signedToUs: 0, payableAtOnce: spendable, resting: 0, expired: 0 },
    ],
  })

  test('are there when the practice mint has some that can be spent', () => {
    expect(hasPracticeCoins([])).toBe(false)
    expect(hasPracticeCoins([mint(true, 0)])).toBe(false)
    expect(hasPracticeCoins([mint(false, 100)])).toBe(false)
    expect(hasPracticeCoins([mint(false, 0), mint(true, 100)])).toBe(true)
  })

  test('come in steps', () => {
    expect(practiceStep('starting', [])).toBe(0)
    expect(practiceStep('failed', [])).toBe(0)
    expect(practiceStep('running', [mint(true, 0)])).toBe(1)
    expect(practiceStep('running', [mint(true, 100)])).toBe(2)
  })
})

describe('places', () => {
  test('of the twelve words have an address, and hold none of them', () => {
    expect(readRoute(to.settings('phrase', 'words'))).toEqual({ screen: 'settings', path: ['phrase', 'words'] })
    expect(readRoute(to.settings())).toEqual({ screen: 'settings', path: [] })
    expect(readRoute(to.welcome('check'))).toEqual({ screen: 'welcome', path: ['check'] })
  })
})

test('nobody reads jargon', () => {
  const words = JSON.stringify([phraseWords, settingsWords, welcomeWords]).toLowerCase()
  for (const never of ['swap', 'purse', 'keyset', 'handover', 'token', 'nonce', 'terms', 'seed', 'mnemonic']) {
    expect(words).not.toContain(never)
  }
})

describe('licences', () => {
  const none = { dependencies: {}, optionalDependencies: {}, peerDependencies: {} }
  const lock: Lock = {
    packages: {
      '': { ...none, dependencies: { a: '1' } },
      'node_modules/a': {
        ...none,
        version: '1',
        license: 'MIT',
        dependencies: { b: '2' },
        peerDependencies: { p: '1' },
      },
      'node_modules/a/node_modules/b': {
        ...none,
        version: '2',
        license: 'ISC',
        dependencies: { c: '1', '@types/c': '1' },
      },
      'node_modules/b': { ...none, version: '1', license: 'MIT' },
      'node_modules/c': { ...none, version: '1', license: 'MIT', dependencies: { a: '1', gone: '1' } },
      'node_modules/@types/c': { ...none, version: '1', license: 'MIT' },
      'node_modules/p': { ...none, version: '1', license: 'MIT' },
      'node_modules/tool': { ...none, version: '1', license: 'GPL-3.0' },
      'node_modules/electron': { ...none, version: '9', license: 'MIT', dependencies: { tool: '1' } },
    },
  }

  test('are of everything that is needed, nearest first, and of nothing else', () => {
    expect(neededPackages(lock)).toEqual([
      'node_modules/a',
      'node_modules/a/node_modules/b',
      'node_modules/c',
      'node_modules/electron',
      'node_modules/p',
    ])
  })

  test('are complete: every package of every bundle has a text', () => {
    const { packages, texts } = readLicences()
    const names = packages.map(({ name }) => name)
    for (const name of ['react-dom', 'libp2p', '@cashu/cashu-ts', 'fastify', 'electron', 'zod']) {
      expect(names).toContain(name)
    }
    const font = packages.find(({ name }) => name === '@fontsource-variable/hanken-grotesk')
    expect(font?.licence).toBe('OFL-1.1')
    expect(texts[font?.text ?? -1]).toContain('SIL OPEN FONT LICENSE')
    for (const { text } of packages) expect(texts[text]?.length).toBeGreaterThan(100)
  })
})
