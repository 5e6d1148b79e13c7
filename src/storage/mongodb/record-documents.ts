import { Long } from 'mongodb'

/** `simpul.records.{definition}`: a record. */
export type RecordDocument = {
  /** Its key. */
  readonly _id: string
  /** Revision: seq of the plan that wrote it. */
  readonly seq: Long | number
  /** UTF-16 units of its JSON. */
  readonly size: number
  /** The document; where BSON cannot hold all of it, its members that can be indexed. */
  readonly value: object
  /** JSON of a document that BSON cannot hold. */
  readonly text?: string
  /** Number of the lease, while somebody holds it or held it last. */
  readonly lease?: Long | number
  readonly leasedUntil?: Date
  /** How often it was handed out. */
  readonly takes?: number
}

/** Levels of members that an index may reach. */
const indexedLevels = 4
/** The server takes more; none of ours need as many. */
const levelsMax = 64
/** JSON may be up to seven times as large in BSON, and a document 16 MiB. */
const plainSizeMax = 1024 * 1024

/** Field of a member, by its path. Paths are those of checked definitions, never input. */
export const within = (member: string): string => `value.${member}`

export const longOf = (seq: number): Long => Long.fromNumber(seq)

/** A document as it is kept, from its JSON: as BSON, for the server to index and for people to read, and as text where that would not be the same. */
export const storedValue = (text: string): Pick<RecordDocument, 'size' | 'value' | 'text'> => {
  const value = JSON.parse(text) as object // what was written is an object
  if (text.length <= plainSizeMax && isPlain(value, 1)) return { size: text.length, value }
  return { size: text.length, value: indexable(value, 1), text }
}

export const documentOf = ({ value, text }: Pick<RecordDocument, 'value' | 'text'>): object =>
  text === undefined ? value : (JSON.parse(text) as object) // as it was written

/** Whether BSON, and the driver, give back just this. */
const isPlain = (value: unknown, level: number): boolean => {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (level > levelsMax) return false
  if (Array.isArray(value)) return value.every(item => isPlain(item, level + 1))
  return Object.entries(value).every(([name, member]) => isPlainName(name) && isPlain(member, level + 1))
}

/** `$` begins what means something to the server, `_bsontype` what means something to the driver. */
const isPlainName = (name: string): boolean =>
  !name.startsWith('$') && name !== '_bsontype' && name !== '__proto__' && !name.includes('\0') && name.isWellFormed()

/** Members that an index may be made of, now or later: the others stand in the text alone. */
const indexable = (value: object, level: number): object => {
  const members: [string, unknown][] = []
  for (const [name, member] of Object.entries(value)) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) continue
    if (typeof member === 'number' || (typeof member === 'string' && member.length <= 1024 && member.isWellFormed()))
      members.push([name, member])
    else if (typeof member === 'object' && member !== null && !Array.isArray(member) && level < indexedLevels)
      members.push([name, indexable(member, level + 1)])
  }
  return Object.fromEntries(members)
}
