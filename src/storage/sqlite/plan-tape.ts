import type { AccessFilter } from '../../base/access-filter.ts'
import type { Query } from '../../search/tree.ts'
import type { IndexValues } from '../../search/values.ts'
import type { Key, Method, NewVersion, Relation, WritePlan } from '../port.ts'
import { shapeOf } from '../shape.ts'
import type { Errand } from './errand.ts'
import type { RecordAction } from './record-writer.ts'
import { relationKinds } from './relations.ts'

/**
 * How plans travel to the writer thread: everything but guards lies flat on one array of strings and numbers, and all texts in one
 * buffer that is handed over, not copied. Objects with member names would cost the clone several times as much on both sides.
 * The order of a plan: once · errand · version keys · expects · exists · unreferenced · unique · counters · number of guards · records ·
 * blobs · version bodies; every list is led by its length. The writer reads the same order from the tape (commit.ts).
 */
export type Item = string | number
export type EnginePlan = Omit<WritePlan, 'records'> & { readonly records?: readonly RecordAction[] }
export type Guard = { readonly query: Query; readonly access: AccessFilter; readonly found: number | 'none' }

/** Where a plan begins, and how large it is. `weight`: how long it holds the writer, in versions, roughly. */
export type PackedPlan = {
  readonly id: number
  readonly at: number
  readonly guardsAt: number
  readonly versions: number
  readonly weight: number
}
export type PackedPlans = {
  readonly plans: readonly PackedPlan[]
  readonly tape: readonly Item[]
  readonly texts: Uint8Array<ArrayBuffer>
  readonly guards: readonly Guard[]
  readonly errands: readonly Errand[]
}

export const methodNumbers = { POST: 1, PUT: 2, DELETE: 3 } as const satisfies Record<Method, number>
export const methodOf = (n: number): Method => (n === 1 ? 'POST' : n === 2 ? 'PUT' : 'DELETE')

/** Stands for 'none' in expectations and for "no limit" in counters: neither seqs nor limits are negative. */
export const none = -1

/** Gathers plans until they are taken for one message. */
export class PlanPacker {
  #plans: PackedPlan[] = []
  #tape: Item[] = []
  #guards: Guard[] = []
  #errands: Errand[] = []
  #texts: Uint8Array[] = []
  #textBytes = 0

  get isEmpty(): boolean {
    return this.#plans.length === 0
  }

