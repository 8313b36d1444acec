// A listening node lets go of who does nothing, and forgets who has left.

import type { Connection, Libp2p } from '@libp2p/interface'
import { payProtocol } from '../../shared/messages.ts'
import { cutOff } from './offences.ts'

/**
 * Closes connections on which no payment was open at two looks in a row, `idleMs` apart, and forgets peers that are not
 * connected: libp2p remembers each for hours, and peer ids are free.
 * @returns stops it
 */
export function letGoOfIdle(node: Libp2p, idleMs: number): () => void {
  let idleBefore = new Set<Connection>()
  const sweep = (): void => {
    const idle = node
      .getConnections()
      .filter(({ streams }) => !streams.some(({ protocol }) => protocol === payProtocol))
    for (const connection of idle) if (idleBefore.has(connection)) connection.abort(cutOff('says nothing'))
    idleBefore = new Set(idle)
    // What it cannot forget now is forgotten next time.
    forgetAbsent(node).catch(() => undefined)
  }
  const timer = setInterval(sweep, idleMs)
  return () => clearInterval(timer)
}

async function forgetAbsent(node: Libp2p): Promise<void> {
  for (const { id } of await node.peerStore.all()) {
    if (node.getConnections(id).length === 0) await node.peerStore.delete(id)
  }
}
