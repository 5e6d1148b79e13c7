import { Decimal } from '../model/decimal.ts'
import type { StaticType } from './static-type.ts'

export type JsonObject = { readonly [member: string]: unknown }
export type Item = { readonly value: unknown; readonly type: StaticType }

/**
 * A compiled expression: visits its results from one input in document order, each result handed to the walk behind it, results at last
 * pushed on `out`. `resource` is the whole one, for `%resource` and `#` references. Values are raw JSON; a primitive with id or extensions is a `Primitive`.
 */
export type Walk = (node: unknown, resource: JsonObject, out: unknown[]) => void

/** Compiled: cannot have a result. */
export const nothing: Walk = () => {}

/** A primitive whose `_name` twin is there; `value` is undefined when only the twin is. */
export class Primitive {
  readonly value: unknown
  readonly twin: unknown
  constructor(value: unknown, twin: unknown) {
    this.value = value
    this.twin = twin
  }
}

/** The JSON value of an item: undefined for a primitive that has only an id or extensions. */
export const jsonValue = (node: unknown): unknown => (node instanceof Primitive ? node.value : node)

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

export const sequence = (walks: readonly Walk[]): Walk => {
  const live = walks.filter(walk => walk !== nothing)
  const [first, second] = live
  if (!first) return nothing
  if (!second) return first
  return (node, resource, out) => {
    for (const walk of live) walk(node, resource, out)
  }
}

/** Members that are objects or lists of objects; anything else in their place is skipped. */
export const objectStep = (name: string, next: Walk): Walk => {
  if (next === nothing) return nothing
  return (node, resource, out) => {
    const value = (node as JsonObject)[name]
    if (value === undefined) return
    if (Array.isArray(value)) {
      for (const item of value) if (isObject(item)) next(item, resource, out)
    } else if (isObject(value)) next(value, resource, out)
  }
}

/** Members that are primitives, with their twins. @see https://hl7.org/fhir/R4/json.html#primitive */
export const primitiveStep = (name: string, next: Walk): Walk => {
  if (next === nothing) return nothing
  const twinName = `_${name}`
  return (node, resource, out) => {
    const value = (node as JsonObject)[name]
    const twin = (node as JsonObject)[twinName]
    if (twin !== undefined) return withTwins(value, twin, next, resource, out)
    if (value === undefined) return
    if (Array.isArray(value)) {
      for (const item of value) if (isScalar(item)) next(item, resource, out)
    } else if (isScalar(value)) next(value, resource, out)
  }
}

const isScalar = (value: unknown): boolean => (typeof value === 'object' ? value instanceof Decimal : value !== undefined)

const withTwins = (value: unknown, twin: unknown, next: Walk, resource: JsonObject, out: unknown[]): void => {
  const values = Array.isArray(value) ? value : [value]
  const twins = Array.isArray(twin) ? twin : [twin]
  for (let i = 0; i < Math.max(values.length, twins.length); i += 1) {
    const item = isScalar(values[i]) ? values[i] : undefined
    if (isObject(twins[i])) next(new Primitive(item, twins[i]), resource, out)
    else if (item !== undefined) next(item, resource, out)
  }
}

/** Members of a primitive itself: id and extension stand in its twin. */
export const twinStep = (walk: Walk): Walk =>
  walk === nothing
    ? nothing
    : (node, resource, out) => {
        if (node instanceof Primitive && isObject(node.twin)) walk(node.twin, resource, out)
      }

/** A choice of many types (`Extension.value[x]` has 50) looks at the members that are there, not for all that may be. */
export const choiceStep = (steps: ReadonlyMap<string, Walk>): Walk => {
  const live = new Map([...steps].filter(([, walk]) => walk !== nothing))
  if (live.size <= 12) return sequence([...live.values()])
  return (node, resource, out) => {
    const visited = new Set<Walk>()
    for (const name in node as JsonObject) {
      const walk = live.get(name) ?? (name.startsWith('_') ? live.get(name.slice(1)) : undefined)
      if (walk === undefined || visited.has(walk)) continue
      visited.add(walk)
      walk(node, resource, out)
    }
  }
}
