// Vite takes NODE_ENV from whoever started it, and React with it: a build made during a test would be one for developers,
// with the paths of this machine in it.

/** Run a build as for people, whatever the environment says. One at a time. */
export async function inProduction<T>(build: () => Promise<T>): Promise<T> {
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  try {
    return await build()
  } finally {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  }
}
