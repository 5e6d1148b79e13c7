import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'
import { type Deadline, isOver } from '../../base/deadline.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { HistoryOptions, HistoryPage, HistoryScope, StoredVersion } from '../port.ts'
import { firstSeqOf } from '../sequence.ts'
import { accessCondition } from './access.ts'
import { nothing } from './cells.ts'
import type { Dictionary } from './dictionary.ts'
import { always, word } from './search/sql.ts'
import { storedVersion, type VersionRow, versionColumns } from './stored-row.ts'

/** Versions looked at between two looks at the clock. */
const chunk = 1_000
const statementsMax = 200

type Row = { readonly seq: number; readonly seen: number }
type Bounds = { readonly low: number; readonly high: number; readonly endsAfter: number; readonly snapshot: number }

/**
 * Histories of an instance, some types or everything. First the seqs in view, in chunks, so that others get their turn and a deadline
 * is kept however few of them the access filter lets through; then the texts of the page alone. Versions are never changed but in
 * `until`, and that only to something beyond what a reader may see: so the chunks need no common transaction.
 */
export class History {
  readonly #db: DatabaseSync
  readonly #dictionary: Dictionary
  readonly #clock: Clock
  readonly #statements = new Map<string, StatementSync>()
  readonly #texts: StatementSync
  readonly #total: StatementSync

  constructor(db: DatabaseSync, dictionary: Dictionary, clock: Clock) {
    this.#db = db
    this.#dictionary = dictionary
    this.#clock = clock
    this.#texts = db.prepare(`SELECT ${versionColumns}, v.t, i.id FROM version v JOIN instance i ON i.iid = v.iid WHERE v.seq = ?`)
    this.#texts.setReturnArrays(true)
    this.#total = db.prepare(`SELECT count(*) AS n FROM version v INDEXED BY version_iid WHERE v.iid = ? AND ${inBounds}`)
  }

  /** `snapshot`: seq of the state to read, when there is one. */
  async page(scope: HistoryScope, options: HistoryOptions, snapshot: number = nothing): Promise<Outcome<HistoryPage>> {
    const sources = this.#sources(scope)
    if (sources.length === 0) return ok({ rows: [], more: false, total: 0 })
    const descending = (options.oldestFirst !== true) !== (options.backward === true)
    const bounds = boundsOf(options, snapshot)
    const found = await this.#collect(sources, options, bounds, descending)
    if (!found.ok) return found
    const seqs = found.value.slice(0, options.limit)
    if (options.backward === true) seqs.reverse()
    const more = found.value.length > options.limit
    const whole = !more && options.position === undefined
    const total = whole ? seqs.length : scope.id === undefined ? undefined : this.#totalOf(sources[0] as Source, options, bounds)
    return ok({
      rows: seqs.map(seq => this.#version(seq)),
      more,
      ...(total === undefined ? {} : { total }),
    })
  }

  /** Seqs in view, one more than the page holds. */
  async #collect(sources: readonly Source[], options: HistoryOptions, bounds: Bounds, descending: boolean): Promise<Outcome<number[]>> {
    const found: number[] = []
    let position = options.position
    while (found.length <= options.limit) {
      const wanted = options.access.op === 'all' ? options.limit + 1 : chunk
      const rows = merged(
        sources.map(source => this.#rows(source, options, bounds, descending, position, wanted)),
        descending,
        wanted,
      )
      for (const row of rows) if (row.seen === 1) found.push(row.seq)
      if (rows.length < wanted) break
      position = rows.at(-1)?.seq
      if (found.length > options.limit) break
      if (timeIsOver(options.deadline)) return fail('too-costly', { parameter: '_history' })
      await setImmediate()
    }
    return ok(found.slice(0, options.limit + 1))
  }

  #rows(
    source: Source,
    options: HistoryOptions,
    bounds: Bounds,
    descending: boolean,
    position: number | undefined,
    wanted: number,
  ): readonly Row[] {
    const access = accessCondition(options.access, word('i'), { dictionary: this.#dictionary, now: this.#clock() })
    const low = !descending && position !== undefined ? Math.max(bounds.low, position + 1) : bounds.low
    const high = descending && position !== undefined ? Math.min(bounds.high, position - 1) : bounds.high
    const statement = this.#statement(
      `SELECT v.seq, ${access.text} AS seen FROM version v ${source.index} ${access === always ? '' : 'CROSS JOIN instance i ON i.iid = v.iid'}
       WHERE ${source.where} ${inBounds} ORDER BY v.seq ${descending ? 'DESC' : 'ASC'} LIMIT ?`,
    )
    return statement.all(
      ...access.values,
      ...source.values,
      low,
      high,
      bounds.endsAfter,
      bounds.snapshot,
      wanted,
    ) as unknown as readonly Row[]
  }

  #sources(scope: HistoryScope): readonly Source[] {
    if (scope.type !== undefined && scope.id !== undefined) {
      const iid = this.#dictionary.iid(scope.type, scope.id)
      return iid === undefined ? [] : [{ index: 'INDEXED BY version_iid', where: 'v.iid = ? AND', values: [iid] }]
    }
    const types = scope.type !== undefined ? [scope.type] : scope.types
    if (types === undefined) return [{ index: 'NOT INDEXED', where: '', values: [] }]
    const numbers = [...new Set(types)].map(type => this.#dictionary.type(type)).filter(t => t !== undefined)
    return numbers.map(t => ({ index: 'INDEXED BY version_t', where: 'v.t = ? AND', values: [t] }))
  }

  /** An instance is seen with all its versions or with none. */
  #totalOf(source: Source, options: HistoryOptions, { low, high, endsAfter, snapshot }: Bounds): number | undefined {
    if (options.access.op !== 'all') return undefined
    return this.#total.get(...source.values, low, high, endsAfter, snapshot)?.n as number
  }

  #version(seq: number): StoredVersion {
    // The cast: setReturnArrays makes rows arrays; a seq just found has a version in the same state.
    const row = this.#texts.get(seq) as unknown as readonly [...VersionRow, t: number, id: string]
    return storedVersion(this.#dictionary.typeName(row[4]), row[5], [row[0], row[1], row[2], row[3]])
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    if (this.#statements.size >= statementsMax) this.#statements.clear()
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

type Source = { readonly index: string; readonly where: string; readonly values: readonly number[] }

/** Takes the bounds in their order. */
const inBounds = 'v.seq BETWEEN ? AND ? AND (v.until >= ? OR v.until > ?)'

/** `current`: begun before its end, and not ended before its begin; what ended after the snapshot had not ended in it. */
const boundsOf = ({ since, current }: HistoryOptions, snapshot: number): Bounds => ({
  low: since === undefined ? 1 : Math.max(1, firstSeqOf(since)),
  high: Math.min(snapshot, current === undefined ? nothing : clamp(firstSeqOf(current.hi) - 1)),
  endsAfter: current === undefined ? 0 : clamp(firstSeqOf(current.lo + 1)),
  snapshot,
})

/** Instants far out are still numbers SQLite keeps exactly. */
const clamp = (seq: number): number => Math.min(nothing, Math.max(0, Math.ceil(seq)))

const merged = (lists: readonly (readonly Row[])[], descending: boolean, wanted: number): readonly Row[] =>
  lists.length === 1
    ? (lists[0] ?? [])
    : lists
        .flat()
        .toSorted((a, b) => (descending ? b.seq - a.seq : a.seq - b.seq))
        .slice(0, wanted)

const timeIsOver = (deadline: Deadline | undefined): boolean => deadline !== undefined && isOver(deadline)
