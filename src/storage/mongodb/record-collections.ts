import type { Collection, Filter } from 'mongodb'
import type { RecordDefinition } from '../port.ts'
import { checkAgreement, checkDefinition, checkNames, indexesOf, notUnique } from '../record-rules.ts'
import { addIndexes, hasCode, layOut, serverCodes } from './collections.ts'
import type { Database } from './database.ts'
import type { IndexLayout } from './layout.ts'
import { type RecordDocument, within } from './record-documents.ts'

/** An index as finds need it: its fields in order, and the condition under which a record is in it. */
export type RecordIndex = { readonly hint: string; readonly fields: readonly string[]; readonly filter: Filter<RecordDocument> }

/** A definition with the names its collection goes by. Names of fields are made of checked names only. */
export type RecordCollection = {
  readonly definition: RecordDefinition
  /** Behind `simpul.` */
  readonly name: string
  readonly indexes: ReadonlyMap<string, RecordIndex>
  readonly unique: readonly UniqueIndex[]
  /** Field with the instant (ms) from which on a record is gone. */
  readonly expires: string | undefined
  readonly layout: ReadonlyMap<string, IndexLayout>
}

export type UniqueIndex = { readonly name: string; readonly members: readonly string[]; readonly filter: Filter<RecordDocument> }

/** `simpul.definitions`: what a kind of records is known to be, whatever node defines it now. */
type DefinitionDocument = {
  readonly _id: string
  readonly key: string
  readonly appendOnly: boolean
  /** Indexes that the last definition did without, and since when. */
  readonly unused?: readonly Unused[]
}
type Unused = { readonly index: string; readonly at: Date }

/** How long an index stays that no definition names any more: nodes of the version before still read by it while others are upgraded. */
const unusedMs = 86_400_000
/** What stands in an index: the condition of each, so that a record without one of its members is not in it. */
const indexed = { $type: ['number', 'string'] } as const

/** Throws, naming definition and rule, when a definition is not one that every engine could keep. */
export const recordCollection = (definition: RecordDefinition): RecordCollection => {
  checkDefinition(definition)
  const { indexes, unique, ordered } = indexesOf(definition)
  const layout = [
    ...indexes.map(([, members]) => ordinary(members)),
    ...unique.map(([, members]) => uniqueLayout(members)),
    ...(ordered ? [{ name: 'seq', key: { seq: 1, _id: 1 } } as const] : []),
    ...(definition.expires === undefined ? [] : [expiresLayout(definition.expires)]),
  ]
  return {
    definition,
    // Apart from the engine's own collections: a room may call its records as it likes.
    name: `records.${definition.name}`,
    indexes: new Map([
      ...[...indexes, ...unique].map(([name, members]): [string, RecordIndex] => {
        const found = Object.hasOwn(definition.unique ?? {}, name) ? uniqueLayout(members) : ordinary(members)
        return [name, { hint: found.name, fields: Object.keys(found.key), filter: filterOf(members) }]
      }),
      ['key', { hint: '_id_', fields: ['_id'], filter: {} }],
      ...(ordered ? [['seq', { hint: 'seq', fields: ['seq', '_id'], filter: {} }] as const] : []),
    ]),
    unique: unique.map(([name, members]) => ({ name, members, filter: filterOf(members) })),
    expires: definition.expires === undefined ? undefined : within(definition.expires),
    layout: new Map(layout.map(index => [index.name, index])),
  }
}

/**
 * Makes what is missing, drops what nobody uses. The server builds indexes over what is there while others write, and several nodes may do so at once.
 * Asks little where nothing is missing: every start of every node comes this way. Throws, naming the definition, when records and definition cannot agree.
 */
export const makeRecordCollections = async (database: Database, collections: readonly RecordCollection[]): Promise<void> => {
  checkNames(collections.map(({ definition }) => definition))
  const known = new Map((await definitionsOf(database).find().toArray()).map(document => [document._id, document]))
  for (const { definition } of collections) await agree(database, definition, known.get(definition.name))
  const there = new Set((await database.db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name))
  for (const collection of collections) {
    await makeIndexes(database, collection, there)
    await dropUnused(database, collection, known.get(collection.definition.name)?.unused ?? [])
  }
}

