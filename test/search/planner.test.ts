/**
 * Which way the planner takes, on counts as lopsided as those of a hospital. @see storage-and-search.md 10
 */
import { describe, expect, test } from '@jest/globals'
import type { AccessFilter } from '../../src/base/access-filter.ts'
import { everySees, plainPart } from '../../src/search/plain.ts'
import type { Engine, Leaf, Plan, Source, Traits } from '../../src/search/plan.ts'
import { planLines } from '../../src/search/plan-text.ts'
import { planPart } from '../../src/search/planner.ts'
import type { Node, ParamRef, Prefix, SortKey } from '../../src/search/tree.ts'

const totals: Readonly<Record<string, number>> = { Patient: 20_000, Observation: 1_000_000, Organization: 40 }
/** Resources that meet a value; what is not named meets a thousandth of its type. */
const counts: Readonly<Record<string, number>> = {
  'identifier=3174': 1,
  'gender=female': 10_000,
  'name=budi': 300,
  'name=a': 4000,
  'birthdate=1980': 12_000,
  'code=rare': 12,
  'code=weight': 60_000,
  'status=final': 990_000,
  'date=2020': 400_000,
  'date=today': 900,
  'subject=1': 50,
  'status=usual': 999_990,
  'performer=1': 800_000,
  'organization=1': 19_000,
}
const holders: Readonly<Record<string, number>> = {
  date: 1_000_000,
  birthdate: 19_500,
  name: 20_000,
  subject: 1_000_000,
  organization: 20_000,
  code: 1_000_000,
}

const label = (leaf: Leaf): string => {
  switch (leaf.op) {
    case 'token':
      return `${leaf.param.code}=${leaf.code}`
    case 'string':
      return `${leaf.param.code}=${leaf.text}`
    case 'date':
      return `${leaf.param.code}=${leaf.test.lo === 0 ? 'today' : leaf.test.lo}`
    case 'reference':
      return `${leaf.param.code}=${leaf.id}`
    default:
      return leaf.op
  }
}

const ordered: Traits = { ordered: true, check: 0.8 }
const engine: Engine = {
  total: type => totals[type] ?? 0,
  holders: (_type, code) => holders[code] ?? 0,
  estimate(leaf, type) {
    if (leaf.op === 'id') return leaf.ids.length
    if (leaf.op === 'access') return leaf.filter.op === 'patient' ? 120 : 500_000
    if (leaf.op === 'otherwise') return (totals[type] ?? 0) - (counts[label(leaf.of)] ?? 0)
    if (leaf.op === 'list') return leaf.of.length * 1000
    return counts[label(leaf)] ?? (totals[type] ?? 0) / 1000
  },
  traits(leaf) {
    if (leaf.op === 'unsorted') return { ordered: false, check: 1.2, undrivable: true }
    if (leaf.op === 'string' || leaf.op === 'list' || leaf.op === 'otherwise') return { ordered: false }
    return leaf.op === 'date' ? { ordered: false, check: 0.9 } : ordered
  },
  walks: ({ kind }) => kind !== 'reference' && kind !== 'quantity',
}

const param = (type: string, code: string, kind: ParamRef['kind']): ParamRef => ({ type, code, kind })
const token = (type: string, code: string, value: string): Node => ({ op: 'token', param: param(type, code, 'token'), code: value })
const text = (type: string, code: string, value: string): Node => ({
  op: 'string',
  param: param(type, code, 'string'),
  match: 'prefix',
  text: value,
})
const date = (type: string, code: string, at: number, prefix: Prefix = 'ge'): Node => ({
  op: 'date',
  param: param(type, code, 'date'),
  test: { prefix, lo: at, hi: at + 1 },
})
const to = (code: string, type: string, id = '1'): Node => ({ op: 'reference', param: param('Observation', code, 'reference'), type, id })
const and = (...of: Node[]): Node => ({ op: 'and', of })
const chain = (code: string, type: string, where: Node): Node => ({
  op: 'chain',
  param: param('Observation', code, 'reference'),
  of: [{ type, where }],
})
const has = (where: Node): Node => ({
  op: 'reverse',
  param: param('Observation', 'subject', 'reference'),
  of: { type: 'Observation', where },
})
const by = (code: string, kind: SortKey['kind'], descending = false): SortKey => ({ code, kind, descending })

