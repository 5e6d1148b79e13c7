import type { AccessFilter } from '../../base/access-filter.ts'
import { type Letter, letterOf } from '../letters.ts'
import type { RoleTable } from '../roles/role-table.ts'
import type { FieldRule, FieldRules } from './field-rules.ts'
import { heldPermissions } from './held-permissions.ts'
import { consentRule, labelRule } from './label-rule.ts'
import type { Principal } from './principal.ts'
import { type RoleRule, roleRules } from './role-rules.ts'
import { type ScopeRule, scopeRules } from './scope-rules.ts'
import { allOf, anyOf, everything, isSame } from './simplify.ts'
import type { WriteCheck } from './write-check.ts'

/** What is owed with an answer. */
export type Obligation =
  /** An AuditEvent leaves its other patients out, unless its row passes. */
  | { readonly kind: 'patient-copy'; readonly unless: AccessFilter }
  /** A Binary with a securityContext is decided as that resource is; the filter is for those without. */
  | { readonly kind: 'security-context' }
  /** Rows of these patients may be seen by break-glass: the record says BTG. */
  | { readonly kind: 'break-glass'; readonly patients: readonly string[] }

export type Decision =
  | { readonly allow: false; readonly kind: 'forbidden' | 'insufficientScope'; readonly rule: string }
  | {
      readonly allow: true
      readonly filter: AccessFilter
      /** What a past version must pass by its own labels, beside the filter that the newest passes. */
      readonly labels: AccessFilter
      readonly fields: FieldRules
      readonly check?: WriteCheck
      /** Names of the grants that were found, for the record. */
      readonly rule: string
      readonly obligations: readonly Obligation[]
    }

export type Question = {
  /** The request names its patient: consents are then evaluated to the letter. Instance interactions always do. */
  readonly patientBound?: boolean
}

/** The rules that meet in one decision; `explain` shows them one by one. */
export type Composition = {
  readonly letter: Letter
  readonly role: readonly RoleRule[]
  /** Undefined where no scope is needed. */
  readonly scope: readonly ScopeRule[] | undefined
  readonly labels: AccessFilter
  readonly consent: AccessFilter
}

export type Denial = Extract<Decision, { allow: false }>

/**
 * What the principal may do with a type by one interaction, from data alone: role AND scope AND labels AND consent, as one filter for the query.
 * In doubt nothing: unknown types, interactions and roles, principals without roles, scopes that were not given.
 */
export const decide = (table: RoleTable, principal: Principal, interaction: string, type: string, question: Question = {}): Decision => {
  const composed = compose(table, principal, interaction, type, question)
  if ('allow' in composed) return composed
  const { letter, role, scope, labels, consent } = composed
  const scopes = scope === undefined ? everything : anyOf(scope.map(rule => rule.where))
  const filter = allOf([anyOf(role.map(rule => rule.where)), scopes, labels, consent])
  const isWrite = letter === 'c' || letter === 'u'
  return {
    allow: true,
    filter,
    labels,
    fields:
      letter === 'r' || letter === 's'
        ? fieldRules(composed)
        : fieldRules(readingOf(table, principal, interaction, type, composed), composed),
    ...(isWrite && { check: writeCheck(table, principal, type, composed, allOf([scopes, labels, consent])) }),
    rule: role.map(({ name }) => name).join(' '),
    obligations: obligationsOf(principal, type, composed),
  }
}

/** All the rules for this request, or why there can be none. */
export const compose = (
  table: RoleTable,
  principal: Principal,
  interaction: string,
  type: string,
  { patientBound = false }: Question = {},
): Composition | Denial => {
  const letter = letterOf(interaction)
  if (letter === undefined) return denied('forbidden', 'interaction')
  if (!table.groupOf.has(type)) return denied('forbidden', 'type')
  const role = withAuthor(roleRules(table, principal, type, letter), principal, type, letter)
  if (role.length === 0) return denied('forbidden', 'role')
  const scope = scopeRules(table, principal, interaction, type, letter)
  if (scope?.length === 0) return denied('insufficientScope', 'scope')
  const mode = patientBound || letter !== 's' ? 'exact' : 'conservative'
  return {
    letter,
    role,
    scope,
    labels: labelRule(table, principal, type, letter),
    consent: consentRule(table, principal, type, letter, mode),
  }
}

const denied = (kind: Denial['kind'], rule: string): Denial => ({ allow: false, kind, rule })

