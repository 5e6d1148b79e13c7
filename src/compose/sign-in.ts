import { randomUUID } from 'node:crypto'
import type { CapabilityStatementRestSecurity } from '@medplum/fhirtypes'
import type { Decide } from '../auth/access.ts'
import { firstInvitation } from '../auth/accounts/first-invitation.ts'
import type { AdminParts } from '../auth/admin/admin-parts.ts'
import { createAdmin } from '../auth/admin/door.ts'
import { capabilitySecurity } from '../auth/capability-security.ts'
import { createDynamicRegistration } from '../auth/clients/dynamic-registration.ts'
import { createOpenEmergency, type OpenEmergency } from '../auth/emergencies/break-glass.ts'
import { backchannelPath, createBackchannelDoor } from '../auth/federation/backchannel-door.ts'
import { createDevicePages } from '../auth/pages/device-pages.ts'
import { createErrorPage, type ErrorPage } from '../auth/pages/error-page.ts'
import { postLink } from '../auth/pages/mails/outbox.ts'
import { createPages } from '../auth/pages/pages.ts'
import type { Principal } from '../auth/policy/principal.ts'
import { sessionPrincipal } from '../auth/principal/person.ts'
import { anyonesLetters } from '../auth/roles/role-letters.ts'
import { supportedScopes } from '../auth/scopes/supported-scopes.ts'
import { createAuthorizationServer } from '../auth/server/authorization-server.ts'
import type { AuthorizationServerParts, Seen } from '../auth/server/server-parts.ts'
import { cookieName } from '../auth/sessions/browser-cookies.ts'
import type { LiveSession } from '../auth/sessions/sessions.ts'
import { authorizationEndpoints, smartConfiguration } from '../auth/smart/discovery.ts'
import { createLaunches } from '../auth/smart/launches.ts'
import { createStyles } from '../auth/smart/styles.ts'
import { ok } from '../base/outcome.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { countedAs } from '../http/caller.ts'
import { createDoorLimits } from '../http/door-limits.ts'
import type { DoorErrors } from '../http/door-problems.ts'
import type { Door } from '../http/doors.ts'
import type { SignIn } from '../http/server.ts'
import { createTokenLimits } from '../http/token-limits.ts'
import type { Perform } from '../interactions/request.ts'
import type { Shared } from '../nodes/shared.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createAppLaunches } from './app-launches.ts'
import { type Asking, createAsking } from './asking.ts'
import { mirrorConsents } from './consent-mirror.ts'
import { createEmergencyAccess } from './emergencies.ts'
import { facilityBrands, facilityIdentifier, style } from './facility.ts'
import { createGrantedApps } from './granted-apps.ts'
import { composeIdentity, type Identity, type IdentityParts } from './identity.ts'
import { composeFederation } from './federation.ts'
import { openMailer } from './mails.ts'
import { createPatientDirectory } from './patient-directory.ts'
import { startSchedules } from './schedules.ts'
import { opened } from './opened.ts'

/** Sign-in, put together: who asks and what they may, the authorization server, pages, administration. @see auth.md 1 */
export type ComposedSignIn = AsyncDisposable & {
  readonly http: SignIn
  readonly decide: Decide
  readonly openEmergency: OpenEmergency
  /** Never throws: what does not end now is ended by the schedule. */
  readonly consentsWritten: (ids: readonly string[]) => Promise<void>
  /** `CapabilityStatement.rest.security` */
  readonly security: CapabilityStatementRestSecurity
  /** The address by which the first administrator makes an account; undefined where there is one. */
  invitation(): Promise<string | undefined>
}

export type SignInParts = IdentityParts & {
  readonly events: Events
  readonly metrics: Metrics
  /** The one door; it is asked only once everything stands. */
  readonly perform: Perform
  /** What the index says of an instance's newest state. */
  readonly subjectOf: AdminParts['subjectOf']
}

