import type { AccessFilter } from '../base/access-filter.ts'
import type { Deadline } from '../base/deadline.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Query } from '../search/tree.ts'
import type { IndexValues } from '../search/values.ts'

/**
 * What every engine promises. `test/storage/contract.ts` holds each engine to each sentence here.
 *
 * A *sequence number* (`seq`, below 2^53) orders all versions of the store: milliseconds since 2024-01-01T00:00:00Z times 4096, plus a counter.
 * `lastUpdated` of a version is the millisecond of its seq, so order by `_lastUpdated` is order by seq. See `sequence.ts`.
 * Expected failures come back as outcomes; a broken disk or a lost connection throws.
 */
export interface Store extends AsyncDisposable {
  readonly engine: string

  /** The newest version, a deletion included, or undefined. Sees every write acknowledged before the call. */
  newest(type: string, id: string): Promise<StoredVersion | undefined>
  /** In the order of `keys`; undefined where nothing is (or, with `at`, was) current. With `at`, the version current at that snapshot. */
  newestMany(keys: readonly Key[], at?: Snapshot): Promise<readonly (StoredVersion | undefined)[]>
  /** That very version, a deletion included. */
  version(type: string, id: string, versionId: number): Promise<StoredVersion | undefined>

  /** Versions of an instance, a type or everything, by seq. `position` is the seq of the last row of the page before. */
  history(scope: HistoryScope, options: HistoryOptions): Promise<Outcome<HistoryPage>>

  /** Matches in order. Fails `expired-cursor` when the snapshot is gone, `too-costly` when the deadline ends first. */
  search(query: Query, options: SearchOptions): Promise<Outcome<SearchPage>>
  /** Exact up to `cap` (then `reached` is true). */
  count(query: Query, options: CountOptions): Promise<Outcome<Count>>
  /** The plan, its estimates and the engine's own plan, as text without values. */
  explain(query: Query, options: SearchOptions): Promise<Outcome<readonly string[]>>
  /** Local targets that the versions at these seqs refer to by the parameter: `_include`. */
  references(seqs: readonly number[], type: string, param: string): Promise<readonly { readonly seq: number; readonly target: Key }[]>

  /** A state of the store that pages can be read from until it expires. Registered: the sweeper leaves what it needs. */
  snapshot(): Promise<Snapshot>
  /** Instant (ms) up to which no further write can appear. Asking makes it move. */
  horizon(): Promise<number>

  /** All of the plan or nothing; durable when it answers. */
  commit(plan: WritePlan): Promise<Outcome<Committed>>

  /** Every live instance as it was at seq `upTo`, by seq, in blocks; independent of snapshots, bounded memory, may last hours. */
  walk(options: { readonly type?: string; readonly upTo: number; readonly after?: number }): AsyncIterable<readonly StoredVersion[]>
  /** Next number of a named counter, at once; gaps after a crash are allowed. */
  nextNumber(key: string): Promise<number>

  /** Live instances per type. */
  counts(): Promise<Readonly<Record<string, number>>>
  statistics(): Statistics
  /** Round trip to the store in milliseconds. */
  health(): Promise<{ readonly ok: boolean; readonly ms: number }>
}

export type Key = { readonly type: string; readonly id: string }

/** Opaque to everybody but the engine that gave it. A number or string, so that it can travel in a cursor. */
export type Snapshot = { readonly token: string; /** ms */ readonly at: number }

export type Method = 'POST' | 'PUT' | 'DELETE'

export type StoredVersion = Key & {
  readonly versionId: number
  readonly seq: number
  /** Milliseconds since the epoch. */
  readonly lastUpdated: number
  readonly method: Method
  readonly deleted: boolean
  /** UTF-8 JSON exactly as accepted; empty for a deletion. */
  readonly text: Uint8Array
}

export type HistoryScope = { readonly type?: string; readonly id?: string; readonly types?: readonly string[] }

export type HistoryOptions = {
  /** lastUpdated >= this instant (ms). */
  readonly since?: number
  /** Versions that were current at some moment of [lo, hi) (ms). */
  readonly current?: { readonly lo: number; readonly hi: number }
  readonly oldestFirst?: boolean
  readonly limit: number
  /** Seq of the last row of the page before; with `backward`, of the first. */
  readonly position?: number
  readonly backward?: boolean
  readonly snapshot?: Snapshot
  readonly access: AccessFilter
  readonly deadline?: Deadline
}

