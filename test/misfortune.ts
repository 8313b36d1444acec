// Loaded into a process of ours before anything else: on a message of its parent something goes wrong there that nobody
// thought of. What it says is as bad as it can be: whoever writes an error puts in what is at hand.

import { DatabaseSync } from 'node:sqlite'

type Misfortune = { readonly misfortune?: 'throw' | 'reject' | 'store' | 'well'; readonly text?: string }

let trouble: string | undefined

/** An error that quotes, has a cause that quotes, and carries the thing itself. */
function defect(text: string): Error {
  const error = new Error(`cannot go on with ${text}`, { cause: new TypeError(`no such thing as ${text}`) })
  return Object.assign(error, { input: text, bytes: Buffer.from(text) })
}

const { get, all } = Object.getPrototypeOf(new DatabaseSync(':memory:').prepare('SELECT 1'))
for (const [name, original] of Object.entries({ get, all })) {
  const prototype = Object.getPrototypeOf(new DatabaseSync(':memory:').prepare('SELECT 1'))
  prototype[name] = function (this: unknown, ...values: unknown[]) {
    if (trouble !== undefined) throw defect(trouble)
    return original.apply(this, values)
  }
}

process.on('message', ({ misfortune, text = '' }: Misfortune) => {
  if (misfortune === 'throw') {
    setTimeout(() => {
      throw defect(text)
    })
  }
  if (misfortune === 'reject') void Promise.reject(defect(text))
  if (misfortune === 'store') trouble = text
  if (misfortune === 'well') trouble = undefined
})