export const composeSignIn = async (parts: SignInParts): Promise<ComposedSignIn> => {
  const { config, definitions, shared, events, metrics, ids, perform } = parts
  const identity = await composeIdentity(parts)
  const mailer = await openMailer(config)
  const { clients, principals } = identity
  const providers = composeFederation(config, identity, shared)
  const { accounts, federation } = providers
  const { address, ground, roles } = principals
  const registration = config.registration === 'on'
  const scopes = supportedScopes(definitions.resourceTypes, type => anyonesLetters(roles, type))
  const asking = createAsking({ perform, ids, limits: config.limits })
  const see = seeing(asking)

  const visits = { accounts, address, forms: accounts.keys.forms, ...given('frameAncestors', config.frameAncestors) }
  const renderError = createErrorPage(visits)
  const authorization = {
    ...principals,
    clients,
    unknownToken: identity.unknownToken,
    see,
    scopes,
    registration,
    sessionCookie: cookieName('sid', address.base),
    refreshGraceSeconds: config.refreshGraceSeconds,
  }
  const server = createAuthorizationServer({
    ...authorization,
    signingKeys: accounts.keys.signing,
    cookieKeys: () => cookieKeys(identity),
    renderError,
    renderDevice: createDevicePages(visits),
    mayPoll: mayPoll(shared),
    failed: (error, requestId) => {
      events.bugMet('auth', error, requestId)
      metrics.bug('auth')
    },
  })
  const principalOf = (live: LiveSession): Promise<Principal> => sessionPrincipal(principals, live)
  const emergency = { ground, roles: () => roles, changed: () => shared.wake('tokens') }
  const sees = async (principal: Principal, patient: string): Promise<boolean> => (await see(principal, 'Patient', patient)) !== undefined
  const pages = createPages({
    ...visits,
    interactions: server.interactions,
    federation,
    patients: createPatientDirectory({ asking, principalOf }),
    apps: createGrantedApps({ ground, clients, definitions }),
    launches: createAppLaunches({ launching: authorization, principalOf }),
    emergencies: createEmergencyAccess({ ...emergency, wouldSee: sees }, principalOf),
    mayAskReset: mayAskReset(shared),
  })
  const admin = createAdmin({
    ...principals,
    authenticate: identity.authenticate,
    clients,
    registration: { production: identity.production },
    keys: accounts.keys,
    ...(mailer === undefined ? {} : { sendLink: link => postLink(ground, 'invitation', link) }),
    subjectOf: parts.subjectOf,
    zone: config.zone,
    features: registration ? ['registration'] : [],
  })
  // biome-ignore format: a table
  const doors: readonly Door[] = [
    ...(registration ? [registrationDoor(identity, shared)] : []),
    { name: 'authorization', paths: ['/oauth', '/.well-known/oauth-authorization-server/oauth'], handler: server.handler,                         answers: 'json' },
    { name: 'providers',     paths: [backchannelPath],            handler: createBackchannelDoor(federation),                                     answers: 'json' },
    { name: 'login',         paths: ['/login'],                   handler: pages.login,                                                           answers: 'page' },
    { name: 'account',       paths: ['/account'],                 handler: pages.account,                                                         answers: 'page' },
    { name: 'admin',         paths: ['/admin'],                   handler: admin,                                                                 answers: 'json' },
    { name: 'launches',      paths: ['/smart/launches'],          handler: createLaunches(authorization),                                         answers: 'json' },
    { name: 'styles',        paths: ['/smart/styles'],            handler: createStyles([style], address).handler,                                answers: 'json' },
    { name: 'brands',        paths: ['/.well-known/brands.json'], handler: facilityBrands(config, address, identity.since),                       answers: 'json' },
  ]
  const mirror = mirrorConsents({ ground, clients, definitions, roles, perform, asking, ids, limits: config.limits })
  const discovery = smartConfiguration({ address, registration, scopes, brand: facilityIdentifier(config, address) })
  const { outgoing } = identity
  const scheduled = { accounts, address, clients, config, events, roles, mirror, outgoing, shared }
  const schedules = startSchedules({ ...scheduled, ...given('mailer', mailer) })
  return {
    decide: identity.decide,
    openEmergency: createOpenEmergency(emergency),
    consentsWritten: async ids => {
      const done = await mirror.consentsWritten(ids).catch((error: unknown) => {
        events.bugMet('auth', error)
        return ok(undefined)
      })
      if (!done.ok) events.bugMet('auth', new Error(`A consent was written, and its grant did not end: ${done.failure.kind}`))
    },
    security: capabilitySecurity(authorizationEndpoints(address, registration)),
    http: {
      authenticate: identity.authenticate,
      tokenLimits: createTokenLimits({ shared, times: config.tokenLimitTimes, limited: metrics.rateLimited }),
      doorLimits: createDoorLimits({ shared, limited: metrics.rateLimited }),
      origins: {
        ofAny: clients.allowsOrigin,
        ofClient: async (client, origin) => (await clients.find(client))?.allowedOrigins.includes(origin) === true,
      },
      discovery: () => discovery,
      renderError: pageOf(renderError),
      doors,
    },
    invitation: async () => {
      const secret = opened(await firstInvitation(ground, randomUUID(), { address: '' }))
      return secret === undefined ? undefined : `${address.base}/login/invitation/${secret}`
    },
    [Symbol.asyncDispose]: async () => {
      await schedules[Symbol.asyncDispose]()
      providers[Symbol.dispose]()
      await identity[Symbol.asyncDispose]()
    },
  }
}