export type HistoryPage = { readonly rows: readonly StoredVersion[]; readonly more: boolean; /** Known where it is cheap. */ readonly total?: number }

/** Sort values and seq of a row: where a page ended. `null` stands for missing. */
export type Position = { readonly values: readonly (string | number | null)[]; readonly seq: number }

export type SearchOptions = {
  readonly access: AccessFilter
  readonly count: number
  /** `new`: the newest state, which further pages can be read from. The page says which it is. */
  readonly snapshot?: Snapshot | 'new'
  /** A first page also tells how many match, where that is exact for next to nothing. */
  readonly total?: boolean
  /** The page after this row; with `backward`, the page before it (rows still in forward order). */
  readonly position?: Position
  readonly backward?: boolean
  readonly deadline?: Deadline
}

export type SearchRow = StoredVersion & { readonly position: Position }
export type SearchPage = {
  readonly rows: readonly SearchRow[]
  /** More rows lie beyond, in the direction read. */
  readonly more: boolean
  /** All matches, counted; absent when nobody asked or it would cost something. */
  readonly total?: number
  /** The state it was read from, when a new one was asked for. */
  readonly snapshot?: Snapshot
}

export type CountOptions = { readonly access: AccessFilter; readonly snapshot?: Snapshot; readonly cap?: number; readonly deadline?: Deadline }
export type Count = { readonly count: number; readonly reached: boolean; readonly exact: boolean }

/** The 29 characters that stand in `text` at `lastUpdatedOffset` until the writer knows the instant. */
export { lastUpdatedPlaceholder } from '../fhir/model/stored-form.ts'

export type NewVersion = Key & {
  readonly versionId: number
  readonly method: Method
  /** UTF-8 JSON with the placeholder in `meta.lastUpdated`; empty for a deletion. The commit writes the instant into these very bytes. */
  readonly text: Uint8Array
  /** Byte offset of the placeholder in `text`; -1 for a deletion. */
  readonly lastUpdatedOffset: number
  /** Absent for a deletion. */
  readonly values?: IndexValues
  /** Privacy compartment, owners, authors (`Practitioner/1`): what access filters ask for and searches cannot. */
  readonly patients: readonly string[]
  readonly organizations: readonly string[]
  readonly authors: readonly string[]
  /** meta.security confidentiality U, L, M, N, R, V as 0 to 5; 3 when absent. */
  readonly confidentiality: number
}

export type WritePlan = {
  /** What preparation saw: seq of the newest version, or that there was none. */
  readonly expects: readonly (Key & { readonly seq: number | 'none' })[]
  /** Conditional criteria and what they gave: the seq of the one match, or none. Run again inside the transaction. */
  readonly guards: readonly { readonly query: Query; readonly access: AccessFilter; readonly found: number | 'none' }[]
  readonly versions: readonly NewVersion[]
  /** Counters to advance inside the transaction; refusal at the limit. */
  readonly counters?: readonly { readonly key: string; readonly limit?: number }[]
  /** Unique keys to take, with their owner `Type/id`. The key of an owner that was deleted is free again. */
  readonly unique?: readonly { readonly key: string; readonly owner: string }[]
  /** Targets that must exist (SIMPUL_REFERENCES=same-server). */
  readonly exists?: readonly Key[]
  /** Instances that nothing outside this plan may refer to (a refused deletion of a referenced instance). */
  readonly unreferenced?: readonly Key[]
}

/** `held: false`: an expectation or guard no longer holds; nothing was written; prepare again. */
export type Committed =
  | { readonly held: true; readonly versions: readonly { readonly seq: number; readonly lastUpdated: number }[]; readonly counters: readonly number[] }
  | {
      readonly held: false
      readonly referrers?: readonly Key[]
      readonly taken?: string
      readonly missing?: readonly Key[]
      /** Key of a counter that is at its limit. */
      readonly full?: string
    }

export type Statistics = {
  readonly commits: number
  readonly plans: number
  readonly versions: number
  readonly queued: number
  readonly deadEntries: number
  readonly walBytes: number
}
