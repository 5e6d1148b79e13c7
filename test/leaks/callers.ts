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
  const made: Caller[] = []
  for (const asking of all.filter(({ name }) => taken.has(name))) made.push(await plant(asking, { store, hospitals, fhir, tokensEach }))
  return made
}

type Ground = { readonly store: Store; readonly hospitals: Hospitals; readonly fhir: string; readonly tokensEach: number }

const plant = async (asking: Asking, ground: Ground): Promise<Caller> => {
  const { store, hospitals, fhir, tokensEach } = ground
  const key = randomBytes(6).toString('hex')
  const ids = { account: `account-${key}`, session: `session-${key}`, grant: `grant-${key}`, client: `client-${key}` }
  const now = Date.now()
  const isService = asking.grants !== undefined
  const fhirUser = asking.fhirUser && `${asking.fhirUser[0]}/${hospitals.id(asking.fhirUser[1], asking.fhirUser[0])}`
  const amr = [
    { method: 'pwd', at: now },
    { method: 'otp', at: now },
  ] as const
  await put<Client>(store, clientRecords, client(ids.client, asking))
  if (!isService) {
    await put<Account>(store, accountRecords, {
      id: ids.account,
      username: ids.account,
      locale: 'en',
      status: 'active',
      passwordHistory: [],
      ...(fhirUser && { fhirUser }),
      roles: (asking.roles ?? []).map(role => ({
        role,
        ...(asking.at && { organization: `Organization/${hospitals.id(asking.at, 'Organization')}` }),
        givenBy: 'cli',
      })),
      graceUsed: 0,
      epoch: 0,
      createdAt: now,
      createdBy: 'cli',
    })
    await put<Session>(store, sessionRecords, {
      id: ids.session,
      cookie: secretHash(newSecret(randomBytes)),
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
      client: ids.client,
      kind: 'online',
      session: ids.session,
      scopes: asking.scope,
      ...(fhirUser && { fhirUser }),
      ...(asking.patient && { patient: hospitals.id(asking.patient, 'Patient') }),
      purpose: asking.roles?.includes('patient') === true ? ['PATRQT'] : ['TREAT'],
      amr,
      createdAt: now,
      expires: now + 3_600_000,
    })
  }
  const about = isService
    ? { model: 'ClientCredentials', payload: {} }
    : { model: 'AccessToken', payload: { accountId: ids.account, grantId: ids.grant } }
  const tokens = await Promise.all(
    Array.from({ length: tokensEach }, () =>
      plantToken(store, { model: about.model, payload: { ...about.payload, clientId: ids.client, scope: asking.scope, aud: fhir } }),
    ),
  )
  return { name: asking.name, tokens, principal: principalOf(asking, ids, fhirUser, ground) }
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

const client = (id: string, { scope, grants = [] }: Asking): Client => ({
  id,
  name: 'Walk',
  type: grants.length > 0 ? 'backend' : 'public',
  applicationType: 'web',
  redirectUris: ['https://app.example/callback'],
  launchUris: [],
  allowedOrigins: [],
  scopesAllowed: scope.split(' '),
  granularParams: [],
  jkuAllowed: [],
  secrets: [],
  grants,
  appStateSystems: [],
  trust: 'approved',
  offline: false,
  ipAllow: [],
  rateClass: 'backend',
  contacts: [],
  purpose: [],
  status: 'active',
  createdAt: 0,
  createdBy: 'cli',
  approvals: [],
})

const principalOf = (
  { roles = [], at, scope, patient, grants }: Asking,
  ids: { readonly account: string; readonly session: string; readonly grant: string; readonly client: string },
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
    accountId: ids.account,
    ...(fhirUser && { fhirUser }),
    // Work without a unit of its own waits at kinds of work; none of it is in the hospitals.
    roles: roles.map(role => ({ role, organizations, units: organizations })),
    purpose: [isPatient ? 'PATRQT' : 'TREAT'],
    sessionId: ids.session,
    clearance: clearanceOf(testRoles(), roles),
    acr: 2,
  }
}
