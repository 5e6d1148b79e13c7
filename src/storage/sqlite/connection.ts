import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

export type Synchronous = 'FULL' | 'NORMAL'

/** Nobody but a doctor or a backup ever holds the file longer. */
const busyMs = 5_000
const writerCacheKiB = 256 * 1024
/** 64 MiB for all readers: half for the HTTP thread, a quarter for each of the two reader threads. */
export const readerCacheKiB = { main: 32 * 1024, thread: 16 * 1024 } as const

/**
 * The one connection that writes. WAL lets readers go on; FULL makes an acknowledged commit survive a power cut;
 * checkpoints happen at moments that the writer chooses (checkpoint.ts).
 */
export const openWriterConnection = (path: string, synchronous: Synchronous, bytesMax?: number): DatabaseSync => {
  // A new file is its owner's alone; what SQLite lays beside it takes after it. One that is there stays as the operator has it.
  closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path, { timeout: busyMs })
  db.exec('PRAGMA journal_mode = WAL')
  db.exec(`PRAGMA synchronous = ${synchronous}`)
  db.exec(`PRAGMA wal_autocheckpoint = 0; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${writerCacheKiB}`)
  if (bytesMax !== undefined) db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(bytesMax / pageBytes(db)))}`)
  return db
}

const pageBytes = (db: DatabaseSync): number => db.prepare('PRAGMA page_size').get()?.page_size as number

export const openReaderConnection = (path: string, cacheKiB: number): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout: busyMs })
  db.exec(`PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${cacheKiB}`)
  // A connection that is the last to close checkpoints; a reader must not, the writer does it itself.
  db.exec('PRAGMA wal_autocheckpoint = 0')
  return db
}

/** Runs `read` so that all its statements see one committed state. Inside a transaction it joins that one. */
export const inOneState = <T>(db: DatabaseSync, read: () => T): T => {
  if (db.isTransaction) return read()
  db.exec('BEGIN')
  try {
    return read()
  } finally {
    db.exec('COMMIT')
  }
}