  /** `errand`: what the engine itself asks besides; `bytes`: those of a part of a blob. */
  add(id: number, plan: EnginePlan, errand?: Errand, bytes?: Uint8Array): void {
    const versions = plan.versions.length
    const relations = plan.versions.reduce((sum, version) => sum + (version.relations?.length ?? 0), 0)
    const weight = versions + relations * relationWeight + (plan.records?.length ?? 0) + (errand === undefined ? 0 : weightOf(errand))
    this.#plans.push({ id, at: this.#tape.length, guardsAt: this.#guards.length, versions, weight })
    const tape = this.#tape
    tape.push(plan.once ?? '', errand === undefined ? none : this.#errands.length)
    if (errand !== undefined) this.#errands.push(bytes === undefined ? errand : { ...errand, ...this.#bytes(bytes) })
    tape.push(plan.versions.length)
    for (const one of plan.versions) tape.push(one.type, one.id, one.versionId, methodNumbers[one.method])
    tape.push(plan.expects.length)
    for (const one of plan.expects) tape.push(one.type, one.id, one.seq === 'none' ? none : one.seq)
    this.#keys(plan.exists)
    this.#keys(plan.unreferenced)
    tape.push(plan.unique?.length ?? 0)
    for (const one of plan.unique ?? []) tape.push(one.key, ...ownerOf(one.owner))
    tape.push(plan.counters?.length ?? 0)
    for (const one of plan.counters ?? []) tape.push(one.key, one.limit ?? none)
    tape.push(plan.guards.length)
    this.#guards.push(...plan.guards)
    tape.push(plan.records?.length ?? 0)
    for (const one of plan.records ?? []) pushRecord(tape, one)
    tape.push(plan.blobs?.length ?? 0)
    for (const one of plan.blobs ?? []) tape.push(one.id, one.owner?.type ?? '', one.owner?.id ?? '')
    for (const one of plan.versions) this.#body(one)
  }

  /** All plans since the last taking. */
  take(): PackedPlans {
    const texts = new Uint8Array(this.#textBytes)
    let at = 0
    for (const text of this.#texts) {
      texts.set(text, at)
      at += text.length
    }
    const packed = { plans: this.#plans, tape: this.#tape, texts, guards: this.#guards, errands: this.#errands }
    this.#plans = []
    this.#tape = []
    this.#guards = []
    this.#errands = []
    this.#texts = []
    this.#textBytes = 0
    return packed
  }

  #keys(keys: readonly Key[] = []): void {
    this.#tape.push(keys.length)
    for (const key of keys) this.#tape.push(key.type, key.id)
  }

  /** Where the bytes will lie. */
  #bytes(bytes: Uint8Array): { readonly start: number; readonly length: number } {
    const at = { start: this.#textBytes, length: bytes.length }
    this.#texts.push(bytes)
    this.#textBytes += bytes.length
    return at
  }

  #body(version: NewVersion): void {
    const tape = this.#tape
    const { start, length } = this.#bytes(version.text)
    tape.push(start, length, version.lastUpdatedOffset, version.confidentiality)
    // A deletion says nothing of relations, whatever it brings.
    const relations = version.method === 'DELETE' ? [] : (version.relations ?? [])
    tape.push(relations.length)
    for (const one of relations) pushRelation(tape, one)
    for (const list of [version.sensitivities ?? [], version.patients, version.organizations, version.authors]) {
      const distinct = list.length < 2 ? list : [...new Set(list)]
      tape.push(distinct.length, ...distinct)
    }
    // The writer knows deletions by their method: they have no values, everything else has, if only empty lists.
    if (version.method !== 'DELETE') pushValues(tape, version.values ?? noValues)
  }
}

const noValues: IndexValues = { tokens: [], strings: [], dates: [], numbers: [], references: [], composites: [], sort: [], shape: [] }

/** A version writes some twenty rows. */
const relationWeight = 0.05

/** A part is 1 MiB, and an erasure takes as many versions as fit in a turn: those wait with the large plans. */
const weightOf = (errand: Errand): number => {
  if (errand.kind === 'erase' || errand.kind === 'load-beside') return 501
  if (errand.kind === 'part' || errand.kind === 'sweep-dropped') return 100
  return errand.kind === 'take' ? errand.n : 1
}

const pushRecord = (tape: Item[], { record, action, key, expected, lease, text }: RecordAction): void => {
  tape.push(record, action, key, expected, lease, text)
}

/** Open ends are infinite: the tape holds no nothing. */
const pushRelation = (tape: Item[], { from, of, patient, since, until, self }: Relation): void => {
  tape.push(relationKinds[from], of, patient, since ?? Number.NEGATIVE_INFINITY, until ?? Number.POSITIVE_INFINITY, self === true ? 1 : 0)
}

const ownerOf = (owner: string): [string, string] => {
  const slash = owner.indexOf('/')
  return [owner.slice(0, slash), owner.slice(slash + 1)]
}

const pushValues = (tape: Item[], values: IndexValues): void => {
  tape.push(values.tokens.length)
  for (const one of values.tokens) tape.push(one.param, one.system, one.code, one.mark)
  tape.push(values.strings.length)
  for (const one of values.strings) tape.push(one.param, one.value, one.exact, one.mark)
  tape.push(values.dates.length)
  for (const one of values.dates) tape.push(one.param, one.lo, one.hi, one.mark)
  tape.push(values.numbers.length)
  for (const one of values.numbers) tape.push(one.param, one.unit, one.lo, one.hi, one.mark)
  tape.push(values.references.length)
  for (const one of values.references) tape.push(one.param, one.type, one.id)
  const ranges = values.composites.filter(one => one.range !== undefined)
  tape.push(ranges.length)
  for (const one of ranges) tape.push(one.param, one.key, one.range?.lo ?? 0, one.range?.hi ?? 0)
  const texts = values.composites.filter(one => one.range === undefined)
  tape.push(texts.length)
  for (const one of texts) tape.push(one.param, one.key, one.text ?? '')
  tape.push(values.sort.length)
  for (const one of values.sort) tape.push(one.param, JSON.stringify(one.greatest === undefined ? [one.least] : [one.least, one.greatest]))
  tape.push(shapeOf(values).join(' '))
}

/** Reads a tape in the order it was written. The casts are that order: text() where a string was pushed, number() where a number was. */
export class TapeReader {
  #tape: readonly Item[]
  at: number

  constructor(tape: readonly Item[], at: number) {
    this.#tape = tape
    this.at = at
  }

  text(): string {
    return this.#tape[this.at++] as string
  }

  number(): number {
    return this.#tape[this.at++] as number
  }
}

/** As `pushRecord` wrote it. */
export const recordAction = (tape: TapeReader): RecordAction => ({
  record: tape.text(),
  action: tape.number() as RecordAction['action'], // as it was pushed
  key: tape.text(),
  expected: tape.number(),
  lease: tape.number(),
  text: tape.text(),
})

/** What a waiting plan holds in memory, roughly: its texts and some bytes for each item. */
export const planBytes = (plan: EnginePlan): number => {
  let bytes = 200
  for (const { text } of plan.records ?? []) bytes += 2 * text.length + 200
  for (const { text, values, relations = [] } of plan.versions)
    bytes += text.length + 500 + 60 * ((values === undefined ? 0 : valuesCount(values)) + relations.length)
  return bytes
}

const valuesCount = (values: IndexValues): number =>
  values.tokens.length +
  values.strings.length +
  values.dates.length +
  values.numbers.length +
  values.references.length +
  values.composites.length
