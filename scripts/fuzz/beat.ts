// What a thread is doing, in memory that another thread can read: which input runs, and whether it ended.

export type Beat = {
  begin(input: Uint8Array): void
  end(): void
  /** `count` grows with every input. */
  now(): { readonly count: number; readonly isRunning: boolean; readonly input: Uint8Array }
}

const headBytes = 16
const [running, count, length] = [0, 1, 2]

export function newBeatMemory(maxBytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + maxBytes)
}

export function createBeat(memory: SharedArrayBuffer): Beat {
  const head = new Int32Array(memory, 0, 3)
  const body = new Uint8Array(memory, headBytes)
  return {
    begin: (input) => {
      const kept = input.subarray(0, body.length)
      body.set(kept)
      Atomics.store(head, length, kept.length)
      Atomics.add(head, count, 1)
      Atomics.store(head, running, 1)
    },
    end: () => void Atomics.store(head, running, 0),
    now: () => ({
      count: Atomics.load(head, count),
      isRunning: Atomics.load(head, running) === 1,
      input: Uint8Array.from(body.subarray(0, Atomics.load(head, length))),
    }),
  }
}
