import { compile } from 'fhirpath'
import r4 from 'fhirpath/fhir-context/r4'
import type { Definitions } from '../../../src/fhir/definitions/definitions.ts'

/** The reference engine on search expressions, narrowed by text to one type: an oracle that shares no code with ours. */
export type Oracle = (resource: unknown, variables?: Record<string, unknown>) => unknown[]

type Node = { data?: unknown }

/** `resolve() is T` from the reference text alone: the engine would ask a server. */
const refersTo = (root: () => unknown) => (nodes: Node[], type: string) =>
  nodes.map(node => {
    const reference = (node.data ?? {}) as { reference?: string; type?: string }
    const contained = (root() as { contained?: { id?: string; resourceType: string }[] }).contained ?? []
    const local = contained.find(({ id }) => `#${id}` === reference.reference)?.resourceType
    return (local ?? reference.reference?.match(/([A-Za-z]+)\/[^/]+(?:\/_history\/[^/]+)?$/)?.[1] ?? reference.type) === type
  })

const parts = (expression: string): string[] => {
  const found = ['']
  let depth = 0
  for (const character of expression) {
    if (character === '(') depth += 1
    if (character === ')') depth -= 1
    if (character === '|' && depth === 0) found.push('')
    else found[found.length - 1] += character
  }
  return found.map(part => part.trim())
}

/** Alternatives of an expression for a type, with bases named by the type itself; all of them when none begins with a type. */
export const narrowedText = (type: string, expression: string, definitions: Definitions): string[] =>
  parts(expression).flatMap(part => {
    const leading = part.match(/^\(*([A-Z][A-Za-z]*)/)?.[1]
    if (leading === undefined || !definitions.type(leading)) return [part]
    return definitions.isKindOf(type, leading) ? [part.replace(leading, type)] : []
  })

export const oracle = (expressions: readonly string[], base?: string): Oracle => {
  let root: unknown
  const options = {
    async: false as const,
    traceFn: () => {},
    userInvocationTable: { refersTo: { fn: refersTo(() => root), arity: { 1: ['String' as const] }, internalStructures: true } },
  }
  const compiled = expressions
    .map(expression => expression.replace(/resolve\(\) is (\w+)/g, "refersTo('$1')"))
    .map(expression => compile(base === undefined ? expression : { base, expression }, r4, options))
  return (resource, variables) => {
    root = variables?.resource ?? resource
    return compiled.flatMap(evaluate => evaluate(resource, variables ?? {}) as unknown[])
  }
}
