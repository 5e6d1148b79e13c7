import { createHash } from 'node:crypto'
import { type AccessFilter, seesAll } from '../base/access-filter.ts'
import type { Clock } from '../base/clock.ts'
import { type Failure, fail } from '../base/outcome.ts'
import type { Consents } from './consent/consents.ts'
import { type Letter, letterOf } from './letters.ts'
import { type Decision, type Denial, decide } from './policy/decide.ts'
import { decisionHash } from './policy/filter-hash.ts'
import { heldPermissions } from './policy/held-permissions.ts'
import type { Anonymous, Principal } from './policy/principal.ts'
import type { RoleTable } from './roles/role-table.ts'

/**
 * The door between the policy and the interactions: who asks, asked once per request, and then whatever the interaction must know of any type and
 * letter. It denies when in doubt.
 * @see auth.md 5
 */

/** What one interaction may do with one type. */
export type Ruling = Extract<Decision, { allow: true }>

export type Access = { readonly allow: false; readonly failure: Failure /** For the record. */; readonly rule: string } | Allowed

export type Allowed = {
  readonly allow: true
  /** Nothing is closed to the caller: there is nothing to look up, to translate or to hide. */
  readonly open: boolean
  /** Names of the grants by which the request was let in, for the record. */
  readonly rule: string
  /** What was asked for. */
  readonly interaction: string
  /** To whom page links are given: others cannot use them. Absent where sign-in is off. */
  readonly holder?: string
  /** What an interaction may do with a type; undefined where it may do nothing. */
  ruling(interaction: string, type: string): Ruling | undefined
  /** Why `ruling` has none. */
  refusal(interaction: string, type: string): Failure
  /** What the interaction that was asked for reaches of a type. */
  filterFor(type: string): AccessFilter
  /** The same for decisions that show the same rows in the same view; absent where nothing is closed. */
  hashOf(types: readonly string[]): string | undefined
  /** Whether the caller holds a named permission. */
  holds(permission: string): boolean
  readonly consents: Consents
}

/** Decides from who asks, what interaction and which type; never from the content of a record. */
export type Decide = (principal: Principal | Anonymous, interaction: string, type: string | undefined) => Access

/** Nobody has said anything, and nothing is asked for that would need it. */
const noConsents: Consents = {
  across: () => seesAll,
  of: async () => seesAll,
  closesAnything: async () => false,
  forget: () => undefined,
}

const everything: Ruling = {
  allow: true,
  filter: seesAll,
  labels: seesAll,
  fields: [],
  check: {
    alternatives: [{ name: 'open', before: seesAll, after: seesAll, without: [] }],
    after: seesAll,
    lowers: true,
    createsById: true,
  },
  rule: 'open',
  obligations: [],
}

/** What a filter for each type alone comes to: it holds for every interaction, and nothing more is asked. */
export const seeing = (filterFor: (type: string) => AccessFilter): Allowed => ({
  allow: true,
  open: false,
  rule: 'given',
  interaction: '',
  ruling: (_, type) => {
    const filter = filterFor(type)
    const alternatives = [{ name: 'given', before: filter, after: filter, without: [] }]
    return { ...everything, filter, check: { alternatives, after: seesAll, lowers: true, createsById: true } }
  },
  refusal: () => fail('forbidden', {}).failure,
  filterFor,
  hashOf: () => undefined,
  holds: () => false,
  consents: noConsents,
})

const open: Allowed = { ...seeing(() => seesAll), open: true, rule: 'open', ruling: () => everything }

/** Sign-in is off: everything is allowed to everybody, on loopback only. */
export const permitAll: Decide = () => open

export type DecideParts = {
  /** The roles of this installation, as they are now. */
  readonly roles: () => RoleTable
  readonly consents: Consents
  readonly clock: Clock
}

/** How long decisions about a principal are remembered. */
const rememberedMs = 30_000

/** Needs no letter of its own: open to all, or decided entry by entry. */
const openToAll: ReadonlySet<string> = new Set(['capabilities'])
const decidedInside: ReadonlySet<string> = new Set(['batch', 'transaction'])

/**
 * The policy of this installation. Decisions are remembered with the principal that they are about, which is as long as its token is: another
 * session state, role or emergency is another principal.
 */
export const createDecide = (parts: DecideParts): Decide => {
  const remembered = new WeakMap<Principal, Remembered>()
  const rulingsOf = (principal: Principal): Remembered => {
    const known = remembered.get(principal)
    const table = parts.roles()
    if (known !== undefined && known.table === table && known.until > parts.clock()) return known
    const fresh = remember(principal, table, parts)
    remembered.set(principal, fresh)
    return fresh
  }
  return (principal, interaction, type) => {
    if (openToAll.has(interaction)) return open
    if (principal.kind === 'anonymous') return { allow: false, failure: fail('login-needed', {}).failure, rule: 'anonymous' }
    const known = rulingsOf(principal)
    const key = `${interaction} ${type}`
    const before = known.accesses.get(key)
    if (before !== undefined) return before
    const access = accessOf(known, interaction, type, parts.consents)
    known.accesses.set(key, access)
    return access
  }
}

