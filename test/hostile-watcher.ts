// Who looks for payees on loopback, in a process of its own, as a wallet does: tells its parent who answered, and what it
// refuses.

import { findOnLan } from '../electron/net/lan-discovery.ts'
import { createCardBook } from '../electron/net/nearby-cards.ts'
import { askCard } from '../electron/net/peer-node.ts'

let mostListed = 0
let asks = 0
let offences = 0
const say = (message: object): void => {
  // The parent may be gone already: then nobody waits for this.
  if (process.connected) {
    process.send?.({ ...message, mostListed, asks, offences }, undefined, undefined, () => undefined)
  }
}
const book = createCardBook({
  ask: (address, signal) => {
    asks++
    return askCard(address, { signal })
  },
  onChange: () => {
    const list = book.list()
    mostListed = Math.max(mostListed, list.length)
    const answered = list.filter(({ card }) => card !== null)
    say({ answered: answered.map(({ address: { peerId, multiaddrs } }) => `${multiaddrs.join()}/p2p/${peerId}`) })
  },
  onOffence: (address, offence) => {
    if (offences++ % 100 === 0) say({ offence: `${address} ${offence}` })
  },
})
findOnLan(book, { loopback: true, mdnsPort: Number(process.argv[2]) })
process.on('disconnect', () => process.exit(0))
say({ isReady: true })
