// Words of scanning a code with the camera, or from a picture.

import type { CameraTrouble } from '../ui/camera.ts'

export const scanWords = {
  title: 'Scan a code',
  back: 'Pay',
  hint: 'Hold their code in front of the camera.',
  starting: 'Starting the camera…',
  camera: 'Camera',
  unnamed: (index: number) => `Camera ${index}`,
  view: 'What the camera sees',
  parts: 'Reading the parts of the code',
  gotPart: (have: number, total: number) => `Part ${have} of ${total}`,
  broken: 'That part did not fit. Hold still; it goes on by itself.',
  picture: 'Choose a picture',
  pictureHint: 'Or drop or paste a picture of a code.',
  readingPicture: 'Looking for a code in the picture…',
  noCode: 'There is no code in this picture that can be read.',
  noPicture: 'This file is not a picture that can be opened.',
  again: 'Try again',
}

export const cameraWords = {
  none: {
    title: 'No camera found.',
    body: 'Connect one and try again, or choose a picture of the code, or paste the link instead.',
  },
  denied: {
    title: 'Farthing may not use the camera.',
    body: 'Allow it in the settings of your system or browser and try again, or choose a picture of the code.',
  },
  busy: {
    title: 'The camera is in use.',
    body: 'Close the other program that uses it and try again.',
  },
  unsupported: {
    title: 'This window cannot use a camera.',
    body: 'Choose a picture of the code, or paste the link instead.',
  },
  failed: {
    title: 'The camera did not start.',
    body: 'Try again, or choose a picture of the code.',
  },
} as const satisfies Record<CameraTrouble, { readonly title: string; readonly body: string }>