/** A Binary of one's own is always one's own to read. */
const withAuthor = (
  rules: readonly RoleRule[],
  { fhirUser, kind, roles }: Principal,
  type: string,
  letter: Letter,
): readonly RoleRule[] => {
  const isPerson = (kind === 'user' || kind === 'patient') && roles.length > 0
  if (type !== 'Binary' || letter !== 'r' || fhirUser === undefined || !isPerson) return rules
  const grant = { name: 'author/Binary', letters: 'r', relation: 'O', match: [], becomes: [], without: [] } as const
  return [...rules, { name: grant.name, grant, where: { op: 'author', ref: fhirUser }, becomes: everything }]
}

/** Of what is written, as much is shown as could be read: none of it by who may not read. */
const readingOf = (table: RoleTable, principal: Principal, interaction: string, type: string, written: Composition): Reading => ({
  role: withAuthor(roleRules(table, principal, type, 'r'), principal, type, 'r'),
  scope: written.scope && scopeRules(table, principal, interaction, type, 'r'),
})

type Reading = Pick<Composition, 'role' | 'scope'>

const fieldRules = ({ role, scope }: Reading, written?: Reading): FieldRules => [
  ...layerOf(
    role.map(({ where, grant: { view } }) => ({ where, ...(view && { view }) })),
    written?.role,
  ),
  ...(scope
    ? layerOf(
        scope.map(({ where, view }) => ({ where, ...(view && { view }) })),
        written?.scope,
      )
    : []),
]

/** No layer where every row is seen whole: each that comes here has passed one of the rules, or, when it was written, one that may be read by. */
const layerOf = (rules: readonly FieldRule[], written?: readonly { readonly where: AccessFilter }[]): FieldRules => {
  const whole = rules.filter(({ view }) => view === undefined).map(({ where }) => where)
  if (whole.some(({ op }) => op === 'all')) return []
  const passed = written === undefined || written.every(({ where }) => whole.some(other => isSame(other, where)))
  if (rules.length > 0 && whole.length === rules.length && passed) return []
  const [first] = rules
  const alike = first?.view !== undefined && rules.every(({ view }) => view === first.view)
  return written === undefined && alike ? [[{ ...first, where: everything }]] : [rules]
}

const writeCheck = (
  table: RoleTable,
  principal: Principal,
  type: string,
  { letter, role }: Composition,
  beside: AccessFilter,
): WriteCheck => ({
  alternatives: role.map(({ name, grant, where, becomes }) => ({
    name,
    before: where,
    after: allOf([where, becomes]),
    without: grant.without,
    ...(grant.elements && { elements: grant.elements }),
    ...(grant.obligation === 'first-link' && { firstLink: true as const }),
  })),
  after: beside,
  lowers: letter === 'u' && heldPermissions(table, principal).has('consent.override.review'),
  createsById:
    letter === 'u' &&
    mayName(principal, table, type) &&
    role.some(({ grant }) => reachesAll(grant.relation, table.aboutPatients.has(type))),
})

/**
 * Labels and consents hide records of patients even from who reaches every patient: people choose no ids for them, or a refusal would tell what is hidden from
 * what never was. Services bring the ids of their own systems. What labels hide from one it can tell then, by 404 where 201 would be: an answer that did not tell
 * would say that something is stored which is not, or put it over what is hidden. It learns of ids alone that it brings itself, and each refusal is on record.
 */
const mayName = ({ kind }: Principal, table: RoleTable, type: string): boolean =>
  !table.aboutPatients.has(type) || kind === 'client' || kind === 'internal'

const reachesAll = (relation: RoleRule['grant']['relation'], ofPatients: boolean): boolean =>
  relation === 'A' || (relation === 'home' && !ofPatients)

const obligationsOf = (principal: Principal, type: string, { letter, role, scope }: Composition): readonly Obligation[] => {
  const isReading = letter === 'r' || letter === 's'
  const isCopy =
    role.some(({ grant }) => grant.obligation === 'patient-copy') ||
    (type === 'AuditEvent' && scope?.some(({ level }) => level === 'patient'))
  const whole = (): AccessFilter =>
    allOf([
      anyOf(role.flatMap(({ grant, where }) => (grant.obligation === 'patient-copy' ? [] : [where]))),
      scope ? anyOf(scope.flatMap(({ level, where }) => (level === 'patient' ? [] : [where]))) : everything,
    ])
  const opened = principal.kind === 'user' && isReading ? principal.emergencies : []
  return [
    ...(isReading && isCopy === true ? [{ kind: 'patient-copy' as const, unless: whole() }] : []),
    ...(type === 'Binary' ? [{ kind: 'security-context' as const }] : []),
    ...(opened.length > 0 ? [{ kind: 'break-glass' as const, patients: opened }] : []),
  ]
}
