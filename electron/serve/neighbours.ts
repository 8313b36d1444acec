// Other users of the same computer reach 127.0.0.1 too. Linux tells whose a connection is: theirs are closed before
// anything is read from them. Elsewhere, and where /proc does not tell, link and cookie alone keep them out.

import { readFileSync } from 'node:fs'

/** Tables of connections; a browser may reach an IPv4 address through an IPv6 socket. */
const tables = ['/proc/net/tcp', '/proc/net/tcp6'] as const
const established = '01'
const listening = '0A'
const root = 0
/**
 * A table lists every connection of the computer, and takes its time when somebody makes thousands: looking takes at most
 * every third moment, and all that came meanwhile are looked up at once.
 */
const restPerLook = 2

/** 127.0.0.1 as the tables have it: bytes in the order of this computer, in the second one inside an IPv6 address. */
const home = ['0100007F', '0000000000000000FFFF00000100007F'] as const

type Row = { readonly localPort: number; readonly remotePort: number; readonly state: string; readonly uid: number }

/** This user's, or root's · somebody else's · closed by then, so that nobody waits for an answer and nobody is told of. */
export type Whose = 'ours' | 'theirs' | 'gone'

/** Whose the connection from that port of this computer is. */
export type NeighbourCheck = (fromPort: number) => Promise<Whose>

/**
 * @param port where this process listens already
 * @param read the tables as the system tells them
 * @returns undefined where the system does not tell
 */
export function createNeighbourCheck(port: number, read: () => string = systemTables): NeighbourCheck | undefined {
  const own = process.getuid?.()
  if (process.platform !== 'linux' || own === undefined) return undefined
  // A table that does not even have our own socket in it is not to be trusted.
  const isTold = rowsOf(read(), port).some(
    (row) => row.state === listening && row.localPort === port && row.uid === own,
  )
  if (!isTold) return undefined

  let waiting: { readonly fromPort: number; readonly answer: (whose: Whose) => void }[] = []
  let isBusy = false
  const look = (): void => {
    const startedAt = performance.now()
    const asked = waiting
    waiting = []
    const rows = rowsOf(read(), port)
    for (const { fromPort, answer } of asked) answer(whoseOf(own, rows, fromPort, port))
    setTimeout(rested, (performance.now() - startedAt) * restPerLook)
  }
  const rested = (): void => {
    isBusy = waiting.length > 0
    if (isBusy) look()
  }
  return (fromPort) =>
    new Promise((answer) => {
      waiting.push({ fromPort, answer })
      if (isBusy) return
      isBusy = true
      setImmediate(look)
    })
}

function whoseOf(own: number, rows: readonly Row[], fromPort: number, port: number): Whose {
  const ends = rows.filter((row) => row.localPort === fromPort && row.remotePort === port)
  // Of a socket that is closed, also on one side only, the system may say that it is root's.
  const open = ends.filter(({ state }) => state === established)
  if (open.length === 0) return 'gone'
  return open.every(({ uid }) => uid === own || uid === root) ? 'ours' : 'theirs'
}

function systemTables(): string {
  return tables.map(readTable).join('\n')
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // not told on this system
  }
}

/** Those with this port at either end. */
function rowsOf(text: string, port: number): readonly Row[] {
  const inHex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `
  return text
    .split('\n')
    .filter((line) => line.includes(inHex))
    .flatMap(readRow)
}

/**
 * `sl local_address rem_address st tx:rx tr:when retrnsmt uid …` (proc_pid_net(5)); addresses are hexadecimal. What is
 * between other addresses has nothing to do with this host, whatever its ports are.
 */
function readRow(line: string): readonly Row[] {
  const [, local, remote, state, , , , uid] = line.trim().split(/\s+/)
  if (local === undefined || remote === undefined || state === undefined || uid === undefined) return []
  const [from, to] = [endOf(local), endOf(remote)]
  if (!isHome(from.address) || (!isHome(to.address) && state !== listening)) return []
  return [{ localPort: from.port, remotePort: to.port, state, uid: Number(uid) }]
}

const isHome = (address: string): boolean => home.some((one) => one === address)

function endOf(text: string): { readonly address: string; readonly port: number } {
  const at = text.lastIndexOf(':')
  return { address: text.slice(0, at), port: Number.parseInt(text.slice(at + 1), 16) }
}
