import type { Document } from 'mongodb'
import { hints } from '../collections.ts'
import { everything, referenceEntry } from '../entries.ts'
import { patientsAmong } from '../relations.ts'
import { blocks, candidateFields, gatheredMax } from './arms.ts'
import type { PatientsFilter } from '../../../base/access-filter.ts'
import { AccessOfVersions, type Attributes, admittedOf, type RelatedAmong, type Wanted } from '../access-of-versions.ts'
import type { Among, Condition, Conditions, Referred, Referring, Seen } from './conditions.ts'
import { unbounding } from './filter.ts'
import type { Reading } from './reading.ts'

/** A document that may match. */
export type Candidate = {
  readonly id: string
  readonly seq: number
  readonly refs: readonly string[]
  readonly document: Document
}

/** Candidates verified at once. */
export const verifiedMax = 200

/** Asks of documents that were found what other documents decide: a batch at a time, so that a page is filled and never cut short. */
export class Verifying {
  readonly #reading: Reading
  /** By relation, then by patient: nobody is asked about twice in one question. */
  readonly #relations = new Map<PatientsFilter, Map<string, boolean>>()

  constructor(reading: Reading) {
    this.#reading = reading
  }

  /** In their order, those that meet all conditions. */
  async meeting(type: string, candidates: readonly Candidate[], conditions: readonly Condition[]): Promise<readonly Candidate[]> {
    let left = candidates
    for (const condition of conditions) if (left.length > 0) left = await this.#passing(type, left, condition)
    return left
  }

