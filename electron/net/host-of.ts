// Whose address it is.

import { getNetConfig } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'

/** The IP address, without port: what strangers are told apart by. */
export function hostOf(address: Multiaddr): string {
  return getNetConfig(address).host
}
