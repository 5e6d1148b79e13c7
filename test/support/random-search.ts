import type { AccessFilter } from '../../src/base/access-filter.ts'
import type { SearchParamType } from '../../src/fhir/definitions/definitions.ts'
import { IndexSink } from '../../src/search/index-sink.ts'
import type { Node, ParamRef, Part, Prefix, Query, RangeTest, SortKey } from '../../src/search/tree.ts'
import type { IndexValues } from '../../src/search/values.ts'
import type { Relation } from '../../src/storage/port.ts'

/** Numbers from a seed, the same on every machine (mulberry32). */
export class Dice {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  below(n: number): number {
    return Math.floor(this.fraction() * n)
  }
  chance(share: number): boolean {
    return this.fraction() < share
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
  some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make)
  }
}

export const types = ['Patient', 'Observation', 'Organization'] as const
type Type = (typeof types)[number]

/** Parameters of the made-up types: few values, so that questions often meet. */
const params: Readonly<Record<Type, Readonly<Record<string, SearchParamType>>>> = {
  Patient: { code: 'token', name: 'string', date: 'date', organization: 'reference', link: 'reference', url: 'uri' },
  Observation: {
    code: 'token',
    name: 'string',
    date: 'date',
    value: 'quantity',
    chance: 'number',
    subject: 'reference',
    performer: 'reference',
    pair: 'composite',
  },
  Organization: { code: 'token', name: 'string', date: 'date', partof: 'reference' },
}

const targetsOf: Readonly<Record<string, readonly Type[]>> = {
  organization: ['Organization'],
  link: ['Patient'],
  subject: ['Patient'],
  performer: ['Patient', 'Organization'],
  partof: ['Organization'],
}

export const idsPerType = 60
export const randomId = (dice: Dice): string => `i${dice.below(idsPerType)}`
const systems = ['', 'urn:a', 'urn:b']
const codes = ['', 'x', 'X', 'y', 'z', 'zeta', 'é', '\u{1f600}', '\uffee']
const words = ['budi', 'budi santoso', 'siti', 'sit', 'agus', 'a', 'éa', '\u{10400}']
const uris = ['http://a/x', 'http://a/y', 'urn:b']
const units = ['', 'urn:ucum|kg', '=g']
const keys = ['k1', 'k2$x']
const people = ['p1', 'p2', 'p3']
const sensitivities = ['HIV', 'PSY']
const kinds = ['care', 'facility'] as const
const served = ['s1', 's2', 's3']
const dayMs = 86_400_000
const firstDay = Date.UTC(2024, 0, 1)

export const randomValues = (dice: Dice, type: string): IndexValues => {
  const sink = new IndexSink()
  for (const code of Object.keys(params[type as Type]).toSorted()) {
    if (dice.chance(0.25)) continue
    sink.begin(code)
    addValues(dice, sink, code, params[type as Type][code] as SearchParamType)
    sink.end()
  }
  return sink.values()
}

/** Sometimes none at all: a parameter can have a value that leaves nothing to compare. */
const addValues = (dice: Dice, sink: IndexSink, code: string, kind: SearchParamType): void => {
  for (let n = dice.below(4); n > 0; n--) {
    switch (kind) {
      case 'token':
        sink.token(dice.of(systems), dice.of(codes))
        break
      case 'uri':
        sink.token('', dice.of(uris))
        break
      case 'string':
        sink.string(dice.of([...words, 'Budi', 'BUDI', 'Siti']))
        break
      case 'date': {
        const lo = firstDay + dice.below(12) * dayMs
        sink.date(lo, lo + dice.of([0, 1, dayMs, 3 * dayMs]))
        break
      }
      case 'number': {
        const lo = dice.below(8) / 2
        sink.number('', lo, lo + dice.of([0, 0, 1]))
        break
      }
      case 'quantity': {
        const lo = dice.of([-1, 0, 0.5, 1, 2, 2.5, 1e20, 1e300])
        sink.number('', lo, lo)
        if (dice.chance(0.6)) sink.number(dice.of(units), lo, lo + dice.of([0, 1]))
        break
      }
      case 'reference':
        sink.reference(dice.of(targetsOf[code] as Type[]), randomId(dice))
        break
      default:
        sink.composite(
          dice.of(keys),
          dice.of([{}, { range: { lo: dice.below(4), hi: 4 } }, { range: { lo: 2, hi: 2 } }, { text: dice.of(words) }]),
        )
    }
  }
}

