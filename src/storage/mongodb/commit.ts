import type { AccessFilter } from '../../base/access-filter.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { lastUpdatedPlaceholder } from '../../fhir/model/stored-form.ts'
import type { Query } from '../../search/tree.ts'
import type { Committed, Key, NewVersion, WritePlan } from '../port.ts'
import { msOfSeq } from '../sequence.ts'
import { Batch } from './batch.ts'
import type { MongoBlobs } from './blobs.ts'
import { nextNumbers, readCounters, writeCounters } from './counters.ts'
import type { Database } from './database.ts'
import { guardsOf, takeGuards } from './guards.ts'
import { Instances } from './instances.ts'
import type { Turn } from './lane.ts'
import type { RecordAction, RecordTurn } from './record-turn.ts'
import type { RecordKeeper } from './records.ts'
import { referrersOf, referrersTold } from './referrers.ts'
import type { State } from './state.ts'
import { type Owners, ownerKey, readOnce, readOwners, takenKey, writeOnce, writeOwners } from './unique.ts'
import { shapeCodesOf, systemsOf } from './values.ts'
import { type Documents, documentsOf } from './version-documents.ts'

/** A plan with its records checked. */
export type Plan = { readonly plan: WritePlan; readonly actions: readonly RecordAction[] }

/** What guards ask again, inside the transaction. */
export type GuardSearch = {
  search(
    query: Query,
    asked: { readonly access: AccessFilter; readonly count: number; readonly state: State },
  ): Promise<Outcome<{ readonly rows: readonly { readonly seq: number }[] }>>
}

export type CommitterParts = {
  readonly database: Database
  readonly search: GuardSearch
  readonly records: RecordKeeper
  readonly blobs: MongoBlobs
}

type Refused = Extract<Committed, { held: false }>
type Answer = Outcome<Committed>

/** What was read for all plans of a transaction, before anything is decided. */
type Seen = {
  readonly instances: Instances
  readonly once: ReadonlySet<string>
  readonly owners: Owners
  readonly counters: ReadonlyMap<string, number>
  /** Whether anything at all refers to what plans of the group want nobody to refer to. */
  readonly referred: boolean
  readonly records: RecordTurn
}

/** What plans that hold have come to write, beside versions. */
type Beside = {
  readonly once: string[]
  readonly owners: Map<string, string>
  readonly counters: Map<string, number>
}

/**
 * Checks and writes the plans of a group in one transaction. No two of them share anything (plan-keys.ts), so all are checked on the state before
 * any of them is written, and each collection is asked once for all.
 */
export class Committer {
  readonly #parts: CommitterParts
  constructor(parts: CommitterParts) {
    this.#parts = parts
  }

  /** What must be there before the transaction begins. */
  async prepare(plans: readonly Plan[]): Promise<void> {
    const { database } = this.#parts
    const versions = plans.flatMap(({ plan }) => plan.versions)
    const types = new Set(plans.flatMap(({ plan }) => [...plan.versions, ...plan.expects].map(key => key.type)))
    await Promise.all([...types].map(type => database.collections.ensure(type)))
    await prepareWords(database, versions)
  }

  /**
   * Writes the plans that hold; the answers are in the order of the plans. Unless `careful`, a first version is held to be new without looking:
   * where it is not, this throws a duplicate key.
   */
  async apply(plans: readonly Plan[], turn: Turn, careful: boolean): Promise<readonly Answer[]> {
    const { database } = this.#parts
    // First of all: who comes second fails before it did any work.
    await takeGuards(database, [...new Set(plans.flatMap(({ plan }) => guardsOf(plan)))], turn.session)
    const seen = await this.#read(plans, turn, careful)
    const batch = new Batch()
    const beside: Beside = { once: [], owners: new Map(), counters: new Map() }
    const answers: Answer[] = []
    for (const one of plans) answers.push(await this.#plan(one, seen, batch, beside, turn))
    await batch.write(database, turn.session)
    await writeOnce(database, beside.once, turn.session)
    await writeOwners(database, beside.owners, turn.session)
    await writeCounters(database, beside.counters, turn.session)
    await seen.records.flush()
    return answers
  }

  async #read(plans: readonly Plan[], { session }: Turn, careful: boolean): Promise<Seen> {
    const { database, records } = this.#parts
    const instances = new Instances(database, session)
    const once = await readOnce(
      database,
      plans.flatMap(({ plan }) => plan.once ?? []),
      session,
    )
    await instances.read(
      plans.flatMap(({ plan }) => keysToRead(plan, careful)),
      true,
    )
    const owners = await readOwners(
      database,
      plans.flatMap(({ plan }) => (plan.unique ?? []).map(({ key }) => key)),
      session,
    )
    const others = [...plans.flatMap(({ plan }) => plan.exists ?? []), ...[...owners.values()].map(ownerKey)]
    await instances.read(
      others.filter(key => instances.get(key) === undefined),
      false,
    )
    const counters = await readCounters(
      database,
      plans.flatMap(({ plan }) => (plan.counters ?? []).map(({ key }) => key)),
      session,
    )
    const actions = plans.flatMap(plan => plan.actions)
    const referred = await referrersTold(
      database,
      plans.map(({ plan }) => plan),
    )
    return { instances, once, owners, counters, referred, records: await records.begin(actions, session) }
  }

