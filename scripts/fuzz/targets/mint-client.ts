// What a mint answers by HTTP, down to the bytes: the client of the wallet, asked for each of its calls.

import { createMintClients } from '../../../electron/net/mint-client.ts'
import type { MintAnswer, MintClient } from '../../../electron/wallet/ports.ts'
import { hold, type Target } from '../target.ts'
import { bytesOf } from '../text.ts'
import { answers, asked } from './good-answers.ts'
import { json } from './structures.ts'
import { listen } from './tcp.ts'

const timeoutMs = 2_000
const { keysetId, quote, Y, output } = asked

/** In the order of the letter that an input begins with: the call it answers. */
const calls: readonly ((client: MintClient) => Promise<MintAnswer<unknown>>)[] = [
  (client) => client.info(),
  (client) => client.keysets(),
  (client) => client.keys(keysetId),
  (client) => client.swap('{}'),
  (client) => client.issue('{}'),
  (client) => client.requestMintQuote(4, 'sat'),
  (client) => client.mintQuote(quote),
  (client) => client.requestMeltQuote('lnbc1', 'sat'),
  (client) => client.meltQuote(quote),
  (client) => client.melt('{}'),
  (client) => client.checkState([Y]),
  (client) => client.restore([output]),
]
const { info, keysets, keys, signatures, mintQuote, meltQuote, states, restored, error } = answers
const honest: readonly object[] = [
  ...[info, keysets, keys, signatures, signatures, mintQuote, mintQuote, meltQuote, meltQuote, meltQuote],
  ...[states, restored],
]

const split = '\r\n\r\n'
const http = (body: string, head = 'HTTP/1.1 200 OK'): string =>
  `${head}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}${split}${body}`
/** The call stands in front, as one letter. */
const letter = (call: number): string => String.fromCharCode(0x61 + call)
const answerTo = (call: number, body: string, head?: string): Uint8Array => bytesOf(letter(call) + http(body, head))

export const mintAnswer: Target = {
  form: 'bytes',
  maxBytes: 1_200_000,
  codes: [],
  words: [
    ...['HTTP/1.1 200 OK\r\n', 'HTTP/1.1 400 Bad Request', '429', '503', '302', '100', '204', 'HTTP/1.0'],
    ...['retry-after: 120\r\n', 'retry-after: Fri, 31 Dec 2999 23:59:59 GMT\r\n', 'location: http://127.0.0.1:1/\r\n'],
    ...[
      'transfer-encoding: chunked\r\n',
      'content-encoding: gzip\r\n',
      'content-encoding: br\r\n',
      'content-length: 5\r\n',
    ],
    ...[
      'content-type: text/html\r\n',
      'content-type: application/problem+json\r\n',
      '\r\n',
      split,
      '{"detail":"no","code":1}',
    ],
  ],
  seeds: [
    ...honest.map((answer, call) => answerTo(call, JSON.stringify(answer))),
    answerTo(3, JSON.stringify(error), 'HTTP/1.1 400 Bad Request'),
    answerTo(3, '{"detail":"slow down","code":429}', 'HTTP/1.1 429 Too Many Requests\r\nretry-after: 120'),
    answerTo(9, JSON.stringify({ detail: 'no', code: 20005 }), 'HTTP/1.1 400 no'),
    bytesOf(
      `dHTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked${split}4\r\nnull\r\n0\r\n\r\n`,
    ),
  ],
  structure: {
    read: (input) => json.read(input.subarray(input.indexOf(0x7b))),
    write: (value) => {
      const body = Buffer.from(json.write(value)).toString('utf8')
      return answerTo(body.length % calls.length, body, body.length % 3 === 0 ? 'HTTP/1.1 400 no' : undefined)
    },
  },
  open: async () => {
    let next: Uint8Array = new Uint8Array()
    const { server, port } = await listen((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(next))
    })
    const client = createMintClients({ clock: { now: () => 0 }, timeoutMs, meltTimeoutMs: timeoutMs })(
      `http://127.0.0.1:${port}`,
    )
    return {
      run: async (input) => {
        next = input.subarray(1)
        const answer = await calls[((input[0] ?? 0) + 256 - 0x61) % calls.length]?.(client)
        hold(['ok', 'refused', 'unknown'].includes(answer?.kind ?? ''), 'no answer at all')
        if (answer?.kind === 'unknown')
          hold(/^[\x20-\x7e]{1,60}$/.test(answer.reason), 'a reason with parts of the answer')
        if (answer?.kind === 'unknown') hold(withinAnHour(answer.retryAfterMs), 'a wait without end')
        if (answer?.kind === 'refused')
          hold(answer.detail.length <= 2_000 && Number.isSafeInteger(answer.code), 'no refusal')
      },
      close: async () => {
        server.close()
      },
    }
  },
}

const withinAnHour = (wait = 0): boolean => wait >= 0 && wait <= 3_600_000
