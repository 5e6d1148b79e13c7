import { type Account, accountRecords } from '../../src/auth/accounts/account.ts'
import { type Client, clientRecords } from '../../src/auth/clients/client.ts'
import { type GrantContext, grantRecords } from '../../src/auth/grants/grant-context.ts'
import { readClientGrants } from '../../src/auth/policy/client-grants.ts'
import type { Principal } from '../../src/auth/policy/principal.ts'
import { clearanceOf } from '../../src/auth/roles/clearance.ts'
import { parseScopes } from '../../src/auth/scopes/scope.ts'
import { newSecret, secretHash } from '../../src/auth/secrets.ts'
import { type LibraryRow, libraryRecords } from '../../src/auth/server/library-rows.ts'
import { type Session, sessionRecords } from '../../src/auth/sessions/session.ts'
import { randomBytes } from 'node:crypto'
import type { Store } from '../../src/storage/port.ts'
import { blankClient } from '../support/blank-client.ts'
import { testDefinitions } from '../support/definitions.ts'
import { testRoles } from '../support/roles.ts'
import type { Family, Hospitals } from './hospitals.ts'

/** Who walks: accounts, applications and tokens, planted where sign-in would have put them, and beside each what the policy is to know of it, by hand. */
export type Caller = {
  readonly name: string
  readonly principal: Principal
  /** Each has limits of its own; use them in turn. */
  readonly tokens: readonly string[]
}

type Asking = {
  readonly name: string
  readonly roles?: readonly string[]
  /** Where the roles are held. */
  readonly at?: Family
  readonly fhirUser?: readonly [type: string, family: Family]
  readonly scope: string
  readonly patient?: Family
  readonly encounter?: Family
  /** Of a service on its own. */
  readonly grants?: readonly unknown[]
}

const observationCategory = 'http://terminology.hl7.org/CodeSystem/observation-category'
const everything = 'user/*.cruds'
const staff = (role: string, at: Family = 'A', scope = everything): Asking => ({
  name: `${role} of ${at}, ${scope}`,
  roles: [role],
  at,
  fhirUser: ['Practitioner', at],
  scope,
})
const portal = (family: Family, scope = 'patient/*.cruds'): Asking => ({
  name: `patient of ${family}, ${scope}`,
  roles: ['patient'],
  fhirUser: ['Patient', family],
  scope,
  patient: family,
})

const askings = (hospitals: Hospitals): readonly Asking[] => {
  const organization = (family: Family): string => hospitals.id(family, 'Organization')
  return [
    staff('doctor'),
    portal('A'),
    staff('receptionist'),
    {
      name: 'service for A',
      scope: 'system/*.rs',
      grants: [{ clause: 'Patient,Observation,Encounter,Condition,List,Binary rs', reach: { organizations: [organization('A')] } }],
    },
    staff('billing'),
    staff('doctor', 'B'),
    { ...staff('doctor', 'A', 'patient/*.cruds'), name: 'doctor of A for his patient', patient: 'A' },
    staff('doctor', 'A', `user/Patient.rs user/Encounter.rs user/Observation.rs?category=${observationCategory}|laboratory`),
    staff('nurse'),
    staff('lab'),
    staff('auditor'),
    staff('admin'),
    staff('pharmacist'),
    staff('radiology'),
    staff('registrar'),
    staff('doctor', 'ward'),
    staff('doctor', 'A', 'user/*.s'),
    staff('doctor', 'A', 'user/*.r'),
    staff('doctor', 'A', 'openid fhirUser'),
    staff('doctor', 'A', 'user/*.cruds user/AuditEvent.rs'),
    { ...staff('nurse'), name: 'nurse and billing of A', roles: ['nurse', 'billing'] },
    portal('B'),
    portal('closed'),
    portal('A', `patient/Observation.rs?category=${observationCategory}|vital-signs patient/Patient.rs`),
    portal('A', 'patient/*.rs patient/AuditEvent.rs'),
    { name: 'service for everything', scope: 'system/*.cruds', grants: [{ clause: 'Patient,Observation,Organization rs', reach: 'any' }] },
    {
      name: 'service for a group',
      scope: 'system/*.rs',
      grants: [{ clause: 'Patient,Observation,Encounter rs', reach: { groups: [hospitals.id('A', 'Group')] } }],
    },
    { name: 'service without grants', scope: 'system/*.cruds', grants: [] },
  ]
}