export const randomOwners = (dice: Dice) => ({
  patients: [...new Set(dice.some(2, () => dice.of(people)))],
  organizations: [...new Set(dice.some(2, () => dice.of(['o1', 'o2'])))],
  authors: [...new Set(dice.some(1, () => dice.of(['Practitioner/1', 'Practitioner/2'])))],
  confidentiality: dice.of([3, 3, 3, 2, 4, 5]),
  sensitivities: [...new Set(dice.chance(0.7) ? [] : dice.some(2, () => dice.of(sensitivities)))],
})

/** Some hold no longer and some not yet, when all is written some tens of milliseconds later. */
export const randomRelations = (dice: Dice, now: number): readonly Relation[] =>
  (dice.chance(0.9) ? [] : dice.some(3, () => dice.of(served))).map(of => ({
    from: dice.of(kinds),
    of,
    patient: dice.of(people),
    ...(dice.chance(0.7) ? {} : { since: now + dice.of([-5, 20, 1_000_000]) }),
    ...(dice.chance(0.7) ? {} : { until: now + dice.of([0, 20, 1_000_000]) }),
    ...(dice.chance(0.7) ? {} : { self: true }),
  }))

export const randomQuery = (dice: Dice): Query => {
  if (dice.chance(0.12)) {
    const parts = types.filter(() => dice.chance(0.7)).map((type): Part => ({ type, where: randomNode(dice, type, 2) }))
    return { parts, sort: randomSort(dice, ['code', 'name', 'date'], 'Patient') }
  }
  const type = dice.of(types)
  return { parts: [{ type, where: randomNode(dice, type, 3) }], sort: randomSort(dice, Object.keys(params[type]), type) }
}

const randomSort = (dice: Dice, names: readonly string[], type: Type): readonly SortKey[] => {
  const sortable = [...names.filter(code => params[type][code] !== 'composite'), '_id', '_lastUpdated']
  const chosen = new Set(dice.chance(0.3) ? [] : [dice.of(sortable), ...dice.some(2, () => dice.of(sortable))])
  return [...chosen].map(code => ({
    code,
    kind: code === '_id' ? 'token' : code === '_lastUpdated' ? 'date' : (params[type][code] as SearchParamType),
    descending: dice.chance(0.5),
  }))
}

export const randomAccess = (dice: Dice, depth = 2): AccessFilter => {
  if (dice.chance(0.4)) return { op: 'all' }
  switch (dice.below(depth === 0 ? 8 : 12)) {
    case 0:
      return { op: 'patient', id: dice.of(people), ...(dice.chance(0.5) ? {} : { only: true }) }
    case 1:
      return { op: 'author', ref: dice.of(['Practitioner/1', 'Practitioner/2', 'Practitioner/3']) }
    case 2:
      return { op: 'owner', organizations: dice.some(2, () => dice.of(['o1', 'o2', 'o3'])) }
    case 3:
      return { op: 'ids', ids: dice.some(9, () => randomId(dice)) }
    case 4:
      return { op: 'patientless' }
    case 5:
      return { op: 'labels', max: dice.of(['M', 'N', 'N', 'R', 'V']), allowed: dice.some(2, () => dice.of([...sensitivities, 'SEX'])) }
    case 6:
    case 7:
      return {
        op: 'patients',
        from: dice.of(kinds),
        of: dice.some(2, () => dice.of([...served, 's4'])),
        ...(dice.chance(0.6) ? {} : { confirmed: true }),
      }
    case 8:
    case 9:
      return { op: 'not', of: randomAccess(dice, depth - 1) }
    default:
      return { op: dice.of(['and', 'or'] as const), of: [randomAccess(dice, depth - 1), randomAccess(dice, depth - 1)] }
  }
}

const randomNode = (dice: Dice, type: Type, depth: number): Node => {
  if (depth > 0 && dice.chance(0.55)) {
    switch (dice.below(6)) {
      case 0:
        return { op: 'not', of: randomNode(dice, type, depth - 1) }
      case 1:
        return dice.of<Node>([{ op: 'all' }, { op: 'none' }, { op: 'access', filter: randomAccess(dice) }])
      case 2:
      case 3:
        return { op: 'and', of: [randomNode(dice, type, depth - 1), ...dice.some(2, () => randomNode(dice, type, depth - 1))] }
      case 4:
        return { op: 'or', of: dice.some(4, () => randomNode(dice, type, depth - 1)) }
      default:
        return manyAlternatives(dice, type)
    }
  }
  return dice.chance(0.2) && depth > 0 ? randomLink(dice, type, depth) : randomLeaf(dice, type)
}

