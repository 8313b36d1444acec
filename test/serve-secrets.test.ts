// Secrets of the page's host are compared in constant time, all of them: what is presented is seen to go through the functions
// that promise it. Somebody who writes === instead makes a test fail here.

import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { proofFor } from '../electron/serve/page-key.ts'
import { type ServeHost, startServeHost } from '../electron/serve.ts'
import { createHostProof } from '../renderer/host-proof.ts'

/** Every comparison, as hex: what is known, and what was given. */
const compared = vi.hoisted((): [string, string][] => [])
vi.mock('node:crypto', async (load) => {
  const real = await load<typeof import('node:crypto')>()
  const hex = (bytes: NodeJS.ArrayBufferView): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return {
    ...real,
    timingSafeEqual: (a: NodeJS.ArrayBufferView, b: NodeJS.ArrayBufferView) => {
      compared.push([hex(a), hex(b)])
      return real.timingSafeEqual(a, b)
    },
  }
})

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Wrong in its first letter, in its last one, too short, and too long. */
const wrongOnes = (secret: string): readonly string[] => {
  const other = (letter: string | undefined): string => (letter === 'A' ? 'E' : 'A') // the last two bits of the last letter say nothing
  return [
    other(secret[0]) + secret.slice(1),
    secret.slice(0, -1) + other(secret.at(-1)),
    secret.slice(0, -1),
    `${secret}A`,
    'A',
  ]
}

describe('what is shown to the host is compared in constant time', () => {
  let folder: string
  let host: ServeHost
  let inside: { readonly room: string; readonly name: string; readonly token: string }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'farthing-serve-'))
    mkdirSync(join(folder, 'page'))
    writeFileSync(join(folder, 'page', 'index.html'), '<title>the app</title>')
    const route = async () => ({ ok: true, value: null })
    host = await startServeHost({ route, rendererFolder: join(folder, 'page'), log: () => {} })
    const { headers } = await get(new URL(host.newLink()).pathname)
    const [name = '', token = ''] = headers.get('set-cookie')!.split(';')[0]!.split('=')
    inside = { room: headers.get('location')!.slice(1, -1), name, token }
  })
  afterEach(async () => {
    await host.close()
    rmSync(folder, { recursive: true })
  })

  const get = (path: string, cookie = '') =>
    fetch(host.url + path, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } })
  const comeIn = ({ room, name, token }: typeof inside) => get(`/${room}/`, `${name}=${token}`)

  /** @returns the status, and what the secret was compared with */
  async function shown(secret: string, ask: () => Promise<Response>) {
    compared.length = 0
    const { status } = await ask()
    const digest = digestOf(secret)
    return { status, others: compared.filter(([known]) => known === digest).map(([, given]) => given) }
  }

  test('a link that works once', async () => {
    const link = new URL(host.newLink()).pathname.slice('/open/'.length)
    for (const wrong of wrongOnes(link))
      expect(await shown(link, () => get(`/open/${wrong}`))).toEqual({ status: 401, others: [digestOf(wrong)] })
    expect(await shown(link, () => get(`/open/${link}`))).toEqual({ status: 303, others: [digestOf(link)] })
  })

  test('the cookie of a session', async () => {
    const { token } = inside
    for (const wrong of wrongOnes(token)) {
      const answer = await shown(token, () => comeIn({ ...inside, token: wrong }))
      expect(answer).toEqual({ status: 401, others: [digestOf(wrong)] })
    }
    expect(await shown(token, () => comeIn(inside))).toEqual({ status: 200, others: [digestOf(token)] })
  })

  test('the path that only the address of the app holds', async () => {
    const secret = `/${inside.room}/`
    // What follows it is the name of a part: a path that is right and goes on is none of the wrong ones.
    for (const wrong of wrongOnes(inside.room)) {
      const { status, others } = await shown(secret, () => comeIn({ ...inside, room: wrong }))
      expect(status).toBe(401)
      expect(others).toEqual([digestOf(`/${wrong}/`.slice(0, secret.length))])
    }
    expect(await shown(secret, () => comeIn(inside))).toEqual({ status: 200, others: [digestOf(secret)] })
  })
})

describe('what is shown to the page is compared in constant time', () => {
  afterEach(() => void vi.restoreAllMocks())

  test('the proof that the host is the same still', async () => {
    const verify = vi.spyOn(crypto.subtle, 'verify')
    const key = 'k'.repeat(43)
    const { nonce, isProof } = createHostProof(key)
    const asked = nonce()
    const { proof } = proofFor(key, asked)!
    const tried = [...wrongOnes(proof), '', 'not base64url!', proofFor(key, nonce())!.proof, proof]
    const answers: boolean[] = []
    for (const one of tried) answers.push(await isProof(asked, JSON.stringify({ proof: one })))
    expect(answers).toEqual([...tried.slice(1).map(() => false), true])
    expect(verify.mock.calls.map(([algorithm]) => algorithm)).toEqual(tried.map(() => 'HMAC'))
    expect(await isProof(asked, '{}')).toBe(false)
    expect(await isProof(asked, 'null')).toBe(false)
  })
})
