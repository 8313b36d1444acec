// Every regular expression of the program reads in one pass: none of them takes more than its share of time for a text
// that somebody made to stop it. The patterns are found in the sources, and attacked with what stands in them.

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const rooms = ['shared', 'electron', 'mint', 'practice', 'renderer']

type Found = { readonly file: string; readonly pattern: RegExp }

/** Characters to try for each part of a pattern. */
const candidates = [...'a0f Z.,/=-:"\'[](){}<>@%+_\\\t\néß€\u0300\u202e\u2028']
/** Ends that keep a pattern from matching, so that it tries everything else. */
const ends = ['', '!', '\u0000']
/**
 * Passes within passes show at a short one, where they still come to an end; two passes or more at the longest. Each is
 * only so much longer than the one before that what shows there has not begun to take for ever.
 */
const lengths = [8, 12, 16, 20, 24, 28, 32, 38, 46, 60, 90, 150, 400, 1500, 12_000]
/** One pass takes a fraction of a millisecond, a pass for every character takes hundreds. */
const limitMs = 40

/** Where a slash begins a pattern, and not a division, a comment or a part of a text. */
const literal =
  /(?<=(?:[=(,:[!&|?{};+]|\breturn|=>)\s*)\/(?![/*])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+)\/([dgimsuvy]*)/g

function patternsIn(file: string, source: string): readonly Found[] {
  const code = source.replace(/^\s*(\/\/|\/?\*).*$/gm, '')
  return [...code.matchAll(literal)].flatMap(([, pattern = '', flags = '']) => {
    try {
      return [{ file, pattern: new RegExp(pattern, flags) }]
    } catch {
      return [] // part of a text that looks like one
    }
  })
}

function allPatterns(): readonly Found[] {
  return rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join(root, room, name))
      .flatMap((file) => patternsIn(relative(root, file), readFileSync(file, 'utf8'))),
  )
}

/** A class, an escape or a character: what stands for one character of a text. */
const atom = /\[(?:\\.|[^\]\\])*\]|\\p\{[^}]+\}|\\u[0-9a-f]{4}|\\.|[^\\()[\]{}*+?|^$]/gi

/** Two characters for every part of a pattern, as far as there are any. */
function lettersOf({ source, flags }: RegExp): readonly string[] {
  const letters = [...new Set(source.match(atom) ?? [])].flatMap((part) => {
    try {
      const alone = new RegExp(`^${part}$`, flags.replace(/[gy]/g, ''))
      return candidates.filter((letter) => alone.test(letter)).slice(0, 2)
    } catch {
      return [] // a part that means something only where it stands
    }
  })
  return [...new Set(letters)].slice(0, 14)
}

/** Pieces of text that a pattern spells out. */
function wordsOf({ source }: RegExp): readonly string[] {
  const plain = source.replace(/\\([/.*+?()[\]{}|^$-])/g, '$1').replace(/\\[a-zA-Z]/g, ' ')
  return [...new Set(plain.match(/[\w:/=."',-]+/g) ?? [])].slice(0, 6)
}

function* attacksOn(pattern: RegExp, size: number): Iterable<string> {
  const [letters, words] = [lettersOf(pattern), wordsOf(pattern)]
  const pairs = letters.flatMap((a) => letters.map((b) => a + b))
  const units = [
    ...pairs,
    ...words,
    ...letters.map((letter) => `abc${letter}`),
    ...letters.map((one) => one + words.join('')),
  ]
  for (const start of new Set(['', words[0] ?? '', words.join('')])) {
    for (const unit of units) {
      const body = (start + unit.repeat(Math.ceil(size / unit.length))).slice(0, size)
      for (const end of ends) yield body + end
    }
  }
}

function timeOf(pattern: RegExp, text: string): number {
  const before = performance.now()
  text.replace(pattern, '')
  return performance.now() - before
}

/** Looks at one text: a busy machine makes some of them long, not all. */
const mostLooks = 6

/** The first text that takes too long each time; its beginning, and the time it took. */
function slowText(pattern: RegExp): string | undefined {
  for (const size of lengths) {
    for (const text of attacksOn(pattern, size)) {
      const looks = [timeOf(pattern, text)]
      while (Math.min(...looks) > limitMs && looks.length < mostLooks) looks.push(timeOf(pattern, text))
      const ms = Math.min(...looks)
      if (ms > limitMs) return `${JSON.stringify(text.slice(0, 30))}… ${text.length} characters: ${Math.round(ms)} ms`
    }
  }
  return undefined
}

describe('the attack', () => {
  test.each([
    /0+$/,
    /\s+$/,
    /\/*$/,
    /,+([0-9]+)?!/,
    /^ln[a-z]+[0-9a-z]*[0-9]+[a-z]*$/,
    /^(\d+)*x$/,
    /(?:[a-z]+[.,]?)+:/,
    /=([^&]*&?)*;/,
  ])('finds what reads more than once: %s', (pattern) => {
    expect(slowText(pattern)).toBeDefined()
  })

  test('finds nothing in what reads once', () => {
    for (const pattern of [/^[a-z]+$/, /(?<!0)0+$/, /^(?:[0-9a-f]{2})*$/, /^ln[a-z]+([0-9]+)([munp]?)$/]) {
      expect(slowText(pattern)).toBeUndefined()
    }
  })

  test('sees patterns where they stand', () => {
    const source = `const a = /x+$/i\nif (/[/"]+/.test(b / c / d)) // not /this/\n  return e.replace(/\\/+$/g, '') + 'http://f/' + (g) / 2`
    expect(patternsIn('a.ts', source).map(({ pattern }) => String(pattern))).toEqual(['/x+$/i', '/[/"]+/', '/\\/+$/g'])
  })
})

test('every pattern of the program reads in one pass', { timeout: 300_000 }, () => {
  const found = new Map(allPatterns().map((one) => [String(one.pattern), one]))
  expect(found.size).toBeGreaterThan(80)
  const slow = [...found.values()].flatMap(({ file, pattern }) => {
    const text = slowText(pattern)
    return text === undefined ? [] : [`${file} ${pattern}: ${text}`]
  })
  expect(slow).toEqual([])
})