  async #passing(type: string, candidates: readonly Candidate[], condition: Condition): Promise<readonly Candidate[]> {
    switch (condition.is) {
      case 'filter':
        return this.#kept(
          candidates,
          await this.#found(
            type,
            candidates.map(({ id }) => id),
            { filters: [condition.filter], verify: [] },
          ),
        )
      case 'every':
        return this.meeting(type, candidates, condition.of)
      case 'not': {
        const passed = new Set(await this.#passing(type, candidates, condition.of))
        return candidates.filter(one => !passed.has(one))
      }
      case 'some': {
        const passed = new Set<Candidate>()
        for (const one of condition.of) {
          const left = candidates.filter(candidate => !passed.has(candidate))
          if (left.length > 0) for (const candidate of await this.#passing(type, left, one)) passed.add(candidate)
        }
        return candidates.filter(candidate => passed.has(candidate))
      }
      case 'referring':
        return this.#referring(candidates, condition)
      case 'referred':
        return this.#kept(candidates, await this.#referred(candidates, condition))
      case 'among':
        return candidates.filter(candidate => isAmong(candidate, condition))
      case 'seen':
        return this.#seen(type, candidates, condition)
    }
  }

  #kept(candidates: readonly Candidate[], ids: ReadonlySet<string>): readonly Candidate[] {
    return candidates.filter(({ id }) => ids.has(id))
  }

  async #referring(candidates: readonly Candidate[], { code, to }: Referring): Promise<readonly Candidate[]> {
    const passed = new Set<Candidate>()
    for (const { type, conditions } of to) {
      const begins = referenceEntry(code, type, '')
      const targets = new Map<Candidate, readonly string[]>()
      for (const candidate of candidates)
        if (!passed.has(candidate))
          targets.set(
            candidate,
            candidate.refs.filter(ref => ref.startsWith(begins)).map(ref => ref.slice(begins.length)),
          )
      const found = await this.#found(type, [...new Set([...targets.values()].flat())], conditions)
      for (const [candidate, ids] of targets) if (ids.some(id => found.has(id))) passed.add(candidate)
    }
    return candidates.filter(candidate => passed.has(candidate))
  }

  async #seen(type: string, candidates: readonly Candidate[], { by, access, patients }: Seen): Promise<readonly Candidate[]> {
    const { now, database } = this.#reading
    if (by === 'newest') {
      const rows = candidates.map(({ seq }) => ({ seq, type }))
      const admitted = await new AccessOfVersions(database).admitted(rows, access, now)
      return candidates.filter(({ seq }) => admitted.has(seq))
    }
    // As projected.
    const documents = candidates.map(({ document }) => document as Attributes)
    const relatedAmong: RelatedAmong = wanted => this.#related(wanted, patients)
    const admitted = new Set<object>(await admittedOf(documents, access, relatedAmong))
    return candidates.filter(({ document }) => admitted.has(document))
  }

  /** Nobody is asked about twice in one question, unless it is for more relations than before: then for all of them, in one look. */
  async #related(wanted: Wanted, lookedUp: Seen['patients']): Promise<(relation: PatientsFilter, patient: string) => boolean | undefined> {
    const asked = new Map([...wanted].filter(([relation]) => lookedUp?.has(relation) !== true))
    const isUnknown = (patient: string): boolean =>
      [...asked].some(([relation, patients]) => patients.has(patient) && !this.#known(relation).has(patient))
    const unknown = new Set([...new Set([...asked.values()].flatMap(patients => [...patients]))].filter(isUnknown))
    if (unknown.size > 0) {
      const open = new Map([...asked].map(([relation, patients]) => [relation, patients.intersection(unknown)]))
      const found = await patientsAmong(open, this.#reading.now, commands => this.#reading.latest(commands))
      for (const [relation, patients] of open)
        for (const patient of patients) this.#known(relation).set(patient, found.get(relation)?.has(patient) === true)
    }
    return (relation, patient) => lookedUp?.get(relation)?.has(patient) ?? this.#known(relation).get(patient)
  }

  #known(relation: PatientsFilter): Map<string, boolean> {
    const known = this.#relations.get(relation) ?? new Map<string, boolean>()
    this.#relations.set(relation, known)
    return known
  }

  /** Of the ids those of documents that meet the conditions. */
  async #found(type: string, ids: readonly string[], { filters, verify }: Conditions): Promise<ReadonlySet<string>> {
    const found = new Set<string>()
    if (ids.length === 0 || !(await this.#reading.has(type))) return found
    for (const block of blocks(ids, gatheredMax)) {
      const filter = { _id: { $in: block }, 'ix.tk': everything, ...unbounding(filters) }
      const rows = await this.#reading.rows({
        find: type,
        filter,
        hint: hints.id,
        projection: candidateFields(verify),
        limit: block.length,
        batchSize: block.length,
      })
      for (const some of blocks(rows.map(candidateOf), verifiedMax))
        for (const { id } of await this.meeting(type, some, verify)) found.add(id)
    }
    return found
  }

  /** Looks through who refers to the candidates until each has somebody, or nobody is left. */
  async #referred(candidates: readonly Candidate[], { code, type, by }: Referred): Promise<ReadonlySet<string>> {
    const waiting = new Map(candidates.map(({ id }) => [referenceEntry(code, type, id), id]))
    const passed = new Set<string>()
    if (!(await this.#reading.has(by.type))) return passed
    const { filters, verify } = by.conditions
    const asked: Condition = { is: 'among', begins: [referenceEntry(code, type, '')], keys: new Set() }
    for (let before = Number.MAX_SAFE_INTEGER; waiting.size > 0; ) {
      const rows = await this.#reading.rows({
        find: by.type,
        filter: { 'ix.tk': { $in: [...waiting.keys()] }, seq: { $lt: before }, ...unbounding(filters) },
        hint: hints.tk,
        projection: candidateFields([...verify, asked]),
        sort: { seq: -1 },
        limit: verifiedMax,
        batchSize: verifiedMax,
      })
      for (const { refs } of await this.meeting(by.type, rows.map(candidateOf), verify))
        for (const ref of refs) {
          const id = waiting.get(ref)
          if (id !== undefined && waiting.delete(ref)) passed.add(id)
        }
      if (rows.length < verifiedMax) break
      before = rows.at(-1)?.seq
    }
    return passed
  }
}

const isAmong = ({ id, refs }: Candidate, { begins, keys }: Among): boolean =>
  begins === undefined ? keys.has(id) : refs.some(ref => keys.has(ref))

export const candidateOf = (document: Document): Candidate => ({ id: document._id, seq: document.seq, refs: document.refs ?? [], document })