type Remembered = {
  readonly table: RoleTable
  readonly until: number
  /** By interaction and type. */
  readonly accesses: Map<string, Access>
  readonly decisionOf: (interaction: string, type: string) => Decision
  readonly refusal: (decision: Denial, interaction: string, type: string | undefined) => Failure
  readonly hashOf: (interaction: string, types: readonly string[]) => string
  readonly holds: (permission: string) => boolean
  readonly holder: string
}

const remember = (principal: Principal, table: RoleTable, { clock }: DecideParts): Remembered => {
  const decisions = new Map<string, Decision>()
  const hashes = new Map<string, string>()
  let permissions: ReadonlySet<string> | undefined
  const decisionOf = (interaction: string, type: string): Decision => {
    const key = `${keyOf(interaction)} ${type}`
    const known = decisions.get(key)
    if (known !== undefined) return known
    const decision = decide(table, principal, interaction, type)
    decisions.set(key, decision)
    return decision
  }
  const hashOf = (interaction: string, type: string): string => {
    const key = `${keyOf(interaction)} ${type}`
    const decision = decisionOf(interaction, type)
    const known = hashes.get(key) ?? (decision.allow ? decisionHash(decision.filter, decision.fields) : '-')
    hashes.set(key, known)
    return known
  }
  return {
    table,
    until: clock() + rememberedMs,
    accesses: new Map(),
    decisionOf,
    refusal: (denial, interaction, type) => refusalOf(denial, principal, interaction, type),
    hashOf: (interaction, types) => joined(types.map(type => hashOf(interaction, type))),
    holds: permission => {
      permissions ??= heldPermissions(table, principal)
      return permissions.has(permission)
    },
    holder: holderOf(principal),
  }
}

/** Decisions differ by letter alone; a read also opens the caller's own identity. */
const keyOf = (interaction: string): string => (interaction === 'read' ? interaction : (letterOf(interaction) ?? '-'))

const joined = ([first = '-', ...others]: readonly string[]): string =>
  others.length === 0
    ? first
    : createHash('sha256')
        .update([first, ...others].join())
        .digest('base64url')
        .slice(0, 22)

const holderOf = ({ kind, accountId = '', clientId = '', tokenRef }: Principal): string =>
  accountId === '' && clientId === '' ? `${kind} ${tokenRef}` : `${kind} ${accountId} ${clientId}`

const accessOf = (known: Remembered, interaction: string, type: string | undefined, consents: Consents): Access => {
  const first = firstDecision(known, interaction, type)
  if (first?.allow === false) return { allow: false, failure: known.refusal(first, interaction, type), rule: first.rule }
  const ruling = (asked: string, of: string): Ruling | undefined => {
    if (first !== undefined && asked === interaction && of === type) return first
    const decision = known.decisionOf(asked, of)
    return decision.allow ? decision : undefined
  }
  return {
    allow: true,
    open: false,
    rule: first?.rule ?? interaction,
    interaction,
    holder: known.holder,
    ruling,
    refusal: (asked, of) => {
      const decision = known.decisionOf(asked, of)
      return decision.allow ? fail('forbidden', {}).failure : known.refusal(decision, asked, of)
    },
    filterFor: of => ruling(interaction, of)?.filter ?? { op: 'none' },
    hashOf: types => known.hashOf(interaction, types),
    holds: known.holds,
    consents,
  }
}

/** Of a request about several types one must be allowed; what needs no letter is decided where it is done. */
const firstDecision = (known: Remembered, interaction: string, type: string | undefined): Decision | undefined => {
  if (decidedInside.has(interaction) || interaction.startsWith('$')) return undefined
  if (letterOf(interaction) === undefined) return { allow: false, kind: 'forbidden', rule: 'interaction' }
  if (type !== undefined) return known.decisionOf(interaction, type)
  let denied: Decision = { allow: false, kind: 'forbidden', rule: 'type' }
  for (const of of known.table.groupOf.keys()) {
    const decision = known.decisionOf(interaction, of)
    if (decision.allow) return decision
    // A scope would help where a role is there already.
    if (decision.kind === 'insufficientScope') denied = decision
  }
  return denied
}

const refusalOf = ({ kind }: Denial, principal: Principal, interaction: string, type: string | undefined): Failure =>
  kind === 'insufficientScope'
    ? fail('insufficient-scope', {}, { challenge: { error: 'insufficient_scope', scope: smallestScope(principal, interaction, type) } })
        .failure
    : fail('forbidden', {}).failure

/** The least that would have let the request through, at the level that the token has. @see RFC 6750 3 */
const smallestScope = ({ kind, scopes = [], launch }: Principal, interaction: string, type = '*'): string => {
  const letter = letterOf(interaction) as Letter // else no scope would help
  const hasUser = scopes.some(scope => scope.kind === 'resource' && scope.level === 'user')
  const level = kind === 'client' ? 'system' : launch.patient !== undefined && !hasUser ? 'patient' : 'user'
  return `${level}/${type}.${letter}`
}
