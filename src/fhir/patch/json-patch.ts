import type { Limits } from '../../base/limits.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { isRule, type Rule, rule } from '../../base/rules.ts'
import type { Resource } from '../model/resource.ts'
import { withoutEmptied } from './emptied.ts'
import { changedAt, indexIn, parsePointer, valueAt } from './json-pointer.ts'
import { depthUpTo, sizeUpTo } from './json-size.ts'
import { isForbiddenName, isObject, withIdentityOf } from './protected.ts'
import { equalValues } from './value-equality.ts'

export type PatchLimits = Pick<Limits, 'patchOperationsMax' | 'resourceBytesMax' | 'depthMax'>

/**
 * JSON Patch on the JSON form of a resource, which itself stays as it was. All operations or none. Only after the last one what they emptied
 * goes: an operation may fill what the one before it emptied.
 * Fails `patch-document` (400) when the patch is no patch, `patch-failed` (422) when an operation cannot be applied, `patch-protected`,
 * `body-too-large` when it adds more than a resource may be large.
 * @see https://www.rfc-editor.org/rfc/rfc6902
 */
export const applyJsonPatch = (resource: Resource, patch: unknown, limits: PatchLimits): Outcome<Resource> => {
  const operations = readOperations(patch, limits)
  if (!operations.ok) return operations
  const work: Work = { document: resource, budget: limits.resourceBytesMax, depthMax: limits.depthMax }
  for (const [at, operation] of operations.value.entries()) {
    const refused = operators[operation.op](operation, work)
    if (work.budget < 0) return fail('body-too-large', { max: limits.resourceBytesMax })
    if (refused !== undefined) return fail('patch-failed', { number: at + 1, rule: refused })
  }
  const takes = operations.value.some(({ op }) => op === 'remove' || op === 'move')
  return withIdentityOf(resource, takes ? withoutEmptied(work.document, [resource, patch]) : work.document)
}

type Operation = {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  readonly path: readonly string[]
  readonly from: readonly string[]
  readonly value: unknown
}

/** The document as far as it got, and how many more bytes may be added: `copy` of a `copy` would grow without end, in width and in depth. */
type Work = { document: unknown; budget: number; readonly depthMax: number }

const readOperations = (patch: unknown, { patchOperationsMax }: PatchLimits): Outcome<readonly Operation[]> => {
  if (!Array.isArray(patch)) return fail('patch-document', { rule: rule('json-patch-form') })
  if (patch.length > patchOperationsMax) return fail('patch-document', { rule: rule('at-most-operations', { max: patchOperationsMax }) })
  const operations: Operation[] = []
  for (const [at, item] of patch.entries()) {
    const operation = readOperation(item, at + 1)
    if (isRule(operation)) return fail('patch-document', { rule: operation })
    if ([...operation.path, ...operation.from].some(isForbiddenName))
      return fail('patch-failed', { number: at + 1, rule: rule('not-of-fhir') })
    operations.push(operation)
  }
  return ok(operations)
}

/** An operation, or what it lacks. */
const readOperation = (item: unknown, number: number): Operation | Rule => {
  if (!isObject(item)) return rule('operation-object', { number })
  const { op, path, from } = item
  if (typeof op !== 'string' || !Object.hasOwn(operators, op)) return rule('operation-op', { number })
  const pointer = typeof path === 'string' ? parsePointer(path) : undefined
  if (pointer === undefined) return rule('operation-pointer', { number, member: 'path' })
  const needsFrom = op === 'move' || op === 'copy'
  const source = typeof from === 'string' ? parsePointer(from) : undefined
  if (needsFrom && source === undefined) return rule('operation-pointer', { number, member: 'from' })
  const needsValue = op === 'add' || op === 'replace' || op === 'test'
  if (needsValue && !Object.hasOwn(item, 'value')) return rule('operation-without', { number, member: 'value' })
  return { op: op as Operation['op'], path: pointer, from: needsFrom ? (source ?? []) : [], value: item.value }
}

const notThere = rule('leads-to-nothing', { member: 'path' })
const noSource = rule('leads-to-nothing', { member: 'from' })

/** Charges a value that is to be added; why it may not be. */
const refusal = (path: readonly string[], value: unknown, work: Work): Rule | undefined => {
  work.budget -= sizeUpTo(value, work.budget)
  return work.budget < 0 ? rule('result-too-large') : tooDeep(path, value, work)
}

const tooDeep = (path: readonly string[], value: unknown, { depthMax }: Work): Rule | undefined =>
  path.length + depthUpTo(value, depthMax) > depthMax ? rule('result-too-deep', { max: depthMax }) : undefined

/** One function per operation; it gives back why it cannot be applied. */
const operators: Readonly<Record<Operation['op'], (operation: Operation, work: Work) => Rule | undefined>> = {
  add: ({ path, value }, work) => refusal(path, value, work) ?? add(path, value, work),
  remove: ({ path }, work) => remove(path, work),
  replace: ({ path, value }, work) => {
    const refused = refusal(path, value, work)
    if (refused !== undefined) return refused
    return put(work, path.length === 0 ? value : changedAt(work.document, path, (container, last) => setExisting(container, last, value)))
  },
  move: ({ from, path }, work) => {
    const value = valueAt(work.document, from)
    if (value === undefined) return noSource
    if (from.every((token, at) => token === path[at])) {
      return path.length === from.length ? undefined : rule('into-itself')
    }
    return tooDeep(path, value, work) ?? remove(from, work) ?? add(path, value, work)
  },
  copy: ({ from, path }, work) => {
    const value = valueAt(work.document, from)
    return value === undefined ? noSource : (refusal(path, value, work) ?? add(path, value, work))
  },
  test: ({ path, value }, work) => {
    const found = valueAt(work.document, path)
    return found !== undefined && equalValues(found, value) ? undefined : rule('test-failed')
  },
}

const put = (work: Work, document: unknown): Rule | undefined => {
  if (document === undefined) return notThere
  work.document = document
  return undefined
}

const add = (path: readonly string[], value: unknown, work: Work): Rule | undefined =>
  put(work, path.length === 0 ? value : changedAt(work.document, path, (container, last) => insert(container, last, value)))

const remove = (path: readonly string[], work: Work): Rule | undefined =>
  path.length === 0 ? rule('whole-resource') : put(work, changedAt(work.document, path, takeOut))

type Container = unknown[] | Record<string, unknown>

const insert = (container: Container, last: string, value: unknown): boolean => {
  if (!Array.isArray(container)) {
    container[last] = value
    return true
  }
  const index = indexIn(container, last, true)
  if (index >= 0) container.splice(index, 0, value)
  return index >= 0
}

const setExisting = (container: Container, last: string, value: unknown): boolean => {
  if (Array.isArray(container)) {
    const index = indexIn(container, last)
    if (index >= 0) container[index] = value
    return index >= 0
  }
  if (!Object.hasOwn(container, last)) return false
  container[last] = value
  return true
}

const takeOut = (container: Container, last: string): boolean => {
  if (Array.isArray(container)) {
    const index = indexIn(container, last)
    if (index >= 0) container.splice(index, 1)
    return index >= 0
  }
  if (!Object.hasOwn(container, last)) return false
  delete container[last]
  return true
}
