import { type AccessFilter, type AccessSubject, type PatientsFilter, permits } from '../../base/access-filter.ts'
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

/** Whom to ask for, by relation. */
export type Wanted = ReadonlyMap<PatientsFilter, ReadonlySet<string>>
/** How it is found out which of some patients stand in relations. Of the others the answer may be unknown. */
export type RelatedAmong = (wanted: Wanted) => Promise<Related>
type Related = (relation: PatientsFilter, patient: string) => boolean | undefined

export const relatedNow =
  (now: number, ask: Ask): RelatedAmong =>
  async wanted => {
    const found = wanted.size === 0 ? new Map<PatientsFilter, ReadonlySet<string>>() : await patientsAmong(wanted, now, ask)
    return (relation, patient) => (wanted.get(relation)?.has(patient) ? found.get(relation)?.has(patient) : undefined)
  }

/** Questions about one patient and one of whom relations serve, that are sooner asked at once than by two looks. */
const atOnceMax = 500

/**
 * Those that the filter lets through; relations are asked for all of them at once, and only where nothing else decides. Where that is much, first those
 * that decide most, then all that is left to decide, so that a decision hangs on one look. In doubt it does not.
 */
export const admittedOf = async <A extends Attributes>(
  list: readonly A[],
  filter: AccessFilter,
  relatedAmong: RelatedAmong,
): Promise<readonly A[]> => {
  const admitted = new Set<A>()
  let relates: Related = () => undefined
  let left = list.map(one => ({
    one,
    subject: { ...subjectOf(one), relates: (relation: PatientsFilter, patient: string) => relates(relation, patient) },
  }))
  const decide = (): void => {
    left = left.filter(({ one, subject }) => {
      const passes = permits(filter, subject)
      if (passes === true) admitted.add(one)
      return passes === undefined
    })
  }
  const look = async (relations: Wanted): Promise<void> => {
    const [found, before] = [await relatedAmong(relations), relates]
    relates = (relation, patient) => found(relation, patient) ?? before(relation, patient)
    decide()
  }
  const wanted = (of: 'first' | 'all'): Wanted => wantedOf(left, subject => undecidedIn(filter, subject, of))
  decide()
  if (questionsIn(wanted('all')) > atOnceMax) await look(wanted('first'))
  if (left.length > 0) await look(wanted('all'))
  return list.filter(one => admitted.has(one))
}

type Subject = AccessSubject & { readonly patients: readonly string[] }

/** The relations of each condition that is not decided yet; of alternatives those of the first alone, which mostly decides, or of all. */
const undecidedIn = (filter: AccessFilter, subject: Subject, of: 'first' | 'all'): readonly PatientsFilter[] => {
  if (permits(filter, subject) !== undefined) return []
  switch (filter.op) {
    case 'patients':
      return [filter]
    case 'and':
      return filter.of.flatMap(one => undecidedIn(one, subject, of))
    case 'or': {
      const alternatives = filter.of.map(one => undecidedIn(one, subject, of))
      return of === 'all' ? alternatives.flat() : (alternatives.find(relations => relations.length > 0) ?? [])
    }
    case 'not':
      return undecidedIn(filter.of, subject, of)
    default:
      return []
  }
}

const wantedOf = (
  list: readonly { readonly subject: Subject }[],
  relationsFor: (subject: Subject) => readonly PatientsFilter[],
): Wanted => {
  const wanted = new Map<PatientsFilter, Set<string>>()
  for (const { subject } of list)
    for (const relation of relationsFor(subject)) {
      const patients = wanted.get(relation) ?? new Set()
      for (const patient of subject.patients) patients.add(patient)
      wanted.set(relation, patients)
    }
  return wanted
}

const questionsIn = (wanted: Wanted): number => [...wanted].reduce((sum, [{ of }, patients]) => sum + of.length * patients.size, 0)

const subjectOf = ({ _id, patients = [], organizations = [], authors = [], conf, sens = [] }: Attributes): Subject => ({
  id: _id,
  patients,
  organizations,
  authors,
  confidentiality: conf,
  sensitivities: sens,
})
