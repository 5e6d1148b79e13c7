import { fail, ok, type Outcome } from '../../base/outcome.ts'
import { isObject } from './protected.ts'

/** An operation of a FHIRPath Patch as its Parameters say it. */
export type PathOperation = { readonly path: string } & (
  | { readonly type: 'add'; readonly name: string; readonly value: PartValue }
  | { readonly type: 'insert'; readonly index: number; readonly value: PartValue }
  | { readonly type: 'replace'; readonly value: PartValue }
  | { readonly type: 'delete' }
  | { readonly type: 'move'; readonly source: number; readonly destination: number }
)

/** A value with its data type, a resource, or the parts of an element that has no data type. */
export type PartValue =
  | { readonly kind: 'typed'; readonly suffix: string; readonly value: unknown; readonly companion: unknown }
  | { readonly kind: 'resource'; readonly resource: Record<string, unknown> }
  | { readonly kind: 'parts'; readonly parts: readonly Part[] }

export type Part = { readonly name: string; readonly value: PartValue }

/**
 * The operations of a Parameters resource. Fails `patch-document`: what is not understood may not be left out of a patch.
 * @see https://hl7.org/fhir/R4/fhirpatch.html
 */
export const readPathOperations = (patch: unknown, max: number): Outcome<readonly PathOperation[]> => {
  if (!isObject(patch) || patch.resourceType !== 'Parameters') return document('a FHIRPath Patch is a Parameters resource')
  const { parameter = [] } = patch
  if (!Array.isArray(parameter)) return document('parameter is a list')
  if (parameter.length > max) return document(`it has at most ${max} operations`)
  const operations: PathOperation[] = []
  for (const [at, item] of parameter.entries()) {
    const operation = readOperation(item)
    if (typeof operation === 'string') return document(`operation ${at + 1} ${operation}`)
    operations.push(operation)
  }
  return ok(operations)
}

const document = (rule: string): Outcome<never> => fail('patch-document', { rule })

/** An operation, or what is wrong with it. */
const readOperation = (item: unknown): PathOperation | string => {
  if (!isObject(item) || item.name !== 'operation' || !Array.isArray(item.part)) return 'is not named operation or has no parts'
  const parts = readParts(item.part)
  if (typeof parts === 'string') return parts
  const byName = new Map(parts.map(part => [part.name, part.value]))
  if (byName.size < parts.length) return 'has a part twice'
  const type = textOf(byName.get('type'))
  const path = textOf(byName.get('path'))
  if (path === undefined) return 'has no path'
  const takes = partsOf[type as keyof typeof partsOf]
  if (type === undefined || !Object.hasOwn(partsOf, type)) return 'has no known type'
  const wanted: readonly string[] = ['type', 'path', ...takes]
  if (parts.some(({ name }) => !wanted.includes(name))) return `of type ${type} has a part of another type of operation`
  return completed(type as keyof typeof partsOf, path, byName)
}

const partsOf = {
  add: ['name', 'value'],
  insert: ['index', 'value'],
  replace: ['value'],
  delete: [],
  move: ['source', 'destination'],
} as const satisfies Record<PathOperation['type'], readonly string[]>

const completed = (type: PathOperation['type'], path: string, parts: ReadonlyMap<string, PartValue>): PathOperation | string => {
  const value = parts.get('value')
  const name = textOf(parts.get('name'))
  const number = (part: string) => positionOf(parts.get(part))
  const [index, source, destination] = [number('index'), number('source'), number('destination')]
  if (type === 'delete') return { type, path }
  if (type === 'move') {
    return source === undefined || destination === undefined ? 'has no source or no destination' : { type, path, source, destination }
  }
  if (value === undefined) return 'has no value'
  if (type === 'replace') return { type, path, value }
  if (type === 'insert') return index === undefined ? 'has no index' : { type, path, index, value }
  return name === undefined ? 'has no name' : { type, path, name, value }
}

const readParts = (items: readonly unknown[]): readonly Part[] | string => {
  const parts: Part[] = []
  for (const item of items) {
    const value = isObject(item) && typeof item.name === 'string' ? readValue(item) : undefined
    if (value === undefined) return 'has a part without name or without value'
    parts.push({ name: (item as Part).name, value })
  }
  return parts
}

const valuePattern = /^_?value([A-Z][A-Za-z0-9]*)$/

const readValue = (part: Record<string, unknown>): PartValue | undefined => {
  const suffixes = new Set(Object.keys(part).flatMap(name => valuePattern.exec(name)?.[1] ?? []))
  const forms = suffixes.size + (part.resource === undefined ? 0 : 1) + (part.part === undefined ? 0 : 1)
  if (forms !== 1) return undefined
  if (Array.isArray(part.part)) {
    const parts = readParts(part.part)
    return typeof parts === 'string' ? undefined : { kind: 'parts', parts }
  }
  if (isObject(part.resource)) return { kind: 'resource', resource: part.resource }
  for (const suffix of suffixes) return { kind: 'typed', suffix, value: part[`value${suffix}`], companion: part[`_value${suffix}`] }
  return undefined
}

const textOf = (value: PartValue | undefined): string | undefined =>
  value?.kind === 'typed' && typeof value.value === 'string' ? value.value : undefined

const positionOf = (value: PartValue | undefined): number | undefined =>
  value?.kind === 'typed' && Number.isSafeInteger(value.value) && (value.value as number) >= 0 ? (value.value as number) : undefined
