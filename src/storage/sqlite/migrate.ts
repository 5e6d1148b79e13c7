import { createHash } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { initial } from '../../../migrations/sqlite/0001-initial.ts'
import { records } from '../../../migrations/sqlite/0002-records.ts'
import { blobNames } from '../../../migrations/sqlite/0003-blob-names.ts'
import { relationsAndLabels } from '../../../migrations/sqlite/0004-relations-and-labels.ts'
import { sieves } from '../../../migrations/sqlite/0005-sieves.ts'
import type { Clock } from '../../base/clock.ts'
import { type Done, type MigrationState, type Migrations, pendingOf, statesOf } from '../migrations.ts'
import { openWriterConnection } from './connection.ts'

/** One step of the schema. Numbers count from 1 without gaps; the text of a released one never changes. */
export type Migration = { readonly number: number; readonly name: string; readonly sql: string }

export const migrations: readonly Migration[] = [initial, records, blobNames, relationsAndLabels, sieves]

/** A step that another process does is waited for at most so long. */
const busyMs = 5_000

export const checksum = (migration: Migration): string => createHash('sha256').update(migration.sql).digest('hex')

/**
 * Brings the store to the newest known schema: forward only, each step in its own transaction, each recorded with its checksum.
 * Throws when the list has gaps, when a recorded step is unknown here (the store is newer than the program) or reads differently now.
 */
export const migrate = (db: DatabaseSync, nowMs: number, list: readonly Migration[] = migrations): void => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS migration(number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at INTEGER NOT NULL) STRICT',
  )
  for (const one of pendingOf(list, doneIn(db), checksum)) apply(db, one, nowMs)
}

/** For `simpul migrate`: a file that is not there has everything to come, and looking does not make it. */
export const migrationsAt = (path: string, clock: Clock, list: readonly Migration[] = migrations): Migrations => ({
  status: async () => {
    if (!existsSync(path)) return statesOf(list, [])
    using db = new DatabaseSync(path, { readOnly: true, timeout: busyMs })
    return statesIn(db, list)
  },
  up: async () => {
    mkdirSync(dirname(path), { recursive: true })
    using db = openWriterConnection(path, 'FULL')
    migrate(db, clock(), list)
    return statesIn(db, list)
  },
  [Symbol.asyncDispose]: async () => {},
})

const statesIn = (db: DatabaseSync, list: readonly Migration[]): readonly MigrationState[] => {
  const done = doneIn(db)
  pendingOf(list, done, checksum)
  return statesOf(list, done)
}

const doneIn = (db: DatabaseSync): readonly Done[] => {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'").get() === undefined) return []
  return db.prepare('SELECT number, name, checksum, at FROM migration ORDER BY number').all() as unknown as readonly Done[]
}

const apply = (db: DatabaseSync, migration: Migration, nowMs: number): void => {
  db.exec('BEGIN IMMEDIATE')
  try {
    // Two processes may start at once: whoever waited for the lock finds the step done.
    if (db.prepare('SELECT 1 FROM migration WHERE number = ?').get(migration.number) === undefined) {
      db.exec(migration.sql)
      db.prepare('INSERT INTO migration(number, name, checksum, at) VALUES (?, ?, ?, ?)').run(
        migration.number,
        migration.name,
        checksum(migration),
        nowMs,
      )
    }
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
