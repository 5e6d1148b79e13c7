import { type AccessFilter, seesAll } from '../base/access-filter.ts'
import type { Listed, Plain, PlainPart } from './plan.ts'
import type { Node, Part } from './tree.ts'

/** Up to this many alternatives are walked side by side; more of one parameter become a list. */
export const unionMax = 8

const all: Plain = { op: 'all' }
const none: Plain = { op: 'none' }

/** The filter each type that a chain passes through must satisfy. */
export type FilterFor = (type: string) => AccessFilter

/** How access filters become nodes: as they are said, or also of the newest version (`stillSeen`). */
type Seen = (filter: AccessFilter) => Plain

/** One part with its access filter as one of the conjuncts, in the planner's form. */
export const plainPart = (part: Part, access: AccessFilter, filterFor: FilterFor, seen: Seen = plainAccess): PlainPart => ({
  type: part.type,
  where: and([plain(part.where, filterFor, seen), seen(access)]),
})

/** For what a snapshot holds: its newest version must pass too. */
export const stillSeen: Seen = filter => {
  const now = plainAccess(filter)
  return now.op === 'all' || now.op === 'none' ? now : and([now, { op: 'still', filter }])
}

export const conjunctsOf = (node: Plain): readonly Plain[] => (node.op === 'and' ? node.of : node.op === 'all' ? [] : [node])

export const everySees: FilterFor = () => seesAll

const plain = (node: Node, filterFor: FilterFor, seen: Seen): Plain => {
  switch (node.op) {
    case 'and':
      return and(node.of.map(one => plain(one, filterFor, seen)))
    case 'or':
      return or(node.of.map(one => plain(one, filterFor, seen)))
    case 'not':
      return not(plain(node.of, filterFor, seen))
    case 'access':
      return seen(node.filter)
    case 'uri':
      // A uri is kept as a token without system.
      return node.match === 'exact' ? { op: 'token', param: node.param, code: node.uri } : node
    case 'id':
      return ids(node.ids)
    case 'chain':
      return chain(node, filterFor, seen)
    case 'reverse': {
      const of = plainPart(node.of, filterFor(node.of.type), filterFor, seen)
      return of.where.op === 'none' ? none : { op: 'reverse', param: node.param, of }
    }
    default:
      return node
  }
}

/** What a filter says, in the planner's form. */
export const plainAccess = (filter: AccessFilter): Plain => {
  switch (filter.op) {
    case 'all':
      return all
    case 'none':
      return none
    case 'and':
      return and(filter.of.map(plainAccess))
    case 'or':
      return or(filter.of.map(plainAccess))
    case 'not':
      return not(plainAccess(filter.of))
    case 'ids':
      return ids(filter.ids)
    case 'owner':
      return filter.organizations.length === 0 ? none : { op: 'access', filter }
    case 'patients':
      return filter.of.length === 0 ? none : { op: 'access', filter }
    case 'param':
    case 'consent':
      // `none` would open everything behind a `not`.
      throw new Error(`No engine knows the filter ${filter.op}`)
    default:
      return { op: 'access', filter }
  }
}

const chain = (node: Extract<Node, { op: 'chain' }>, filterFor: FilterFor, seen: Seen): Plain => {
  const of = node.of.map(part => plainPart(part, filterFor(part.type), filterFor, seen)).filter(part => part.where.op !== 'none')
  return of.length === 0 ? none : { op: 'chain', param: node.param, of }
}

const ids = (given: readonly string[]): Plain => (given.length === 0 ? none : { op: 'id', ids: [...new Set(given)] })

const and = (nodes: readonly Plain[]): Plain => {
  const of = distinct(nodes.flatMap(node => (node.op === 'and' ? node.of : [node])).filter(node => node.op !== 'all'))
  if (of.some(node => node.op === 'none')) return none
  return of.length === 0 ? all : of.length === 1 ? (of[0] as Plain) : { op: 'and', of }
}

const or = (nodes: readonly Plain[]): Plain => {
  const flat = distinct(nodes.flatMap(node => (node.op === 'or' ? node.of : [node])).filter(node => node.op !== 'none'))
  if (flat.some(node => node.op === 'all')) return all
  const of = flat.length > unionMax ? listed(flat) : flat
  return of.length === 0 ? none : of.length === 1 ? (of[0] as Plain) : { op: 'or', of }
}

const not = (node: Plain): Plain => {
  switch (node.op) {
    case 'all':
      return none
    case 'none':
      return all
    case 'not':
      return node.of
    case 'and':
      return or(node.of.map(not))
    case 'or':
      return and(node.of.map(not))
    default:
      return { op: 'not', of: node }
  }
}

/** Alternatives of the same kind and parameter together, in the order of their first. */
const listed = (nodes: readonly Plain[]): readonly Plain[] => {
  const groups = new Map<string, Listed[]>()
  const rest: Plain[] = []
  const named: string[] = []
  for (const node of nodes) {
    if (node.op === 'id') named.push(...node.ids)
    else if (isListed(node)) {
      const key = `${node.op} ${node.param.code} ${node.op === 'string' ? node.match : ''}`
      const group = groups.get(key)
      if (group) group.push(node)
      else groups.set(key, [node])
    } else rest.push(node)
  }
  const lists = [...groups.values()].map((of): Plain => (of.length === 1 ? (of[0] as Listed) : { op: 'list', of }))
  return [...lists, ...(named.length > 0 ? [ids(named)] : []), ...rest]
}

const isListed = (node: Plain): node is Listed =>
  node.op === 'reference' || (node.op === 'token' && node.code !== undefined) || (node.op === 'string' && node.match !== 'contains')

/** Same text, same node: what was said twice is asked once. */
const distinct = (nodes: readonly Plain[]): readonly Plain[] =>
  nodes.length < 2 ? nodes : [...new Map(nodes.map(node => [JSON.stringify(node), node])).values()]
