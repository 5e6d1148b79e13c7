import type { Document } from 'mongodb'
import type { PatientsFilter } from '../../base/access-filter.ts'
import type { Key, Relation, RelationQuestion } from '../port.ts'
import { askedAgain } from './asked-again.ts'
import { Coalescing } from './coalesce.ts'
import { hints } from './collections.ts'
import type { Database } from './database.ts'
import { beginningWith, halvesOfRelationKey, partsOfRelationKey, patientInRelation, relationKey, relationKeys } from './entries.ts'
import { readingOf } from './raw-versions.ts'
import { blocksOf } from './reader.ts'
import { relationsIn } from './relating.ts'
import { numberMark, numberOf, relationOf, sourceOf } from './relation-documents.ts'

/** How commands are sent: relations are read as they are now, whatever state resources are read from. Gives all documents of each. */
export type Ask = (commands: readonly RelationCommand[]) => Promise<readonly (readonly Document[])[]>
export type RelationCommand = Document & { readonly aggregate: string }

/** Of what a majority has. */
export const askOf =
  ({ db }: Pick<Database, 'db'>): Ask =>
  commands =>
    Promise.all(
      commands.map(command =>
        askedAgain(async () => (await db.command({ ...command, readConcern: { level: 'majority' } })).cursor.firstBatch),
      ),
    )

/** Keys in one question. */
const keysMax = 2_000
/** Of more recipients than these it is not asked whose patients they have: candidates are asked. */
const recipientsMax = 20
/** Sources in one question. */
const sourcesMax = 200
/** Rows in one answer. */
const rowsMax = 10_000

type Standing = Pick<PatientsFilter, 'confirmed'> & { readonly now: number }

/**
 * Of the patients wanted of each relation those that stand in it; of all relations in one question, and another for those that count confirmed rows
 * alone.
 */
export const patientsAmong = async <F extends Omit<PatientsFilter, 'op'>>(
  wanted: ReadonlyMap<F, ReadonlySet<string>>,
  now: number,
  ask: Ask,
): Promise<ReadonlyMap<F, ReadonlySet<string>>> => {
  // Consents ask many words, of a hundred patients: each word and each patient is made a part of a key once.
  const wordsOf = new Map([...wanted.keys()].map(filter => [filter, filter.of.map(one => relationKeys(filter.from, one))]))
  const ends = new Map([...wanted.values()].flatMap(patients => [...patients].map(patient => [patient, patientInRelation(patient)])))
  const commands = [true, false].flatMap(confirmed => {
    const keys = new Set<string>()
    for (const [filter, patients] of wanted)
      if ((filter.confirmed === true) === confirmed)
        for (const word of wordsOf.get(filter) ?? []) for (const patient of patients) keys.add(`${word}${ends.get(patient)}`)
    return commandsFor([...keys], confirmed ? { confirmed, now } : { now }).map(command => ({ confirmed, command }))
  })
  const answers = await ask(commands.map(({ command }) => command))
  const there = { true: new Map<string, Set<string>>(), false: new Map<string, Set<string>>() }
  for (const [n, found] of answers.entries())
    for (const { _id } of found) {
      const { word, patient } = halvesOfRelationKey(_id)
      const standing = there[commands[n]?.confirmed === true ? 'true' : 'false']
      standing.set(word, (standing.get(word) ?? new Set()).add(patient))
    }
  const standsIn = (filter: F, patients: ReadonlySet<string>): ReadonlySet<string> => {
    const known = there[filter.confirmed === true ? 'true' : 'false']
    const found = (wordsOf.get(filter) ?? []).flatMap(word => known.get(word) ?? [])
    return new Set(found.length === 0 ? [] : [...patients].filter(patient => found.some(some => some.has(ends.get(patient) as string))))
  }
  return new Map([...wanted].map(([filter, patients]) => [filter, standsIn(filter, patients)]))
}

/** All who stand in each of the relations; undefined where they are more than `max`, of which no more was read than that. */
export const patientsOf = async (
  filters: readonly PatientsFilter[],
  max: number,
  now: number,
  ask: Ask,
): Promise<readonly (readonly string[] | undefined)[]> => {
  const commands = filters.flatMap((filter, n) => rangesOf(filter, max, now).map(command => ({ n, command })))
  const answers = await ask(commands.map(({ command }) => command))
  const found = filters.map(() => new Set<string>())
  for (const [at, rows] of answers.entries()) for (const { _id } of rows) found[commands[at]?.n ?? 0]?.add(partsOfRelationKey(_id).patient)
  return found.map((patients, n) => (patients.size > max || isOfMany(filters[n]) ? undefined : [...patients]))
}

