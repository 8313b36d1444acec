// What the mint answers to requests that no honest wallet sends. Nothing of it moves a coin or ends the process.

import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createAbuseLog } from '../mint/abuse-log.ts'
import { createQuoteLimit } from '../mint/quote-limit.ts'
import { maxBodyBytes } from '../mint/server.ts'
import { errorResponseSchema } from '../shared/cashu/wire.ts'
import { codeOf, newSecret, openMint, type TestMint } from './mint-fixture.ts'

const id = `01${'ab'.repeat(32)}`
const point = `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`
const proof = { amount: 1, id, secret: 'secret', C: point }
const output = { amount: 1, id, B_: point }

async function raw(mint: TestMint, body: string, contentType: string, path = '/v1/swap') {
  const response = await fetch(mint.url() + path, { method: 'POST', headers: { 'content-type': contentType }, body })
  const { code } = errorResponseSchema.strict().parse(await response.json())
  return { status: response.status, code }
}

describe('a body', () => {
  test.each([
    ['is not JSON', '{"inputs":', 'application/json', 400],
    ['is empty', '', 'application/json', 400],
    ['is HTML that calls itself JSON', '<html></html>', 'application/json', 400],
    ['is HTML', '<html></html>', 'text/html', 415],
    ['is a form', 'inputs=1&outputs=2', 'application/x-www-form-urlencoded', 415],
    ['is text', '{"inputs":[],"outputs":[]}', 'text/plain', 400],
    ['is null', 'null', 'application/json', 400],
    ['is a number', '1', 'application/json', 400],
    ['poisons a prototype', '{"__proto__":{"inputs":[]}}', 'application/json', 400],
    ['is deeply nested', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'application/json', 400],
  ])('that %s is refused as an error of the NUTs', async (_, body, contentType, status) => {
    const mint = await openMint()
    expect(await raw(mint, body, contentType)).toEqual({ status, code: 0 })
  })

  test('of the largest size is read, one byte more is not', async () => {
    const mint = await openMint()
    const padded = (size: number) => `{"inputs":[],"outputs":[],"x":"${'x'.repeat(size - 33)}"}`
    expect(padded(maxBodyBytes)).toHaveLength(maxBodyBytes)
    expect(await raw(mint, padded(maxBodyBytes), 'application/json')).toMatchObject({ status: 400 })
    expect(await raw(mint, padded(maxBodyBytes + 1), 'application/json')).toEqual({ status: 413, code: 0 })
  })

  test('of a real swap with 64 inputs of the longest secret and witness fits', async () => {
    const mint = await openMint()
    const text = '"'.repeat(1024) // each character escaped
    const inputs = Array.from({ length: 64 }, () => ({ ...proof, secret: text, witness: text }))
    const outputs = Array.from({ length: 64 }, () => output)
    expect(codeOf(await mint.post('/v1/swap', { inputs, outputs }))).toBe(12001)
  })
})

describe('a swap', () => {
  test.each([0, -1, 0.5, 2 ** 53, 1e300, '1', null, [1], true])('with the amount %j is refused', async (amount) => {
    const mint = await openMint()
    expect(codeOf(await mint.post('/v1/swap', { inputs: [{ ...proof, amount }], outputs: [output] }))).toBe(11006)
    expect(codeOf(await mint.post('/v1/swap', { inputs: [proof], outputs: [{ ...output, amount }] }))).toBe(11006)
    expect(codeOf(await mint.post('/v1/mint/quote/bolt11', { amount, unit: 'sat' }))).toBe(11006)
  })

  test.each([
    ['a secret of 1025 characters', { secret: 'x'.repeat(1025) }, 10001],
    ['an empty secret', { secret: '' }, 10001],
    ['a secret that is no text', { secret: 7 }, 10001],
    ['a witness of 1025 characters', { witness: 'x'.repeat(1025) }, 10001],
    ['a witness that is an object', { witness: { signatures: [] } }, 10001],
    ['C without its prefix', { C: point.slice(2) }, 10001],
    ['C uncompressed', { C: `04${point.slice(2).repeat(2)}` }, 10001],
    ['a keyset id that is a path', { id: '../../etc/passwd' }, 12001],
    ['a keyset id in upper case', { id: id.toUpperCase() }, 12001],
  ])('with %s is refused', async (_, change, code) => {
    const mint = await openMint()
    const inputs = [{ ...proof, ...change }]
    expect(codeOf(await mint.post('/v1/swap', { inputs, outputs: [output] }))).toBe(code)
  })

  test.each([
    ['no inputs', { inputs: [], outputs: [output] }],
    ['no outputs', { inputs: [proof], outputs: [] }],
    ['an object for a list', { inputs: { 0: proof, length: 1 }, outputs: [output] }],
    ['nothing', {}],
  ])('with %s is refused', async (_, body) => {
    const mint = await openMint()
    expect(codeOf(await mint.post('/v1/swap', body))).toBe(0)
  })

  test('with 500 outputs is refused before any of them is looked at', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    const outputs = Array.from({ length: 500 }, () => output)
    expect(codeOf(await mint.post('/v1/swap', { inputs: [coin], outputs }))).toBe(11015)
    expect(codeOf(await mint.post('/v1/mint/bolt11', { quote: (await mint.paidQuote(4)).quote, outputs }))).toBe(11015)
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
  })
})

