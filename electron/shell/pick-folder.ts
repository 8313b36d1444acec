// The system's own window to pick the folder that copies of the wallet go to.

import { type BrowserWindow, dialog, type OpenDialogOptions } from 'electron'
import { folderWords } from './words.ts'

/** @returns an absolute path, or null when a person picked none */
export const createFolderPicker =
  (window: () => BrowserWindow | undefined): (() => Promise<string | null>) =>
  async () => {
    const options: OpenDialogOptions = {
      title: folderWords.title,
      buttonLabel: folderWords.choose,
      properties: ['openDirectory', 'createDirectory'],
    }
    const above = window()
    const { canceled, filePaths } = above
      ? await dialog.showOpenDialog(above, options)
      : await dialog.showOpenDialog(options)
    return canceled ? null : (filePaths[0] ?? null)
  }
