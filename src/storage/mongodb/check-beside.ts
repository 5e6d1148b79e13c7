import type { Db, Document } from 'mongodb'
import { type BlobDocument, type BlobPartDocument, partBytes } from './blob-documents.ts'
import { collectionsOf } from './collections.ts'
import type { NewestDocument } from './documents.ts'
import type { RecordDocument } from './record-documents.ts'
import { numberOf, type RelationDocument, relationIds, sourceOf } from './relation-documents.ts'

/** Names asked for together. */
const blockMax = 500

/** What stands beside the versions: numbers, parts, unique keys, blobs, records. Findings name no key that a client chose. */
export async function* besideFindings(db: Db, types: readonly string[]): AsyncGenerator<string> {
  yield* numberFindings(db)
  yield* textFindings(db)
  yield* ownerFindings(db)
  yield* relationFindings(db)
  for (const type of types) yield* relatedFindings(db, type)
  yield* blobFindings(db, types)
  yield* recordFindings(db)
}

/** Two words of one number would be one. */
async function* numberFindings(db: Db): AsyncGenerator<string> {
  for (const kind of ['systems', 'shapes']) {
    const twice = db
      .collection(`simpul.${kind}`)
      .aggregate([{ $group: { _id: '$n', words: { $sum: 1 } } }, { $match: { words: { $gt: 1 } } }], { allowDiskUse: true })
    for await (const { _id } of twice) yield `a number that stands for two words of simpul.${kind}: ${_id}`
    const last = await db.collection<{ _id: string; n: number }>('simpul.numbers').findOne({ _id: kind })
    const above = await db.collection(`simpul.${kind}`).countDocuments({ n: { $gt: last?.n ?? 0 } })
    if (above > 0) yield `numbers of simpul.${kind} that will be given again: ${above}`
  }
}

/** Parts whose version is not there, or has fewer. */
async function* textFindings(db: Db): AsyncGenerator<string> {
  const parts = db.collection<{ _id: string }>('simpul.texts').find({}, { projection: { _id: 1 }, sort: { _id: 1 } })
  for await (const block of blocksOf(parts, blockMax)) {
    const named = block.map(({ _id }) => ({ _id, ...partPattern.exec(_id)?.groups }) as NamedPart)
    for (const [type, ofType] of Map.groupBy(named, ({ type }) => type ?? '')) {
      const known = type === '' ? new Map<string, number>() : await partsOf(db, type, ofType)
      const lost = ofType.filter(({ id, version, n }) => Number(n) >= (known.get(`${id}/${version}`) ?? 0)).length
      if (lost > 0) yield `parts of texts whose version is not there: ${type} ${lost}`
    }
  }
}

const partPattern = /^(?<type>[A-Za-z]+)\/(?<id>[^/]+)\/(?<version>\d+)#(?<n>\d+)$/
type NamedPart = { readonly _id: string; readonly type?: string; readonly id?: string; readonly version?: string; readonly n?: string }

/** By `{id}/{versionId}`: how many parts the version has. */
const partsOf = async (db: Db, type: string, named: readonly NamedPart[]): Promise<ReadonlyMap<string, number>> => {
  const names = collectionsOf(type)
  const ids = [...new Set(named.map(({ id }) => id ?? ''))]
  const pasts = [...new Set(named.map(({ id, version }) => `${id}/${version}`))]
  const projection = { versionId: 1, parts: 1 }
  const newest = await db
    .collection<Document & { _id: string }>(names.newest)
    .find({ _id: { $in: ids } }, { projection })
    .toArray()
  const past = await db
    .collection<Document & { _id: string }>(names.past)
    .find({ _id: { $in: pasts } }, { projection })
    .toArray()
  return new Map([
    ...newest.map(({ _id, versionId, parts = 0 }): [string, number] => [`${_id}/${versionId}`, parts]),
    ...past.map(({ _id, parts = 0 }): [string, number] => [_id, parts]),
  ])
}

/** Owners keep their keys when they are deleted, and lose them when they are erased. */
async function* ownerFindings(db: Db): AsyncGenerator<string> {
  const keys = db.collection<{ _id: string; owner: string }>('simpul.unique').find({}, { sort: { owner: 1 } })
  for await (const block of blocksOf(keys, blockMax))
    for (const [type, ofType] of Map.groupBy(block, ({ owner }) => owner.slice(0, owner.indexOf('/')))) {
      const ids = new Set(ofType.map(({ owner }) => owner.slice(type.length + 1)))
      const there = type === '' ? 0 : await db.collection<{ _id: string }>(type).countDocuments({ _id: { $in: [...ids] } })
      if (there < ids.size) yield `owners of unique keys that are not there: ${type} ${ids.size - there}`
    }
}

