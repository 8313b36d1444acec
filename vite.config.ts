import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { licences } from './scripts/build/licences.ts'

export default defineConfig({
  root: 'renderer',
  // Served from a page's own folder: app://farthing/ in Electron, a path of its own in the browser.
  base: './',
  plugins: [react(), licences()],
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    target: 'es2024',
    // The content security policy allows no data: addresses for fonts and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