describe('a list', () => {
  const filler = (length: number) => `[${'{},'.repeat(Math.floor(length / 3) - 1)}{}]`
  test.each([
    ['/v1/swap', 'inputs', 11014],
    ['/v1/swap', 'outputs', 11015],
    ['/v1/mint/bolt11', 'outputs', 11015],
    ['/v1/melt/bolt11', 'inputs', 11014],
    ['/v1/melt/bolt11', 'outputs', 11015],
    ['/v1/checkstate', 'Ys', 11014],
    ['/v1/restore', 'outputs', 11015],
  ])(
    'that fills a request to %s as %s is refused for its length, and nothing in it is looked at',
    async (path, field, code) => {
      const mint = await openMint()
      const good = JSON.stringify({ quote: 'x', inputs: [proof], outputs: [output] }).slice(0, -1)
      const body = `${good},"${field}":${filler(maxBodyBytes - 1024)}}`
      expect(codeOf(await mint.post(path, body))).toBe(code)
    },
  )

  test.each([
    ['/v1/swap', 11014],
    ['/v1/melt/bolt11', 11014],
  ])('of 64 inputs is read by %s, of 65 refused', async (path, code) => {
    const mint = await openMint()
    const inputs = Array.from({ length: 65 }, () => proof)
    const body = { quote: 'x', inputs: inputs.slice(1), outputs: [output] }
    expect(codeOf(await mint.post(path, body))).not.toBe(code)
    expect(codeOf(await mint.post(path, { ...body, inputs }))).toBe(code)
  })
})

describe('lookups', () => {
  test('of 300 are answered, of 301 refused', async () => {
    const mint = await openMint()
    const Ys = new Array<string>(301).fill(point)
    const outputs = new Array<typeof output>(301).fill(output)
    expect((await mint.post('/v1/checkstate', { Ys: Ys.slice(1) })).status).toBe(200)
    expect((await mint.post('/v1/restore', { outputs: outputs.slice(1) })).status).toBe(200)
    expect(codeOf(await mint.post('/v1/checkstate', { Ys }))).toBe(11014)
    expect(codeOf(await mint.post('/v1/restore', { outputs }))).toBe(11015)
  })

  test('of what is no point are refused', async () => {
    const mint = await openMint()
    codeOf(await mint.post('/v1/checkstate', { Ys: ['02'] }))
    codeOf(await mint.post('/v1/checkstate', { Ys: [] }))
  })
})

describe('a path', () => {
  test.each(['/', '/v1', '/v1/mint/quote/bolt12', '/v1/../seed', '/v1/swap', '/v1/auth/blind/mint'])(
    'GET %s that is not served is a 404 in the form of the NUTs',
    async (path) => {
      const mint = await openMint()
      const answer = await mint.get(path)
      expect(answer.status).toBe(404)
      expect(errorResponseSchema.strict().parse(answer.body).code).toBe(0)
    },
  )
})

describe('the mint', () => {
  test('says that it is play money, which version it is, and what it serves', async () => {
    const mint = await openMint()
    const { body } = await mint.get('/v1/info')
    expect(body).toMatchObject({
      name: expect.stringMatching(/play money/i),
      description: expect.stringMatching(/play money/i),
      motd: expect.stringMatching(/play money/i),
      version: expect.stringMatching(/^Farthing\/\d+\.\d+\.\d+$/),
      nuts: {
        4: { methods: [{ method: 'bolt11', unit: 'sat' }], disabled: false },
        5: { methods: [{ method: 'bolt11', unit: 'sat' }], disabled: false },
        7: { supported: true },
        8: { supported: true },
        9: { supported: true },
        10: { supported: true },
        11: { supported: true },
        12: { supported: true },
        19: { ttl: null },
      },
    })
  })

  test('repeats no secret in an error', async () => {
    const mint = await openMint()
    const secret = newSecret()
    for (const body of [
      { inputs: [{ ...proof, secret: secret.repeat(17) }], outputs: [output] },
      { inputs: [{ ...proof, secret, C: secret }], outputs: [output] },
      { inputs: [{ ...(await mint.coin(1)), secret }], outputs: (await mint.outputs(1)).map(({ message }) => message) },
      `{"inputs":[{"secret":"${secret}"`,
    ]) {
      expect((await mint.post('/v1/swap', body)).text).not.toContain(secret.slice(0, 16))
    }
  })

  test('hangs up on a request that does not arrive', async () => {
    const mint = await openMint({ requestTimeoutMs: 100 })
    const { hostname, port } = new URL(mint.url())
    const socket = connect(Number(port), hostname)
    socket.resume()
    socket.write('POST /v1/swap HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{')
    await once(socket, 'close')
  })
})