const given = <K extends string, V>(key: K, value: V | undefined): { readonly [name in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [name in K]?: V } // one member, or none

/** Signs the cookies of the authorization server: the key of now, and the one before. */
const cookieKeys = ({ accounts }: Identity): readonly string[] =>
  accounts.keys.keyring
    .versions('cookies')
    .slice(0, 2)
    .map(({ key }) => key.export().toString('base64url'))

/** Links to a new password: 5 an hour for each address, and for each account or name that is nobody's. @see auth.md 16 */
const mayAskReset = (shared: Shared): ((address: string, subject: string) => Promise<boolean>) => {
  const [addresses, subjects] = ['reset-address', 'reset-subject'].map(name => shared.counter({ name, most: 5, windowSeconds: 3600 }))
  return async (address, subject) => {
    const uses = await Promise.all([addresses?.(countedAs(address)), subjects?.(subject)])
    return uses.every(use => use?.allowed === true)
  }
}

/** Every 5 seconds at the most, and twice within them for clocks that are not exact. @see RFC 8628 3.5 */
const mayPoll = (shared: Shared): ((code: string) => Promise<boolean>) => {
  const polls = shared.counter({ name: 'device-polls', most: 2, windowSeconds: 5 })
  return async code => (await polls(code)).allowed
}

const registrationDoor = ({ principals: { ground, address, definitions, roles }, production }: Identity, shared: Shared): Door => {
  const registrations = shared.counter({ name: 'register', most: 10, windowSeconds: 3600 })
  return {
    name: 'registration',
    paths: ['/oauth/register'],
    handler: createDynamicRegistration({
      ground,
      address,
      rules: { definitions, roles, production },
      mayRegister: async token => registrations(token),
    }),
    answers: 'json',
  }
}

/** The page says what it has words for; all else is known by the code of the request. */
const pageOf =
  (render: ErrorPage): DoorErrors =>
  (req, res, { what, status, retryAfterSeconds }, from) =>
    render(
      req,
      res,
      { status, ...(what === 'away' || what === 'too-many' ? { about: what } : {}), ...given('retryAfterSeconds', retryAfterSeconds) },
      from,
    )

/** What a launch asks of an instance, as whoever asks may see it: whom it is about. */
const seeing =
  (asking: Asking): AuthorizationServerParts['see'] =>
  async (principal, type, id) => {
    const seen = await asking.read(principal, type, id)
    return seen.ok && seen.value !== undefined ? aboutWhom(seen.value) : undefined
  }

const aboutWhom = ({ resourceType, id, subject, patient }: Resource): Seen => {
  const { reference } = (subject ?? patient ?? {}) as { readonly reference?: unknown }
  const of = resourceType === 'Patient' ? id : /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(String(reference))?.[1]
  return of === undefined ? {} : { subject: of }
}