/** More than are walked side by side. */
const manyAlternatives = (dice: Dice, type: Type): Node => {
  const one = dice.chance(0.5) ? (dice.of(['code', 'name', 'date'] as const) as string) : undefined
  return { op: 'or', of: Array.from({ length: 6 + dice.below(12) }, () => randomLeaf(dice, type, one)) }
}

const randomLink = (dice: Dice, type: Type, depth: number): Node => {
  if (dice.chance(0.5)) {
    const codes = Object.keys(params[type]).filter(code => params[type][code] === 'reference')
    const code = dice.of(codes)
    const of = (targetsOf[code] as Type[]).map((target): Part => ({ type: target, where: randomNode(dice, target, depth - 1) }))
    return { op: 'chain', param: ref(type, code), of }
  }
  const source = dice.of(types)
  const code = dice.of(Object.keys(params[source]).filter(one => params[source][one] === 'reference'))
  return { op: 'reverse', param: ref(source, code), of: { type: source, where: randomNode(dice, source, depth - 1) } }
}

const ref = (type: Type, code: string): ParamRef => ({ type, code, kind: params[type][code] ?? 'token' })

const randomLeaf = (
  dice: Dice,
  type: Type,
  code = dice.of([...Object.keys(params[type]), '_id', '_lastUpdated', 'compartment', 'unknown']),
): Node => {
  if (code === '_id') return { op: 'id', ids: dice.some(10, () => (dice.chance(0.9) ? randomId(dice) : 'nobody')) }
  if (code === '_lastUpdated') return { op: 'lastUpdated', test: randomTest(dice, dice.of([5, 20, 40]) + Date.UTC(2026, 10, 21, 8), 7) }
  if (code === 'compartment') return randomCompartment(dice, type)
  const param = ref(type, code)
  if (dice.chance(0.1)) return { op: 'missing', param, missing: dice.chance(0.5) }
  switch (param.kind) {
    case 'uri':
      return dice.chance(0.5)
        ? { op: 'uri', param, match: 'exact', uri: dice.of(uris) }
        : { op: 'uri', param, match: 'contains', uri: dice.of(['a', 'x', 'q']) }
    case 'string':
      return randomString(dice, param)
    case 'date':
      return { op: 'date', param, test: randomTest(dice, firstDay + dice.below(12) * dayMs, 2 * dayMs) }
    case 'number':
      return { op: 'number', param, test: randomTest(dice, dice.below(8) / 2, 1) }
    case 'quantity':
      return { op: 'quantity', param, unit: dice.of([...units, 'urn:unknown|']), test: randomTest(dice, dice.of([-1, 0, 1, 2, 1e20]), 2) }
    case 'reference':
      return { op: 'reference', param, type: dice.of(targetsOf[code] as Type[]), id: dice.chance(0.9) ? randomId(dice) : 'nobody' }
    case 'composite':
      return randomComposite(dice, param)
    default:
      return randomToken(dice, param)
  }
}

const randomToken = (dice: Dice, param: ParamRef): Node => {
  const system = dice.of([undefined, ...systems, 'urn:unknown'])
  const code = system !== undefined && dice.chance(0.2) ? undefined : dice.of(codes)
  return { op: 'token', param, ...(system === undefined ? {} : { system }), ...(code === undefined ? {} : { code }) }
}

const randomString = (dice: Dice, param: ParamRef): Node => {
  const match = dice.of(['prefix', 'prefix', 'exact', 'contains'] as const)
  const exact = match === 'exact' ? { exact: dice.of(['', 'Budi', 'BUDI']) } : {}
  return { op: 'string', param, match, text: dice.of([...words, 'b', 's', 'é']), ...exact }
}

const randomComposite = (dice: Dice, param: ParamRef): Node => {
  const beside = dice.of<object>([{}, { test: randomTest(dice, dice.below(4), 2) }, { prefix: dice.of(['b', 's', 'a', 'budi s']) }])
  return { op: 'composite', param, key: dice.of([...keys, 'k3']), ...beside }
}

const randomCompartment = (dice: Dice, type: Type): Node => {
  const codes = Object.keys(params[type]).filter(code => params[type][code] === 'reference')
  const chosen = ['_id', ...codes].filter(() => dice.chance(0.7))
  const owner = { type: dice.of(types), id: randomId(dice) }
  return { op: 'compartment', owner, params: chosen.map(code => ref(type, code)) }
}

const prefixes: readonly Prefix[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']
const randomTest = (dice: Dice, lo: number, width: number): RangeTest => ({ prefix: dice.of(prefixes), lo, hi: lo + dice.of([0, width]) })
