// How large a backup file may be that crosses a bridge at once. Apart from the contract: the page, which asks before it reads
// a file, does without the library of its schemas.

/** 48 MiB of a backup file as base64. */
export const maxBackupText = 64 * 1024 * 1024