  async #plan({ plan, actions }: Plan, seen: Seen, batch: Batch, beside: Beside, turn: Turn): Promise<Answer> {
    if (plan.once !== undefined && seen.once.has(plan.once)) return ok({ held: false, taken: plan.once })
    const refused = await this.#refused(plan, seen, turn)
    if (refused !== undefined) return ok(refused)
    const counters = nextNumbers(plan.counters ?? [], seen.counters)
    if (counters.full !== undefined) return ok({ held: false, full: counters.full })
    const { versions } = plan
    const seqs = this.#take(plan, actions, seen, turn)
    const documents = this.#documents(versions, seqs)
    if (documents === undefined) return fail('too-many-index-values', {})
    const besideRefused = await this.#writeBeside(plan, actions, seqs, seen, turn)
    if (besideRefused !== undefined) return ok(besideRefused)
    for (const [at, version] of versions.entries())
      batch.add(version.type, documents[at] as Documents, seqs[at] as number, seen.instances.get(version), turn) // one for each version
    for (const { key, owner } of plan.unique ?? []) beside.owners.set(key, owner)
    for (const [key, value] of counters.values) beside.counters.set(key, value)
    if (plan.once !== undefined) beside.once.push(plan.once)
    if (writes(plan)) {
      turn.changed = true
      for (const key of pinned(plan)) batch.pin(key, seen.instances.get(key), this.#pinSeq(seqs, turn))
    }
    return ok(held(plan, seqs, counters.numbers))
  }

  /** In the order in which refusals are told. */
  async #refused(plan: WritePlan, { instances, owners, referred }: Seen, turn: Turn): Promise<Refused | undefined> {
    if (!expectationsHold(plan, instances)) return { held: false }
    for (const guard of plan.guards) if (!(await this.#holds(guard, turn))) return { held: false }
    const missing = missingTargets(plan, instances)
    if (missing.length > 0) return { held: false, missing }
    const referrers = referred ? await referrersOf(this.#parts.database, plan) : []
    if (referrers.length > 0) return { held: false, referrers }
    const taken = takenKey(plan, owners, key => instances.isLive(key))
    return taken === undefined ? undefined : { held: false, taken }
  }

  /** Two rows are enough to know that there is not just one. */
  async #holds({ query, access, found }: WritePlan['guards'][number], { session }: Turn): Promise<boolean> {
    const page = await this.#parts.search.search(query, { access, count: 2, state: { session } })
    if (!page.ok) return false
    const { rows } = page.value
    return found === 'none' ? rows.length === 0 : rows.length === 1 && rows[0]?.seq === found
  }

  /** Records are known by the seq of their plan, so a plan without versions takes one too. */
  #take(plan: WritePlan, actions: readonly RecordAction[], { instances }: Seen, turn: Turn): readonly number[] {
    const newest = Math.max(0, ...plan.versions.map(key => Number(instances.get(key)?.seq ?? 0)))
    const least = actions.length > 0 || (plan.blobs?.length ?? 0) > 0 ? 1 : 0
    return turn.take(Math.max(least, plan.versions.length), newest)
  }

