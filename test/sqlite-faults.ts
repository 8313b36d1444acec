// Disks that fail under a database which this process has open. SQLite itself says what it says then: the room is taken
// away by its own limit of pages, and the right to write by its own switch.

import { DatabaseSync } from 'node:sqlite'

const opened = new Set<DatabaseSync>()
const { exec } = DatabaseSync.prototype
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
  opened.add(this)
  return exec.call(this, sql)
}

/** Every connection that this process has open. */
export function connections(): readonly DatabaseSync[] {
  for (const db of opened) if (!db.isOpen) opened.delete(db)
  return [...opened]
}

/** More pages than any test fills. */
const anyNumberOfPages = 2 ** 30

export type FaultyDisk = {
  /** No page more: what needs one fails with SQLITE_FULL. Small changes may still fit into the pages that are there. */
  fill(): void
  /** No change at all: SQLITE_READONLY. */
  protect(): void
  heal(): void
}

/** The disk under the database at this path, whoever has it open in this process, now and later. */
export function diskUnder(path: string): FaultyDisk {
  const onEach = (sql: string): void => {
    for (const db of connections()) if (db.location() === path) exec.call(db, sql)
  }
  return {
    fill: () => onEach('PRAGMA max_page_count = 1'), // never below what is there
    protect: () => onEach('PRAGMA query_only = ON'),
    heal: () => onEach(`PRAGMA max_page_count = ${anyNumberOfPages}; PRAGMA query_only = OFF`),
  }
}
