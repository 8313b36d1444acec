import { join } from 'node:path'

/** The top of the project. */
export const root = join(import.meta.dirname, '..', '..')
