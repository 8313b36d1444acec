// The IPv4 interfaces of this computer, as they are at this moment.

import { networkInterfaces } from 'node:os'

/** Addresses in dotted form; two hosts are on one link when their addresses are equal under its netmask. */
export type Ipv4Interface = { readonly address: string; readonly netmask: string; readonly loopback: boolean }

/** All of them, loopback and link-local (169.254/16) included. */
export function ipv4Interfaces(): readonly Ipv4Interface[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family }) => family === 'IPv4')
    .map(({ address, netmask, internal }) => ({ address, netmask, loopback: internal }))
}

/** The addresses that others may reach this computer at; loopback only when there is no other. */
export function reachableAddresses(): readonly string[] {
  const all = ipv4Interfaces()
  const outward = all.filter(({ loopback }) => !loopback)
  return (outward.length > 0 ? outward : all).map(({ address }) => address)
}
