// Whose address it is.

/** One subscriber has a whole /64 of IPv6 addresses (RFC 6177): told apart by that. Of IPv4 each is its own. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address
  const [head = '', tail = ''] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const missing = address.includes('::') ? 8 - before.length - (tail === '' ? 0 : tail.split(':').length) : 0
  const groups = [...before, ...new Array<string>(missing).fill('0'), ...(tail === '' ? [] : tail.split(':'))]
  return groups.slice(0, 4).join(':')
}
