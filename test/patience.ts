// Waits of tests end when what they wait for happens. The limit only says when to give up, and machines are shared: vitest's
// own limit of one second would make a busy one look like a defect.

import { vi } from 'vitest'

const patience = { timeout: 20_000, interval: 50 }
const { waitFor } = vi
vi.waitFor = (isSo, options) => waitFor(isSo, options ?? patience)