  #pinSeq(seqs: readonly number[], turn: Turn): number {
    return seqs[0] ?? (turn.take(1, 0)[0] as number)
  }

  /** Undefined when one of them cannot be kept. */
  #documents(versions: readonly NewVersion[], seqs: readonly number[]): readonly Documents[] | undefined {
    const { database } = this.#parts
    const documents: Documents[] = []
    for (const [at, version] of versions.entries()) {
      const one = documentsOf(version, seqs[at] as number, database.dictionary) // one seq for each version
      if (one === undefined) return undefined
      documents.push(one)
    }
    return documents
  }

  /** Records and blobs, in this order; nothing is kept of them when one does not hold. */
  async #writeBeside(
    plan: WritePlan,
    actions: readonly RecordAction[],
    seqs: readonly number[],
    { records }: Seen,
    { session }: Turn,
  ): Promise<Refused | undefined> {
    const { blobs = [], versions } = plan
    const takeBack = records.mark()
    const record = records.write(actions, seqs[0] ?? 0)
    if (record !== undefined) return { held: false, record }
    const owners = versions.map(({ type, id }, at) => ({ type, id, seq: seqs[at] as number })) // one seq for each version
    const blob = await this.#parts.blobs.adopt(blobs, owners, session)
    if (blob === undefined) return undefined
    takeBack()
    return { held: false, blob }
  }
}

/** Numbers for all words in the entries of the versions, and whom their relations serve. */
export const prepareWords = async (
  database: Database,
  versions: readonly Pick<NewVersion, 'type' | 'method' | 'values' | 'relations'>[],
): Promise<void> => {
  const indexed = versions.filter(({ method }) => method !== 'DELETE')
  await Promise.all([
    database.dictionary.prepare(
      new Set(indexed.flatMap(systemsOf)),
      indexed.map(version => ({ type: version.type, codes: shapeCodesOf(version) })),
    ),
    database.served.prepare(indexed),
  ])
}

/** Gives the caller's texts back as they came: nothing of them was written. */
export const restoreTexts = ({ versions }: WritePlan): void => {
  for (const { text, lastUpdatedOffset } of versions)
    if (lastUpdatedOffset >= 0)
      Buffer.from(text.buffer, text.byteOffset, text.byteLength).write(lastUpdatedPlaceholder, lastUpdatedOffset, 'latin1')
}

/** A first version of which nothing else is expected needs no look: if there is one already, writing it fails. */
const keysToRead = ({ expects, versions }: WritePlan, careful: boolean): readonly Key[] => {
  if (careful) return [...expects, ...versions]
  const first = new Set(versions.flatMap(({ type, id, versionId }) => (versionId === 1 ? [`${type}/${id}`] : [])))
  return [
    ...expects.filter(({ type, id, seq }) => seq !== 'none' || !first.has(`${type}/${id}`)),
    ...versions.filter(({ versionId }) => versionId !== 1),
  ]
}

const expectationsHold = ({ expects, versions }: WritePlan, instances: Instances): boolean => {
  for (const { seq, ...key } of expects) if (Number(instances.get(key)?.seq ?? 0) !== (seq === 'none' ? 0 : seq)) return false
  const written = new Set<string>()
  for (const { versionId, type, id } of versions) {
    // A plan that expects nothing must still not leave a gap or write a version twice.
    if ((instances.get({ type, id })?.versionId ?? 0) + 1 !== versionId || written.has(`${type}/${id}`)) return false
    written.add(`${type}/${id}`)
  }
  return true
}

const missingTargets = ({ exists = [], versions }: WritePlan, instances: Instances): readonly Key[] => {
  if (exists.length === 0) return []
  const inPlan = new Map(versions.map(({ type, id, method }) => [`${type}/${id}`, method]))
  return exists.filter(key => {
    const method = inPlan.get(`${key.type}/${key.id}`)
    return method === undefined ? !instances.isLive(key) : method === 'DELETE'
  })
}

const writes = ({ versions, counters = [], unique = [], once, records = [], blobs = [] }: WritePlan): boolean =>
  versions.length + counters.length + unique.length + records.length + blobs.length > 0 || once !== undefined

/** What the plan counts on and does not write: instances as it expects them, and those that must be there. */
const pinned = ({ expects, exists = [], versions }: WritePlan): readonly Key[] => {
  if (expects.length + exists.length === 0) return []
  const others = new Map([...expects, ...exists].map(key => [`${key.type}/${key.id}`, key]))
  for (const { type, id } of versions) others.delete(`${type}/${id}`)
  return [...others.values()]
}

const held = ({ versions, records = [] }: WritePlan, seqs: readonly number[], counters: readonly number[]): Committed => ({
  held: true,
  versions: versions.map((_, at) => ({ seq: seqs[at] as number, lastUpdated: msOfSeq(seqs[at] as number) })), // one seq for each version
  counters,
  ...(records.length === 0 ? {} : { revision: seqs[0] as number }),
})
