// A start that cannot go on: said in words, with an exit code for whoever started the app.

import { type App, dialog } from 'electron'
import type { ErrorCode } from '../../shared/errors.ts'
import { toAppError } from '../../shared/errors.ts'
import { errorWords } from '../../shared/words.ts'
import { detailsWords } from './words.ts'

/** Exit codes of starts that a person or a script can do something about; everything else is 1. */
const exitCodes: Partial<Record<ErrorCode, number>> = {
  folder_in_use: 3,
  folder_damaged: 4,
  folder_too_new: 5,
  no_phrase: 6,
  bad_phrase: 7,
  phrase_sealed: 8,
}

/** Say it and end. The data folder stays as it is. */
export function failStart(app: App, thrown: unknown, logFile: string): void {
  const { code } = toAppError(thrown)
  const { title, body, action } = errorWords(code)
  dialog.showErrorBox(title, `${body}\n\n${action}\n\n${detailsWords(code, logFile)}`)
  app.exit(exitCodes[code] ?? 1)
}
