// What a camera is shown: small pictures of anything, codes that are damaged, and codes that are drawn well and say what no
// honest one does. The first byte says which, the second how wide it is.

import fc from 'fast-check'
import { _GF256, _tests, type ErrorCorrection, encodeQR } from 'qr'
import { codeInFrame, type Picture } from '../../../renderer/ui/codes.ts'
import { createQrJoiner } from '../../../shared/qr-parts.ts'
import { hold, plain, type Target } from '../target.ts'

/** Of a picture, in pixels; and of a module of a code. */
const maxSide = 128
const maxScale = 3
/** Digits in the largest code (ISO/IEC 18004, version 40-L): no text is longer. */
const maxTextLength = 7_089

/** What a shade of grey is as RGBA. */
function greyPicture(width: number, height: number, shade: (x: number, y: number) => number): Picture {
  const data = new Uint8ClampedArray(4 * width * height)
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 4) data.set([shade(x, y), shade(x, y), shade(x, y), 255], at)
  return { width, height, data }
}

const sizeOf = (byte: number): number => 1 + (byte % maxSide)

/** Modules of one bit each. */
function bitPicture([side = 0, scale = 0, ...bits]: readonly number[]): Picture {
  const [size, times] = [sizeOf(side), 1 + (scale % maxScale)]
  const isDark = (x: number, y: number): boolean => {
    const at = Math.floor(y / times) * size + Math.floor(x / times)
    return ((bits[at >> 3] ?? 0) & (0x80 >> (at & 7))) !== 0
  }
  return greyPicture(size * times, size * times, (x, y) => (isDark(x, y) ? 0 : 255))
}

/** A byte for each pixel. */
function shadePicture([side = 0, ...shades]: readonly number[]): Picture {
  const width = sizeOf(side)
  const height = Math.min(maxSide, Math.max(1, Math.ceil(shades.length / width)))
  return greyPicture(width, height, (x, y) => shades[y * width + x] ?? 255)
}

/** Four bytes for each pixel. */
function colourPicture([side = 0, ...bytes]: readonly number[]): Picture {
  const width = sizeOf(side)
  const height = Math.min(maxSide, Math.max(1, Math.ceil(bytes.length / (4 * width))))
  const data = new Uint8ClampedArray(4 * width * height)
  data.set(bytes.slice(0, data.length))
  return { width, height, data }
}

/** Codewords of data and of correction in one block (ISO/IEC 18004, table 9, level L). */
const blocks = [
  { data: 19, correction: 7 },
  { data: 34, correction: 10 },
  { data: 55, correction: 15 },
  { data: 80, correction: 20 },
  { data: 108, correction: 26 },
] as const
const border = 4

/** A code without a fault, whatever its codewords say: modes, lengths and alphabets that lie. */
function codePicture([version = 0, scale = 0, ...words]: readonly number[]): Picture {
  const index = version % blocks.length
  const block = blocks[index] ?? blocks[0]
  const data = Uint8Array.from({ length: block.data }, (_, at) => words[at] ?? 0)
  const codewords = Buffer.concat([data, _tests.rsEcc(data, generator(block.correction))])
  const code = _tests.drawSymbol(index + 1, 'low', codewords, scale % 8)
  const times = 2 + (scale % (maxScale - 1))
  const isDark = (x: number, y: number): boolean =>
    Math.min(x, y) >= 0 && Math.max(x, y) < code.size && _tests.matGet(code, x, y) !== 0
  const module = (pixel: number): number => Math.floor(pixel / times) - border
  const size = (code.size + 2 * border) * times
  return greyPicture(size, size, (x, y) => (isDark(module(x), module(y)) ? 0 : 255))
}

/** (x − α⁰)(x − α¹)… without its first coefficient, which is 1 (ISO/IEC 18004, annex A). */
function generator(degree: number): Uint8Array {
  const { exp, log } = _GF256
  const times = (a: number, b: number): number =>
    a === 0 || b === 0 ? 0 : (exp[((log[a] ?? 0) + (log[b] ?? 0)) % 255] ?? 0)
  let polynomial = [1]
  for (let power = 0; power < degree; power++) {
    const shifted = [...polynomial, 0]
    polynomial = shifted.map((value, at) => value ^ times(polynomial[at - 1] ?? 0, exp[power] ?? 0))
  }
  return Uint8Array.from(polynomial.slice(1))
}

