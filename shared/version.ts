// The version of this program. Read through an import, so that a bundle carries it along.

import manifest from '../package.json' with { type: 'json' }

export const version: string = manifest.version
