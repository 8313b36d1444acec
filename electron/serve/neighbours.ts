// Other users of the same computer reach 127.0.0.1 too. Linux tells whose a connection is: theirs are closed before
// anything is read from them. Elsewhere, and where /proc does not tell, link and cookie alone keep them out.

import { readFileSync } from 'node:fs'

/** Tables of connections; a browser may reach an IPv4 address through an IPv6 socket. */
const tables = ['/proc/net/tcp', '/proc/net/tcp6'] as const
const established = '01'
const listening = '0A'
const root = 0

type Row = { readonly localPort: number; readonly remotePort: number; readonly state: string; readonly uid: number }

/**
 * @param port where this process listens already
 * @returns whether the connection from that port of this computer belongs to this user, or to root; undefined where
 *   the system does not tell
 */
export function createNeighbourCheck(port: number): ((fromPort: number) => boolean) | undefined {
  const own = process.getuid?.()
  if (process.platform !== 'linux' || own === undefined) return undefined
  // A table that does not even have our own socket in it is not to be trusted.
  if (!rows().some((row) => row.localPort === port && row.state === listening && row.uid === own)) return undefined
  return (fromPort) => {
    const ends = rows().filter((row) => row.localPort === fromPort && row.remotePort === port)
    // Whose socket it was is not told any more once it is closed: then nobody waits for an answer either.
    const open = ends.filter(({ state }) => state === established)
    return open.length > 0 && open.every(({ uid }) => uid === own || uid === root)
  }
}

function rows(): readonly Row[] {
  return tables.flatMap((table) => {
    try {
      return readFileSync(table, 'latin1').split('\n').slice(1).flatMap(readRow)
    } catch {
      return [] // not told on this system
    }
  })
}

/** `sl local_address rem_address st tx:rx tr:when retrnsmt uid …` (proc_pid_net(5)); addresses are hexadecimal. */
function readRow(line: string): readonly Row[] {
  const [, local, remote, state, , , , uid] = line.trim().split(/\s+/)
  if (local === undefined || remote === undefined || state === undefined || uid === undefined) return []
  return [{ localPort: portOf(local), remotePort: portOf(remote), state, uid: Number(uid) }]
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16)
}