const drives = (source: Source): string => {
  const { driver } = source
  switch (driver.by) {
    case 'entries':
      return label(driver.node)
    case 'union':
      return `union(${driver.of.map(drives).join(' ')})`
    case 'type':
      return 'type'
    case 'sort':
      return `sort ${driver.key.code}`
    case 'inner':
      return `inner(${driver.inner.map(drives).join(' ')})`
  }
}

const planned = (type: string, where: Node, sort: readonly SortKey[] = [], access: AccessFilter = { op: 'all' }, wanted = 21): Plan =>
  planPart(plainPart({ type, where }, access, everySees), sort, wanted, engine)

const female = token('Patient', 'gender', 'female')
const weight = token('Observation', 'code', 'weight')
const rare = token('Observation', 'code', 'rare')
const final = token('Observation', 'status', 'final')
const dateDown = by('date', 'date', true)

type Row = readonly [what: string, driver: string, order: Plan['order'], plan: Plan]
const rows: readonly Row[] = [
  ['nothing: newest first', 'type', 'driver', planned('Observation', { op: 'all' })],
  ['one token', 'code=weight', 'driver', planned('Observation', weight)],
  [
    'an identifier beside a frequent token',
    'identifier=3174',
    'driver',
    planned('Patient', and(female, token('Patient', 'identifier', '3174'))),
  ],
  ['a name prefix', 'name=budi', 'top', planned('Patient', text('Patient', 'name', 'budi'))],
  ['a name beside a frequent token', 'name=budi', 'top', planned('Patient', and(female, text('Patient', 'name', 'budi')))],
  ['two frequent tokens: the rarer walks', 'code=weight', 'driver', planned('Observation', and(final, weight))],
  ['a rare token beside a frequent one', 'code=rare', 'driver', planned('Observation', and(final, rare))],
  [
    'code and an old date: in the order of the code',
    'code=weight',
    'driver',
    planned('Observation', and(weight, date('Observation', 'date', 2020))),
  ],
  ['a frequent code and a narrow date', 'date=today', 'top', planned('Observation', and(final, date('Observation', 'date', 0)))],
  ['patient and code', 'subject=1', 'driver', planned('Observation', and(to('subject', 'Patient'), weight))],
  ['sorted by date, nothing else', 'sort date', 'driver', planned('Observation', { op: 'all' }, [dateDown])],
  ['sorted by date, frequent status', 'sort date', 'driver', planned('Observation', final, [dateDown])],
  ['sorted by date, one patient', 'subject=1', 'top', planned('Observation', to('subject', 'Patient'), [dateDown])],
  ['sorted by date, a rare code', 'code=rare', 'top', planned('Observation', rare, [dateDown])],
  ['sorted by a reference: gathered', 'subject=1', 'top', planned('Observation', to('subject', 'Patient'), [by('performer', 'reference')])],
  ['sorted upwards from the wrong end', 'date=today', 'top', planned('Observation', date('Observation', 'date', 0), [by('date', 'date')])],
  ['by _lastUpdated upwards', 'code=weight', 'driver', planned('Observation', weight, [by('_lastUpdated', 'date')])],
  ['alternatives, each in order', 'union(code=rare code=weight)', 'driver', planned('Observation', { op: 'or', of: [rare, weight] })],
  [
    'a chain to one patient',
    'inner(identifier=3174)',
    'top',
    planned('Observation', chain('subject', 'Patient', token('Patient', 'identifier', '3174'))),
  ],
  ['a chain to half of the patients', 'type', 'driver', planned('Observation', chain('subject', 'Patient', female))],
  [
    'a chain to half of the patients beside a rare code',
    'code=rare',
    'driver',
    planned('Observation', and(chain('subject', 'Patient', female), rare)),
  ],
  ['a reverse chain by a rare code', 'inner(code=rare)', 'top', planned('Patient', has(rare))],
  ['a reverse chain by a frequent code', 'type', 'driver', planned('Patient', has(weight))],
  ['not', 'type', 'driver', planned('Observation', { op: 'not', of: weight })],
  ['not what nearly all have', 'otherwise', 'top', planned('Observation', { op: 'not', of: token('Observation', 'status', 'usual') })],
  ['what only one patient may see', 'access', 'driver', planned('Observation', final, [], { op: 'patient', id: '1' })],
  ['a filter that hides little', 'code=rare', 'driver', planned('Observation', rare, [], { op: 'owner', organizations: ['1'] })],
  ['an id', 'id', 'driver', planned('Patient', and(female, { op: 'id', ids: ['a'] }))],
]

