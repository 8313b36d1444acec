// What all our libp2p nodes are made of: TCP, Noise and yamux, each behind a look at what arrives.

import type { PrivateKey } from '@libp2p/interface'
import type { Libp2pOptions } from 'libp2p'
import { maxFrameBytes } from '../../shared/messages.ts'
import { dialingTcp } from './doorway.ts'
import { createGuards, maxWindowBytes } from './guarded.ts'

const maxStreamsPerConnection = 32

/** The connection monitor's pings would only tell who is still there. */
export function nodeOptions(privateKey: PrivateKey, transport = dialingTcp) {
  const guards = createGuards()
  return {
    privateKey,
    transports: [transport],
    connectionEncrypters: [guards.noise],
    streamMuxers: [
      guards.yamux({
        maxInboundStreams: maxStreamsPerConnection,
        streamOptions: {
          maxReadBufferLength: 2 * maxFrameBytes,
          initialStreamWindowSize: maxWindowBytes,
          maxStreamWindowSize: maxWindowBytes,
        },
      }),
    ],
    connectionMonitor: { enabled: false },
    nodeInfo: { name: 'farthing', version: '1', userAgent: 'farthing' },
  } satisfies Libp2pOptions
}
