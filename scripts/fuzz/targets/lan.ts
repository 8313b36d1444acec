// Packets on the local network: mDNS as its library reads it, and what we believe of it.

import { createSocket } from 'node:dgram'
import multicastDns from 'multicast-dns'
import { announcementRecords, lanService, maxTtlSeconds, readAnnouncement } from '../../../electron/net/lan-record.ts'
import { Broken, hold, type OpenTarget, type Target } from '../target.ts'

const host = '10.1.2.3'
const peerId = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const rinfo = { address: host, family: 'IPv4', port: 5353, size: 0 }
/** More than fits one packet: the library reads what the system gives it. */
const maxBytes = 9_000

/** A library's socket that never opens a port: packets are handed to it here. */
function openLibrary() {
  const socket = createSocket('udp4')
  const library = multicastDns({ socket, bind: false, multicast: false })
  library.on('warning', () => {})
  return { socket, library }
}

/** What our own announcement looks like on the wire. */
async function announced(): Promise<Uint8Array> {
  const { socket, library } = openLibrary()
  const sent = new Promise<Uint8Array>((resolve) => {
    Object.defineProperty(socket, 'send', { value: (message: Uint8Array) => resolve(message) })
  })
  library.respond({ answers: announcementRecords({ peerId, host, port: 4001 }, maxTtlSeconds) })
  const message = await sent
  library.destroy()
  return message
}

export const lanPacket: Target = {
  form: 'bytes',
  maxBytes,
  codes: [],
  words: [
    'farthing=pay/1.0.0',
    `dnsaddr=/ip4/${host}/tcp/4001/p2p/${peerId}`,
    lanService,
    '\x04_p2p\x04_udp\x05local\x00',
    '\xc0\x0c',
  ],
  open: async (): Promise<OpenTarget> => {
    const { socket, library } = openLibrary()
    let wrong: unknown
    const listen = (look: () => void) => {
      try {
        look()
      } catch (error) {
        wrong = error
      }
    }
    library.on('query', ({ questions }) =>
      listen(() => {
        for (const { name } of questions ?? []) hold(typeof name === 'string', 'a question without a name')
      }),
    )
    library.on('response', (packet) =>
      listen(() => {
        const read = readAnnouncement(packet, host)
        if (!read) return
        hold(/^12D3KooW\w{44}$/.test(read.peerId), 'a peer id that is none')
        hold(read.multiaddr.startsWith(`/ip4/${host}/tcp/`), 'an address of somebody else')
        hold(read.ttlSeconds >= 0 && read.ttlSeconds <= maxTtlSeconds, 'a life without end')
      }),
    )
    return {
      seeds: [await announced()],
      run: (input) => {
        wrong = undefined
        socket.emit('message', Buffer.from(input), rinfo)
        if (wrong !== undefined) throw wrong instanceof Error ? wrong : new Broken('threw no error')
      },
      close: async () => {
        library.destroy()
      },
    }
  },
}
