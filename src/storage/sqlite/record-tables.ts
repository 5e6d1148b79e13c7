import type { DatabaseSync } from 'node:sqlite'
import type { RecordDefinition } from '../port.ts'
import { checkAgreement, checkDefinition, checkNames, indexesOf, membersOf, notUnique } from '../record-rules.ts'

/** An index as statements need it: its columns in order, and the condition under which a record is in it. */
export type RecordIndex = { readonly name: string; readonly columns: readonly string[]; readonly where: string }

/** A definition with the names its table goes by. Identifiers are quoted and made of checked names only. */
export type RecordTable = {
  readonly definition: RecordDefinition
  readonly table: string
  readonly indexes: ReadonlyMap<string, RecordIndex>
  readonly unique: readonly {
    readonly name: string
    readonly columns: readonly string[]
    readonly members: readonly string[]
    readonly index: string
  }[]
  /** Column of the instant from which on a record is gone. */
  readonly expires: string | undefined
}

/** Throws, naming definition and rule, when a definition is not one that every engine could keep. */
export const recordTable = (definition: RecordDefinition): RecordTable => {
  checkDefinition(definition)
  const table = `"rec_${definition.name}"`
  const { indexes, unique, ordered } = indexesOf(definition)
  const unordered = [...indexes, ...unique].map(([name, members]): [string, RecordIndex] => {
    const columns = members.map(columnOf)
    const isUnique = Object.hasOwn(definition.unique ?? {}, name)
    const where = columns.map(column => `${column} IS NOT NULL`).join(' AND ')
    return [name, { name: `"${indexName(definition, name)}"`, columns: isUnique ? columns : [...columns, 'key'], where }]
  })
  return {
    definition,
    table,
    indexes: new Map([
      ...unordered,
      ['key', { name: `sqlite_autoindex_rec_${definition.name}_1`, columns: ['key'], where: '1' }],
      ...(ordered ? [['seq', { name: `"${indexName(definition, 'seq')}"`, columns: ['seq', 'key'], where: '1' }] as const] : []),
    ]),
    unique: unique.map(([name, members]) => ({ name, columns: members.map(columnOf), members, index: `"${indexName(definition, name)}"` })),
    expires: definition.expires === undefined ? undefined : columnOf(definition.expires),
  }
}

/** Makes what is missing, remakes indexes that are defined otherwise now. Throws, naming the definition, when records and definition cannot agree. */
export const makeRecordTables = (db: DatabaseSync, tables: readonly RecordTable[]): void => {
  checkNames(tables.map(({ definition }) => definition))
  if (tables.length === 0) return
  db.exec('BEGIN IMMEDIATE')
  try {
    for (const table of tables) makeTable(db, table)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

const makeTable = (db: DatabaseSync, { definition, table, expires }: RecordTable): void => {
  agree(db, definition)
  db.exec(
    `CREATE TABLE IF NOT EXISTS ${table}(key TEXT PRIMARY KEY, seq INTEGER NOT NULL, lease INTEGER NOT NULL DEFAULT 0,
       leased_until INTEGER NOT NULL DEFAULT 0, takes INTEGER NOT NULL DEFAULT 0, value TEXT NOT NULL) STRICT`,
  )
  const columns = new Set(
    db
      .prepare('SELECT name FROM pragma_table_xinfo(?)')
      .all(`rec_${definition.name}`)
      .map(row => row.name),
  )
  for (const member of membersOf(definition)) {
    // Computed when read or indexed, so that a new one costs no rewriting of what is there.
    if (!columns.has(`m:${member}`))
      db.exec(`ALTER TABLE ${table} ADD COLUMN ${columnOf(member)} ANY GENERATED ALWAYS AS (json_extract(value, '$.${member}')) VIRTUAL`)
  }
  makeParts(db, definition, wantedParts(definition, table, expires))
}

/** Indexes and triggers by their names, as `sqlite_schema` keeps their texts. */
const wantedParts = (definition: RecordDefinition, table: string, expires: string | undefined): ReadonlyMap<string, string> => {
  const parts = new Map<string, string>()
  const { indexes, unique, ordered } = indexesOf(definition)
  const index = (kind: string, name: string, columns: readonly string[], members: readonly string[]): void => {
    const where = members.length === 0 ? '' : ` WHERE ${members.map(member => `${columnOf(member)} IS NOT NULL`).join(' AND ')}`
    const full = indexName(definition, name)
    parts.set(full, `CREATE ${kind} "${full}" ON ${table}(${columns.join(', ')})${where}`)
  }
  for (const [name, members] of indexes) index('INDEX', name, [...members.map(columnOf), 'key'], members)
  for (const [name, members] of unique) index('UNIQUE INDEX', name, members.map(columnOf), members)
  if (ordered) index('INDEX', 'seq', ['seq', 'key'], [])
  if (definition.expires !== undefined && expires !== undefined) index('INDEX', 'expires:', [expires], [definition.expires])
  if (definition.appendOnly === true) {
    const trigger = (event: string, when: string): void => {
      const full = `rec_${definition.name}:no_${event.toLowerCase()}`
      parts.set(
        full,
        `CREATE TRIGGER "${full}" BEFORE ${event} ON ${table}${when} BEGIN SELECT RAISE(ABORT, 'these records are append-only'); END`,
      )
    }
    trigger('UPDATE', '')
    // INSERT OR REPLACE deletes without asking the trigger of DELETE.
    trigger('INSERT', ` WHEN EXISTS (SELECT 1 FROM ${table} WHERE key = NEW.key)`)
    trigger('DELETE', ` WHEN NOT EXISTS (SELECT 1 FROM record_control WHERE name = '${definition.name}')`)
  }
  return parts
}

const makeParts = (db: DatabaseSync, definition: RecordDefinition, wanted: ReadonlyMap<string, string>): void => {
  const there = db
    .prepare("SELECT name, type, sql FROM sqlite_schema WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL")
    .all(`rec_${definition.name}`)
  const same = new Set<string>()
  for (const { name, type, sql } of there) {
    if (wanted.get(name as string) === sql) same.add(name as string)
    else db.exec(`DROP ${type} "${name}"`)
  }
  for (const [name, sql] of wanted) {
    if (same.has(name)) continue
    try {
      db.exec(sql)
    } catch (error) {
      if (!sql.startsWith('CREATE UNIQUE')) throw error
      throw notUnique(definition.name, name.split(':')[1] ?? '')
    }
  }
}

const agree = (db: DatabaseSync, definition: RecordDefinition): void => {
  const { name, key, appendOnly = false } = definition
  const before = db.prepare('SELECT key, append_only FROM record_definition WHERE name = ?').get(name)
  if (before !== undefined) checkAgreement(definition, { key: before.key as string, appendOnly: before.append_only === 1 })
  db.prepare(
    'INSERT INTO record_definition(name, key, append_only) VALUES (?, ?, ?) ON CONFLICT(name) DO UPDATE SET append_only = excluded.append_only',
  ).run(name, key, appendOnly ? 1 : 0)
}

const columnOf = (member: string): string => `"m:${member}"`
const indexName = (definition: RecordDefinition, index: string): string => `rec_${definition.name}:${index}`
