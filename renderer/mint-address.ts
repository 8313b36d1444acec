// The address of a mint as people write it. Pure.

/**
 * "mint.example" is https://mint.example; on this computer itself, and in a home's own network, it is http. Whether
 * anything answers there is for the host to find out.
 */
export function mintAddress(text: string): string {
  const trimmed = text.trim()
  if (trimmed === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed)) return trimmed
  return `${isNear(trimmed) ? 'http' : 'https'}://${trimmed}`
}

/** Whether a scanned text can be the address of a mint: not a request, not an invoice. */
export function isMintAddress(text: string): boolean {
  const address = mintAddress(text)
  const url = URL.parse(address)
  if (!url) return false
  const { protocol, hostname } = url
  return ['http:', 'https:'].includes(protocol) && (hostname.includes('.') || /^(localhost|\[.*\])$/.test(hostname))
}

function isNear(text: string): boolean {
  const host = text.split(/[/:]/)[0]?.toLowerCase() ?? ''
  return (
    host === 'localhost' || host.endsWith('.local') || /^(127|10|192\.168|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/.test(host)
  )
}
