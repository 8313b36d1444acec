// How much memory this thread has, and a way to be rid of garbage first.

import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** JavaScript's own, and buffers beside it, garbage included. */
export function memoryBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

/** Of JavaScript's own memory, what is still in use. */
export function keptBytes(): number {
  collectGarbage()
  return getHeapStatistics().used_heap_size
}

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

/** @throws Error where the engine does not offer it */
export function collectGarbage(): void {
  if (typeof collect !== 'function') throw new Error('no garbage collector')
  collect()
}
