import type { AccessFilter } from '../../src/base/access-filter.ts'
import type { Node, Prefix, Query, SortKey } from '../../src/search/tree.ts'
import type { IndexValues } from '../../src/search/values.ts'
import type { Relation } from '../../src/storage/port.ts'

/** What access filters ask of a state. */
export type Subject = {
  readonly id: string
  readonly patients: readonly string[]
  readonly organizations: readonly string[]
  readonly authors: readonly string[]
  readonly confidentiality: number
  readonly sensitivities: readonly string[]
}

/** A live resource as an engine should see it at one state of the store. */
export type Known = Subject & {
  readonly type: string
  readonly seq: number
  readonly values: IndexValues
  /** Its newest version, which may be a later one than this, and a deletion. */
  readonly newest: () => Subject
}

/** What is asked: the resources of a state, and the relations that hold whatever state is asked. */
export type World = { readonly all: readonly Known[]; readonly relations: readonly Relation[] /** ms */; readonly now: number }

/**
 * The answer to a query by looking at every resource, one after the other: no index, no plan, no code of the engines.
 * In order; the page is the caller's.
 */
export const answer = (query: Query, access: AccessFilter, world: World): readonly Known[] =>
  world.all
    .filter(one => query.parts.some(part => part.type === one.type && meets(part.where, one, world)) && seesStill(access, one, world))
    .toSorted((a, b) => inOrder(a, b, query.sort))

/** A version from a snapshot is seen when its newest one is seen too. */
const seesStill = (filter: AccessFilter, one: Known, world: World): boolean => sees(filter, one, world) && sees(filter, one.newest(), world)

const sees = (filter: AccessFilter, one: Subject, world: World): boolean => {
  switch (filter.op) {
    case 'all':
      return true
    case 'none':
      return false
    case 'and':
      return filter.of.every(part => sees(part, one, world))
    case 'or':
      return filter.of.some(part => sees(part, one, world))
    case 'not':
      return !sees(filter.of, one, world)
    case 'ids':
      return filter.ids.includes(one.id)
    case 'patient':
      return one.patients.includes(filter.id) && (filter.only !== true || one.patients.every(id => id === filter.id))
    case 'patientless':
      return one.patients.length === 0
    case 'author':
      return one.authors.includes(filter.ref)
    case 'owner':
      return filter.organizations.some(organization => one.organizations.includes(organization))
    case 'labels':
      return one.confidentiality <= 'ULMNRV'.indexOf(filter.max) && one.sensitivities.every(code => filter.allowed.includes(code))
    case 'patients':
      return world.relations.some(
        ({ from, of, patient, since = -Infinity, until = Infinity, self = false }) =>
          from === filter.from &&
          filter.of.includes(of) &&
          one.patients.includes(patient) &&
          since <= world.now &&
          world.now < until &&
          !(self && filter.confirmed === true),
      )
    default:
      throw new Error(`The oracle does not know ${filter.op}`)
  }
}

const meets = (node: Node, one: Known, world: World): boolean => {
  const { values } = one
  switch (node.op) {
    case 'all':
      return true
    case 'none':
      return false
    case 'and':
      return node.of.every(part => meets(part, one, world))
    case 'or':
      return node.of.some(part => meets(part, one, world))
    case 'not':
      return !meets(node.of, one, world)
    case 'access':
      return seesStill(node.filter, one, world)
    case 'token':
      return values.tokens.some(
        ({ param, system, code }) => param === node.param.code && (node.system ?? system) === system && (node.code ?? code) === code,
      )
    case 'uri':
      return values.tokens.some(
        ({ param, code }) => param === node.param.code && (node.match === 'exact' ? code === node.uri : code.includes(node.uri)),
      )
    case 'string':
      return values.strings.some(({ param, value, exact }) => {
        if (param !== node.param.code) return false
        if (node.match === 'prefix') return value.startsWith(node.text)
        return node.match === 'contains' ? value.includes(node.text) : value === node.text && exact === (node.exact ?? '')
      })
    case 'date':
      return values.dates.some(({ param, lo, hi }) => param === node.param.code && compares(node.test, lo, hi))
    case 'number':
      return values.numbers.some(({ param, unit, lo, hi }) => param === node.param.code && unit === '' && compares(node.test, lo, hi))
    case 'quantity':
      return values.numbers.some(
        ({ param, unit, lo, hi }) => param === node.param.code && unit === node.unit && compares(node.test, lo, hi),
      )
    case 'reference':
      return values.references.some(({ param, type, id }) => param === node.param.code && type === node.type && id === node.id)
    case 'composite':
      return values.composites.some(({ param, key, range, text }) => {
        if (param !== node.param.code || key !== node.key) return false
        if (node.test) return range !== undefined && compares(node.test, range.lo, range.hi)
        if (node.prefix !== undefined) return text?.startsWith(node.prefix) ?? false
        return range === undefined && text === undefined
      })
    case 'missing':
      return values.shape.includes(node.param.code) !== node.missing
    case 'id':
      return node.ids.includes(one.id)
    case 'lastUpdated': {
      const ms = millisecond(one.seq)
      return compares(node.test, ms, ms)
    }
    case 'compartment':
      return node.params.some(({ code }) =>
        code === '_id'
          ? one.type === node.owner.type && one.id === node.owner.id
          : values.references.some(({ param, type, id }) => param === code && type === node.owner.type && id === node.owner.id),
      )
    case 'chain':
      return values.references.some(
        ({ param, type, id }) =>
          param === node.param.code &&
          node.of.some(
            part =>
              part.type === type && world.all.some(target => target.type === type && target.id === id && meets(part.where, target, world)),
          ),
      )
    case 'reverse':
      return world.all.some(
        referrer =>
          referrer.type === node.of.type &&
          referrer.values.references.some(({ param, type, id }) => param === node.param.code && type === one.type && id === one.id) &&
          meets(node.of.where, referrer, world),
      )
  }
}

