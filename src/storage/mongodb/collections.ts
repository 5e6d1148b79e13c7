import { type Collection, type CollectionOptions, type Db, type Document, MongoServerError } from 'mongodb'
import type { NewestDocument, PastDocument } from './documents.ts'
import { type CollectionLayout, type IndexLayout, type Step, steps, typeLayoutOf } from './layout.ts'

/** Names of the indexes, for `hint`: the first nine of `{Type}`, the next two of `{Type}.history`, the last of `simpul.relations`. */
export const hints = {
  id: '_id_',
  seq: 'seq',
  tk: 'tk',
  st: 'st',
  dtLow: 'dt_low',
  dtHigh: 'dt_high',
  nq: 'nq',
  so: 'so',
  sd: 'sd',
  pastId: 'id',
  pastSeq: 'seq',
  relationKey: 'key',
} as const

const systemPrefix = 'simpul.'
const pastSuffix = '.history'

/** `simpul.types`: types whose collections are complete. */
export type TypeDocument = { readonly _id: string /** Number of the last step it has. */; readonly layout: number }

/** The collections of the database: two for each resource type, made when its first resource comes, and those of our own. */
export class Collections {
  readonly #db: Db
  readonly #steps: readonly Step[]
  readonly #complete = new Set<string>()
  readonly #making = new Map<string, Promise<void>>()

  constructor(db: Db, list: readonly Step[] = steps) {
    this.#db = db
    this.#steps = list
  }

  newest(type: string): Collection<NewestDocument> {
    return this.#db.collection(type)
  }

  past(type: string): Collection<PastDocument> {
    return this.#db.collection(`${type}${pastSuffix}`)
  }

  /** One of our own, by the name behind `simpul.`. */
  own<D extends Document = Document>(name: string, options?: CollectionOptions): Collection<D> {
    return this.#db.collection(`${systemPrefix}${name}`, options)
  }

  /** Both collections of the type with validators and indexes; outside of transactions, safe with several nodes, nothing to do when known. */
  async ensure(type: string): Promise<void> {
    if (this.#complete.has(type)) return
    const making = this.#making.get(type) ?? this.#make(type).finally(() => this.#making.delete(type))
    this.#making.set(type, making)
    await making
  }

  /** Whether anything of the type was ever kept. Yes is remembered, no is asked anew each time: another node may make it at any moment. */
  async has(type: string): Promise<boolean> {
    if (this.#complete.has(type)) return true
    const found = await this.#types().findOne({ _id: type })
    if (found === null) return false
    // A node of an older version made it after our steps ran.
    if (found.layout < this.#steps.length) await this.ensure(type)
    this.#complete.add(type)
    return true
  }

  /** Types whose collections exist now. */
  async types(): Promise<readonly string[]> {
    const found = await this.#types()
      .find({}, { sort: { _id: 1 } })
      .toArray()
    return found.map(({ _id }) => _id)
  }

  /** What a majority has: searches read a state of the majority, in which a type that only the primary knows has no collection yet. */
  #types(): Collection<TypeDocument> {
    return this.own('types', { readConcern: { level: 'majority' } })
  }

  async #make(type: string): Promise<void> {
    const found = await this.#types().findOne({ _id: type })
    if (found !== null) await bringUp(this.#db, found, this.#steps)
    else {
      const { newest, past } = typeLayoutOf(this.#steps)
      await Promise.all([layOut(this.#db, type, newest), layOut(this.#db, collectionsOf(type).past, past)])
      // Last: what stands here is complete, whatever was cut short before. Never lower: a newer node may have been here.
      await this.#types().updateOne({ _id: type }, { $max: { layout: this.#steps.length } }, { upsert: true })
    }
    this.#complete.add(type)
  }
}

/** What later steps change about a type that is there. */
export const bringUp = async (db: Db, { _id: type, layout }: TypeDocument, list: readonly Step[]): Promise<void> => {
  const { newest, past } = collectionsOf(type)
  for (const { number, types } of list.slice(layout)) {
    if (types?.newest !== undefined) await layOut(db, newest, types.newest)
    if (types?.past !== undefined) await layOut(db, past, types.past)
    if (types?.rewritten !== undefined) await rewrite(db.collection(newest), types.rewritten)
    await db.collection<TypeDocument>(`${systemPrefix}types`).updateOne({ _id: type }, { $max: { layout: number } })
  }
}

/** Documents rewritten by one command: a connection waits a minute for one, and a type may have millions. */
const rewrittenMax = 2_000

/** What lives, some at a time along the ids. */
const rewrite = async (newest: Collection<{ _id: string }>, update: readonly object[]): Promise<void> => {
  for (let behind: { readonly $gt?: string } = {}; ; ) {
    const ids = await newest
      .find({ _id: { $gte: '', ...behind } }, { projection: { _id: 1 }, sort: { _id: 1 }, limit: rewrittenMax })
      .toArray()
    const last = ids.at(-1)
    if (last === undefined) return
    await newest.updateMany({ _id: { $gte: '', ...behind, $lte: last._id }, ix: { $exists: true } }, [...update])
    behind = { $gt: last._id }
  }
}

/** Names of the two collections of a type. */
export const collectionsOf = (type: string): { readonly newest: string; readonly past: string } => ({
  newest: type,
  past: `${type}${pastSuffix}`,
})

/** Makes a collection as the layout says, or adds to one that is there what it lacks. Two may do so at once. */
export const layOut = async (db: Db, name: string, layout: CollectionLayout): Promise<void> => {
  const { indexes = [], dropIndexes = [], validator, compressed } = layout
  const options = {
    ...(validator === undefined ? {} : { validator, validationLevel: 'strict' as const }),
    ...(compressed === true ? { storageEngine: { wiredTiger: { configString: 'block_compressor=zstd' } } } : {}),
  }
  try {
    await db.createCollection(name, options)
  } catch (error) {
    if (!hasCode(error, serverCodes.namespaceExists)) throw error
    // Not without need: the role readWrite makes collections with validators, but may not change one.
    if (validator !== undefined && !(await hasValidator(db, name, validator)))
      await db.command({ collMod: name, validator, validationLevel: 'strict' })
  }
  for (const index of dropIndexes) await db.collection(name).dropIndex(index).catch(unless(serverCodes.indexNotFound))
  await addIndexes(db, name, indexes)
}

/** Those that the collection lacks. */
export const addIndexes = async (db: Db, name: string, indexes: readonly IndexLayout[]): Promise<void> => {
  if (indexes.length === 0) return
  await db.command({ createIndexes: name, indexes }).catch(async error => {
    // The same index under way by another node: asked again, the server answers when it is built.
    if (!hasCode(error, serverCodes.indexBuildInProgress)) throw error
    await db.command({ createIndexes: name, indexes })
  })
}

const hasValidator = async (db: Db, name: string, validator: object): Promise<boolean> => {
  const [found] = await db.listCollections({ name }).toArray()
  return found !== undefined && 'options' in found && JSON.stringify(found.options?.validator) === JSON.stringify(validator)
}

export const serverCodes = {
  timeExceeded: 50,
  namespaceExists: 48,
  indexNotFound: 27,
  indexBuildInProgress: 403,
  duplicateKey: 11_000,
} as const

export const hasCode = (error: unknown, code: number): boolean => error instanceof MongoServerError && error.code === code

const unless =
  (code: number) =>
  (error: unknown): void => {
    if (!hasCode(error, code)) throw error
  }
