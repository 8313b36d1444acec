// The camera as a stream of pictures, and what is found in them. The device is given back when the screen is left.

import { codeInFrame, codeInStill } from './codes.ts'

/** `denied`: by the person or the system · `busy`: another program has it · `unsupported`: no way to ask for one */
export type CameraTrouble = 'none' | 'denied' | 'busy' | 'unsupported' | 'failed'

export type Camera = {
  readonly stream: MediaStream
  readonly deviceId: string
  /** It looks at the person, who aims better in a mirror. */
  readonly isMirror: boolean
  readonly all: readonly { readonly deviceId: string; readonly label: string }[]
  readonly stop: () => void
}

/** Enough for the densest code we show, at arm's length. */
const wanted = { width: { ideal: 1280 }, height: { ideal: 720 } }
/** Of a frame while looking live, in pixels of the longer side. */
const liveSide = 1280
/** Of a picture from a file. */
const pictureSide = 2400
const idleWithinMs = 120

/** @throws DOMException of getUserMedia; `cameraTrouble` says what it means */
export async function openCamera(deviceId: string | null): Promise<Camera> {
  const which = deviceId === null ? { facingMode: { ideal: 'environment' } } : { deviceId: { exact: deviceId } }
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...wanted, ...which } })
  const [track] = stream.getVideoTracks()
  const settings = track?.getSettings()
  const devices = await navigator.mediaDevices.enumerateDevices()
  return {
    stream,
    deviceId: settings?.deviceId ?? '',
    isMirror: settings?.facingMode !== 'environment',
    all: devices
      .filter(({ kind }) => kind === 'videoinput')
      .map(({ deviceId: id, label }) => ({ deviceId: id, label })),
    stop: () => {
      for (const one of stream.getTracks()) one.stop()
    },
  }
}

/** The name of the exception says it (Media Capture and Streams, section 10.3). */
export function cameraTrouble(thrown: unknown): CameraTrouble {
  const name = thrown instanceof DOMException ? thrown.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'none'
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy'
  return navigator.mediaDevices === undefined ? 'unsupported' : 'failed'
}

/**
 * Look for codes in what a video shows, in idle moments only: one frame at a time, a few milliseconds each.
 * @returns a function that ends it
 */
export function watchCodes(video: HTMLVideoElement, onCode: (text: string) => void): () => void {
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })
  let isOver = false
  const next = (): void => {
    if (isOver) return
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(whenIdle)
    else requestAnimationFrame(whenIdle)
  }
  const whenIdle = (): void => {
    if ('requestIdleCallback' in window) requestIdleCallback(look, { timeout: idleWithinMs })
    else setTimeout(look)
  }
  const look = (): void => {
    if (isOver) return
    const { videoWidth: width, videoHeight: height } = video
    if (context && width > 0) {
      const scale = Math.min(1, liveSide / Math.max(width, height))
      const image = imageOf(context, video, Math.round(width * scale), Math.round(height * scale))
      const found = codeInFrame(image)
      if (found) onCode(found)
    }
    next()
  }
  next()
  return () => {
    isOver = true
  }
}

/** A code in a picture; null when there is none. @throws DOMException when it is no picture */
export async function codeInPicture(picture: Blob): Promise<string | null> {
  const bitmap = await createImageBitmap(picture)
  const scale = Math.min(1, pictureSide / Math.max(bitmap.width, bitmap.height))
  const context = document.createElement('canvas').getContext('2d')
  if (!context) return null
  const image = imageOf(context, bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale))
  bitmap.close()
  return codeInStill(image)
}

function imageOf(
  context: CanvasRenderingContext2D,
  source: CanvasImageSource,
  width: number,
  height: number,
): ImageData {
  if (context.canvas.width !== width) context.canvas.width = width
  if (context.canvas.height !== height) context.canvas.height = height
  context.drawImage(source, 0, 0, width, height)
  return context.getImageData(0, 0, width, height)
}