const below = (at: Family): readonly Family[] => (at === 'A' ? ['A', 'ward'] : [at])

/** `fhir`: the base of the API, which the tokens are for. */
export const plantCallers = async (
  store: Store,
  hospitals: Hospitals,
  fhir: string,
  take: (callers: readonly string[]) => readonly string[] = names => names,
  tokensEach = 1,
): Promise<readonly Caller[]> => {
  const all = askings(hospitals)
  const taken = new Set(take(all.map(({ name }) => name)))
  return Promise.all(all.filter(({ name }) => taken.has(name)).map(asking => plant(asking, { store, hospitals, fhir, tokensEach })))
}

type Ground = { readonly store: Store; readonly hospitals: Hospitals; readonly fhir: string; readonly tokensEach: number }

const plant = async (asking: Asking, ground: Ground): Promise<Caller> => {
  const { store, hospitals, fhir, tokensEach } = ground
  const client = `client-${randomBytes(6).toString('hex')}`
  const fhirUser = asking.fhirUser && `${asking.fhirUser[0]}/${hospitals.id(asking.fhirUser[1], asking.fhirUser[0])}`
  await plantClient(store, {
    id: client,
    scopesAllowed: asking.scope.split(' '),
    ...(asking.grants === undefined || asking.grants.length === 0 ? {} : { type: 'backend', grants: asking.grants }),
  })
  const person =
    asking.grants === undefined
      ? await plantPerson(store, {
          client,
          scope: asking.scope,
          roles: asking.roles ?? [],
          ...(asking.at && { organization: `Organization/${hospitals.id(asking.at, 'Organization')}` }),
          ...(fhirUser && { fhirUser }),
          ...(asking.patient && { patient: hospitals.id(asking.patient, 'Patient') }),
        })
      : undefined
  const { model, payload } =
    person === undefined
      ? { model: 'ClientCredentials', payload: {} }
      : { model: 'AccessToken', payload: { accountId: person.account, grantId: person.grant } }
  const tokens = await Promise.all(
    Array.from({ length: tokensEach }, () =>
      plantToken(store, { model, payload: { ...payload, clientId: client, scope: asking.scope, aud: fhir } }),
    ),
  )
  return { name: asking.name, tokens, principal: principalOf(asking, { ...person, client }, fhirUser, ground) }
}

/** Somebody who signed in, and what he allowed an application. `factorAt`: ms of his second factor; `false` where he used none. */
type Person = {
  readonly client: string
  readonly scope: string
  readonly roles: readonly string[]
  readonly organization?: string
  readonly fhirUser?: string
  readonly patient?: string
  readonly factorAt?: number | false
  readonly account?: Partial<Account>
}

/** Ids of what was planted, and the value of the cookie. */
type Planted = { readonly account: string; readonly session: string; readonly grant: string; readonly cookie: string }