const agree = async (database: Database, definition: RecordDefinition, known: DefinitionDocument | undefined): Promise<void> => {
  const { name, key, appendOnly = false } = definition
  if (known !== undefined) checkAgreement(definition, known)
  if (known?.appendOnly === appendOnly) return
  const definitions = definitionsOf(database)
  try {
    // Matches what agrees, or adds what is new: where another node was first with something else, its name is taken.
    const agreeing = { _id: name, key, ...(appendOnly ? {} : { appendOnly: false }) }
    await definitions.updateOne(agreeing, { $set: { appendOnly } }, { upsert: true })
  } catch (error) {
    if (!hasCode(error, serverCodes.duplicateKey)) throw error
    const first = await definitions.findOne({ _id: name })
    if (first !== null) checkAgreement(definition, first)
  }
}

/** All at once; where values are equal that shall be unique, the unique ones again and alone, so that the error is theirs. */
const makeIndexes = async (
  { db, collections }: Database,
  { definition, name, unique, layout }: RecordCollection,
  there: ReadonlySet<string>,
): Promise<void> => {
  const full = collections.own(name).collectionName
  const make = (indexes: readonly IndexLayout[]) => (there.has(full) ? addIndexes(db, full, indexes) : layOut(db, full, { indexes }))
  try {
    await make([...layout.values()])
  } catch (error) {
    if (!hasCode(error, serverCodes.duplicateKey)) throw error
    for (const { name: index, members } of unique) {
      try {
        await layOut(db, full, { indexes: [uniqueLayout(members)] })
      } catch (alone) {
        if (hasCode(alone, serverCodes.duplicateKey)) throw notUnique(definition.name, index)
        throw alone
      }
    }
    throw error
  }
}

/** A unique index goes at once, for it would refuse what is allowed now; others when nobody can be reading by them. Those of an operator stay. */
const dropUnused = async (database: Database, { definition, name, layout }: RecordCollection, before: readonly Unused[]): Promise<void> => {
  const collection = database.collections.own(name)
  const now = database.clock()
  const there = (await collection.listIndexes().toArray()).map(index => index.name as string)
  const unwanted = there.filter(index => isOurs(index) && !layout.has(index))
  const unused = unwanted.map(index => ({ index, at: before.find(one => one.index === index)?.at ?? new Date(now) }))
  const goes = ({ index, at }: Unused): boolean => index.startsWith('unique:') || at.getTime() <= now - unusedMs
  for (const { index } of unused.filter(goes)) await layOut(database.db, collection.collectionName, { dropIndexes: [index] })
  const kept = unused.filter(one => !goes(one))
  if (kept.length > 0 || before.length > 0) await definitionsOf(database).updateOne({ _id: definition.name }, { $set: { unused: kept } })
}

const definitionsOf = ({ collections }: Database): Collection<DefinitionDocument> => collections.own<DefinitionDocument>('definitions')

/** Named by what they hold: one that is defined otherwise is another one, and two of the same members are one. */
const ordinary = (members: readonly string[]): IndexLayout => ({
  name: `of:${members.join('+')}`,
  key: { ...keyOf(members), _id: 1 },
  partialFilterExpression: filterOf(members),
})

const uniqueLayout = (members: readonly string[]): IndexLayout => ({
  name: `unique:${members.join('+')}`,
  key: keyOf(members),
  unique: true,
  partialFilterExpression: filterOf(members),
})

const expiresLayout = (member: string): IndexLayout => ({
  name: `expires:${member}`,
  key: { [within(member)]: 1 },
  partialFilterExpression: { [within(member)]: { $type: 'number' } },
})

const isOurs = (index: string): boolean => index === 'seq' || /^(of|unique|expires):/.test(index)

const keyOf = (members: readonly string[]): Record<string, 1> => Object.fromEntries(members.map(member => [within(member), 1 as const]))

const filterOf = (members: readonly string[]): Filter<RecordDocument> =>
  Object.fromEntries(members.map(member => [within(member), indexed]))
