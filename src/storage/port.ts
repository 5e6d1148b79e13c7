import type { AccessFilter, PatientsFilter, RelationKind } from '../base/access-filter.ts'
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
  /** Local targets that the versions at these seqs refer to by the parameter: `_include`. With `at`, versions that were current at that snapshot. */
  references(
    seqs: readonly number[],
    type: string,
    param: string,
    at?: Snapshot,
  ): Promise<readonly { readonly seq: number; readonly target: Key }[]>

  /** In the order of the questions: whether the patient stands in such a relation now, as the filter `patients` has it. */
  related(questions: readonly RelationQuestion[]): Promise<readonly boolean[]>
  /** What the newest versions say of relations, in the order of `keys`; none where nothing is current. */
  relationsOf(keys: readonly Key[]): Promise<readonly (readonly Relation[])[]>

  /** A state of the store that pages can be read from until it expires. Registered: the sweeper leaves what it needs. */
  snapshot(): Promise<Snapshot>
  /** Instant (ms) up to which no further write can appear. Asking makes it move. */
  horizon(): Promise<number>

  /** All of the plan or nothing; durable when it answers. */
  commit(plan: WritePlan): Promise<Outcome<Committed>>

  /** Every live instance as it was at seq `upTo`, by seq, in blocks; independent of snapshots, bounded memory, may last hours. */
  walk(options: { readonly type?: string; readonly upTo: number; readonly after?: number }): AsyncIterable<readonly StoredVersion[]>
  /** Every version up to a seq, superseded ones and deletions too, by seq, in blocks of bounded size; independent of snapshots, may last hours. */
  versions(options: { readonly upTo: number; readonly after?: number }): AsyncIterable<readonly StoredVersion[]>
  /** Next number of a named counter, at once; gaps after a crash are allowed. */
  nextNumber(key: string): Promise<number>

  /** Durable documents that are no resources. The definition is one of those the store was opened with, else this throws. */
  records<V extends object>(definition: RecordDefinition): Records<V>
  readonly blobs: Blobs

  /**
   * Versions with seqs of their own, by seq, block after block (at most 1,000 in one): all of the block or nothing. Each lies above all that its type
   * holds, so this fills empty types and goes on where it was cut. `values` may be left out where a later version follows in the block.
   * Snapshots from before are expired by it.
   */
  load(versions: readonly LoadedVersion[]): Promise<Outcome<Loaded>>
  /**
   * All that is kept beside the versions, each row as it is when it is reached, in the order of `besideOrder`, in blocks of bounded size: with `versions` it is
   * the whole store, but for blobs that nobody adopted and for the bytes of the others. The same for every engine.
   */
  beside(): AsyncIterable<readonly Beside[]>
  /**
   * Makes rows beside the versions what is said here, whatever stood there (at most 1,000, records of 8 MiB in all): all of them or nothing. A blob is there when
   * its row comes, after its parts. For stores that nobody else writes to: no plan is asked, unique indexes take from who had.
   */
  loadBeside(rows: readonly LoadedBeside[]): Promise<Outcome<void>>
  /**
   * Erases versions (at most 10,000 names at once) with their index entries and blobs; what is not there counts as erased. Without `versionId` the whole instance goes:
   * it is known as purged, answered like one never used, and may be used anew from version 1. The newest version goes only with its instance.
   * A name may stand for any number of versions, so this is no single transaction: cut short, it is asked again.
   */
  remove(versions: readonly (Key & { readonly versionId?: number })[]): Promise<Outcome<Removed>>

  /** Live instances per type. */
  counts(): Promise<Readonly<Record<string, number>>>
  statistics(): Statistics
  health(): Promise<StoreHealth>
}

export type StoreHealth = {
  readonly ok: boolean
  /** Round trip. */
  readonly ms: number
  /** Of several servers: whether the one that takes writes is known. */
  readonly primary?: boolean
  /** Number of the newest step of the schema. */
  readonly schema?: number
}

export type Key = { readonly type: string; readonly id: string }

/** Opaque to everybody but the engine that gave it. A number or string, so that it can travel in a cursor. */
export type Snapshot = { readonly token: string /** ms */; readonly at: number }

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

/** What a resource says of who reaches whose record: it stands as long as the version is the newest, and within its time. */
export type Relation = {
  readonly from: RelationKind
  /** Whom it serves: id of a practitioner, an organization, a unit, a Group; of consents a text that `auth/consent` makes. At most 256 bytes. */
  readonly of: string
  /** Id. */
  readonly patient: string
  /** ms: it holds from and until, not including, these instants. */
  readonly since?: number
  readonly until?: number
  /** The user whom it serves wrote it himself: no `confirmed` filter counts it. */
  readonly self?: true
}

