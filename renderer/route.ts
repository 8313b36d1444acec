// Where a person is: the part of the address after '#'. Pure; the store listens to the window.

export const screens = ['home', 'pay', 'get-paid', 'activity', 'mints', 'settings', 'welcome', 'restore'] as const
export type Screen = (typeof screens)[number]

/** `#/activity/3f9c` is `{ screen: 'activity', path: ['3f9c'] }`; what the path means is the screen's business. */
export type Route = { readonly screen: Screen; readonly path: readonly string[] }

/** An address of this window. Made by `to`, given to links and to `go`. */
export type Href = `#/${string}`

/** Every place there is. Parts are escaped here and nowhere else. */
export const to = {
  home: '#/home',
  /** Steps of paying: nothing for "who", then what the Pay screen names them. */
  pay: (...path: readonly string[]): Href => href('pay', path),
  /** Pay what a request, a link or a scanned code asks for. */
  payRequest: (text: string): Href => href('pay', ['request', text]),
  getPaid: (...path: readonly string[]): Href => href('get-paid', path),
  activity: '#/activity',
  payment: (id: string): Href => href('activity', [id]),
  mints: '#/mints',
  /** By its place in the list. */
  mint: (index: number, ...path: readonly string[]): Href => href('mints', [String(index), ...path]),
  addMint: '#/mints/add',
  /** With the address of the mint already there. */
  addMintAt: (address: string): Href => href('mints', ['add', address]),
  settings: (...path: readonly string[]): Href => href('settings', path),
  /** The search for the coins of a restored wallet. */
  restore: '#/restore',
  welcome: (...path: readonly string[]): Href => href('welcome', path),
} as const satisfies Record<string, Href | ((...parts: never[]) => Href)>

/** What an address says; Home when it says nothing we know. */
export function readRoute(hash: string): Route {
  const [screen, ...rest] = hash.replace(/^#?\/?/, '').split('/')
  const known = screens.find((one) => one === screen)
  const path = rest.filter((part) => part !== '').map(unescaped)
  return known === undefined || path.includes(null)
    ? home
    : { screen: known, path: path.filter((part) => part !== null) }
}

export const home: Route = { screen: 'home', path: [] }

export function sameRoute(a: Route, b: Route): boolean {
  return a.screen === b.screen && a.path.length === b.path.length && a.path.every((part, i) => part === b.path[i])
}

function href(screen: Screen, path: readonly string[]): Href {
  return `#/${[screen, ...path.map(encodeURIComponent)].join('/')}`
}

function unescaped(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null // not an address of ours
  }
}
