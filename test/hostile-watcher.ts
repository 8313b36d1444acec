// Who looks for payees on loopback, in a process of its own: tells its parent whom it finds and what it refuses.

import { findOnLan } from '../electron/net/lan-discovery.ts'

const there = new Set<string>()
let mostThere = 0
let offences = 0
const say = (message: object): void => {
  // The parent may be gone already: then nobody waits for this.
  if (process.connected) process.send?.({ ...message, mostThere, offences }, undefined, undefined, () => undefined)
}
findOnLan(
  {
    onFound: ({ peerId }) => {
      mostThere = Math.max(mostThere, there.add(peerId).size)
      say({ found: peerId })
    },
    onLost: (peerId) => there.delete(peerId),
  },
  {
    loopback: true,
    mdnsPort: Number(process.argv[2]),
    onOffence: (address, offence) => {
      if (offences++ % 100 === 0) say({ offence: `${address} ${offence}` })
    },
  },
)
process.on('disconnect', () => process.exit(0))
say({ isReady: true })