/** Rows of relations whose instance is not there, or says that it has fewer. */
async function* relationFindings(db: Db): AsyncGenerator<string> {
  const rows = db.collection<RelationDocument>('simpul.relations').find({}, { sort: { _id: 1 } })
  for await (const block of blocksOf(rows, blockMax))
    for (const [type, ofType] of Map.groupBy(block, row => sourceOf(row).split('/', 1)[0] ?? '')) {
      const known = await relationCounts(db, type, new Set(ofType.map(row => sourceOf(row).slice(type.length + 1))))
      const lost = ofType.filter(row => numberOf(row) >= (known.get(sourceOf(row)) ?? 0)).length
      if (lost > 0) yield `relations that no newest version says: ${type} ${lost}`
    }
}

/** Instances that say they have more rows than there are. */
async function* relatedFindings(db: Db, type: string): AsyncGenerator<string> {
  const saying = db.collection<NewestDocument>(type).find({ relations: { $exists: true } }, { projection: { relations: 1 } })
  let missing = 0
  for await (const block of blocksOf(saying, blockMax))
    for (const { _id: id, relations = 0 } of block) {
      const ids = relationIds({ type, id }, relations)
      const there = await db.collection<RelationDocument>('simpul.relations').countDocuments({ _id: { $in: [...ids] } })
      if (there < relations) missing++
    }
  if (missing > 0) yield `versions without all of their relations: ${type} ${missing}`
}

const relationCounts = async (db: Db, type: string, ids: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> => {
  if (type === '') return new Map()
  const found = await db
    .collection<NewestDocument>(type)
    .find({ _id: { $in: [...ids] } }, { projection: { relations: 1 } })
    .toArray()
  return new Map(found.map(({ _id, relations = 0 }) => [`${type}/${_id}`, relations]))
}

async function* blobFindings(db: Db, types: readonly string[]): AsyncGenerator<string> {
  yield* blobSizeFindings(db)
  const owned = db
    .collection<BlobDocument>('simpul.blobs')
    .find({ state: 'adopted', seq: { $exists: true } }, { projection: { seq: 1 }, sort: { seq: 1 } })
  for await (const block of blocksOf(owned, blockMax)) {
    let missing = new Set(block.flatMap(({ seq }) => (seq === undefined ? [] : [Number(seq)])))
    for (const name of types.flatMap(type => Object.values(collectionsOf(type)))) {
      if (missing.size === 0) break
      const found = await db
        .collection(name)
        .find({ seq: { $in: [...missing] } }, { projection: { seq: 1 }, hint: 'seq' })
        .toArray()
      missing = missing.difference(new Set(found.map(({ seq }) => Number(seq))))
    }
    for (const seq of missing) yield `a blob whose owner is not there: ${seq}`
  }
}

/** Parts in the order of their keys are those of one blob after the other. */
async function* blobSizeFindings(db: Db): AsyncGenerator<string> {
  const sums = db.collection<BlobPartDocument>('simpul.blobparts').aggregate<{ _id: string; bytes: number; parts: number }>(
    [
      {
        $group: {
          _id: { $arrayElemAt: [{ $split: ['$_id', '/'] }, 0] },
          bytes: { $sum: { $binarySize: '$bytes' } },
          parts: { $sum: 1 },
        },
      },
    ],
    { allowDiskUse: true },
  )
  const blobs = db.collection<BlobDocument>('simpul.blobs')
  let whole = 0
  for await (const block of blocksOf(sums, blockMax)) {
    const found = await blobs.find({ _id: { $in: block.map(({ _id }) => _id) } }).toArray()
    const known = new Map(found.map(blob => [blob._id, blob]))
    for (const { _id, bytes, parts } of block) {
      const blob = known.get(_id)
      if (blob === undefined) yield `a part of a blob that is not there: ${_id}`
      else if (blob.state === 'whole' || blob.state === 'adopted') {
        whole++
        if (blob.size !== bytes || parts !== Math.max(1, Math.ceil(bytes / partBytes)))
          yield `a blob whose parts are not what it should hold: ${_id}`
      }
    }
  }
  const expected = await blobs.countDocuments({ state: { $in: ['whole', 'adopted'] }, size: { $gt: 0 } })
  if (whole < expected) yield `blobs without parts: ${expected - whole}`
}

/** Each record against the key it is known by. */
async function* recordFindings(db: Db): AsyncGenerator<string> {
  for (const { _id: name, key } of await db.collection<{ _id: string; key: string }>('simpul.definitions').find().toArray()) {
    const other = await db
      .collection<RecordDocument>(`simpul.records.${name}`)
      .countDocuments({ text: { $exists: false }, $expr: { $ne: ['$_id', `$value.${key}`] } })
    if (other > 0) yield `records of ${name} that are known by another key than they say: ${other}`
  }
}

async function* blocksOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let block: T[] = []
  for await (const item of items) {
    block.push(item)
    if (block.length < size) continue
    yield block
    block = []
  }
  if (block.length > 0) yield block
}
