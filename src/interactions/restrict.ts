import { type AccessFilter, seesAll } from '../base/access-filter.ts'
import type { Node, Part, Query } from '../search/tree.ts'
import type { Call } from './parts.ts'

/** A query and what the store must apply to it as a whole. */
export type Restricted = { readonly query: Query; readonly access: AccessFilter }

/**
 * Puts what the caller may see into the question: matches, steps of chains and steps back each under the filter of their own type, so
 * that nobody learns by a chain what a read would hide. A search of one type leaves its filter to the store, which plans with it.
 */
export const restrict = (query: Query, access: Call['access']): Restricted => {
  const inner = (node: Node): Node => restrictNode(node, access)
  const [only, ...others] = query.parts
  if (only !== undefined && others.length === 0) {
    const where = inner(only.where)
    return { query: where === only.where ? query : { ...query, parts: [{ ...only, where }] }, access: access.filterFor(only.type) }
  }
  return { query: { ...query, parts: query.parts.map(part => restrictPart(part, access)) }, access: seesAll }
}

const restrictPart = (part: Part, access: Call['access']): Part => {
  const filter = access.filterFor(part.type)
  const where = restrictNode(part.where, access)
  if (filter.op === 'all') return where === part.where ? part : { ...part, where }
  if (filter.op === 'none') return { ...part, where: { op: 'none' } }
  return { ...part, where: { op: 'and', of: [where, { op: 'access', filter }] } }
}

/** The very node when nothing in it steps to another type. */
const restrictNode = (node: Node, access: Call['access']): Node => {
  switch (node.op) {
    case 'and':
    case 'or': {
      const of = node.of.map(part => restrictNode(part, access))
      return of.every((part, at) => part === node.of[at]) ? node : { ...node, of }
    }
    case 'not': {
      const of = restrictNode(node.of, access)
      return of === node.of ? node : { ...node, of }
    }
    case 'chain':
      return { ...node, of: node.of.map(part => restrictPart(part, access)) }
    case 'reverse':
      return { ...node, of: restrictPart(node.of, access) }
    default:
      return node
  }
}
