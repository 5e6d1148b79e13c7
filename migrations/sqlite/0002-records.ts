/**
 * Records, blobs, and keys that are taken once. The tables of records themselves are made from their definitions at every start
 * (record-tables.ts).
 * @see docs/decisions/2026-11-21-records-and-blobs.md
 */
export const records = {
  number: 2,
  name: 'records',
  sql: `
-- what may not change about records from one start to the next
CREATE TABLE record_definition(name TEXT PRIMARY KEY, key TEXT NOT NULL, append_only INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- names the append-only records that the running transaction may delete; empty outside of one
CREATE TABLE record_control(name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

-- state: 0 being written or to be removed, 1 whole, 2 adopted; seq: the version that owns it, 0 for none; at: ms of the last write
CREATE TABLE blob(b INTEGER PRIMARY KEY AUTOINCREMENT, size INTEGER NOT NULL, state INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX blob_seq ON blob(seq) WHERE seq > 0;
CREATE INDEX blob_orphan ON blob(at) WHERE state < 2;
CREATE TABLE blob_part(b INTEGER NOT NULL, n INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE(b, n)) STRICT;

-- keys under which something happened; they used to stand among the unique keys, which nothing else had used
CREATE TABLE once(key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO once(key) SELECT key FROM uniq;
DELETE FROM uniq;
CREATE INDEX uniq_iid ON uniq(iid);
`,
} as const
