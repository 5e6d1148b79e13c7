import { type CompileCall, type Compiler, type Next, Unsupported } from './compiler.ts'
import type { StaticType } from './static-type.ts'
import type { Expression } from './tree.ts'
import { type Item, nothing, type Walk } from './walk.ts'

/** Collects the whole collection, takes one item of it, and goes on behind that item's own type. */
const taking = (
  pick: (items: readonly Item[]) => Item | undefined,
  of: Expression,
  from: StaticType,
  next: Next,
  compiler: Compiler,
): Walk => {
  const behind = new Map<StaticType, Walk>()
  const collect = compiler.walk(of, from, type => {
    behind.set(type, next(type))
    return (node, _resource, out) => {
      out.push({ value: node, type })
    }
  })
  if (collect === nothing) return nothing
  return (node, resource, out) => {
    const items: Item[] = []
    collect(node, resource, items)
    const item = pick(items)
    if (item) behind.get(item.type)?.(item.value, resource, out)
  }
}

const first: CompileCall = (call, from, next, compiler) => taking(items => items[0], call.of, from, next, compiler)
const last: CompileCall = (call, from, next, compiler) => taking(items => items.at(-1), call.of, from, next, compiler)

/** `[n]` with n written as a number. */
export const indexer = (of: Expression, index: Expression, from: StaticType, next: Next, compiler: Compiler): Walk => {
  if (index.kind !== 'literal' || index.literal.type !== 'number' || index.literal.text.includes('.'))
    throw new Unsupported('a computed index')
  const place = Number(index.literal.text)
  return taking(items => items[place], of, from, next, compiler)
}

/** @see https://hl7.org/fhirpath/N1/#subsetting */
export const subsetting: Readonly<Record<string, CompileCall>> = { first, last }
