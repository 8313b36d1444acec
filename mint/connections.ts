// Who has a connection to the mint. Nobody keeps others out: in a full house the largest crowd makes room.

import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { OnAbuse } from './abuse-log.ts'
import { networkOf } from './network.ts'

/**
 * At most `max` connections at a time. When there are more, the oldest of the address that has most of them goes; the
 * newcomer, when that is its own. Behind a proxy all wallets have one address, and the limit is theirs together.
 */
export function shareConnections(server: Server, max: number, onAbuse: OnAbuse): void {
  /** By address, in the order in which they came. */
  const crowds = new Map<string, Set<Socket>>()
  let count = 0
  // Never reached: who would be turned away there is not asked for an address.
  server.maxConnections = 2 * max
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket
    if (remoteAddress === undefined) return // it has gone
    const network = networkOf(remoteAddress)
    const own = crowds.get(network) ?? new Set()
    crowds.set(network, own.add(socket))
    count++
    socket.once('close', () => {
      own.delete(socket)
      count--
      if (own.size === 0) crowds.delete(network)
    })
    if (count <= max) return
    const [largest] = [...crowds.values()].filter((crowd) => crowd !== own).sort((a, b) => b.size - a.size)
    const isOwnFault = largest === undefined || largest.size < own.size
    const [leaving = socket] = isOwnFault ? [socket] : largest
    // Where all have as many, nobody did anything wrong.
    if (isOwnFault || largest.size > own.size)
      onAbuse(leaving.remoteAddress ?? remoteAddress, 'holds too many connections')
    leaving.destroy()
  })
}
