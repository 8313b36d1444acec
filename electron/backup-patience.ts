// Work in a folder that may never answer: a share whose computer is gone, a stick that was pulled out. A call into such a
// folder takes for ever, nothing ends it, and each holds one of the few threads that this process has for files and names.
// So whoever waits gets an answer in time, and a folder is not asked again before it has answered what it was asked.

import { AppError } from '../shared/errors.ts'
import type { Clock } from './wallet/ports.ts'

/**
 * Do something in a folder, one at a time for each.
 * @param limitMs how long it may take
 * @param work ends early, if it can, when its signal says that nobody waits any more
 * @throws AppError `backup_folder` when the folder does not answer, or has not answered yet; and as `work`
 */
export type FolderWork = <T>(folder: string, limitMs: number, work: (signal: AbortSignal) => Promise<T>) => Promise<T>

/** Of the four threads that Node has for files and names: a payment needs one as well. */
const mostStuck = 2

const silent = (): AppError => new AppError('backup_folder', 'the folder does not answer', { retryable: true })

/** @param onStuck told when the first folder does not answer, and when the last of them has answered after all */
export function createFolderWork(
  clock: Pick<Clock, 'wait'>,
  onStuck: (isStuck: boolean) => void = () => {},
): FolderWork {
  const turns = new Map<string, Promise<unknown>>()
  const stuck = new Set<string>()

  const once = async <T>(folder: string, limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    if (stuck.has(folder) || stuck.size >= mostStuck) throw silent()
    const stop = new AbortController()
    let isOver = false
    const running = work(stop.signal)
    const over = (): void => {
      isOver = true
      if (stuck.delete(folder) && stuck.size === 0) onStuck(false)
    }
    running.then(over, over)
    const late = clock.wait(limitMs).then((): never => {
      throw silent()
    })
    try {
      return await Promise.race([running, late])
    } finally {
      if (!isOver) {
        if (stuck.add(folder).size === 1) onStuck(true)
        stop.abort(silent())
      }
    }
  }
  return (folder, limitMs, work) => {
    const turn = (turns.get(folder) ?? Promise.resolve()).then(() => once(folder, limitMs, work))
    const ended = turn.catch(() => {})
    turns.set(folder, ended)
    void ended.then(() => {
      if (turns.get(folder) === ended) turns.delete(folder)
    })
    return turn
  }
}

/** Pieces of a file in such a folder, each in time. */
export async function* piecesInTime(
  { work, folder, limitMs }: { readonly work: FolderWork; readonly folder: string; readonly limitMs: number },
  pieces: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const next = await work(folder, limitMs, () => pieces.next())
      if (next.done) return
      yield next.value
    }
  } finally {
    // Behind a piece that never comes, this never ends either.
    void pieces.return(undefined).catch(() => {})
  }
}

/** Node waits for a call that never ends when it exits. Nothing of the wallet is open by then: the end is the end. */
const endAtOnce = (): void => {
  process.kill(process.pid, 'SIGKILL')
}

/** For the folders of a real disk. */
export function endWithoutThem(isStuck: boolean): void {
  if (isStuck) process.once('exit', endAtOnce)
  else process.off('exit', endAtOnce)
}