export type RelationQuestion = Omit<PatientsFilter, 'op'> & { readonly patient: string }

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

export type HistoryPage = {
  readonly rows: readonly StoredVersion[]
  readonly more: boolean
  /** Known where it is cheap. */
  readonly total?: number
}

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

export type CountOptions = {
  readonly access: AccessFilter
  readonly snapshot?: Snapshot
  readonly cap?: number
  readonly deadline?: Deadline
}
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
  /** Codes of meta.security that ask for a clearance of their own; absent for none. */
  readonly sensitivities?: readonly string[]
  /** At most 10,000; absent for none. */
  readonly relations?: readonly Relation[]
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
  /** A key under which this happens at most once: taken for ever when the plan held, whatever becomes of what it wrote. Looked at before all else. */
  readonly once?: string
  /** Written in this order, each seeing the ones before. */
  readonly records?: readonly RecordWrite[]
  /** Blobs written before. With `owner`, a version of this plan, a blob is erased when that version is; without, it stays until `blobs.remove`. */
  readonly blobs?: readonly { readonly id: string; readonly owner?: Key }[]
}

/** `held: false`: an expectation or guard no longer holds; nothing was written; prepare again. */
export type Committed =
  | {
      readonly held: true
      readonly versions: readonly { readonly seq: number; readonly lastUpdated: number }[]
      readonly counters: readonly number[]
      /** Of a plan with records: their revision, which is the seq of the plan. */
      readonly revision?: number
    }
  | {
      readonly held: false
      readonly referrers?: readonly Key[]
      /** A unique key that has another owner, or the `once` of the plan. */
      readonly taken?: string
      readonly missing?: readonly Key[]
      /** Key of a counter that is at its limit. */
      readonly full?: string
      /** The first record that is not as expected; `unique` names the index in which another has its values. */
      readonly record?: { readonly record: string; readonly key: string; readonly unique?: string }
      /** A blob that is not there, not whole, or has been adopted. */
      readonly blob?: string
    }

export type Statistics = {
  readonly commits: number
  readonly plans: number
  readonly versions: number
  readonly queued: number
  readonly deadEntries: number
  readonly walBytes: number
}

/**
 * A kind of records: data of the room that owns them, given to the engine by `compose`. Members are paths into the document (`status`,
 * `patient.id`); an indexed one holds a string of at most 1,024 bytes or a number, and a document without one of an index's members is not in that index.
 * Text is ordered by its UTF-8 bytes, after all numbers. A definition may gain and lose indexes from one start to the next;
 * another key, or no longer `appendOnly`, is refused when the store opens.
 */
export type RecordDefinition = {
  /** Lower-case letters, digits and `_`, at most 40, a letter first. */
  readonly name: string
  /** Member that identifies a record: a string of at most 512 bytes. */
  readonly key: string
  /** Members to look up and to sort by, by the name of the index. `key` and `seq` are there without being named. */
  readonly indexes?: Readonly<Record<string, readonly string[]>>
  /** The same, and no two records have equal values. */
  readonly unique?: Readonly<Record<string, readonly string[]>>
  /** Member with the instant (ms) from which on the record is as if it were not there. It is removed some time after. */
  readonly expires?: string
  /** Records are never changed, nor deleted but by retention. */
  readonly appendOnly?: boolean
  /** There is an index `seq`, by the plan that wrote the record; records of one plan by key. */
  readonly ordered?: boolean
}

export type RecordValue = string | number

/** Documents are at most 4 MiB. `expected`: revision of what is there, or that nothing is; whatever it is when absent. `lease`: that of a record taken; putting lets go of it. */
export type RecordWrite =
  | { readonly record: string; readonly put: object; readonly expected?: number | 'none'; readonly lease?: number }
  | {
      readonly record: string
      readonly delete: string
      readonly expected?: number
      readonly lease?: number
      /** The one way to delete what is append-only. */
      readonly retention?: true
    }

/** `revision` is the seq of the plan that wrote it: it changes with every put and never comes again. */
export type StoredRecord<V> = { readonly key: string; readonly value: V; readonly revision: number }
/** Values of the index, then the key: where a page ended. */
export type RecordPosition = readonly RecordValue[]
export type RecordRow<V> = StoredRecord<V> & { readonly position: RecordPosition }
export type RecordPage<V> = {
  readonly rows: readonly RecordRow<V>[]
  /** More lie beyond, in the direction read. */
  readonly more: boolean
}

