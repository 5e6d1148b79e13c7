import { type Collection, type Document, type Filter, type FindOptions, Long, ReadConcern } from 'mongodb'
import type { StoredVersion } from '../port.ts'
import { msOfSeq } from '../sequence.ts'
import { type VersionFields, versionFields, versionProjection } from './bson-fields.ts'
import type { Database } from './database.ts'
import type { NewestDocument, PastDocument } from './documents.ts'
import type { State } from './state.ts'
import { partId, type TextPart } from './text-parts.ts'

/** Reading options of the driver. Without a state: what a majority has, so that nothing read is ever taken back. */
export type Reading = Pick<FindOptions, 'session' | 'readConcern'>

export const majority: Reading = { readConcern: ReadConcern.fromOptions({ readConcern: { level: 'majority' } }) as ReadConcern }

/** The driver knows the level alone; what else the object says goes to the server with it. */
export const readingOf = ({ at, session }: State): Reading => {
  if (session?.inTransaction() === true) return { session }
  const readConcern = new ReadConcern('snapshot')
  return {
    readConcern: at === undefined ? readConcern : Object.assign(readConcern, { atClusterTime: at }),
    ...(session ? { session } : {}),
  }
}

/** Documents of one collection as `versionFields` reads them. */
export const rawVersions = async <D extends NewestDocument | PastDocument>(
  collection: Collection<D>,
  filter: Filter<D>,
  reading: Reading,
  more: Pick<FindOptions, 'hint'> = {},
): Promise<readonly VersionFields[]> => {
  const found = collection.find(filter, { ...reading, ...more, projection: versionProjection, raw: true })
  return fieldsOf(await found.toArray())
}

/** The cast: `raw` makes documents bytes, which the types of the driver do not know. */
export const fieldsOf = (documents: readonly Document[]): readonly VersionFields[] =>
  (documents as unknown as readonly Uint8Array[]).map(versionFields)

const nothingWritten = new Uint8Array()

/** As the port gives them, with the texts that lie in parts. What was erased between two reads is left out. */
export const storedVersions = async (
  database: Database,
  type: string,
  found: readonly VersionFields[],
  reading: Reading,
): Promise<StoredVersion[]> => {
  const inParts = found.filter(({ parts }) => parts !== undefined)
  const texts = inParts.length === 0 ? new Map<VersionFields, Uint8Array>() : await textsInParts(database, type, inParts, reading)
  return found
    .filter(fields => fields.parts === undefined || texts.has(fields))
    .map(fields => storedVersion(type, fields, fields.text ?? texts.get(fields) ?? nothingWritten))
}

const storedVersion = (type: string, fields: VersionFields, text: Uint8Array): StoredVersion => ({
  type,
  id: idOf(fields),
  versionId: fields.versionId,
  seq: fields.seq,
  lastUpdated: msOfSeq(fields.seq),
  method: fields.method,
  deleted: fields.deleted,
  text,
})

export const idOf = ({ id, key }: VersionFields): string => id ?? key

/** One after the other: few texts are that large, and a page may hold several. */
const textsInParts = async (
  database: Database,
  type: string,
  found: readonly VersionFields[],
  reading: Reading,
): Promise<Map<VersionFields, Uint8Array>> => {
  const texts = new Map<VersionFields, Uint8Array>()
  for (const fields of found) {
    const ids = Array.from({ length: fields.parts ?? 0 }, (_, n) => partId(type, idOf(fields), fields.versionId, n))
    const parts = await database.collections
      .own<TextPart>('texts')
      .find({ _id: { $in: ids } }, reading)
      .toArray()
    const byId = new Map(parts.map(({ _id, text }) => [_id, text]))
    if (byId.size === ids.length) texts.set(fields, new TextEncoder().encode(ids.map(id => byId.get(id)).join('')))
  }
  return texts
}

/** Whole numbers up to 2^53 as the documents have them. */
export const seqOf = (seq: number): Long => Long.fromNumber(Math.min(Math.max(0, Math.ceil(seq)), Number.MAX_SAFE_INTEGER))
