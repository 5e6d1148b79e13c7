import type { ClientSession, Db } from 'mongodb'
import { liveFindings, type Shapes, shapesOf, systemsIn, versionFindings } from './check-version.ts'
import { collectionsOf, hints } from './collections.ts'
import type { Database } from './database.ts'
import type { NewestDocument, PastDocument } from './documents.ts'
import { steps, typeLayoutOf } from './layout.ts'
import type { SlotDocument } from './slots.ts'
import { partId, type TextPart } from './text-parts.ts'

/** Documents in one answer: they may be large. */
const batchSize = 100

/**
 * All versions of a type, instance by instance, in one state of the database: each by itself, how they follow each other, and whether the counts are
 * theirs. Throws when that takes longer than the database keeps snapshots.
 */
export async function* typeFindings(database: Database, type: string): AsyncGenerator<string> {
  const { db, dictionary } = database
  yield* indexFindings(db, type)
  const session = database.client.startSession({ snapshot: true })
  try {
    // The first read fixes the state; words that it needs had their numbers before.
    await db.collection<{ _id: string }>('simpul.types').findOne({ _id: type }, { session })
    const shapes = new Map((await dictionary.shapes(type)).map(({ shape, codes }) => [shape, codes]))
    const seen: Seen = { shapes: new Map(), systems: new Set() }
    yield* instanceFindings(db, type, { session, shapes, seen })
    yield* countFindings(db, type, { session, shapes, seen })
    yield* systemFindings(db, type, seen.systems)
  } finally {
    await session.endSession()
  }
}

/** What was met on the way: live instances by shape, numbers of systems. */
type Seen = { readonly shapes: Map<number, number>; readonly systems: Set<number> }
type Reading = { readonly session: ClientSession; readonly shapes: Shapes; readonly seen: Seen }

async function* indexFindings(db: Db, type: string): AsyncGenerator<string> {
  const layout = typeLayoutOf(steps)
  const names = collectionsOf(type)
  for (const kind of ['newest', 'past'] as const) {
    const present = new Set((await db.collection(names[kind]).indexes()).map(({ name }) => name))
    for (const { name } of layout[kind].indexes ?? []) if (!present.has(name)) yield `an index that is not there: ${names[kind]} ${name}`
  }
}

/** Both collections come by id: the newest version of an instance, then the past ones, newest first. */
async function* instanceFindings(db: Db, type: string, reading: Reading): AsyncGenerator<string> {
  const { session } = reading
  const names = collectionsOf(type)
  const newest = db.collection<NewestDocument>(names.newest).find({}, { session, sort: { _id: 1 }, hint: hints.id, batchSize })
  const pasts = db.collection<PastDocument>(names.past).find({}, { session, sort: { id: 1, seq: -1 }, hint: hints.pastId, batchSize })
  let past = await pasts.next()
  for await (const document of newest) {
    for (; past !== null && past.id < document._id; past = await pasts.next()) yield at(orphaned, type, past)
    yield* newestFindings(db, type, reading, document)
    let following: Pick<PastDocument, 'seq' | 'versionId'> = document
    for (; past !== null && past.id === document._id; past = await pasts.next()) {
      yield* pastFindings(db, type, session, past, following)
      following = past
    }
  }
  for (; past !== null; past = await pasts.next()) yield at(orphaned, type, past)
}

const orphaned = 'a past version of an instance that is not there'

async function* newestFindings(db: Db, type: string, reading: Reading, document: NewestDocument): AsyncGenerator<string> {
  const { session, shapes, seen } = reading
  const { _id: id, ix, deleted } = document
  if (deleted === true ? ix !== undefined : ix === undefined)
    yield at('a live instance without entries, or a deleted one with some', type, document)
  const text = await textOf(db, type, id, session, document)
  if (deleted !== true && text === undefined) yield at('a version without all of its text', type, document)
  for (const what of versionFindings({ type, id, text, document })) yield at(what, type, document)
  if (ix === undefined || text === undefined) return
  for (const what of liveFindings({ document: { ...document, ix }, text, shapes })) yield at(what, type, document)
  for (const shape of shapesOf(ix)) seen.shapes.set(shape, (seen.shapes.get(shape) ?? 0) + 1)
  for (const system of systemsIn(ix)) seen.systems.add(system)
}

async function* pastFindings(
  db: Db,
  type: string,
  session: ClientSession,
  document: PastDocument,
  following: Pick<PastDocument, 'seq' | 'versionId'>,
): AsyncGenerator<string> {
  const { _id, id, seq, until, versionId } = document
  if (_id !== `${id}/${versionId}`) yield at('a past version that is known by another name than it says', type, document)
  if (versionId >= following.versionId || Number(seq) >= Number(following.seq))
    yield at('a version number that is not one more than the one before', type, following)
  // One that was erased leaves a gap in the numbers, and the one before it ends earlier.
  const isNeighbour = following.versionId === versionId + 1
  if (Number(until) > Number(following.seq) || (isNeighbour && Number(until) !== Number(following.seq)))
    yield at('a version that does not end where the next begins', type, document)
  const text = await textOf(db, type, id, session, document)
  if (document.deleted !== true && text === undefined) yield at('a version without all of its text', type, document)
  for (const what of versionFindings({ type, id, text, document })) yield at(what, type, document)
}

/** Undefined for a deletion, and when parts are missing. */
const textOf = async (
  db: Db,
  type: string,
  id: string,
  session: ClientSession,
  { text, parts, versionId }: Pick<NewestDocument, 'text' | 'parts' | 'versionId'>,
): Promise<string | undefined> => {
  if (parts === undefined) return text
  const names = Array.from({ length: parts }, (_, n) => partId(type, id, versionId, n))
  const found = await db
    .collection<TextPart>('simpul.texts')
    .find({ _id: { $in: names } }, { session })
    .toArray()
  const texts = new Map(found.map(part => [part._id, part.text]))
  return names.every(name => texts.has(name)) ? names.map(name => texts.get(name)).join('') : undefined
}

/** What the slots say of the shapes of this type, in the same state. */
async function* countFindings(db: Db, type: string, { session, shapes, seen }: Reading): AsyncGenerator<string> {
  const said = new Map<number, number>()
  for await (const slot of db.collection<SlotDocument>('simpul.slots').find({}, { session, projection: { shapes: 1 } }))
    for (const [shape, count] of Object.entries(slot.shapes ?? {})) said.set(Number(shape), (said.get(Number(shape)) ?? 0) + count)
  for (const shape of shapes.keys())
    if ((said.get(shape) ?? 0) !== (seen.shapes.get(shape) ?? 0)) yield `a shape whose count is wrong: ${type} ${shape}`
}

async function* systemFindings(db: Db, type: string, systems: ReadonlySet<number>): AsyncGenerator<string> {
  const unknown = new Set(systems)
  for await (const { n } of db.collection('simpul.systems').find({}, { projection: { _id: 0, n: 1 } })) unknown.delete(n)
  for (const n of unknown) yield `a system number that stands for nothing: ${type} ${n}`
}

const at = (what: string, type: string, { seq }: { readonly seq: PastDocument['seq'] }): string => `${what}: ${type} ${Number(seq)}`
