import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Account, accountRecords } from '../../src/auth/accounts/account.ts'
import type { AdminRoute } from '../../src/auth/admin/routes.ts'
import { type GrantContext, grantRecords } from '../../src/auth/grants/grant-context.ts'
import { plantClient, plantPerson, plantToken } from './callers.ts'
import { plantAll } from './oracle.ts'
import type { ClosedServer } from './server.ts'

/** Who comes to the doors beside the FHIR API: one of each kind, planted where sign-in would have put them. */
export type DoorCaller = {
  readonly name: string
  readonly headers: Readonly<Record<string, string>>
  readonly roles: readonly string[]
  /** Why nobody with this token administers, whatever he may be; absent where nothing stands in the way. */
  readonly stopped?: 'unknown' | 'not a person of this house' | 'a patient' | 'scope' | 'one factor'
  /** His second factor is older than five minutes. */
  readonly isStale?: true
  /** His own session, as a browser has it. */
  readonly cookie?: string
  readonly ids?: { readonly session: string; readonly grant: string }
}

/** Ids of FHIR resources: words that nobody else has. */
export const people = { patient: { A: 'qxz-patient-a', B: 'qxz-patient-b' }, house: { A: 'qxz-house-a', B: 'qxz-house-b' } } as const

const plantRecords = (server: ClosedServer): Promise<void> =>
  plantAll(
    server.open,
    (['A', 'B'] as const).flatMap(house => [
      { resourceType: 'Organization', id: people.house[house], name: `qxzname-house-${house}` },
      { resourceType: 'Practitioner', id: `qxz-practitioner-${house}`, name: [{ family: `qxzname-practitioner-${house}` }] },
      {
        resourceType: 'Patient',
        id: people.patient[house],
        name: [{ family: `qxzname-patient-${house}` }],
        managingOrganization: { reference: `Organization/${people.house[house]}` },
      },
    ]),
  )

type Asking = {
  readonly roles: readonly string[]
  readonly at?: 'A' | 'B'
  readonly scope?: string
  readonly isForeign?: true
  readonly factorAt?: number | false
}

const minutes = 60_000

// biome-ignore format: a table
const askings: Readonly<Record<string, Asking & Pick<DoorCaller, 'stopped' | 'isStale'>>> = {
  'a doctor':                                { roles: ['doctor'] },
  'a doctor of the other house':             { roles: ['doctor'], at: 'B' },
  'a nurse':                                 { roles: ['nurse'] },
  'a receptionist':                          { roles: ['receptionist'] },
  'a registrar':                             { roles: ['registrar'] },
  'an engineer':                             { roles: ['engineer'] },
  'an auditor':                              { roles: ['auditor'] },
  'a data protection officer':               { roles: ['data-protection-officer'] },
  'the administrator':                       { roles: ['admin'] },
  'an administrator with an old factor':     { roles: ['admin'], factorAt: Date.now() - 20 * minutes, isStale: true },
  'an administrator with one factor':        { roles: ['admin'], factorAt: false, stopped: 'one factor' },
  'an administrator in an app of others':    { roles: ['admin'], isForeign: true, stopped: 'not a person of this house' },
  'an administrator without __admin':        { roles: ['admin'], scope: 'openid fhirUser user/*.cruds', stopped: 'scope' },
  'an administrator with what looks like it': { roles: ['admin'], scope: '__ADMIN __administrator __admin/* admin user/__admin.rs', stopped: 'scope' },
  'a patient':                               { roles: ['patient'], stopped: 'a patient' },
  'a patient of the other house':            { roles: ['patient'], at: 'B', stopped: 'a patient' },
  'an administrator who has left':           { roles: ['admin'], stopped: 'unknown' },
  'an administrator who withdrew his grant': { roles: ['admin'], stopped: 'unknown' },
}

const fhirUserOf = ({ roles, at = 'A' }: Asking): string =>
  roles.includes('patient') ? `Patient/${people.patient[at]}` : `Practitioner/qxz-practitioner-${at}`

export const usernameOf = (name: string): string => `qxzname-${name.replaceAll(/[^A-Za-z]+/g, '-')}`

