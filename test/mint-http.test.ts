// What the mint answers to requests that no honest wallet sends. Nothing of it moves a coin or ends the process.

import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
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
