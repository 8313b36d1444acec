import { defineConfig } from 'vitest/config'

// The app in a real Electron, apart from `npm test`: it needs Electron's binary and a screen, real or virtual.
export default defineConfig({
  test: {
    include: ['test/electron/*.spec.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})
