// Once before all tests: the screens as their sources are now. Two test files that build them at one moment would disturb
// each other.

import { freshen } from '../scripts/start/freshen.ts'

export const setup = (): Promise<void> => freshen('renderer', (line) => console.log(`farthing: ${line}`))
