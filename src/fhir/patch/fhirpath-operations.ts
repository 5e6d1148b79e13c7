import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { isRule, type Rule, rule } from '../../base/rules.ts'
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
  if (!isObject(patch) || patch.resourceType !== 'Parameters') return document(rule('path-patch-form'))
  const { parameter = [] } = patch
  if (!Array.isArray(parameter)) return document(rule('parameter-list'))
  if (parameter.length > max) return document(rule('at-most-operations', { max }))
  const operations: PathOperation[] = []
  for (const [at, item] of parameter.entries()) {
    const operation = readOperation(item, at + 1)
    if (isRule(operation)) return document(operation)
    operations.push(operation)
  }
  return ok(operations)
}

const document = (broken: Rule): Outcome<never> => fail('patch-document', { rule: broken })

/** An operation, or what is wrong with it. */
const readOperation = (item: unknown, number: number): PathOperation | Rule => {
  if (!isObject(item) || item.name !== 'operation' || !Array.isArray(item.part)) return rule('operation-parts', { number })
  const parts = readParts(item.part)
  if (parts === undefined) return rule('operation-part', { number })
  const byName = new Map(parts.map(part => [part.name, part.value]))
  if (byName.size < parts.length) return rule('operation-part-twice', { number })
  const type = textOf(byName.get('type'))
  const path = textOf(byName.get('path'))
  if (path === undefined) return rule('operation-without', { number, member: 'path' })
  const takes = partsOf[type as keyof typeof partsOf]
  if (type === undefined || !Object.hasOwn(partsOf, type)) return rule('operation-type', { number })
  const wanted: readonly string[] = ['type', 'path', ...takes]
  if (parts.some(({ name }) => !wanted.includes(name))) return rule('operation-foreign-part', { number, type })
  return completed(type as keyof typeof partsOf, path, byName, number)
}

const partsOf = {
  add: ['name', 'value'],
  insert: ['index', 'value'],
  replace: ['value'],
  delete: [],
  move: ['source', 'destination'],
} as const satisfies Record<PathOperation['type'], readonly string[]>

const completed = (
  type: PathOperation['type'],
  path: string,
  parts: ReadonlyMap<string, PartValue>,
  number: number,
): PathOperation | Rule => {
  const without = (member: string): Rule => rule('operation-without', { number, member })
  const value = parts.get('value')
  const name = textOf(parts.get('name'))
  const position = (part: string) => positionOf(parts.get(part))
  const [index, source, destination] = [position('index'), position('source'), position('destination')]
  if (type === 'delete') return { type, path }
  if (type === 'move') {
    if (source === undefined) return without('source')
    return destination === undefined ? without('destination') : { type, path, source, destination }
  }
  if (value === undefined) return without('value')
  if (type === 'replace') return { type, path, value }
  if (type === 'insert') return index === undefined ? without('index') : { type, path, index, value }
  return name === undefined ? without('name') : { type, path, name, value }
}

/** Undefined when a part has no name or no value. */
const readParts = (items: readonly unknown[]): readonly Part[] | undefined => {
  const parts: Part[] = []
  for (const item of items) {
    const value = isObject(item) && typeof item.name === 'string' ? readValue(item) : undefined
    if (value === undefined) return undefined
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
    return parts && { kind: 'parts', parts }
  }
  if (isObject(part.resource)) return { kind: 'resource', resource: part.resource }
  for (const suffix of suffixes) return { kind: 'typed', suffix, value: part[`value${suffix}`], companion: part[`_value${suffix}`] }
  return undefined
}

const textOf = (value: PartValue | undefined): string | undefined =>
  value?.kind === 'typed' && typeof value.value === 'string' ? value.value : undefined

const positionOf = (value: PartValue | undefined): number | undefined =>
  value?.kind === 'typed' && Number.isSafeInteger(value.value) && (value.value as number) >= 0 ? (value.value as number) : undefined
