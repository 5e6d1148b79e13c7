import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { accountById } from '../accounts/find-account.ts'
import { clientById } from '../clients/administration.ts'
import type { Client } from '../clients/client.ts'
import type { Fact } from '../facts.ts'
import { commitFacts } from '../ground.ts'
import { letterOf } from '../letters.ts'
import { explain } from '../policy/explain.ts'
import type { Principal } from '../policy/principal.ts'
import { personOf, usualPurpose } from '../principal/person.ts'
import { tokenPrincipal } from '../principal/token-principal.ts'
import { parseScopes, type SmartScope } from '../scopes/scope.ts'
import { accessReview } from './access-review.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'
import type { AdminRoute } from './routes.ts'

/**
 * Why somebody may or may not do something to one instance: every rule with pass or fail, and its filter. The instance itself is never shown; asking is recorded.
 * @see auth.md 5.5
 */
const explainAccess = async (parts: AdminParts, { query, principal, from }: AdminCall): Promise<Outcome<AdminReply>> => {
  const type = query.get('type') ?? ''
  const interaction = query.get('interaction') ?? 'read'
  if (!parts.roles.groupOf.has(type)) return fail('bad-member', { member: 'type', rule: rule('named-type') })
  if (letterOf(interaction) === undefined) return fail('bad-member', { member: 'interaction', rule: rule('member-unknown') })
  const about = await aboutWhom(parts, query)
  if (!about.ok) return about
  const subject = await parts.subjectOf(type, query.get('id') ?? '')
  if (subject === undefined) return fail('unknown-instance', { what: type })
  const facts: readonly Fact[] = [
    {
      what: 'access-explained',
      by: principal.accountId,
      ...(about.value.accountId === undefined ? {} : { account: about.value.accountId }),
      ...(about.value.clientId === undefined ? {} : { client: about.value.clientId }),
      reason: `${interaction} ${type}`,
    },
  ]
  const told = await commitFacts(parts.ground, [], facts, from)
  if (!told.ok) return told
  const patientBound = subject.patients?.length === 1
  const rules = explain(parts.roles, about.value, interaction, type, subject, { patientBound })
  const passes = (part: string): boolean => rules.some(one => one.part === part && one.result === 'pass')
  const scoped = rules.some(({ part }) => part === 'scope')
  const allowed = passes('role') && (!scoped || passes('scope')) && passes('labels') && passes('consent')
  return ok({ body: { allowed, version: parts.roles.version, rules } })
}

/** The account, within an application where one is named; or the application by itself. */
const aboutWhom = async (parts: AdminParts, query: URLSearchParams): Promise<Outcome<Principal>> => {
  const [accountId, clientId] = [query.get('account'), query.get('client')]
  const client = clientId === null ? undefined : (await clientById(parts.ground, clientId))?.value
  if (clientId !== null && client === undefined) return fail('unknown-instance', { what: 'client' })
  if (accountId === null) {
    if (client === undefined) return fail('bad-member', { member: 'account', rule: rule('member-needed') })
    const payload = { scope: client.scopesAllowed.join(' ') }
    return ok(await tokenPrincipal(parts, { payload, client }, explaining))
  }
  const account = await accountById(parts.ground, accountId)
  if (account === undefined) return fail('unknown-instance', { what: 'user' })
  const person = await personOf(parts, account.value)
  const patient = query.get('patient')
  return ok({
    ...person,
    tokenRef: explaining,
    launch: patient === null ? {} : { patient },
    purpose: usualPurpose(person.kind),
    emergencies: [],
    acr: 2,
    // Without an application: as on pages of our own, where no scope bounds anybody.
    ...(client === undefined ? { sessionId: explaining } : withinClient(parts, person.kind, client)),
  })
}

/** Of no token: nobody asks for the instance. */
const explaining = 'explain'

const withinClient = (parts: AdminParts, kind: Principal['kind'], client: Client): Partial<Principal> => ({
  clientId: client.id,
  scopes: scopesOf(parts, client),
  appStateSystems: client.appStateSystems,
  ...(kind === 'user' && client.trust === 'self-registered' && { outside: true }),
})

const scopesOf = ({ definitions }: AdminParts, { scopesAllowed, granularParams }: Client): readonly SmartScope[] =>
  parseScopes(scopesAllowed.join(' '), { definitions, granularParams: new Set(granularParams) }).scopes

const review = async (parts: AdminParts, { principal, from }: AdminCall): Promise<Outcome<AdminReply>> => {
  const told = await commitFacts(parts.ground, [], [{ what: 'access-reviewed', by: principal.accountId }], from)
  return told.ok ? ok({ csv: accessReview(parts) }) : told
}

export const accessRoutes: readonly AdminRoute[] = [
  { method: 'GET', path: '/admin/access/explain', permissions: ['policy.manage', 'audit.read'], run: explainAccess },
  { method: 'GET', path: '/admin/access-review.csv', permissions: ['roles.manage', 'audit.read'], run: review },
]
