// A camera that reads codes; or a picture of one, chosen, dropped or pasted. Used wherever a code can be scanned.

import { type ReactNode, useEffect, useEffectEvent, useId, useRef, useState } from 'react'
import { announce } from '../store.ts'
import { cameraWords, scanWords } from '../words/scan.ts'
import { Button } from './Button.tsx'
import { type Camera, type CameraTrouble, cameraTrouble, codeInPicture, openCamera, watchCodes } from './camera.ts'
import { Note } from './Note.tsx'
import { Progress } from './Progress.tsx'
import { createScan, type Scanned } from './scanned.ts'
import { Waiting } from './Waiting.tsx'

type PictureState = 'none' | 'reading' | 'no-code' | 'no-picture'

/**
 * Give every whole text that is read to `onText`; parts of a long code are joined before. It goes on reading: whoever has
 * what is needed takes the scanner off the screen, which gives the camera back.
 */
export function Scanner({
  onText,
  children,
}: {
  readonly onText: (text: string) => void
  /** What came of the last text, below the camera: a code of the wrong kind. */
  readonly children?: ReactNode
}) {
  const [scan] = useState(createScan)
  const [parts, setParts] = useState<Scanned>({ state: 'same' })
  const [picture, setPicture] = useState<PictureState>('none')

  const take = (text: string): void => {
    const reading = scan.read(text, performance.now())
    if (reading.state === 'same') return
    setParts(reading)
    if (reading.state === 'collecting') announce(scanWords.gotPart(reading.have, reading.total))
    if (reading.state === 'whole') onText(reading.text)
  }
  const takePicture = async (file: Blob): Promise<void> => {
    setPicture('reading')
    try {
      const found = await codeInPicture(file)
      setPicture(found === null ? 'no-code' : 'none')
      if (found !== null) take(found)
    } catch {
      setPicture('no-picture') // what a browser cannot open has no other sign
    }
  }
  const onPaste = useEffectEvent((event: ClipboardEvent) => {
    const data = event.clipboardData
    const file = [...(data?.files ?? [])].find(({ type }) => type.startsWith('image/'))
    const text = data?.getData('text/plain').trim() ?? ''
    if (!file && text === '') return
    event.preventDefault()
    if (file) void takePicture(file)
    else onText(text)
  })
  useEffect(() => {
    window.addEventListener('paste', onPaste)
    return () => window.removeEventListener('paste', onPaste)
  }, [])

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping a picture is a shorter way to "Choose a picture"
    <div
      className="scanner"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault()
        const [file] = event.dataTransfer.files
        if (file) void takePicture(file)
      }}
    >
      <LiveCamera onCode={take} />
      {parts.state === 'collecting' && <Progress label={scanWords.parts} done={parts.have} total={parts.total} />}
      {parts.state === 'broken' && <Note tone="warn">{scanWords.broken}</Note>}
      {children}
      <FromPicture state={picture} onFile={(file) => void takePicture(file)} />
    </div>
  )
}

type CameraState =
  | { readonly state: 'starting' }
  | { readonly state: 'on'; readonly camera: Camera }
  | { readonly state: CameraTrouble }

function LiveCamera({ onCode }: { readonly onCode: (text: string) => void }) {
  const [deviceId, setDeviceId] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(0)
  const [now, setNow] = useState<CameraState>({ state: 'starting' })

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt opens the same camera again
  useEffect(() => {
    let isOver = false
    let opened: Camera | undefined
    setNow({ state: 'starting' })
    openCamera(deviceId).then(
      (camera) => {
        opened = camera
        if (isOver) return camera.stop()
        for (const track of camera.stream.getTracks()) {
          track.addEventListener('ended', () => setNow({ state: 'busy' }), { once: true })
        }
        setNow({ state: 'on', camera })
      },
      (thrown: unknown) => {
        if (!isOver) setNow({ state: cameraTrouble(thrown) })
      },
    )
    return () => {
      isOver = true
      opened?.stop()
    }
  }, [deviceId, attempt])

  if (now.state === 'on') {
    return (
      <>
        <Viewfinder camera={now.camera} onCode={onCode} />
        <CameraChoice camera={now.camera} onChoose={setDeviceId} />
      </>
    )
  }
  if (now.state === 'starting') {
    return (
      <div className="viewfinder">
        <p className="viewfinder-words">
          {scanWords.starting} <Waiting />
        </p>
      </div>
    )
  }
  const { title, body } = cameraWords[now.state]
  return (
    <Note tone="warn" title={title} isAlert>
      {body}
      {now.state !== 'unsupported' && (
        <p className="note-action">
          <Button size="s" icon="again" onClick={() => setAttempt(attempt + 1)}>
            {scanWords.again}
          </Button>
        </p>
      )}
    </Note>
  )
}

function Viewfinder({ camera, onCode }: { readonly camera: Camera; readonly onCode: (text: string) => void }) {
  const video = useRef<HTMLVideoElement>(null)
  const onFound = useEffectEvent(onCode)
  useEffect(() => {
    const element = video.current
    if (!element) return
    element.srcObject = camera.stream
    element.play().catch(() => {
      // Left before it began.
    })
    const end = watchCodes(element, (text) => onFound(text))
    return () => {
      end()
      element.srcObject = null
    }
  }, [camera])
  return (
    <div className="viewfinder">
      <video ref={video} className={camera.isMirror ? 'is-mirror' : ''} muted playsInline aria-label={scanWords.view} />
      <span className="viewfinder-frame" aria-hidden="true" />
    </div>
  )
}

function CameraChoice({
  camera,
  onChoose,
}: {
  readonly camera: Camera
  readonly onChoose: (deviceId: string) => void
}) {
  const id = useId()
  if (camera.all.length < 2) return null
  return (
    <div className="choose">
      <label htmlFor={id}>{scanWords.camera}</label>
      <select id={id} value={camera.deviceId} onChange={(event) => onChoose(event.target.value)}>
        {camera.all.map(({ deviceId, label }, index) => (
          <option key={deviceId} value={deviceId}>
            {label === '' ? scanWords.unnamed(index + 1) : label}
          </option>
        ))}
      </select>
    </div>
  )
}

function FromPicture({ state, onFile }: { readonly state: PictureState; readonly onFile: (file: Blob) => void }) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <div className="scanner-picture">
      <Button icon="folder" onClick={() => input.current?.click()} isBusy={state === 'reading'}>
        {scanWords.picture}
      </Button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        aria-label={scanWords.picture}
        onChange={(event) => {
          const [file] = event.target.files ?? []
          // The same file may be chosen again.
          event.target.value = ''
          if (file) onFile(file)
        }}
      />
      <p className="small muted" role="status">
        {pictureWords[state]}
      </p>
    </div>
  )
}

const pictureWords: Record<PictureState, string> = {
  none: scanWords.pictureHint,
  reading: scanWords.readingPicture,
  'no-code': scanWords.noCode,
  'no-picture': scanWords.noPicture,
}