describe('quotes', () => {
  const ask = (mint: TestMint) => mint.post('/v1/mint/quote/bolt11', { amount: 1, unit: 'sat' })

  test('that come too fast from one address are put off, for money in and out together; coins are not', async () => {
    const mint = await openMint({ quotesPerMinute: 3 })
    const coin = await mint.coin(1) // one quote
    await mint.meltQuote(1)
    expect((await ask(mint)).status).toBe(200)
    const headers = { 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: '{"amount":1,"unit":"sat"}' }
    const answer = await fetch(`${mint.url()}/v1/mint/quote/bolt11`, init)
    expect({ status: answer.status, wait: answer.headers.get('retry-after') }).toEqual({ status: 429, wait: '60' })
    expect(errorResponseSchema.parse(await answer.json()).code).toBe(0)
    expect((await mint.post('/v1/melt/quote/bolt11', { request: 'x', unit: 'sat' })).status).toBe(429)
    expect((await mint.swap([coin], await mint.outputs(1))).status).toBe(200)
    mint.clock.nowMs += 60_000
    expect((await ask(mint)).status).toBe(200)
  })

  test('for money out are fewer in a minute than those for money in', async () => {
    const mint = await openMint({ meltQuotesPerMinute: undefined })
    const out = async () => (await mint.post('/v1/melt/quote/bolt11', { request: 'x', unit: 'sat' })).status
    const answers = []
    for (let times = 0; times < 61; times++) answers.push(await out())
    expect(
      answers.map((status, index) => (status === 429 ? index : undefined)).filter((at) => at !== undefined),
    ).toEqual([60])
    expect((await ask(mint)).status).toBe(200)
  })

  test('that come too fast, and bodies that are too large, are told to the operator: once for each address', async () => {
    const lines: string[] = []
    const mint = await openMint({ quotesPerMinute: 1, log: (line) => lines.push(line) })
    for (let times = 0; times < 5; times++) await ask(mint)
    for (let times = 0; times < 3; times++)
      expect((await mint.post('/v1/swap', ' '.repeat(maxBodyBytes + 1))).status).toBe(413)
    expect(lines).toEqual(['refused 127.0.0.1: asks for too many quotes', 'refused 127.0.0.1: sends too much'])
    mint.clock.nowMs += 600_000
    await ask(mint)
    await ask(mint)
    expect(lines.slice(2)).toEqual(['refused 5 more times since then', 'refused 127.0.0.1: asks for too many quotes'])
  })

  test('of a thousand addresses are few lines in the log', () => {
    const lines: string[] = []
    const note = createAbuseLog({ clock: { now: () => 0 }, log: (line) => lines.push(line) })
    for (let n = 0; n < 1_000; n++) note(`10.1.${n >> 8}.${n & 255}`, 'asks for too many quotes')
    expect(lines).toHaveLength(16)
  })

  test('are counted by network where one subscriber has many addresses, in bounded memory', () => {
    const clock = { nowMs: 0, now: () => clock.nowMs }
    const limit = createQuoteLimit({ clock, perMinute: 2 })
    expect([limit.count('2001:db8::1'), limit.count('2001:db8:0:0:5::2'), limit.count('2001:db8::3')]).toEqual([
      0, 0, 60,
    ])
    expect([limit.count('2001:db8:0:1::1'), limit.count('10.0.0.1'), limit.count('::ffff:10.0.0.2')]).toEqual([0, 0, 0])
    clock.nowMs = 30_000
    expect(limit.count('2001:db8::9')).toBe(30)
    for (let n = 0; n < 20_000; n++) limit.count(`10.1.${n >> 8}.${n & 255}`)
    expect(limit.count('10.200.0.1')).toBe(30) // one of too many newcomers
    expect(limit.count('10.0.0.1')).toBe(0)
    clock.nowMs = 60_000
    expect(limit.count('10.200.0.1')).toBe(0)
  })
})