const isOfMany = (filter: PatientsFilter | undefined): boolean => filter !== undefined && new Set(filter.of).size > recipientsMax

const rangesOf = (filter: PatientsFilter, max: number, now: number): readonly RelationCommand[] => {
  if (isOfMany(filter)) return []
  const standing = filter.confirmed === true ? { confirmed: true as const, now } : { now }
  return [...new Set(filter.of)].map(one => {
    const { from, before } = beginningWith(relationKeys(filter.from, one))
    return commandOf([...distinctKeys({ key: { $gte: from, $lt: before } }, standing), { $limit: max + 1 }], max + 1)
  })
}

const commandsFor = (keys: readonly string[], standing: Standing): readonly RelationCommand[] =>
  blocksOf(keys, keysMax).map(block => commandOf(distinctKeys({ key: { $in: block } }, standing), block.length))

const collection = 'simpul.relations'

/** Each key once, however many resources say the same: the server goes from one to the next in the index, and reads no document. */
const distinctKeys = (keys: Document, { confirmed, now }: Standing): readonly Document[] => [
  { $match: { ...keys, self: confirmed === true ? false : { $in: [false, true] }, until: { $gt: now }, since: { $lte: now } } },
  { $group: { _id: '$key' } },
]

const commandOf = (pipeline: readonly Document[], rowsMax: number): RelationCommand => ({
  aggregate: collection,
  pipeline,
  hint: hints.relationKey,
  cursor: { batchSize: rowsMax + 1 },
})

/** Questions about patients in hand: those of a turn of the event loop are one question, whoever asks. */
export class Relations {
  readonly #database: Database
  readonly #any: Coalescing<true>
  readonly #confirmed: Coalescing<true>

  constructor(database: Database) {
    this.#database = database
    this.#any = new Coalescing(keys => this.#there(keys, {}), keysMax)
    this.#confirmed = new Coalescing(keys => this.#there(keys, { confirmed: true }), keysMax)
  }

  related(questions: readonly RelationQuestion[]): Promise<readonly boolean[]> {
    return Promise.all(
      questions.map(async ({ from, of, confirmed, patient }) => {
        const asked = confirmed === true ? this.#confirmed : this.#any
        const found = await Promise.all(of.map(one => asked.one(relationKey(from, one, patient))))
        return found.includes(true)
      }),
    )
  }

  /** In the order of the keys, each in the order of its version. */
  async relationsOf(keys: readonly Key[]): Promise<readonly (readonly Relation[])[]> {
    const rows = new Map<string, readonly Relation[]>()
    for (const block of blocksOf([...new Set(keys.map(nameOf))], sourcesMax))
      for (const [name, ofOne] of await askedAgain(() => this.#rowsOf(block))) rows.set(name, ofOne)
    return keys.map(key => rows.get(nameOf(key)) ?? [])
  }

  /** One command, which sees one state of each source. */
  async #rowsOf(names: readonly string[]): Promise<ReadonlyMap<string, readonly Relation[]>> {
    const ranges = names
      .map(name => beginningWith(`${name}${numberMark}`))
      .map(({ from, before }) => ({ _id: { $gte: from, $lt: before } }))
    const found = await relationsIn(this.#database)
      .find({ $or: ranges }, { ...readingOf({}), hint: hints.id, batchSize: rowsMax })
      .toArray()
    const ordered = found.toSorted((a, b) => numberOf(a) - numberOf(b))
    return new Map([...Map.groupBy(ordered, sourceOf)].map(([name, rows]) => [name, rows.map(relationOf)]))
  }

  async #there(keys: readonly string[], { confirmed }: Pick<PatientsFilter, 'confirmed'>): Promise<ReadonlyMap<string, true>> {
    const now = this.#database.clock()
    const found = await askOf(this.#database)(commandsFor(keys, confirmed === true ? { confirmed, now } : { now }))
    return new Map(found.flat().map(({ _id }) => [_id, true]))
  }
}

const nameOf = ({ type, id }: Key): string => `${type}/${id}`
