// Raw bytes over TCP: what no client library would send.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as waitFor } from 'node:timers/promises'

/**
 * Sends all of it and waits until the other side has said all it has to say. Who hears nothing for `patienceMs` says that
 * there is no more to come; a host that looks at who is there first must find somebody.
 * @returns its bytes as latin1
 */
export async function exchange(port: number, bytes: Uint8Array, patienceMs = 0): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  // The other side may hang up whenever it likes.
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.write(bytes)
  if (patienceMs > 0) {
    const heard = new Promise<void>((resolve) => socket.once('data', () => resolve()))
    await Promise.race([heard, closed, waitFor(patienceMs)])
  }
  socket.end()
  await closed
  return Buffer.concat(chunks).toString('latin1')
}

/** A server that does as `onConnection` says, on any free port of 127.0.0.1. */
export async function listen(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer(onConnection)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

/** Statuses of all answers on one connection. */
export function statusesIn(answers: string): readonly number[] {
  return [...answers.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) => Number(status))
}
