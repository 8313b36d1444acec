// Where the window was last time: a small file, believed only as far as the screens of today allow.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from '../../shared/schema.ts'

export type Bounds = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
export type WindowState = { readonly bounds: Bounds; readonly isMaximised: boolean }

/** Device-independent pixels. The smallest is what the layout is made for. */
export const smallestSize = { width: 380, height: 600 } as const
const usualSize = { width: 1180, height: 800 } as const
/** So much of the window's upper edge must be on a screen that a person can take hold of it. */
const grip = { width: 120, height: 32 } as const
const maxFileLength = 1024

const coordinate = z.number().int().min(-100_000).max(100_000)
const side = z.number().int().min(1).max(100_000)
const fileSchema = z.strictObject({
  bounds: z.strictObject({ x: coordinate, y: coordinate, width: side, height: side }),
  isMaximised: z.boolean(),
})

/**
 * The state of last time, corrected: within the limits of size, and where a person can see it.
 * @param screens work areas, the primary one first
 */
export function readWindowState(file: string, screens: readonly Bounds[]): WindowState {
  const stored = parse(file)
  return stored ? { ...stored, bounds: corrected(stored.bounds, screens) } : firstState(screens)
}

/** Never throws: a window in the wrong place is no reason to lose anything else. */
export function writeWindowState(file: string, state: WindowState): void {
  try {
    writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  } catch {
    // a full or read-only disk: next time the window is where it was before
  }
}

function parse(file: string): WindowState | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    return text.length > maxFileLength ? undefined : fileSchema.parse(JSON.parse(text))
  } catch {
    return undefined // none yet, or damaged: the usual place does
  }
}

function firstState(screens: readonly Bounds[]): WindowState {
  const [primary = { x: 0, y: 0, ...usualSize }] = screens
  return { bounds: centred(usualSize, primary), isMaximised: false }
}

function corrected(bounds: Bounds, screens: readonly Bounds[]): Bounds {
  const home = screens.find((area) => canTakeHold(bounds, area))
  const [primary = { x: 0, y: 0, ...usualSize }] = screens
  const fitted = sizeWithin(bounds, home ?? primary)
  return home ? { ...fitted, x: bounds.x, y: Math.max(bounds.y, home.y) } : centred(fitted, primary)
}

function canTakeHold(bounds: Bounds, area: Bounds): boolean {
  const width = Math.min(bounds.x + bounds.width, area.x + area.width) - Math.max(bounds.x, area.x)
  const height = Math.min(bounds.y + grip.height, area.y + area.height) - Math.max(bounds.y, area.y)
  return width >= grip.width && height >= grip.height / 2
}

function sizeWithin(size: { readonly width: number; readonly height: number }, area: Bounds) {
  return {
    width: Math.max(smallestSize.width, Math.min(size.width, area.width)),
    height: Math.max(smallestSize.height, Math.min(size.height, area.height)),
  }
}

function centred(size: { readonly width: number; readonly height: number }, area: Bounds): Bounds {
  const { width, height } = sizeWithin(size, area)
  return {
    x: area.x + Math.max(0, Math.round((area.width - width) / 2)),
    y: area.y + Math.max(0, Math.round((area.height - height) / 2)),
    width,
    height,
  }
}
