import { BSON, Long } from 'mongodb'
import { writeLastUpdated } from '../../fhir/model/stored-form.ts'
import type { LoadedVersion, NewVersion } from '../port.ts'
import { msOfSeq } from '../sequence.ts'
import type { Dictionary } from './dictionary.ts'
import type { IndexEntries, NewestDocument, PastDocument, Seq } from './documents.ts'
import { headBytesMax, resourceForPeople } from './people.ts'
import { pastId } from './reader.ts'
import { type RelationDocument, relationDocuments } from './relation-documents.ts'
import { partId, type TextPart } from './text-parts.ts'
import { indexEntries, shapeCodesOf } from './values.ts'

/** No document is larger; mongod takes 16 MiB. */
const documentBytesMax = 15 * 1024 * 1024
/** A larger text lies in parts of this size. */
const textBytesMax = 4 * 1024 * 1024
/** Up to here a document is small enough whatever it holds: nothing need be measured. */
const smallTextBytes = 1024 * 1024
const smallEntries = 2_000
/** Room for the members beside text, resource and entries. */
const othersBytes = 64 * 1024 + headBytesMax

/** A version as the collections take it. `shape` is 0 for a deletion. */
export type Documents = {
  readonly newest: NewestDocument
  readonly parts: readonly TextPart[]
  readonly relations: readonly RelationDocument[]
  readonly shape: number
}

/** The words of it must have their numbers (`Dictionary.prepare`). Undefined when it has more index entries than one document holds. */
export const documentsOf = (version: NewVersion, seq: number, dictionary: Dictionary): Documents | undefined => {
  if (version.lastUpdatedOffset >= 0) writeLastUpdated(version.text, version.lastUpdatedOffset, msOfSeq(seq))
  return loadedDocumentsOf({ ...version, seq }, dictionary)
}

export const loadedDocumentsOf = (version: LoadedVersion, dictionary: Dictionary): Documents | undefined => {
  const { id, versionId, method, seq } = version
  const head = { _id: id, seq: Long.fromNumber(seq), versionId, lastUpdated: new Date(msOfSeq(seq)), method }
  const { sensitivities = [], relations: rows = [] } = version
  const access = {
    patients: distinct(version.patients),
    organizations: distinct(version.organizations),
    authors: distinct(version.authors),
    conf: version.confidentiality,
    ...(sensitivities.length === 0 ? {} : { sens: distinct(sensitivities) }),
  }
  if (method === 'DELETE') return { newest: { ...head, deleted: true, ...access }, parts: [], relations: [], shape: 0 }
  const shape = dictionary.shapeNumber(version.type, shapeCodesOf(version))
  const ix = indexEntries(version, seq, shape, dictionary)
  const room = roomBeside(version, ix)
  if (room < 0) return undefined
  const relations = relationDocuments(version, rows)
  const besides = relations.length === 0 ? access : { ...access, relations: relations.length }
  const text = textOf(version)
  const whole = version.text.length <= Math.min(textBytesMax, room)
  const forPeople = resourceForPeople(text, version.text.length, whole ? room - version.text.length : 0)
  if (whole) return { newest: { ...head, ...forPeople, text, ix, ...besides }, parts: [], relations, shape }
  const parts = partsOf(version)
  return { newest: { ...head, ...forPeople, parts: parts.length, ix, ...besides }, parts, relations, shape }
}

/** A version that another one followed, taken in as it was. */
export const pastDocumentsOf = (
  version: LoadedVersion,
  until: number,
): { readonly past: PastDocument; readonly parts: readonly TextPart[] } => {
  const { id, versionId, method, seq } = version
  const parts = method !== 'DELETE' && version.text.length > textBytesMax ? partsOf(version) : []
  const content = method === 'DELETE' ? { deleted: true as const } : parts.length > 0 ? { parts: parts.length } : { text: textOf(version) }
  return {
    past: {
      _id: pastId(id, versionId),
      id,
      seq: Long.fromNumber(seq),
      until: Long.fromNumber(until),
      versionId,
      lastUpdated: new Date(msOfSeq(seq)),
      method,
      ...content,
    },
    parts,
  }
}

/** What is taken along of a newest version when another one follows. */
export type Superseded = Pick<NewestDocument, '_id' | 'versionId' | 'lastUpdated' | 'method' | 'deleted' | 'text' | 'parts'> & {
  readonly seq: Seq
}

export const supersededDocument = (before: Superseded, until: number): PastDocument => ({
  _id: pastId(before._id, before.versionId),
  id: before._id,
  seq: Long.fromNumber(Number(before.seq)),
  until: Long.fromNumber(until),
  versionId: before.versionId,
  lastUpdated: before.lastUpdated,
  method: before.method,
  ...(before.deleted === undefined ? {} : { deleted: before.deleted }),
  ...(before.text === undefined ? {} : { text: before.text }),
  ...(before.parts === undefined ? {} : { parts: before.parts }),
})

/** Bytes left for text and resource; negative when the entries alone are too large. */
const roomBeside = ({ text }: LoadedVersion, ix: IndexEntries): number => {
  const entries = ix.tk.length + (ix.st?.length ?? 0) + (ix.dt?.length ?? 0) + (ix.nq?.length ?? 0)
  const small = text.length <= smallTextBytes && entries <= smallEntries
  return documentBytesMax - othersBytes - (small ? smallEntriesBytes : BSON.calculateObjectSize(ix))
}

/** An entry is at most some two thousand bytes: 255 characters as they are compared and 255 as they were written. */
const smallEntriesBytes = 5 * 1024 * 1024

const distinct = (list: readonly string[]): readonly string[] => (list.length < 2 ? list : [...new Set(list)])

const textOf = ({ text }: Pick<LoadedVersion, 'text'>): string => bufferOf(text).toString()

/** Cut between characters: a byte 10xxxxxx goes on with one. */
const partsOf = ({ type, id, versionId, text }: LoadedVersion): readonly TextPart[] => {
  const bytes = bufferOf(text)
  const parts: TextPart[] = []
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + textBytesMax, bytes.length)
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
    parts.push({ _id: partId(type, id, versionId, parts.length), text: bytes.toString('utf8', start, end) })
    start = end
  }
  return parts
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
