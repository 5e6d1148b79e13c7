import type { Document } from 'mongodb'
import type { PatientsFilter } from '../../base/access-filter.ts'
import type { Key, Relation, RelationQuestion } from '../port.ts'
import { askedAgain } from './asked-again.ts'
import { Coalescing } from './coalesce.ts'
import { hints } from './collections.ts'
import type { Database } from './database.ts'
import { beginningWith, partsOfRelationKey, relationKey, relationKeys } from './entries.ts'
import { readingOf } from './raw-versions.ts'
import { blocksOf } from './reader.ts'
import { relationsIn } from './relating.ts'
import { numberMark, numberOf, relationOf, sourceOf } from './relation-documents.ts'

/** How commands are sent: relations are read as they are now, whatever state resources are read from. Gives all documents of all of them. */
export type Ask = (commands: readonly RelationCommand[]) => Promise<readonly Document[]>
export type RelationCommand = Document & { readonly aggregate: string }

/** Of what a majority has. */
export const askOf =
  ({ db }: Pick<Database, 'db'>): Ask =>
  async commands => {
    const answers = commands.map(command => askedAgain(() => db.command({ ...command, readConcern: { level: 'majority' } })))
    return (await Promise.all(answers)).flatMap(answer => answer.cursor.firstBatch)
  }

/** Keys in one question. */
const keysMax = 2_000
/** Of more recipients than these it is not asked whose patients they have: candidates are asked. */
const recipientsMax = 20
/** Sources in one question. */
const sourcesMax = 200
/** Rows in one answer. */
const rowsMax = 10_000

/** What is asked of one state. */
type Standing = Pick<PatientsFilter, 'confirmed'> & { readonly now: number }

/** Of the patients those that stand in the relation. */
export const patientsAmong = async (
  { from, of, confirmed }: PatientsFilter,
  patients: readonly string[],
  now: number,
  ask: Ask,
): Promise<ReadonlySet<string>> => {
  const keys = of.flatMap(one => patients.map(patient => relationKey(from, one, patient)))
  const standing = confirmed === true ? { confirmed, now } : { now }
  const found = await keysThere(keys, standing, ask)
  return new Set([...found].map(key => partsOfRelationKey(key).patient))
}

/** All who stand in the relation; undefined when they are more than `max`, of which no more was read than that. */
export const patientsOf = async (
  { from, of, confirmed }: PatientsFilter,
  max: number,
  now: number,
  ask: Ask,
): Promise<readonly string[] | undefined> => {
  const recipients = [...new Set(of)]
  if (recipients.length > recipientsMax) return undefined
  const standing = confirmed === true ? { confirmed, now } : { now }
  const commands = recipients.map(one => {
    const { from: least, before } = beginningWith(relationKeys(from, one))
    return commandOf([...distinctKeys({ key: { $gte: least, $lt: before } }, standing), { $limit: max + 1 }], max + 1)
  })
  const found = await ask(commands)
  const patients = new Set(found.map(({ _id }) => partsOfRelationKey(_id).patient))
  return patients.size > max ? undefined : [...patients]
}

const keysThere = async (keys: readonly string[], standing: Standing, ask: Ask): Promise<ReadonlySet<string>> => {
  const found = new Set<string>()
  for (const block of blocksOf(keys, keysMax))
    for (const { _id } of await ask([commandOf(distinctKeys({ key: { $in: block } }, standing), block.length)])) found.add(_id)
  return found
}

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
    const found = await keysThere(keys, confirmed === true ? { confirmed, now } : { now }, askOf(this.#database))
    return new Map([...found].map(key => [key, true]))
  }
}

const nameOf = ({ type, id }: Key): string => `${type}/${id}`
