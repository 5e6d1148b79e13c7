import { type AccessFilter, type AccessSubject, lookupsOf, type PatientsFilter, permits } from '../../base/access-filter.ts'
import { hints } from './collections.ts'
import type { Database } from './database.ts'
import { majority, seqOf } from './raw-versions.ts'
import { blocksOf } from './reader.ts'
import { type Ask, askOf, patientsAmong } from './relations.ts'

/** Keys in one question. */
const keysMax = 500
/** What to ask the server for. */
export const attributes = { patients: 1, organizations: 1, authors: 1, conf: 1, sens: 1 } as const

export type Attributes = {
  readonly _id: string
  readonly patients?: readonly string[]
  readonly organizations?: readonly string[]
  readonly authors?: readonly string[]
  readonly conf: number
  readonly sens?: readonly string[]
}
type Row = { readonly seq: number; readonly type: string }

/**
 * What access filters ask of versions: the attributes of the newest version of their instance, as it is now and not as a snapshot has it, so that
 * what was withdrawn is withdrawn from all pages at once; relations as they are now, too. What was erased is missing.
 */
export class AccessOfVersions {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Seqs of the versions that the filter lets through. In doubt they are not among them. */
  async admitted(rows: readonly Row[], filter: AccessFilter, now: number = this.#database.clock()): Promise<ReadonlySet<number>> {
    const newest = await this.#newestOf(rows)
    const admitted = new Set(await admittedOf([...newest.values()], filter, relatedNow(now, askOf(this.#database))))
    return new Set([...newest].flatMap(([seq, one]) => (admitted.has(one) ? [seq] : [])))
  }

  /** By the seqs of the rows. */
  async #newestOf(rows: readonly Row[]): Promise<ReadonlyMap<number, Attributes>> {
    const found = new Map<number, Attributes>()
    for (const [type, of] of Map.groupBy(rows, row => row.type))
      for (const block of blocksOf(of, keysMax))
        await this.#ofType(
          type,
          block.map(({ seq }) => seq),
          found,
        )
    return found
  }

  async #ofType(type: string, seqs: readonly number[], found: Map<number, Attributes>): Promise<void> {
    const { collections } = this.#database
    const newest = await collections
      .newest(type)
      .find({ seq: { $in: seqs.map(seqOf) } }, { ...majority, hint: hints.seq, projection: { seq: 1, ...attributes } })
      .toArray()
    for (const one of newest) found.set(Number(one.seq), one)
    const others = seqs.filter(seq => !found.has(seq)).map(seqOf)
    if (others.length === 0) return
    const past = await collections
      .past(type)
      .find({ seq: { $in: others } }, { ...majority, hint: hints.pastSeq, projection: { seq: 1, id: 1 } })
      .toArray()
    const ids = [...new Set(past.map(({ id }) => id))]
    const owners = await collections
      .newest(type)
      .find({ _id: { $in: ids } }, { ...majority, projection: attributes })
      .toArray()
    const byId = new Map(owners.map(owner => [owner._id, owner]))
    for (const { seq, id } of past) {
      const owner = byId.get(id)
      if (owner !== undefined) found.set(Number(seq), owner)
    }
  }
}

/** How it is found out which of some patients stand in relations. */
export type RelatedAmong = (relations: readonly PatientsFilter[], patients: readonly string[]) => Promise<Related>
type Related = (relation: PatientsFilter, patient: string) => boolean | undefined

export const relatedNow =
  (now: number, ask: Ask): RelatedAmong =>
  async (relations, patients) => {
    const found = await patientsAmong(relations, patients, now, ask)
    return (relation, patient) => found.get(relation)?.has(patient)
  }

/** Those that the filter lets through; relations are asked for all of them at once. In doubt it does not. */
export const admittedOf = async <A extends Attributes>(
  list: readonly A[],
  filter: AccessFilter,
  relatedAmong: RelatedAmong,
): Promise<readonly A[]> => {
  const asked = lookupsOf(filter).filter(one => one.op === 'patients')
  const patients = asked.length === 0 ? [] : [...new Set(list.flatMap(one => one.patients ?? []))]
  const relates = patients.length === 0 ? () => undefined : await relatedAmong(asked, patients)
  return list.filter(one => permits(filter, { ...subjectOf(one), relates }) === true)
}

const subjectOf = ({ _id, patients = [], organizations = [], authors = [], conf, sens = [] }: Attributes): AccessSubject => ({
  id: _id,
  patients,
  organizations,
  authors,
  confidentiality: conf,
  sensitivities: sens,
})
