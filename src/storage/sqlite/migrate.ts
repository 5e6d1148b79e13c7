import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { initial } from '../../../migrations/sqlite/0001-initial.ts'
import { records } from '../../../migrations/sqlite/0002-records.ts'

/** One step of the schema. Numbers count from 1 without gaps; the text of a released one never changes. */
export type Migration = { readonly number: number; readonly name: string; readonly sql: string }

export const migrations: readonly Migration[] = [initial, records]

const checksum = (migration: Migration): string => createHash('sha256').update(migration.sql).digest('hex')

/**
 * Brings the store to the newest known schema: forward only, each step in its own transaction, each recorded with its checksum.
 * Throws when the list has gaps, when a recorded step is unknown here (the store is newer than the program) or reads differently now.
 */
export const migrate = (db: DatabaseSync, nowMs: number, list: readonly Migration[] = migrations): void => {
  for (const [at, one] of list.entries()) {
    if (one.number !== at + 1) throw new Error(`Migrations have a gap: number ${at + 1} is missing before ${one.number}-${one.name}`)
  }
  db.exec(
    'CREATE TABLE IF NOT EXISTS migration(number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at INTEGER NOT NULL) STRICT',
  )
  const done = db.prepare('SELECT number, name, checksum FROM migration ORDER BY number').all() as Done[]
  for (const [at, one] of done.entries()) check(one, at, list)
  for (const one of list.slice(done.length)) apply(db, one, nowMs)
}

type Done = { readonly number: number; readonly name: string; readonly checksum: string }

const check = (done: Done, at: number, list: readonly Migration[]): void => {
  if (done.number !== at + 1)
    throw new Error(`The store lacks migration ${at + 1} but has ${done.number}-${done.name}; restore it from a backup`)
  const known = list[at]
  if (known === undefined)
    throw new Error(`The store has migration ${done.number}-${done.name}, which this version does not know; use a newer one`)
  if (checksum(known) !== done.checksum) throw new Error(`Migration ${done.number}-${done.name} was changed after it ran`)
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
