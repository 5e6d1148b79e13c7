import type { Client } from '../clients/client.ts'
import { readClientGrants } from '../policy/client-grants.ts'
import type { Principal } from '../policy/principal.ts'
import type { Clearance, ClearanceLevel } from '../roles/role-table.ts'
import { parseScopes, type SmartScope } from '../scopes/scope.ts'
import { acrOf, factorAt } from '../sessions/session.ts'
import { personOf, usualPurpose } from './person.ts'
import type { PrincipalParts } from './principal-parts.ts'
import type { LiveGrant, LiveToken } from './token.ts'

/** Who holds a token that lives, as decisions know them. `tokenRef`: the hash that it is kept under. */
export const tokenPrincipal = (parts: PrincipalParts, { payload, client, live }: LiveToken, tokenRef: string): Promise<Principal> => {
  const about: About = { parts, client, tokenRef, scopes: scopesOf(parts, client, payload.scope ?? '') }
  return live === undefined ? servicePrincipal(about) : personPrincipal(about, live)
}

type About = { readonly parts: PrincipalParts; readonly client: Client; readonly tokenRef: string; readonly scopes: readonly SmartScope[] }

const scopesOf = ({ definitions }: PrincipalParts, { granularParams }: Client, text: string): readonly SmartScope[] =>
  parseScopes(text, { definitions, granularParams: new Set(granularParams) }).scopes

/** Emergencies, the second factor and its time come from the session as it is now: access without a session has none of them. */
const personPrincipal = async ({ parts, client, tokenRef, scopes }: About, { grant, account, session }: LiveGrant): Promise<Principal> => {
  const { patient, encounter, purpose, fhirUser, withoutProtected } = grant.value
  const [person, emergencies] = await Promise.all([
    personOf(parts, account.value),
    session === undefined ? [] : parts.emergenciesOf({ account: account.key, session: session.session.key, client: client.id }),
  ])
  const amr = session?.session.value.amr ?? []
  const at = factorAt(amr)
  return {
    ...person,
    ...(fhirUser !== undefined && { fhirUser }),
    ...(withoutProtected === true && { clearance: withoutLabels(person.clearance) }),
    clientId: client.id,
    grantId: grant.key,
    tokenRef,
    scopes,
    launch: { ...(patient !== undefined && { patient }), ...(encounter !== undefined && { encounter }) },
    purpose,
    ...(session !== undefined && { sessionId: session.session.key }),
    emergencies,
    acr: acrOf(amr),
    ...(at !== undefined && { factorAt: at }),
    ...(person.kind === 'user' && isOutside(client)),
    appStateSystems: client.appStateSystems,
    rateClass: client.rateClass,
  }
}

/** What was left unticked at consent: labels above N, and all sensitivities. An emergency is opened on our pages, for this application by name. */
const withoutLabels = ({ emergency, ...clearance }: Clearance): Clearance => {
  const plain = (levels: readonly ClearanceLevel[]): readonly ClearanceLevel[] =>
    levels.map(({ max }) => ({ max: max === 'R' || max === 'V' ? 'N' : max, allowed: [] }))
  return { anywhere: plain(clearance.anywhere), inCare: plain(clearance.inCare), self: plain(clearance.self), emergency }
}

/** What a patient lets an application do is his permit; what staff let it do is not. @see auth.md 12.1 */
const isOutside = ({ trust }: Client): Pick<Principal, 'outside'> => (trust === 'self-registered' ? { outside: true } : {})

/** Nothing that is labelled above the normal. */
const serviceClearance: Clearance = { anywhere: [{ max: 'N', allowed: [] }], inCare: [], self: [], emergency: [] }

/** One grant that cannot be read takes all of them: what is left would be a guess. */
const servicePrincipal = async ({ parts, client, tokenRef, scopes }: About): Promise<Principal> => {
  const read = readClientGrants(client.grants, parts.roles)
  return {
    kind: 'client',
    roles: [],
    clientId: client.id,
    tokenRef,
    scopes,
    launch: {},
    // Without one nothing would be open by any consent.
    purpose: client.purpose.length === 0 ? usualPurpose('client') : client.purpose,
    ...isOutside(client),
    clearance: serviceClearance,
    emergencies: [],
    acr: 1,
    grants: read.ok ? read.grants : [],
    ...(client.permissions !== undefined && { permissions: client.permissions }),
    appStateSystems: client.appStateSystems,
    rateClass: client.rateClass,
  }
}
