import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { writeLastUpdated } from '../../fhir/model/stored-form.ts'
import type { Key } from '../port.ts'
import { msOfSeq } from '../sequence.ts'
import { Beside, type Target } from './beside.ts'
import { Counters, ShapeCounts } from './counters.ts'
import type { Errand, ErrandResult } from './errand.ts'
import { type Instance, Instances, states } from './instances.ts'
import { Interning } from './interning.ts'
import { type Guard, methodNumbers, none, recordAction, TapeReader } from './plan-tape.ts'
import type { RecordTable } from './record-tables.ts'
import type { RecordConflict } from './record-writer.ts'
import { createSearch, type SqliteSearch } from './search.ts'
import type { SequenceSource } from './sequence-source.ts'
import { Values } from './values.ts'

/** A plan as it waits in the writer: where it lies on the tape of its message. */
export type WaitingPlan = {
  readonly id: number
  readonly tape: readonly (string | number)[]
  readonly at: number
  readonly texts: Uint8Array
  readonly guards: readonly Guard[]
  readonly guardsAt: number
  readonly errands: readonly Errand[]
  readonly versions: number
  readonly weight: number
}

/** `Committed` of the port before it is spread out again: versions have consecutive seqs from `first`. */
export type Applied =
  | { readonly held: true; readonly first: number; readonly counters: readonly number[]; readonly result?: ErrandResult }
  | {
      readonly held: false
      readonly referrers?: readonly Key[]
      readonly taken?: string
      readonly missing?: readonly Key[]
      readonly full?: string
      readonly record?: RecordConflict
      readonly blob?: string
    }

/** How many referrers a refused deletion names. */
const referrersMax = 5

/** Checks and writes plans inside the transaction of a group. The writer alone has one; it is alone, so what it checks stays true. */
export class Committer {
  readonly dictionary: Interning
  readonly values: Values
  readonly beside: Beside
  readonly #instances: Instances
  readonly #shapes: ShapeCounts
  readonly #counters: Counters
  readonly #search: SqliteSearch
  readonly #sequence: SequenceSource
  #superseded = 0
  readonly #selectOnce: StatementSync
  readonly #takeOnce: StatementSync
  readonly #insertVersion: StatementSync
  readonly #endVersion: StatementSync
  readonly #insertDead: StatementSync
  readonly #selectUnique: StatementSync
  readonly #takeUnique: StatementSync
  readonly #selectReferrers: StatementSync

