import { earliest, latest } from './ranges.ts'
import type { Node, ParamRef, Part, RangeTest } from './tree.ts'

/** What the rules need to know of parameters. */
export type Facts = {
  /** At most one date: conditions on it can exclude each other. A Period, or a repeating element, can satisfy what looks impossible. */
  readonly holdsOneDate: (param: ParamRef) => boolean
}

const all: Node = { op: 'all' }
const none: Node = { op: 'none' }

/**
 * The same question in its one form: flat `and` and `or`, `not` only around leaves, nothing twice, impossible and certain parts folded,
 * alternatives in canonical order. Equal questions become equal trees, so equal statements and equal cursors.
 */
export const normalise = (node: Node, facts: Facts): Node => {
  switch (node.op) {
    case 'and':
    case 'or':
      return joined(
        node.op,
        node.of.map(part => normalise(part, facts)),
        facts,
      )
    case 'not':
      return negated(normalise(node.of, facts), facts)
    case 'id':
      return ids(node.ids)
    case 'chain':
      return chained(node, facts)
    case 'reverse':
      return reversed(node, facts)
    default:
      return node
  }
}

/** A tree's text: equal texts, equal questions. */
export const canonicalText = (node: Node): string => JSON.stringify(node)

const joined = (op: 'and' | 'or', parts: readonly Node[], facts: Facts): Node => {
  const [neutral, deciding] = op === 'and' ? [all, none] : [none, all]
  const flat = parts.flatMap(one => (one.op === op ? one.of : [one]))
  const [only] = flat
  // Most questions have one condition: nothing to compare, no text needed.
  if (only !== undefined && flat.length === 1) return only
  const unique = new Map<string, Node>()
  for (const part of flat) {
    if (part.op === deciding.op) return deciding
    if (part.op !== neutral.op) unique.set(canonicalText(part), part)
  }
  const merged = mergeIds(op, [...unique.entries()])
  const left = merged.map(([, part]) => part)
  if (left.some(part => part.op === 'none') || (op === 'and' && excludesItself(left, facts))) return none
  const [first, second] = left
  if (first === undefined) return neutral
  return second === undefined ? first : { op, of: ordered(merged) }
}

/** A node with its canonical text. */
type Keyed = readonly [text: string, node: Node]

/** The order in which conditions are written has no meaning; the canonical one is that of their texts. */
const ordered = (parts: readonly Keyed[]): readonly Node[] =>
  parts.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, part]) => part)

/** De Morgan, down to the leaves: `:not=a,b` is not a and not b. */
const negated = (node: Node, facts: Facts): Node => {
  switch (node.op) {
    case 'all':
      return none
    case 'none':
      return all
    case 'not':
      return node.of
    case 'and':
    case 'or':
      return joined(
        node.op === 'and' ? 'or' : 'and',
        node.of.map(part => negated(part, facts)),
        facts,
      )
    case 'missing':
      return { ...node, missing: !node.missing }
    default:
      return { op: 'not', of: node }
  }
}

const ids = (given: readonly string[]): Node => (given.length === 0 ? none : { op: 'id', ids: [...new Set(given)].toSorted() })

/** Ids of alternatives are one list; ids that must all hold are those in every list. */
const mergeIds = (op: 'and' | 'or', parts: readonly Keyed[]): readonly Keyed[] => {
  const lists = parts.flatMap(([, part]) => (part.op === 'id' ? [part.ids] : []))
  if (lists.length < 2) return parts
  const merged = ids(op === 'or' ? lists.flat() : inAll(lists))
  return [...parts.filter(([, part]) => part.op !== 'id'), [canonicalText(merged), merged]]
}

const inAll = ([first = [], ...others]: readonly (readonly string[])[]): readonly string[] => {
  const sets = others.map(list => new Set(list))
  return first.filter(id => sets.every(set => set.has(id)))
}

const chained = (node: Extract<Node, { op: 'chain' }>, facts: Facts): Node => {
  const of = node.of
    .map((part): Part => ({ type: part.type, where: normalise(part.where, facts) }))
    .filter(part => part.where.op !== 'none')
  return of.length === 0 ? none : { ...node, of }
}

const reversed = (node: Extract<Node, { op: 'reverse' }>, facts: Facts): Node => {
  const where = normalise(node.of.where, facts)
  return where.op === 'none' ? none : { ...node, of: { type: node.of.type, where } }
}

// --- conditions on one date that exclude each other

const excludesItself = (parts: readonly Node[], facts: Facts): boolean => {
  const dates = parts.filter(part => part.op === 'date')
  const instants = parts.flatMap(part => (part.op === 'lastUpdated' ? [part.test] : []))
  if (instants.length > 1 && impossible(instants, 1)) return true
  if (dates.length < 2) return false
  const groups = Map.groupBy(dates, part => `${part.param.type}.${part.param.code}`)
  return [...groups.values()].some(group => {
    const tests = group.map(part => part.test)
    return group.length > 1 && facts.holdsOneDate((group[0] as (typeof group)[number]).param) && impossible(tests, yearMs)
  })
}

/** The widest range a single date covers: a leap year and the hour that summer time may add. */
const yearMs = 366 * 86_400_000 + 3_600_000

/** Whether no [lo, hi) at most `width` wide meets all tests. Bounds are those each test sets for lo and hi; `ap` and `ne` set none worth knowing. */
const impossible = (tests: readonly RangeTest[], width: number): boolean => {
  let loFrom = earliest
  let loTo = latest
  let hiFrom = earliest
  let hiTo = latest
  for (const { prefix, lo, hi } of tests) {
    if (prefix === 'eq') [loFrom, hiTo] = [Math.max(loFrom, lo), Math.min(hiTo, hi)]
    else if (prefix === 'gt') hiFrom = Math.max(hiFrom, hi + 1)
    else if (prefix === 'lt') loTo = Math.min(loTo, lo - 1)
    else if (prefix === 'ge') hiFrom = Math.max(hiFrom, lo + 1)
    else if (prefix === 'le') loTo = Math.min(loTo, hi - 1)
    else if (prefix === 'sa') loFrom = Math.max(loFrom, hi)
    else if (prefix === 'eb') hiTo = Math.min(hiTo, lo)
  }
  return loFrom > loTo || hiFrom > hiTo || loFrom >= hiTo || hiFrom - width > loTo
}