/** Milliseconds of a sequence number: 4096 a millisecond since 2024 began. */
const millisecond = (seq: number): number => 1_704_067_200_000 + Math.floor(seq / 4096)

/** A point is compared as a point, a range by the table of prefixes, as the design has it. */
const compares = ({ prefix, lo, hi }: { prefix: Prefix; lo: number; hi: number }, from: number, to: number): boolean =>
  from === to ? pointCompares(prefix, lo, hi, from) : rangeCompares(prefix, lo, hi, from, to)

const pointCompares = (prefix: Prefix, lo: number, hi: number, at: number): boolean => {
  const within = lo === hi ? at === lo : lo <= at && at < hi
  switch (prefix) {
    case 'eq':
      return within
    case 'ne':
      return !within
    case 'gt':
    case 'sa':
      return at > hi
    case 'lt':
    case 'eb':
      return at < lo
    case 'ge':
      return at >= lo
    case 'le':
      return at <= hi
    case 'ap':
      return lo <= at && at < hi
  }
}

const rangeCompares = (prefix: Prefix, lo: number, hi: number, from: number, to: number): boolean => {
  switch (prefix) {
    case 'eq':
      return lo <= from && to <= hi
    case 'ne':
      return lo > from || to > hi
    case 'gt':
      return to > hi
    case 'lt':
      return from < lo
    case 'ge':
      return from >= lo || to > hi
    case 'le':
      return to <= hi || from < lo
    case 'sa':
      return from >= hi
    case 'eb':
      return to <= lo
    case 'ap':
      return from < hi && to > lo
  }
}

type Sortable = string | number | undefined

const inOrder = (a: Known, b: Known, keys: readonly SortKey[]): number => {
  for (const key of keys) {
    const x = sortedBy(a, key)
    const y = sortedBy(b, key)
    if (x === undefined && y === undefined) continue
    if (x === undefined) return 1
    if (y === undefined) return -1
    const order = bytes(x, y)
    if (order !== 0) return key.descending ? -order : order
  }
  const [first] = keys
  const oldestFirst = first !== undefined && !first.descending && sortedBy(a, first) !== undefined
  return oldestFirst ? a.seq - b.seq : b.seq - a.seq
}

const bytes = (x: string | number, y: string | number): number =>
  typeof x === 'number' && typeof y === 'number' ? x - y : Buffer.compare(Buffer.from(String(x)), Buffer.from(String(y)))

/** The least or greatest of all values of the key. */
const sortedBy = (one: Known, { code, kind, descending }: SortKey): Sortable => {
  if (code === '_id') return one.id
  if (code === '_lastUpdated') return one.seq
  const found = valuesOf(one.values, code, kind).toSorted(bytes)
  return descending ? found.at(-1) : found[0]
}

const valuesOf = (
  { tokens, strings, dates, numbers, references }: IndexValues,
  code: string,
  kind: SortKey['kind'],
): (string | number)[] => {
  switch (kind) {
    case 'string':
      return strings.flatMap(row => (row.param === code ? row.value : []))
    case 'date':
      return dates.flatMap(row => (row.param === code ? row.lo : []))
    case 'reference':
      return references.flatMap(row => (row.param === code ? `${row.type}/${row.id}` : []))
    case 'number':
    case 'quantity': {
      const canonical = numbers.filter(row => row.param === code && row.unit.startsWith('='))
      return (canonical.length > 0 ? canonical : numbers.filter(row => row.param === code && row.unit === '')).map(row => row.lo)
    }
    default:
      return tokens.flatMap(row => (row.param === code ? row.code : []))
  }
}
