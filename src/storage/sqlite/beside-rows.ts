import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'
import { besideRowsMax, besideTextMax } from '../beside-order.ts'
import type { Beside, RecordDefinition } from '../port.ts'
import { blobStates } from './blob-writer.ts'

/** One kind of rows, in the order of their keys. `after` is bound first. */
type Listing = {
  readonly statement: StatementSync
  readonly values: readonly SQLInputValue[]
  readonly row: (found: Readonly<Record<string, unknown>>) => Beside
}

/** All that is kept beside the versions, block by block: each is a read of its own. Rows are what the tables say, so their columns have their types. */
export class BesideRows {
  readonly #db: DatabaseSync
  readonly #clock: Clock
  readonly #definitions: ReadonlyMap<string, RecordDefinition>

  constructor(db: DatabaseSync, clock: Clock, definitions: readonly RecordDefinition[]) {
    this.#db = db
    this.#clock = clock
    this.#definitions = new Map(definitions.map(definition => [definition.name, definition]))
  }

  /** Throws when there are records of a definition that the store was opened without. */
  async *blocks(): AsyncIterable<readonly Beside[]> {
    for (const listing of this.#listings()) {
      for (let after: string | undefined = ''; after !== undefined; ) {
        const block = blockOf(listing, after)
        if (block.length > 0) yield block
        after = block.at(-1)?.key
        await setImmediate()
      }
    }
  }

  /** In the order of `besideOrder`. */
  *#listings(): Generator<Listing> {
    yield this.#listing(
      `SELECT key, size, seq FROM (SELECT coalesce(n.name, CAST(b.b AS TEXT)) AS key, b.size, b.seq FROM blob b LEFT JOIN blob_name n ON n.b = b.b
         WHERE b.state = ${blobStates.adopted}) WHERE key > ? ORDER BY key`,
      ({ key, size, seq }) => ({ kind: 'blob', key: key as string, size: size as number, owner: seq as number }),
    )
    yield this.#listing('SELECT key, value FROM counter WHERE key > ? ORDER BY key', ({ key, value }) => ({
      kind: 'counter',
      key: key as string,
      value: value as number,
    }))
    yield this.#listing('SELECT key FROM once WHERE key > ? ORDER BY key', ({ key }) => ({ kind: 'once', key: key as string }))
    for (const name of this.#recordNames()) {
      const definition = this.#definitions.get(name)
      if (definition !== undefined) yield this.#records(definition)
      else if (this.#db.prepare(`SELECT 1 FROM "rec_${name}" LIMIT 1`).get() !== undefined)
        throw new Error(`The store was opened without the records ${name}`)
    }
    yield this.#listing(
      `SELECT u.key, t.name AS type, i.id FROM uniq u CROSS JOIN instance i ON i.iid = u.iid CROSS JOIN type t ON t.t = i.t
         WHERE u.key > ? ORDER BY u.key`,
      ({ key, type, id }) => ({ kind: 'unique', key: key as string, owner: `${type}/${id}` }),
    )
  }

  #recordNames(): readonly string[] {
    const sql =
      "SELECT name FROM record_definition WHERE 'rec_' || name IN (SELECT name FROM sqlite_schema WHERE type = 'table') ORDER BY name"
    return this.#db
      .prepare(sql)
      .all()
      .map(row => row.name as string)
  }

  /** Members are read from the document: a store that is only read has columns of those alone that were indexed when it was last written to. */
  #records({ name, expires }: RecordDefinition): Listing {
    const alive = expires === undefined ? '' : ` AND coalesce(json_extract(value, '$.${expires}') > ?, 1)`
    const sql = `SELECT key, seq, lease, leased_until, takes, value FROM "rec_${name}" WHERE key > ?${alive} ORDER BY key`
    return this.#listing(
      sql,
      ({ key, seq, lease, leased_until, takes, value }) => ({
        kind: 'record',
        record: name,
        key: key as string,
        text: value as string,
        revision: seq as number,
        times: takes as number,
        lease: lease as number,
        leasedUntil: leased_until as number,
      }),
      expires === undefined ? [] : [this.#clock()],
    )
  }

  #listing(sql: string, row: Listing['row'], values: readonly SQLInputValue[] = []): Listing {
    return { statement: this.#db.prepare(`${sql} LIMIT ${besideRowsMax}`), values, row }
  }
}

const blockOf = ({ statement, values, row }: Listing, after: string): readonly Beside[] => {
  const block: Beside[] = []
  let size = 0
  for (const found of statement.iterate(after, ...values)) {
    const one = row(found)
    block.push(one)
    size += one.kind === 'record' ? one.text.length : 0
    if (size >= besideTextMax) break
  }
  return block
}