describe('the driver', () => {
  for (const [what, driver, order, plan] of rows)
    test(`${what}: ${driver}`, () => expect({ driver: drives(plan.source), order: plan.order }).toEqual({ driver, order }))
})

test('no plan visits more than twenty times what the best of its candidates would', () => {
  for (const [what, , , plan] of rows) {
    const best = Math.min(...plan.candidates.map(({ visits }) => visits))
    if (plan.candidates.length > 0)
      expect({ what, within: plan.visits <= Math.max(21, best) * 20 || plan.cost < 5000 }).toEqual({ what, within: true })
  }
})

test('two ends of a range leave little, and bound the same entries where the engine can tell', () => {
  const between = and(
    { op: 'date', param: param('Observation', 'date', 'date'), test: { prefix: 'ge', lo: 2020, hi: 2021 } },
    { op: 'date', param: param('Observation', 'date', 'date'), test: { prefix: 'lt', lo: 2022, hi: 2023 } },
  )
  const half: Engine = { ...engine, estimate: leaf => (leaf.op === 'date' ? 500_000 : 1) }
  const plan = (of: Engine) => planPart(plainPart({ type: 'Observation', where: between }, { op: 'all' }, everySees), [], 21, of)
  expect(plan(half).source.driver.by).toBe('type')
  expect(plan(half).visits).toBeGreaterThan(1000)
  const narrowing: Engine = { ...half, traits: (leaf, type) => ({ ...half.traits(leaf, type), narrows: true }) }
  const entries = plan(narrowing).candidates.map(({ visits }) => visits)
  expect(Math.min(...entries)).toBeLessThan(100_000)
})

test('probes that remove most for least come first', () => {
  const { source } = planned('Observation', and(final, rare, to('subject', 'Patient'), weight))
  expect(source.probes.map(probe => (probe.how === 'check' ? label(probe.node) : probe.how))).toEqual([
    'subject=1',
    'code=weight',
    'status=final',
  ])
})

test('conditions on _lastUpdated bound the walk and are no probes', () => {
  const { source } = planned('Observation', and(weight, { op: 'lastUpdated', test: { prefix: 'ge', lo: 0, hi: 0 } }))
  expect({ driver: drives(source), window: source.window.length, probes: source.probes.length }).toEqual({
    driver: 'code=weight',
    window: 1,
    probes: 0,
  })
})

test('a walk by sort values has a second part for those without one', () => {
  const rest = planned('Observation', final, [dateDown]).rest
  expect({ driver: rest && drives(rest.source), probes: rest?.source.probes.map(probe => probe.how) }).toEqual({
    driver: 'status=final',
    probes: ['check'],
  })
})

test('more than eight alternatives of one parameter become a list', () => {
  const of = Array.from({ length: 20 }, (_, n) => token('Observation', 'code', `c${n}`))
  expect(drives(planned('Observation', { op: 'or', of }, [], { op: 'all' }, Infinity).source)).toBe('list')
})

test('a filter that sees nothing leaves nothing to plan', () => {
  expect(plainPart({ type: 'Patient', where: female }, { op: 'and', of: [{ op: 'all' }, { op: 'none' }] }, everySees).where).toEqual({
    op: 'none',
  })
})

test('each step of a chain carries the filter of its type', () => {
  const { where } = plainPart({ type: 'Observation', where: chain('subject', 'Patient', female) }, { op: 'all' }, type =>
    type === 'Patient' ? { op: 'patient', id: '1' } : { op: 'all' },
  )
  expect(where).toMatchObject({ op: 'chain', of: [{ where: { op: 'and', of: [{ op: 'token' }, { op: 'access' }] } }] })
})

test('the printed plan names parameters, never values', () => {
  const lines = planLines(planned('Patient', and(female, text('Patient', 'name', 'budi')))).join('\n')
  expect(lines).toMatch(/driver string name/)
  expect(lines).not.toMatch(/female|budi/)
})
