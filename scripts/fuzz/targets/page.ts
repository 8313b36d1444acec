// The page's host on loopback, sent raw bytes by somebody without a session, or with parts of one.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServeHost } from '../../../electron/serve.ts'
import { hold, type OpenTarget, type Target } from '../target.ts'
import { bytesOf } from '../text.ts'
import { exchange, statusesIn } from './tcp.ts'

const patienceMs = 40
const limits = { requestMs: 2_000, heartbeatMs: 60_000 }
/** Nobody here has a token: nobody is shown a page or sent on to one. */
const inside = /^HTTP\/1\.1 (2\d\d|30\d)/m

export const pageHttp: Target = {
  form: 'bytes',
  maxBytes: 80_000,
  codes: [],
  words: [
    ...[
      'GET /open/',
      'POST ',
      'HEAD ',
      'OPTIONS ',
      'TRACE ',
      ' HTTP/1.1\r\n',
      'host: 127.0.0.1:1\r\n',
      'cookie: farthing-1=',
      '; ',
    ],
    ...[
      'origin: null\r\n',
      'origin: http://evil.example\r\n',
      'sec-fetch-site: cross-site\r\n',
      'content-type: text/plain\r\n',
    ],
    ...[
      'content-length: ',
      'transfer-encoding: chunked\r\n',
      'upgrade: websocket\r\n',
      'connection: upgrade\r\n',
      '/api/call/phrase.show',
    ],
    ...['/api/events', '..%2f', '%2e%2e/', 'A'.repeat(43), '?', '#'],
  ],
  open: async (): Promise<OpenTarget> => {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-fuzz-'))
    mkdirSync(join(folder, 'page'))
    writeFileSync(join(folder, 'page', 'index.html'), 'the app')
    writeFileSync(join(folder, 'secret.json'), 'outside')
    const lines: string[] = []
    let calls = 0
    const host = await startServeHost({
      route: async () => {
        calls++
        return { ok: true, value: null }
      },
      rendererFolder: join(folder, 'page'),
      log: (line) => lines.push(line),
      limits,
    })
    const { port, host: name } = new URL(host.url)
    const ask = (method: string, path: string, head = ''): Uint8Array =>
      bytesOf(`${method} ${path} HTTP/1.1\r\nhost: ${name}\r\n${head}connection: close\r\n\r\n`)
    const call = `origin: ${host.url}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n`
    return {
      seeds: [
        ask('GET', '/'),
        ask('GET', `/open/${'A'.repeat(43)}`, 'sec-fetch-site: none\r\nsec-fetch-mode: navigate\r\n'),
        ask('GET', '/AAAAAAAAAAAAAAAAAAAAAA/api/events', `cookie: farthing-${port}=${'A'.repeat(43)}\r\n`),
        Buffer.concat([ask('POST', '/AAAAAAAAAAAAAAAAAAAAAA/api/call/phrase.show', call), bytesOf('{}')]),
      ],
      run: async (input) => {
        const answers = await exchange(Number(port), input, patienceMs)
        for (const status of statusesIn(answers)) hold(status < 500, `status ${status}`)
        hold(!inside.test(answers) && !/^set-cookie/im.test(answers), 'somebody was let in')
        hold(!answers.includes('the app') && !answers.includes('outside') && calls === 0, 'somebody was told something')
        const said = lines.filter((line) => !line.startsWith('another user'))
        hold(said.length === 0, `the log says: ${said.join()}`)
      },
      close: async () => {
        await host.close()
        rmSync(folder, { recursive: true })
      },
    }
  },
}
