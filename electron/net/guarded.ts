// Noise and yamux as they are, behind a look at what arrives: the libraries hold whatever a frame's header promises, answer
// every ping, and open streams as fast as they are asked to.

import { noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, MessageStream, SecuredConnection, StreamMuxerFactory } from '@libp2p/interface'
import { AbstractMultiaddrConnection } from '@libp2p/utils'
import { type YamuxMuxerInit, yamux } from '@libp2p/yamux'
import { type Allowances, createAllowance, createAllowances, type Rate } from './allowance.ts'
import { hostOf } from './host-of.ts'
import { type Arrived, inspect, negotiationOf } from './negotiation.ts'
import { cutOff } from './offences.ts'

/** Frames of noise, and of yamux, on one connection. A payment has about twenty of each. */
const frameRate: Rate = { burst: 256, perSecond: 32 }
/** Streams that the other side opens, on all connections of its address. A payment is one, on a connection of its own. */
const streamRate: Rate = { burst: 64, perSecond: 8 }

type NoiseComponents = Parameters<ReturnType<typeof noise>>[0]
export type Guards = {
  readonly noise: (components: NoiseComponents) => ConnectionEncrypter
  readonly yamux: (init: YamuxMuxerInit) => (components: YamuxComponents) => StreamMuxerFactory
}

/** For one node. */
export function createGuards(): Guards {
  const streams = createAllowances(streamRate)
  /** Whose the connections are under which noise has put its own. */
  const hosts = new WeakMap<MessageStream, string>()
  return {
    noise: guardedNoise(hosts),
    yamux: (init) => guardedYamux(init, (connection) => takeOf(streams, hosts.get(connection) ?? '')),
  }
}

const takeOf = (allowances: Allowances, address: string) => (): boolean => allowances.take(address)

/** Noise, with its frames counted, and the agreement on a muxer inspected when the handshake has not brought one. */
function guardedNoise(hosts: WeakMap<MessageStream, string>): Guards['noise'] {
  return (components) => {
    const real = noise()(components)
    const inspected = (connection: MessageStream, secured: SecuredConnection): SecuredConnection => {
      if (connection instanceof AbstractMultiaddrConnection)
        hosts.set(secured.connection, hostOf(connection.remoteAddr))
      const frames = createAllowance(frameRate)
      const muxers = [...components.upgrader.getStreamMuxers().keys()]
      const negotiation = secured.streamMuxer === undefined ? negotiationOf(muxers) : undefined
      inspect(secured.connection, (data) => {
        if (!frames.take()) throw cutOff('sends too much')
        negotiation?.(data)
      })
      return secured
    }
    return {
      protocol: real.protocol,
      secureInbound: async (connection, options) =>
        inspected(connection, await real.secureInbound(connection, options)),
      secureOutbound: async (connection, options) =>
        inspected(connection, await real.secureOutbound(connection, options)),
    }
  }
}

/** Libp2p fills it in after it has made the parts. */
type YamuxComponents = { readonly registrar: { getProtocols(): string[] } }

/**
 * Yamux, with every frame header and the agreement on each stream's protocol inspected.
 * @param mayOpen whether the other side of this connection may open another stream
 */
function guardedYamux(
  init: YamuxMuxerInit,
  mayOpen: (connection: MessageStream) => () => boolean,
): (components: YamuxComponents) => StreamMuxerFactory {
  return (components) => {
    const real = yamux(init)()
    return {
      protocol: real.protocol,
      createStreamMuxer: (connection) => {
        const muxer = real.createStreamMuxer(connection)
        const look = framesWithinLimits(mayOpen(connection))
        const takeData = muxer.onData.bind(muxer)
        muxer.onData = (data) => {
          look(data)
          takeData(data)
        }
        const takeStream = muxer.onRemoteStream.bind(muxer)
        muxer.onRemoteStream = (stream) => {
          inspect(stream, negotiationOf(components.registrar.getProtocols()))
          takeStream(stream)
        }
        const open = muxer.createStream.bind(muxer)
        muxer.createStream = async (options) => {
          const stream = await open(options)
          inspect(stream, negotiationOf(options?.protocol === undefined ? [] : [options.protocol]))
          return stream
        }
        return muxer
      },
    }
  }
}

/** A stream's first window (libp2p specs, yamux): more in one frame was not granted. */
export const maxWindowBytes = 256 * 1024

/** Reads along. @throws AppError `peer_unreachable` (from the function returned) */
function framesWithinLimits(mayOpen: () => boolean): (data: Arrived) => void {
  const frames = createAllowance(frameRate)
  return readFrames(({ type, flags, streamId, length }) => {
    if (!frames.take()) throw cutOff('sends too much')
    const opensStream = (flags & synFlag) !== 0 && streamId !== 0
    if (opensStream && !mayOpen()) throw cutOff('opens too many streams')
    if (type === dataType && length > maxWindowBytes) throw cutOff('sends too much')
  })
}

/** Of a yamux frame (libp2p specs, yamux); `length` is that of what follows only when `type` is 0. */
export type FrameHeader = {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly length: number
}

/** Version, type, flags (2 bytes), stream (4), length (4). */
export const headerBytes = 12
const version = 0
const dataType = 0
const goAwayType = 3
const synFlag = 1

/**
 * Reads along as yamux does, in whatever pieces the bytes come, and keeps nothing but a header that is not complete.
 * @param onHeader told of each header before what follows it; what it throws comes out of the function returned
 * @throws AppError `peer_unreachable` (from the function returned) for a header that is none
 */
export function readFrames(onHeader: (header: FrameHeader) => void): (data: Arrived) => void {
  const header = Buffer.alloc(headerBytes)
  let headerLength = 0
  let dataLeft = 0

  const readHeader = (): void => {
    headerLength = 0
    const type = header.readUInt8(1)
    if (header.readUInt8(0) !== version || type > goAwayType) throw cutOff('breaks the protocol')
    const length = header.readUInt32BE(8)
    onHeader({ type, flags: header.readUInt16BE(2), streamId: header.readUInt32BE(4), length })
    if (type === dataType) dataLeft = length
  }
  return (data) => {
    const arrived = data.subarray()
    for (let at = 0; at < arrived.length; ) {
      const isData = dataLeft > 0
      const length = Math.min(arrived.length - at, isData ? dataLeft : headerBytes - headerLength)
      if (isData) dataLeft -= length
      else {
        header.set(arrived.subarray(at, at + length), headerLength)
        headerLength += length
        if (headerLength === headerBytes) readHeader()
      }
      at += length
    }
  }
}