export const plantPerson = async (store: Store, person: Person): Promise<Planted> => {
  const { client, scope, roles, organization, fhirUser, patient, factorAt = Date.now() } = person
  const key = randomBytes(6).toString('hex')
  const ids = { account: `account-${key}`, session: `session-${key}`, grant: `grant-${key}` }
  const cookie = newSecret(randomBytes)
  const now = Date.now()
  const amr = [{ method: 'pwd', at: now } as const, ...(factorAt === false ? [] : [{ method: 'otp', at: factorAt } as const])]
  await put<Account>(store, accountRecords, {
    id: ids.account,
    username: ids.account,
    locale: 'en',
    status: 'active',
    passwordHistory: [],
    ...(fhirUser && { fhirUser }),
    roles: roles.map(role => ({ role, ...(organization && { organization }), givenBy: 'cli' })),
    graceUsed: 0,
    epoch: 0,
    createdAt: now,
    createdBy: 'cli',
    ...person.account,
  })
  await put<Session>(store, sessionRecords, {
    id: ids.session,
    cookie: secretHash(cookie),
    account: ids.account,
    epoch: 0,
    createdAt: now,
    seenAt: now,
    endsAt: now + 3_600_000,
    expires: now + 3_600_000,
    amr,
  })
  await put<GrantContext>(store, grantRecords, {
    id: ids.grant,
    account: ids.account,
    epoch: 0,
    client,
    kind: 'online',
    session: ids.session,
    scopes: scope,
    ...(fhirUser && { fhirUser }),
    ...(patient && { patient }),
    purpose: roles.includes('patient') ? ['PATRQT'] : ['TREAT'],
    amr,
    createdAt: now,
    expires: now + 3_600_000,
  })
  return { ...ids, cookie }
}

/** A token by its row, as the authorization server keeps it; good for an hour unless the payload says otherwise. */
export const plantToken = async (store: Store, { model, payload }: Pick<LibraryRow, 'model' | 'payload'>): Promise<string> => {
  const token = newSecret(randomBytes)
  const seconds = Math.floor(Date.now() / 1000)
  const row = {
    id: secretHash(token),
    model,
    payload: { kind: model, iat: seconds, exp: seconds + 3600, ...payload },
    expires: Date.now() + 7_200_000,
  }
  await put<LibraryRow>(store, libraryRecords, row)
  return token
}

const put = async <V extends object>(store: Store, definition: Parameters<Store['records']>[0], value: V): Promise<void> => {
  const done = await store.records<V>(definition).put(value)
  if (!done.ok) throw new Error(done.failure.kind)
}

export const plantClient = (store: Store, client: Pick<Client, 'id'> & Partial<Client>): Promise<void> =>
  put<Client>(store, clientRecords, {
    ...blankClient,
    name: 'Walk',
    redirectUris: ['https://app.example/callback'],
    offline: false,
    rateClass: 'backend',
    ...client,
  })

const principalOf = (
  { roles = [], at, scope, patient, grants }: Asking,
  ids: { readonly account?: string; readonly session?: string; readonly client: string },
  fhirUser: string | undefined,
  { hospitals }: Ground,
): Principal => {
  const organizations = at === undefined ? [] : below(at).map(family => hospitals.id(family, 'Organization'))
  const common = {
    clientId: ids.client,
    tokenRef: 'token',
    scopes: parseScopes(scope, { definitions: testDefinitions() }).scopes,
    emergencies: [],
    launch: patient === undefined ? {} : { patient: hospitals.id(patient, 'Patient') },
    appStateSystems: [],
  }
  if (grants !== undefined) {
    const read = readClientGrants(grants, testRoles())
    if (!read.ok) throw new Error(read.problems.join('\n'))
    const clearance = { anywhere: [{ max: 'N' as const, allowed: [] }], inCare: [], self: [], emergency: [] }
    return { ...common, kind: 'client', roles: [], purpose: ['TREAT'], clearance, acr: 1, grants: read.grants }
  }
  const isPatient = roles.every(role => role === 'patient')
  return {
    ...common,
    kind: isPatient ? 'patient' : 'user',
    ...(ids.account && { accountId: ids.account }),
    ...(fhirUser && { fhirUser }),
    // Work without a unit of its own waits at kinds of work; none of it is in the hospitals.
    roles: roles.map(role => ({ role, organizations, units: organizations })),
    purpose: [isPatient ? 'PATRQT' : 'TREAT'],
    ...(ids.session && { sessionId: ids.session }),
    clearance: clearanceOf(testRoles(), roles),
    acr: 2,
  }
}
