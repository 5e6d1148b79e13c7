import type { Ruling } from '../auth/access.ts'
import { allOf, anyOf } from '../auth/policy/simplify.ts'
import { seesAll } from '../base/access-filter.ts'
import { fail, type Issue, issue, type Outcome, ok } from '../base/outcome.ts'
import { parseCriteria, parseCriteriaParameters } from '../search/criteria.ts'
import { evaluate } from '../search/evaluate.ts'
import type { Node, Query } from '../search/tree.ts'
import type { IndexValues } from '../search/values.ts'
import type { SearchRow, WritePlan } from '../storage/port.ts'
import type { Call, Parts } from './parts.ts'
import type { Parameter } from './request.ts'
import { type Restricted, restrict } from './restrict.ts'
import { visibleOf } from './visible.ts'

/**
 * Criteria of conditional interactions: strict, on the newest committed state, with the access filter of the caller. What they gave goes
 * into the plan as a guard and is asked again inside the write's transaction, so that two equal requests at one time yield one instance.
 * @see https://hl7.org/fhir/R4/http.html#ccreate
 */

const inputOf = (parts: Parts) => ({ definitions: parts.definitions, limits: parts.limits, settings: parts.settings, now: parts.clock() })

/** Criteria of If-None-Exist and of conditional references. Fails like any strict search, and `criteria-not-selective` where nothing selects. */
export const readCriteria = (type: string, text: string, parts: Parts): Outcome<Query> => parseCriteria(type, text, inputOf(parts))

/** Criteria in the URL of a conditional update, patch or delete; without any fails `id-or-criteria-needed`. */
export const criteriaOfUrl = (type: string, parameters: readonly Parameter[], parts: Parts): Outcome<Query> =>
  parameters.length === 0 ? fail('id-or-criteria-needed', {}) : parseCriteriaParameters(type, parameters, inputOf(parts))

/**
 * Criteria as this caller may ask them. A change finds what the caller may change. A create finds what he may see, or, for who writes without reading, what
 * he could have written: not what is his to create alone because nobody there knows the patient yet.
 */
export const asAsked = async (query: Query, call: Call, parts: Parts): Promise<Outcome<Restricted>> => {
  const { access } = call
  const rulingOf = (type: string): Ruling | undefined => {
    const own = access.ruling(access.interaction, type)
    if (access.interaction !== 'create') return own
    return access.ruling('search-type', type) ?? access.ruling('read', type) ?? (own && withoutFirstLinks(own))
  }
  for (const { type, where } of query.parts) {
    if (isBlind(rulingOf(type)) && !asksNameOnly(where)) return fail('forbidden', {})
  }
  return restrict(query, call, parts, type => {
    const ruling = rulingOf(type)
    return ruling && { ...ruling, fields: ruling.fields.filter(layer => layer.length > 0) }
  })
}

/** Who may write and not read names what he writes, and asks nothing of it: matches would tell what they hold. */
const isBlind = (ruling: Ruling | undefined): boolean => ruling?.fields.some(layer => layer.length === 0) === true

const names: ReadonlySet<string> = new Set(['identifier', 'url'])

const asksNameOnly = (node: Node): boolean => {
  if (node.op === 'and' || node.op === 'or') return node.of.every(asksNameOnly)
  return node.op === 'id' || ((node.op === 'token' || node.op === 'uri') && names.has(node.param.code))
}

const withoutFirstLinks = (ruling: Ruling): Ruling => {
  const { alternatives = [], after = seesAll } = ruling.check ?? {}
  const reached = anyOf(alternatives.flatMap(({ before, firstLink }) => (firstLink === true ? [] : [before])))
  return { ...ruling, filter: allOf([reached, after]) }
}

/** Visible matches, and the question that gave them. */
export type Matches = { readonly rows: readonly SearchRow[]; readonly asked: Restricted }

/** Up to `max` visible matches. Fails `forbidden` where the caller may not search by the criteria. */
export const findMatches = async (query: Query, call: Call, parts: Parts, max = 2): Promise<Outcome<Matches>> => {
  const asked = await asAsked(query, call, parts)
  if (!asked.ok) return asked
  if (query.parts[0]?.type === 'Binary' && !call.access.open) return findBinaries(asked.value, call, parts, max)
  const page = await parts.store.search(asked.value.query, { access: asked.value.access, count: max, deadline: call.deadline })
  return page.ok ? ok({ rows: page.value.rows, asked: asked.value }) : page
}

const binariesAtOnce = 50
const roundsMax = 10

/** What hides a Binary may stand in another resource: such rows are left out of the question itself, or the writer would find them when it asks again. */
const findBinaries = async (first: Restricted, call: Call, parts: Parts, max: number): Promise<Outcome<Matches>> => {
  let asked = first
  for (let round = 0; round < roundsMax; round += 1) {
    const { query, access } = asked
    const page = await parts.store.search(query, { access, count: binariesAtOnce, deadline: call.deadline })
    if (!page.ok) return page
    const visible = await visibleOf(page.value.rows, call, parts)
    const hidden = page.value.rows.filter(row => !visible.includes(row)).map(({ id }) => id)
    if (hidden.length === 0) return ok({ rows: visible.slice(0, max), asked })
    const others: Node = { op: 'not', of: { op: 'id', ids: hidden } }
    asked = { access, query: { ...query, parts: query.parts.map(part => ({ ...part, where: { op: 'and', of: [part.where, others] } })) } }
  }
  return fail('forbidden', {})
}

type Guard = WritePlan['guards'][number]

/** The one match or none, and what the writer asks again; fails `multiple-matches`. */
export const findOne = async (
  query: Query,
  type: string,
  call: Call,
  parts: Parts,
): Promise<Outcome<{ readonly match: SearchRow | undefined; readonly guard: Guard }>> => {
  const found = await findMatches(query, call, parts)
  if (!found.ok) return found
  const { rows, asked } = found.value
  const [match] = rows
  return rows.length > 1 ? fail('multiple-matches', { type }) : ok({ match, guard: guardOf(asked, match) })
}

/** What the writer asks again. */
export const guardOf = ({ query, access }: Restricted, match: { readonly seq: number } | undefined): Guard => ({
  query,
  access,
  found: match?.seq ?? 'none',
})

const asksIdentifier = (node: Node): boolean => {
  if (node.op === 'and' || node.op === 'or') return node.of.some(asksIdentifier)
  return node.op === 'token' && node.param.code === 'identifier'
}

export type NewState = { readonly type: string; readonly id: string; readonly values: IndexValues }

/** Whether the criteria would find this new state; undefined where that depends on other resources. */
export const meets = (query: Query, state: NewState): boolean | undefined => {
  const part = query.parts.find(({ type }) => type === state.type)
  return part === undefined ? false : evaluate(part.where, state)
}

/**
 * What is written should match its own criteria, or a retry would write again: criteria on an identifier fail `criteria-not-met`,
 * others give a warning.
 */
export const checkMeets = (query: Query, state: NewState): Outcome<readonly Issue[]> => {
  if (meets(query, state) !== false) return ok([])
  const { type } = state
  return query.parts.some(part => asksIdentifier(part.where))
    ? fail('criteria-not-met', { type })
    : ok([issue('warning', 'criteria-not-met', { type })])
}
