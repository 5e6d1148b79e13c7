import { permits } from '../base/access-filter.ts'
import { every, negate, some } from '../base/three-valued.ts'
import { holds } from './ranges.ts'
import type { Node, RangeTest } from './tree.ts'
import type { IndexValues } from './values.ts'

/** One resource, as far as a tree can ask about it. */
export type Candidate = {
  readonly type: string
  readonly id: string
  /** ms; absent while it is not written: then a condition on it is unknown. */
  readonly lastUpdated?: number
  readonly values: IndexValues
  /** Ids of the patients whose privacy compartment it is in; absent: conditions on them are unknown. */
  readonly patients?: readonly string[]
}

/**
 * Whether the resource meets the tree; undefined when that depends on other resources (chains, `_has`) or on what is not known of this one.
 * Three-valued: `false and unknown` is false, `true or unknown` is true.
 * For conditional writes ("does what is written match its own criteria?"), references inside a Bundle and exports.
 */
export const evaluate = (node: Node, candidate: Candidate): boolean | undefined => {
  const { values } = candidate
  switch (node.op) {
    case 'all':
      return true
    case 'none':
      return false
    case 'and':
      return every(node.of, part => evaluate(part, candidate))
    case 'or':
      return some(node.of, part => evaluate(part, candidate))
    case 'not':
      return negate(evaluate(node.of, candidate))
    case 'id':
      return node.ids.includes(candidate.id)
    case 'lastUpdated':
      return candidate.lastUpdated === undefined ? undefined : holds(node.test, candidate.lastUpdated, candidate.lastUpdated + 1)
    case 'missing':
      return values.shape.includes(node.param.code) !== node.missing
    case 'compartment':
      return node.params.some(param => refersTo(values, param.code, node.owner.type, node.owner.id))
    case 'chain':
    case 'reverse':
      return undefined
    case 'access':
      return permits(node.filter, candidate)
    default:
      return meets(node, values)
  }
}

type Leaf = Extract<Node, { op: 'token' | 'string' | 'uri' | 'date' | 'number' | 'quantity' | 'reference' | 'composite' }>

const meets = (node: Leaf, values: IndexValues): boolean => {
  const { code } = node.param
  switch (node.op) {
    case 'token':
      return values.tokens.some(row => row.param === code && isOr(node.code, row.code) && isOr(node.system, row.system))
    case 'string':
      return values.strings.some(row => row.param === code && meetsString(node, row))
    case 'uri':
      return values.tokens.some(row => row.param === code && (node.match === 'exact' ? row.code === node.uri : row.code.includes(node.uri)))
    case 'date':
      return values.dates.some(row => row.param === code && holds(node.test, row.lo, row.hi))
    case 'number':
      return values.numbers.some(row => row.param === code && row.unit === '' && holds(node.test, row.lo, row.hi))
    case 'quantity':
      return values.numbers.some(row => row.param === code && row.unit === node.unit && holds(node.test, row.lo, row.hi))
    case 'reference':
      return refersTo(values, code, node.type, node.id)
    case 'composite':
      return values.composites.some(row => row.param === code && row.key === node.key && besideHolds(node, row))
  }
}

/** Absent: any. */
const isOr = (wanted: string | undefined, found: string): boolean => wanted === undefined || wanted === found

const meetsString = (node: Extract<Node, { op: 'string' }>, row: IndexValues['strings'][number]): boolean => {
  if (node.match === 'prefix') return row.value.startsWith(node.text)
  if (node.match === 'contains') return row.value.includes(node.text)
  return row.value === node.text && row.exact === (node.exact ?? '')
}

const besideHolds = (node: Extract<Node, { op: 'composite' }>, row: IndexValues['composites'][number]): boolean =>
  testHolds(node.test, row.range) && (node.prefix === undefined || row.text?.startsWith(node.prefix) === true)

const testHolds = (test: RangeTest | undefined, range: { readonly lo: number; readonly hi: number } | undefined): boolean =>
  test === undefined || (range !== undefined && holds(test, range.lo, range.hi))

const refersTo = (values: IndexValues, code: string, type: string, id: string): boolean =>
  values.references.some(row => row.param === code && row.id === id && row.type === type)