const pictures = [bitPicture, shadePicture, colourPicture, codePicture] as const

/** A code as one of our screens shows it, as an input of bits. */
function shown(text: string, ecc: ErrorCorrection, scale: number): Uint8Array {
  const rows = encodeQR(text, 'raw', { ecc, border })
  const bits = rows.flat()
  const bytes = Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, at) =>
    bits.slice(8 * at, 8 * at + 8).reduce((byte, isDark, bit) => byte | (isDark ? 0x80 >> bit : 0), 0),
  )
  return Buffer.concat([Uint8Array.of(0, rows.length - 1, scale), bytes])
}

/** Segments of a code (ISO/IEC 18004, 7.4) as bits: mode, length, and what may follow. */
const segment = fc.oneof(
  fc.tuple(fc.constantFrom('0001', '0010', '0100', '0111', '1000', '0011', '0101'), fc.nat(2 ** 20)),
  fc.tuple(fc.constant('0111'), fc.constantFrom(3 << 12, 20 << 12, 25 << 12, 26 << 12, 0xbfff << 4, 0xfffff)),
  fc.tuple(
    fc.constant('0100'),
    fc.nat(8).map((length) => (length << 12) | 0xfff),
  ),
)
const anyCode = fc
  .record({ head: fc.tuple(fc.nat(255), fc.nat(255)), segments: fc.array(segment, { maxLength: 12 }) })
  .map(({ head, segments }) => {
    const bits = segments.map(([mode, rest]) => mode + rest.toString(2).padStart(20, '0')).join('')
    const words = Array.from({ length: Math.ceil(bits.length / 8) }, (_, at) =>
      Number.parseInt(bits.slice(8 * at, 8 * at + 8), 2),
    )
    return Uint8Array.of(3, ...head, ...words)
  })
const anyShown = fc
  .tuple(
    fc.string({ maxLength: 60, unit: 'binary' }),
    fc.constantFrom<ErrorCorrection>('low', 'medium', 'quartile'),
    fc.nat(2),
  )
  .map((parts) => shown(...parts))

export const camera: Target = {
  form: 'bytes',
  maxBytes: 3 + 4 * maxSide * 32,
  codes: [],
  seeds: [
    shown('creqA'.padEnd(120, 'x'), 'quartile', 1),
    shown('farthing:part/1/2/0123456789abcdef/'.padEnd(300, 'y'), 'low', 0),
    shown('LNBC20U1PVJLUEZ', 'medium', 2),
    shown('0123456789012345', 'low', 1),
    Uint8Array.of(1, 63, ...Array.from({ length: 2_048 }, (_, at) => (at * at) & 255)),
    Uint8Array.of(2, 15, ...Array.from({ length: 1_024 }, (_, at) => (at * 37) & 255)),
    Uint8Array.of(3, 0, 0, 0x40, 0x36, 0x16, 0x26, 0x30),
    Uint8Array.of(3, 1, 1, 0x71, 0xa4, 0x02, 0xc3, 0xa4),
  ],
  sample: (seed, count) => fc.sample(fc.oneof(anyCode, anyShown), { seed, numRuns: count }),
  properties: [
    {
      name: 'a text that is shown is read as it was',
      property: fc.property(fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }), (text) => {
        const [, ...input] = shown(text, 'low', 2)
        hold(codeInFrame(bitPicture(input)) === text, 'another text')
      }),
    },
  ],
  open: plain(([kind = 0, ...input]) => {
    const draw = pictures[kind % pictures.length] ?? bitPicture
    const picture = draw(input)
    const before = Buffer.from(picture.data)
    const text = codeInFrame(picture)
    hold(before.equals(Buffer.from(picture.data)), 'the picture was changed')
    if (text === null) return
    hold(text.length <= maxTextLength, 'a text that fits in no code')
    createQrJoiner().read(text)
  }),
}
