// A real Chromium for the tests of the app in a browser: the system's, or the one FARTHING_CHROMIUM names.

import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge']
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** Path of the Chromium to test with; undefined when there is none. */
export function findChromium(): string | undefined {
  const { FARTHING_CHROMIUM: named, PATH = '' } = process.env
  if (named !== undefined) return named
  const onPath = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)))
  return [...onPath, ...places, playwrights()].find(isExecutable)
}

function playwrights(): string {
  try {
    return chromium.executablePath()
  } catch {
    return ''
  }
}

function isExecutable(path: string): boolean {
  try {
    if (path === '' || !existsSync(path)) return false
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export const chromiumPath = findChromium()

/**
 * For `describe.skipIf`: no Chromium here. Loud, and an error where one is required (FARTHING_REQUIRE_CHROMIUM=1, as in CI).
 */
export function isWithoutChromium(): boolean {
  if (chromiumPath !== undefined) return false
  if (process.env['FARTHING_REQUIRE_CHROMIUM'] === '1') throw new Error('no Chromium here, and these tests need one')
  console.warn('SKIPPED: NO CHROMIUM WAS FOUND, THE APP IS NOT TESTED IN A BROWSER (set FARTHING_CHROMIUM to one)')
  return true
}

/** Nothing of the browser itself goes to the network. */
const quiet = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-default-apps',
  '--mute-audio',
]

export type Profile = { readonly context: BrowserContext; close(): Promise<void> }

/** A browser with an empty profile of its own. @param camera a `.y4m` clip that its camera shows */
export async function openBrowser(options: {
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
  readonly camera?: string
}): Promise<Profile> {
  const { width = 1280, height = 800, colorScheme = 'light', camera } = options
  const folder = mkdtempSync(join(tmpdir(), 'farthing-chromium-'))
  const isRoot = process.getuid?.() === 0
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: chromiumPath ?? '',
    headless: true,
    viewport: { width, height },
    colorScheme,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    permissions: camera === undefined ? ['clipboard-read', 'clipboard-write'] : ['camera'],
    args: [
      ...quiet,
      ...(isRoot ? ['--no-sandbox'] : []),
      ...(camera === undefined
        ? []
        : [
            '--use-fake-device-for-media-stream',
            '--use-fake-ui-for-media-stream',
            `--use-file-for-fake-video-capture=${camera}`,
          ]),
    ],
  })
  return {
    context,
    close: async () => {
      await context.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