/** A record handed out: nobody else is given it until the lease ends. `times` counts how often it was handed out, this one included. */
export type TakenRecord<V> = StoredRecord<V> & { readonly lease: number; readonly times: number }

/** Bounds are values of the first members of the index, both included: `from: ['mail', 5]`, `to: ['mail']`. */
export type RecordBounds = { readonly from?: readonly RecordValue[]; readonly to?: readonly RecordValue[] }
export type RecordRange = RecordBounds & {
  /** At most 1,000; a page may hold fewer where records are large. */
  readonly limit: number
  readonly descending?: boolean
  /** The page after this row of the same range, in the direction read. */
  readonly after?: RecordPosition
}

/** `false`: not as expected; nothing was written. */
export type RecordHeld = { readonly held: true; readonly revision: number } | { readonly held: false; readonly unique?: string }

/** The records of one definition. Writes that belong together, or to resources, go in a `WritePlan`. */
export interface Records<V extends object> {
  get(key: string): Promise<StoredRecord<V> | undefined>
  put(value: V, expected?: number | 'none'): Promise<Outcome<RecordHeld>>
  delete(key: string, expected?: number): Promise<Outcome<RecordHeld>>
  range(index: string, range: RecordRange): Promise<RecordPage<V>>
  /** Up to `n` (at most 1,000; fewer where they are large) in the order of the index that nobody holds, each handed to one caller. A lease is at most a day. */
  take(index: string, n: number, leaseMs: number, bounds?: RecordBounds): Promise<Outcome<readonly TakenRecord<V>[]>>
  /** Holds it for so long from now. Not held: the lease ended and somebody else took it, or it is gone. */
  renew(taken: TakenRecord<V>, leaseMs: number): Promise<Outcome<RecordHeld>>
  /** Lets go of it, with a new value where one is given: others may take it. */
  release(taken: TakenRecord<V>, value?: V): Promise<Outcome<RecordHeld>>
  /** It is done: deletes it. */
  finish(taken: TakenRecord<V>): Promise<Outcome<RecordHeld>>
}

export type BlobInfo = { readonly id: string /** bytes */; readonly size: number }

/** Large bytes, in parts: memory is bounded on the way in and out. */
export interface Blobs {
  /** Keeps the bytes as they come. Until a plan adopts it the blob is nobody's, and is removed after a day. What the source throws is thrown. */
  write(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Outcome<BlobInfo>>
  /** Bytes from `start` up to, not including, `end`; undefined when there is no such blob. The iteration throws when it is removed meanwhile. */
  read(
    id: string,
    range?: { readonly start?: number; readonly end?: number },
  ): Promise<(BlobInfo & { readonly bytes: AsyncIterable<Uint8Array> }) | undefined>
  /** Blobs that the version at this seq owns. */
  of(seq: number): Promise<readonly BlobInfo[]>
  /** What is not there counts as removed. */
  remove(id: string): Promise<Outcome<void>>
}

/** `text` is final, its `lastUpdated` the millisecond of `seq`. */
export type LoadedVersion = Omit<NewVersion, 'lastUpdatedOffset'> & { readonly seq: number }
/** `refused`: the first version that does not follow. */
export type Loaded = { readonly held: true } | { readonly held: false; readonly refused: Key & { readonly versionId: number } }
/** Versions erased; `refused`: named alone although it is the newest of its instance, so nothing was erased. */
export type Removed = { readonly held: true; readonly versions: number } | { readonly held: false; readonly refused: Key }

type BesideKey = {
  readonly kind: 'blob' | 'counter' | 'once' | 'unique' | 'record'
  readonly key: string /** Of records. */
  readonly record?: string
}

/** A row beside the versions. */
export type Beside =
  | { readonly kind: 'once'; readonly key: string }
  | { readonly kind: 'unique'; readonly key: string; readonly owner: string }
  | { readonly kind: 'counter'; readonly key: string; readonly value: number }
  | {
      readonly kind: 'record'
      readonly record: string
      readonly key: string
      /** JSON */
      readonly text: string
      readonly revision: number
      /** How often it was handed out, and to whom until when (ms); 0 for none. */
      readonly times: number
      readonly lease: number
      readonly leasedUntil: number
    }
  /** `owner`: seq of the version that owns it, 0 for none. */
  | { readonly kind: 'blob'; readonly key: string /** bytes */; readonly size: number; readonly owner: number }

/** `part`: of the blob `key`, 1 MiB but for the last, by `n` from 0; part 0 begins it anew. `gone`: there is no such row. */
export type LoadedBeside =
  | Beside
  | (BesideKey & { readonly gone: true })
  | { readonly kind: 'part'; readonly key: string; readonly n: number; readonly bytes: Uint8Array }