  constructor(db: DatabaseSync, sequence: SequenceSource, records: readonly RecordTable[]) {
    this.dictionary = new Interning(db)
    this.#instances = new Instances(db)
    this.values = new Values(db, this.dictionary, this.#instances)
    this.#shapes = new ShapeCounts(db)
    this.#counters = new Counters(db)
    this.#search = createSearch(db, this.dictionary)
    this.#sequence = sequence
    this.beside = new Beside(db, records, sequence, this.#instances, this.values, this.#shapes, this.dictionary)
    this.#selectOnce = db.prepare('SELECT 1 FROM once WHERE key = ?')
    this.#takeOnce = db.prepare('INSERT INTO once(key) VALUES (?)')
    this.#insertVersion = db.prepare('INSERT INTO version(seq, iid, vid, t, method, text) VALUES (?, ?, ?, ?, ?, ?)')
    this.#endVersion = db.prepare('UPDATE version SET until = ? WHERE seq = ?')
    this.#insertDead = db.prepare('INSERT INTO dead(seq, until) VALUES (?, ?)')
    this.#selectUnique = db.prepare('SELECT u.iid, i.state FROM uniq u JOIN instance i ON i.iid = u.iid WHERE u.key = ?')
    this.#takeUnique = db.prepare('INSERT INTO uniq(key, iid) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET iid = excluded.iid')
    this.#selectReferrers = db.prepare(
      `SELECT i.iid, i.t, i.id FROM ref JOIN live l ON l.seq = ref.seq JOIN instance i ON i.iid = l.iid
       WHERE ref.p = ? AND ref.iid = ? AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.seq = ref.seq)`,
    )
  }

  /** Writes the plan if everything it expects holds. Throws on an unexpected error: then the transaction must be rolled back. */
  apply(plan: WaitingPlan): Applied {
    const tape = new TapeReader(plan.tape, plan.at)
    const [once, errand] = [tape.text(), plan.errands[tape.number()]]
    if (once !== '' && this.#selectOnce.get(once) !== undefined) return { held: false, taken: once }
    const targets = list(tape, () => this.#target(tape))
    const newest = this.#expectations(tape, targets, errand?.kind === 'load')
    const missing = this.#missing(tape, targets)
    const referrers = this.#referrers(tape, targets)
    const unique = this.#unique(tape, targets)
    const counters = this.#nextNumbers(tape)
    const guards = plan.guards.slice(plan.guardsAt, plan.guardsAt + tape.number())
    if (newest === undefined || !guards.every(guard => this.#holds(guard))) return { held: false }
    if (missing.length > 0) return { held: false, missing }
    if (referrers.length > 0) return { held: false, referrers }
    if (unique.taken !== undefined) return { held: false, taken: unique.taken }
    if (counters.full !== undefined) return { held: false, full: counters.full }
    const records = list(tape, () => recordAction(tape))
    const blobs = list(tape, () => ({ id: tape.text(), owner: { type: tape.text(), id: tape.text() } }))
    const hasMore = records.length > 0 || blobs.length > 0 || errand !== undefined
    // Records and leases are known by the seq of their plan, so a plan without versions takes one too.
    const first = this.#sequence.take(hasMore ? Math.max(1, targets.length) : targets.length, newest)
    const refused = hasMore ? this.beside.write(records, blobs, targets, first) : undefined
    if (refused !== undefined) return refused
    const result = errand === undefined ? undefined : this.beside.run(errand, plan.texts, targets, first)
    if (result?.kind === 'refused') return { held: true, first, counters: [], result }
    const seqs = errand?.kind === 'load' ? errand.seqs : undefined
    for (const [at, target] of targets.entries()) this.#write(tape, plan.texts, target, seqs?.[at] ?? first + at)
    for (const [key, owner] of unique.take) this.#takeUnique.run(key, this.#instances.refer(owner.t, owner.id).iid)
    for (const [key, value] of counters.values) this.#counters.set(key, value)
    if (once !== '') this.#takeOnce.run(once)
    return { held: true, first, counters: counters.numbers, ...(result === undefined ? {} : { result }) }
  }

  /** The last statements of a group, before COMMIT. */
  finish(): void {
    this.#shapes.write()
  }

  /** Live versions superseded since the last call. */
  takeSuperseded(): number {
    const superseded = this.#superseded
    this.#superseded = 0
    return superseded
  }

  /** After a rollback, or when somebody else wrote to the file: memory must not know what the store does not. */
  forget(): void {
    this.dictionary.forget()
    this.#instances.forget()
    this.#shapes.forget()
    this.#superseded = 0
    this.beside.forget()
    this.#search.forget()
  }

  #target(tape: TapeReader): Target {
    const type = tape.text()
    return { type, t: this.dictionary.typeNumber(type), id: tape.text(), versionId: tape.number(), method: tape.number() }
  }

  /** Greatest seq of what the plan supersedes (0: nothing), or undefined when an expectation does not hold. */
  #expectations(tape: TapeReader, targets: readonly Target[], loading: boolean): number | undefined {
    let holds = true
    for (let n = tape.number(); n > 0; n--) {
      const t = this.dictionary.type(tape.text())
      const known = t === undefined ? undefined : this.#instances.find(t, tape.text())
      if (t === undefined) tape.text()
      const seq = tape.number()
      if ((known?.seq ?? 0) !== (seq === none ? 0 : seq)) holds = false
    }
    let newest = 0
    for (const target of targets) {
      const known = this.#instances.find(target.t, target.id)
      newest = Math.max(newest, known?.seq ?? 0)
      // A plan that expects nothing must still not leave a gap or write a version twice.
      if (!loading && (known?.versionId ?? 0) + 1 !== target.versionId) holds = false
    }
    return holds ? newest : undefined
  }

  #missing(tape: TapeReader, targets: readonly Target[]): Key[] {
    const missing: Key[] = []
    for (const key of list(tape, () => ({ type: tape.text(), id: tape.text() }))) {
      const inPlan = targets.find(target => target.type === key.type && target.id === key.id)
      const exists = inPlan === undefined ? this.#find(key)?.state === states.live : inPlan.method !== methodNumbers.DELETE
      if (!exists) missing.push(key)
    }
    return missing
  }

  /** Newest versions outside the plan that refer to the instances, up to `referrersMax`. */
  #referrers(tape: TapeReader, targets: readonly Target[]): Key[] {
    const keys = list(tape, () => ({ type: tape.text(), id: tape.text() }))
    if (keys.length === 0) return []
    const inside = new Set(targets.map(target => this.#instances.find(target.t, target.id)?.iid))
    const referrers = new Map<number, Key>()
    for (const key of keys) {
      const target = this.#find(key)
      if (target === undefined) continue
      for (const p of this.values.referenceParams) {
        for (const row of this.#selectReferrers.iterate(p, target.iid)) {
          const iid = row.iid as number
          if (!inside.has(iid)) referrers.set(iid, { type: this.dictionary.typeName(row.t as number), id: row.id as string })
          if (referrers.size >= referrersMax) return [...referrers.values()]
        }
      }
    }
    return [...referrers.values()]
  }

  /** A key is free when nobody has it, when its owner asks again, or when its owner is no longer live. */
  #unique(
    tape: TapeReader,
    targets: readonly Target[],
  ): { readonly take: ReadonlyMap<string, { t: number; id: string }>; readonly taken?: string } {
    const take = new Map<string, { t: number; id: string }>()
    let taken: string | undefined
    for (let n = tape.number(); n > 0; n--) {
      const key = tape.text()
      const owner = { t: this.dictionary.typeNumber(tape.text()), id: tape.text() }
      const holder = this.#selectUnique.get(key)
      const own = holder !== undefined && holder.iid === this.#instances.find(owner.t, owner.id)?.iid
      const freed =
        holder !== undefined &&
        targets.some(target => target.method === methodNumbers.DELETE && this.#instances.find(target.t, target.id)?.iid === holder.iid)
      const other = take.get(key)
      const twice = other !== undefined && (other.t !== owner.t || other.id !== owner.id)
      if (twice || (holder !== undefined && holder.state === states.live && !own && !freed)) taken ??= key
      take.set(key, owner)
    }
    return { take, ...(taken === undefined ? {} : { taken }) }
  }

  #nextNumbers(tape: TapeReader): {
    readonly values: ReadonlyMap<string, number>
    readonly numbers: readonly number[]
    readonly full?: string
  } {
    const values = new Map<string, number>()
    const numbers: number[] = []
    let full: string | undefined
    for (let n = tape.number(); n > 0; n--) {
      const [key, limit] = [tape.text(), tape.number()]
      const next = (values.get(key) ?? this.#counters.value(key)) + 1
      if (limit !== none && next > limit) full ??= key
      values.set(key, next)
      numbers.push(next)
    }
    return { values, numbers, ...(full === undefined ? {} : { full }) }
  }

  /** Two rows are enough to know that there is not just one. */
  #holds(guard: Guard): boolean {
    const found = this.#search.search(guard.query, { access: guard.access, count: 2, now: this.#sequence.now })
    if (!found.ok) return false
    const { rows } = found.value
    return guard.found === 'none' ? rows.length === 0 : rows.length === 1 && rows[0]?.seq === guard.found
  }

  #find(key: Key): Instance | undefined {
    const t = this.dictionary.type(key.type)
    return t === undefined ? undefined : this.#instances.find(t, key.id)
  }

  #write(tape: TapeReader, texts: Uint8Array, target: Target, seq: number): void {
    const [start, length, offset, confidentiality] = [tape.number(), tape.number(), tape.number(), tape.number()]
    const text = texts.subarray(start, start + length)
    if (offset >= 0) writeLastUpdated(text, offset, msOfSeq(seq))
    const deletion = target.method === methodNumbers.DELETE
    const known = this.#instances.find(target.t, target.id)
    const former = known?.state === states.live
    if (known !== undefined && known.seq > 0) this.#supersede(known, seq)
    const state = deletion ? states.deleted : states.live
    const instance = this.#instances.advance(known, target.t, target.id, { seq, versionId: target.versionId, state })
    this.#insertVersion.run(seq, instance.iid, target.versionId, target.t, target.method, text)
    this.values.relations.write(tape, instance.iid, former)
    if (deletion) {
      this.values.keepAccessOfDeletion(tape, seq, confidentiality)
      return
    }
    instance.shape = this.values.index(tape, { seq, t: target.t, type: target.type, iid: instance.iid, confidentiality })
    this.#shapes.add(instance.shape, 1)
  }

  /** The old version ends; its entries stay until no snapshot needs them (sweep.ts). */
  #supersede(known: Instance, seq: number): void {
    this.#endVersion.run(seq, known.seq)
    if (known.state === states.live) {
      this.#insertDead.run(known.seq, seq)
      this.#superseded++
      this.#shapes.add(known.shape, -1)
    } else if (known.state === states.deleted) this.values.forgetAccessOfDeletion(known.seq)
  }
}

const list = <T>(tape: TapeReader, read: () => T): T[] => Array.from({ length: tape.number() }, read)
