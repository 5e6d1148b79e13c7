import type { Method } from '../port.ts'

/**
 * The few members of a stored version, read straight from its BSON: a document is mostly index entries and a second form of the resource,
 * and making objects of those costs more than all the rest of a read. @see https://bsonspec.org/spec.html
 */

export type VersionFields = {
  /** `_id`: the id of the instance, or `{id}/{versionId}` of a superseded version. */
  readonly key: string
  /** Of a superseded version. */
  readonly id?: string
  readonly seq: number
  readonly versionId: number
  readonly method: Method
  readonly deleted: boolean
  /** UTF-8. It lies in the bytes it was read from. */
  readonly text?: Uint8Array
  readonly parts?: number
  readonly until?: number
}

/** What to ask the server for. */
export const versionProjection = { seq: 1, versionId: 1, method: 1, deleted: 1, id: 1, text: 1, parts: 1, until: 1 } as const

/** Throws when the bytes are no document, or one without what every version has. Values of another BSON type count as absent. */
export const versionFields = (bytes: Uint8Array): VersionFields => {
  const found = read(bytes)
  const { key, seq, versionId, method } = found
  if (key === undefined || seq === undefined || versionId === undefined || !isMethod(method)) throw new Error('This is no stored version')
  return { ...found, key, seq, versionId, method, deleted: found.deleted === true }
}

type Found = { -readonly [K in keyof Omit<VersionFields, 'method'>]?: VersionFields[K] } & { method?: string }

const read = (bytes: Uint8Array): Found => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length - 1
  if (bytes.length < 5 || view.getInt32(0, true) !== bytes.length || bytes[end] !== 0) throw damaged()
  const found: Found = {}
  for (let at = 4; at < end; ) {
    const type = bytes[at] as number
    const name = at + 1
    const value = endOfName(bytes, name, end) + 1
    const next = value + sizeOf(view, type, value, end)
    if (next > end) throw damaged()
    take(found, bytes, view, { type, name, nameLength: value - 1 - name, value, next })
    at = next
  }
  return found
}

type Element = { readonly type: number; readonly name: number; readonly nameLength: number; readonly value: number; readonly next: number }

const take = (found: Found, bytes: Uint8Array, view: DataView, element: Element): void => {
  const field = fields[element.nameLength]?.find(({ name }) => isNamed(bytes, element.name, name))?.field
  if (field === undefined) return
  if (field === 'text') {
    if (element.type === types.string) found.text = bytes.subarray(element.value + 4, element.next - 1)
  } else if (field === 'deleted') {
    if (element.type === types.boolean) found.deleted = bytes[element.value] === 1
  } else if (field === 'key' || field === 'id' || field === 'method') {
    if (element.type === types.string) found[field] = decoder.decode(bytes.subarray(element.value + 4, element.next - 1))
  } else {
    const number = numberAt(view, element.type, element.value)
    if (number !== undefined) found[field] = number
  }
}

const decoder = new TextDecoder()
const named = (field: keyof VersionFields, name: string = field) => ({ field, name: new TextEncoder().encode(name) })

const allFields = [
  named('key', '_id'),
  ...(['seq', 'versionId', 'method', 'deleted', 'id', 'text', 'parts', 'until'] as const).map(field => named(field)),
]
/** By the length of the name: few share one. */
const fields = Array.from({ length: 10 }, (_, length) => allFields.filter(({ name }) => name.length === length))

const isNamed = (bytes: Uint8Array, at: number, name: Uint8Array): boolean => {
  for (let n = 0; n < name.length; n++) if (bytes[at + n] !== name[n]) return false
  return true
}

const isMethod = (text: string | undefined): text is Method => text === 'POST' || text === 'PUT' || text === 'DELETE'

const endOfName = (bytes: Uint8Array, from: number, end: number): number => {
  for (let at = from; at < end; at++) if (bytes[at] === 0) return at
  throw damaged()
}

const types = { double: 0x01, string: 0x02, boolean: 0x08, int32: 0x10, int64: 0x12 } as const

const numberAt = (view: DataView, type: number, at: number): number | undefined => {
  if (type === types.int64) return view.getUint32(at, true) + view.getInt32(at + 4, true) * 2 ** 32
  if (type === types.int32) return view.getInt32(at, true)
  return type === types.double ? view.getFloat64(at, true) : undefined
}

/** Bytes of values whose type says how many. */
const fixedSizes: Readonly<Record<number, number>> = {
  [types.double]: 8,
  /** undefined, ObjectId */
  6: 0,
  7: 12,
  [types.boolean]: 1,
  /** date, null */
  9: 8,
  10: 0,
  [types.int32]: 4,
  /** timestamp */
  17: 8,
  [types.int64]: 8,
  /** decimal, least and greatest key */
  19: 16,
  255: 0,
  127: 0,
}

const sizeOf = (view: DataView, type: number, at: number, end: number): number => {
  const fixed = fixedSizes[type]
  if (fixed !== undefined) return fixed
  if (type === 0x0b) return sizeOfRegularExpression(view, at, end)
  if (at + 4 > end) throw damaged()
  const length = view.getInt32(at, true)
  switch (type) {
    // string, code, symbol: the length counts the closing zero
    case types.string:
    case 0x0d:
    case 0x0e:
      return length < 1 || at + 4 + length > end || view.getUint8(at + 3 + length) !== 0 ? refuse() : 4 + length
    // document, array, code with scope: the length counts itself
    case 0x03:
    case 0x04:
    case 0x0f:
      return length < 5 ? refuse() : length
    // binary: a byte for its kind
    case 0x05:
      return length < 0 ? refuse() : 5 + length
    // pointer: a string and an ObjectId
    case 0x0c:
      return length < 1 ? refuse() : 16 + length
    default:
      return refuse()
  }
}

/** Two texts that end with a zero each. */
const sizeOfRegularExpression = (view: DataView, at: number, end: number): number => {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  return endOfName(bytes, endOfName(bytes, at, end) + 1, end) + 1 - at
}

const damaged = (): Error => new Error('The database sent a damaged document')

const refuse = (): never => {
  throw damaged()
}
