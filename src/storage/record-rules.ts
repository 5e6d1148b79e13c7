import type { RecordDefinition, RecordWrite } from './port.ts'

/** What definitions and documents of records may be, whatever the engine. Whoever breaks these rules is a room, not a client: they throw. */

export const rowsMax = 1_000
export const leaseMsMax = 86_400_000
/** What is read at once ends with the document that makes it larger than this (UTF-16 units of its JSON). */
export const rowsBytesMax = 8 * 1024 * 1024
const keyBytesMax = 512
const indexedBytesMax = 1024
const recordBytesMax = 4 * 1024 * 1024

const namePattern = /^[a-z][a-z0-9_]{0,39}$/
const memberPattern = /^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,3}$/
const indexesMax = 16

/** Throws, naming definition and rule, when a definition is not one that every engine could keep. */
export const checkDefinition = (definition: RecordDefinition): void => {
  const { name, key, appendOnly, expires } = definition
  const { indexes, unique } = indexesOf(definition)
  const all = [...indexes, ...unique]
  const members = [key, ...membersOf(definition)]
  const bad = (why: string): never => {
    throw refusedDefinition(name, why)
  }
  if (!namePattern.test(name)) bad('have a name that is not of lower-case letters, digits and _')
  if (all.length > indexesMax) bad(`have more than ${indexesMax} indexes`)
  if (all.some(([index]) => !namePattern.test(index) || index === 'key' || index === 'seq'))
    bad('have an index with a name it may not have')
  if (new Set(all.map(([index]) => index)).size < all.length) bad('have two indexes of one name')
  if (all.some(([, list]) => list.length === 0 || list.length > 4 || new Set(list).size < list.length))
    bad('have an index that is not of one to four different members')
  if (members.some(member => !memberPattern.test(member))) bad('have a member that is not a path of letters, digits and _')
  // Columns of SQLite know no case.
  if (new Set(members.map(member => member.toLowerCase())).size < new Set(members).size) bad('have members that differ in case alone')
  if (appendOnly === true && expires !== undefined) bad('cannot be append-only and expire')
}

/** Throws when two definitions have one name. */
export const checkNames = (definitions: readonly RecordDefinition[]): void => {
  const names = definitions.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) < at)
  if (twice !== undefined) throw refusedDefinition(twice, 'are defined twice')
}

/** What an index may be derived from again can change; what records are known by, and a promise to keep them, cannot. */
export const checkAgreement = (
  { name, key, appendOnly = false }: RecordDefinition,
  before: { readonly key: string; readonly appendOnly: boolean },
): void => {
  if (before.key !== key) throw refusedDefinition(name, `are known by ${before.key}, not by ${key}`)
  if (before.appendOnly && !appendOnly) throw refusedDefinition(name, 'are append-only, and stay so')
}

/** Why a unique index cannot be made. */
export const notUnique = (name: string, index: string): Error =>
  refusedDefinition(name, `have equal values in what is now the unique index ${index}`)

const refusedDefinition = (name: string, why: string): Error => new Error(`The records ${name} ${why}`)

export const indexesOf = ({ indexes = {}, unique = {}, ordered = false }: RecordDefinition) => ({
  indexes: Object.entries(indexes),
  unique: Object.entries(unique),
  ordered,
})

/** Members that are indexed, each once. */
export const membersOf = ({ indexes = {}, unique = {}, expires }: RecordDefinition): readonly string[] => [
  ...new Set([...Object.values(indexes), ...Object.values(unique), expires === undefined ? [] : [expires]].flat()),
]

/** Throws for what its owner should never have asked: a document that cannot be kept, a deletion of what is kept. Returns the key, and JSON; '' for a deletion. */
export const checkedWrite = (definition: RecordDefinition, write: RecordWrite): { readonly key: string; readonly text: string } => {
  const { name, key: member, appendOnly = false } = definition
  if ('delete' in write) {
    if (appendOnly && write.retention !== true) throw new Error(`The records ${name} are append-only: only retention deletes them`)
    return { key: write.delete, text: '' }
  }
  const key = valueAt(write.put, member)
  if (typeof key !== 'string' || key === '' || !isPlain(key, keyBytesMax))
    throw new Error(`The key ${member} of a record of ${name} is no text of 1 to ${keyBytesMax} bytes`)
  for (const indexed of membersOf(definition)) {
    if (!isIndexable(valueAt(write.put, indexed)))
      throw new Error(
        `The member ${indexed} of a record of ${name} is indexed and neither a number nor a text of at most ${indexedBytesMax} bytes`,
      )
  }
  const text = JSON.stringify(write.put)
  if (Buffer.byteLength(text) > recordBytesMax)
    throw new Error(`A record of ${name} is larger than ${recordBytesMax} bytes; what is so large belongs in a blob`)
  return { key, text }
}

/** Throws when a definition's records cannot be held. */
export const checkTakable = ({ name, appendOnly }: RecordDefinition): void => {
  if (appendOnly === true) throw new Error(`The records ${name} are append-only and cannot be held`)
}

/** `n`, or throws where it is not 1 to `max`. */
export const bounded = (n: number, max: number, what: string): number => {
  if (!Number.isInteger(n) || n < 1 || n > max) throw new RangeError(`${what} is 1 to ${max}`)
  return n
}

/** The member of a document, by its path. A path ends at a list: which of its items should be meant? */
export const valueAt = (document: object, member: string): unknown =>
  member
    .split('.')
    .reduce<unknown>(
      (at, name) => (Array.isArray(at) ? at : (at as Readonly<Record<string, unknown>> | null | undefined)?.[name]),
      document,
    )

/** Whole numbers beyond 2^53 are not the same to every engine, nor are texts that are no Unicode or hold U+0000. */
const isIndexable = (value: unknown): boolean => {
  if (value === undefined || value === null) return true
  if (typeof value === 'number') return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
  return typeof value === 'string' && isPlain(value, indexedBytesMax)
}

const isPlain = (text: string, bytesMax: number): boolean =>
  text.isWellFormed() && !text.includes('\0') && Buffer.byteLength(text) <= bytesMax
