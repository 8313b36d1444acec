// Three short sounds, made here: no file, nothing to load. Never the only signal.

import type { Sound } from './reactions.ts'

const E5 = 659.26
const B5 = 987.77
const A3 = 220

let context: AudioContext | null = null

/** A browser lets a page sound only after somebody has touched it; before, this is silent. */
export function play(sound: Sound): void {
  if (!navigator.userActivation.hasBeenActive) return
  context ??= new AudioContext()
  const at = context.currentTime + 0.01
  switch (sound) {
    case 'paid':
      wood(context, at)
      note(context, E5, at + 0.02, 0.2)
      note(context, B5, at + 0.13, 0.22)
      break
    case 'signed':
      note(context, E5, at, 0.2)
      scratch(context, at + 0.14)
      break
    case 'knock':
      note(context, A3, at, 0.28, 'triangle')
      wood(context, at, 300)
      break
  }
}

function note(
  audio: AudioContext,
  frequency: number,
  at: number,
  seconds: number,
  type: OscillatorType = 'sine',
): void {
  const oscillator = new OscillatorNode(audio, { type, frequency })
  oscillator.connect(fade(audio, at, seconds, 0.22))
  oscillator.start(at)
  oscillator.stop(at + seconds)
}

/** A dull click. */
function wood(audio: AudioContext, at: number, frequency = 900): void {
  noise(audio, at, 0.05, 0.3, { type: 'bandpass', frequency, Q: 4 })
}

/** Two strokes of a pen. */
function scratch(audio: AudioContext, at: number): void {
  noise(audio, at, 0.07, 0.09, { type: 'highpass', frequency: 3500 })
  noise(audio, at + 0.09, 0.09, 0.09, { type: 'highpass', frequency: 4500 })
}

function noise(audio: AudioContext, at: number, seconds: number, loudness: number, filter: BiquadFilterOptions): void {
  const buffer = new AudioBuffer({ length: Math.ceil(seconds * audio.sampleRate), sampleRate: audio.sampleRate })
  buffer.getChannelData(0).forEach((_, index, samples) => {
    samples[index] = Math.random() * 2 - 1
  })
  const source = new AudioBufferSourceNode(audio, { buffer })
  source.connect(new BiquadFilterNode(audio, filter)).connect(fade(audio, at, seconds, loudness))
  source.start(at)
}

/** Up fast, down slowly, nothing left at the end. */
function fade(audio: AudioContext, at: number, seconds: number, loudness: number): GainNode {
  const gain = new GainNode(audio, { gain: 0 })
  gain.gain.setValueAtTime(0, at)
  gain.gain.linearRampToValueAtTime(loudness, at + 0.008)
  gain.gain.exponentialRampToValueAtTime(0.0001, at + seconds)
  gain.connect(audio.destination)
  return gain
}