export const plantDoorCallers = async (server: ClosedServer): Promise<readonly DoorCaller[]> => {
  const { store, base } = server
  await plantRecords(server)
  await plantClient(store, { id: 'console-house', trust: 'first-party', scopesAllowed: ['__admin', 'openid', 'fhirUser', 'user/*.cruds'] })
  await plantClient(store, { id: 'app-of-others', scopesAllowed: ['__admin'] })
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const made: DoorCaller[] = []
  for (const [name, asking] of Object.entries(askings)) {
    const { roles, at = 'A', scope = '__admin openid fhirUser user/*.cruds', isForeign, factorAt, stopped, isStale } = asking
    const client = isForeign ? 'app-of-others' : 'console-house'
    const person = await plantPerson(store, {
      client,
      scope,
      roles,
      organization: `Organization/${people.house[at]}`,
      fhirUser: fhirUserOf(asking),
      ...(factorAt === undefined ? {} : { factorAt }),
      account: { username: usernameOf(name) },
    })
    const payload = { clientId: client, accountId: person.account, grantId: person.grant, scope, aud: `${base}/fhir` }
    const token = await plantToken(store, { model: 'AccessToken', payload })
    if (name.endsWith('left')) await change<Account>(server, accountRecords, person.account, { status: 'disabled' })
    if (name.endsWith('withdrew his grant'))
      await change<GrantContext>(server, grantRecords, person.grant, { revoked: { at: 1, by: 'cli', reason: 'user' } })
    made.push({
      name,
      headers: bearer(token),
      roles,
      cookie: `simpul_sid=${person.cookie}`,
      ids: person,
      ...(stopped && { stopped }),
      ...(isStale && { isStale }),
    })
    if (name !== 'the administrator') continue
    const other = async (what: string, model: string, changed: object) =>
      made.push({
        name: `the administrator by ${what}`,
        roles,
        stopped: 'unknown',
        headers: bearer(await plantToken(store, { model, payload: { ...payload, ...changed } })),
      })
    await other('a token that is over', 'AccessToken', { exp: Math.floor(Date.now() / 1000) - 60 })
    await other('a refresh token', 'RefreshToken', {})
    await other('a token for elsewhere', 'AccessToken', { aud: 'https://other.example/fhir' })
    made.push({
      name: 'the administrator by his cookie',
      roles,
      stopped: 'unknown',
      headers: { cookie: `simpul_sid=${person.cookie}`, origin: base },
    })
  }
  await plantClient(store, { id: 'service-house', type: 'backend', trust: 'first-party', scopesAllowed: ['__admin', 'system/*.cruds'] })
  const service = { clientId: 'service-house', scope: '__admin system/*.cruds', aud: `${base}/fhir` }
  return [
    ...made,
    { name: 'nobody', roles: [], stopped: 'unknown', headers: {} },
    { name: 'whoever has a word that is no token', roles: [], stopped: 'unknown', headers: bearer('x'.repeat(43)) },
    {
      name: 'a service of this house',
      roles: [],
      stopped: 'not a person of this house',
      headers: bearer(await plantToken(store, { model: 'ClientCredentials', payload: service })),
    },
  ]
}

const change = async <V extends object>(
  { store }: ClosedServer,
  definition: Parameters<ClosedServer['store']['records']>[0],
  key: string,
  changed: Partial<V>,
): Promise<void> => {
  const records = store.records<V>(definition)
  const before = await records.get(key)
  if (before === undefined) throw new Error(`no ${definition.name}`)
  const done = await records.put({ ...before.value, ...changed })
  if (!done.ok) throw new Error(done.failure.kind)
}

/** Who holds which permission, as it is written down. */
const holders = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../../src/auth/roles/roles.json'), 'utf8')) as {
    permissions: Record<string, { of: readonly string[] }>
  }
).permissions

/** What the door says to a caller, by the table of roles alone: 401, 403, or in. */
export const saidAtDoor = (
  { stopped, isStale, roles }: DoorCaller,
  { own, permissions, fresh }: Pick<AdminRoute, 'own' | 'permissions' | 'fresh'>,
): 401 | 403 | 'in' => {
  if (stopped === 'unknown') return 401
  if (stopped === 'not a person of this house') return 403
  if (own) return 'in'
  if (stopped === 'a patient' || stopped === 'scope') return 403
  if (stopped === 'one factor') return 401
  const holds = permissions.some(name => holders[name]?.of.some(holder => roles.includes(holder)))
  if (permissions.length > 0 && !holds) return 403
  return fresh && isStale ? 401 : 'in'
}
