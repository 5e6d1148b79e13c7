import { randomUUID } from 'node:crypto'
import type { CapabilityStatementRestSecurity } from '@medplum/fhirtypes'
import { createDecide, type Decide } from '../auth/access.ts'
import { firstInvitation } from '../auth/accounts/first-invitation.ts'
import { capabilitySecurity } from '../auth/capability-security.ts'
import { createClientHealth } from '../auth/clients/client-health.ts'
import { createJwksCache } from '../auth/clients/jwks-cache.ts'
import { createClientRegistry } from '../auth/clients/registry.ts'
import { createConsents } from '../auth/consent/consents.ts'
import { checkIssuer } from '../auth/installation.ts'
import { createOutgoing } from '../auth/outgoing/outgoing.ts'
import { createErrorPage, type ErrorPage } from '../auth/pages/error-page.ts'
import { createPages } from '../auth/pages/pages.ts'
import { createAuthenticate } from '../auth/principal/authenticate.ts'
import { sessionPrincipal } from '../auth/principal/person.ts'
import type { PrincipalParts } from '../auth/principal/principal-parts.ts'
import { createRoleReach } from '../auth/relations/role-reach.ts'
import { anyonesLetters } from '../auth/roles/role-letters.ts'
import { supportedScopes } from '../auth/scopes/supported-scopes.ts'
import { createAuthorizationServer } from '../auth/server/authorization-server.ts'
import type { Seen } from '../auth/server/server-parts.ts'
import { cookieName } from '../auth/sessions/browser-cookies.ts'
import { authorizationEndpoints, smartConfiguration } from '../auth/smart/discovery.ts'
import { publicAddress } from '../auth/web.ts'
import { systemClock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import { type Config, environmentOf, isLocalUrl, publicUrl } from '../config/config.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { createDoorLimits } from '../http/door-limits.ts'
import type { DoorErrors } from '../http/door-problems.ts'
import type { SignIn } from '../http/server.ts'
import { createTokenLimits } from '../http/token-limits.ts'
import type { Perform } from '../interactions/request.ts'
import type { Shared } from '../nodes/shared.ts'
import type { Store } from '../storage/port.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { composeAccounts } from './accounts.ts'
import { createAsking } from './asking.ts'
import { createGrantedApps } from './granted-apps.ts'
import { createKnownStates } from './known-states.ts'
import { createPatientDirectory } from './patient-directory.ts'
import { consentsFrom, reachFrom } from './reach.ts'
import { loadRoles } from './roles.ts'
import { startSchedules } from './schedules.ts'
import { settingsOf } from './settings.ts'
import { valueOf } from './unopened.ts'

/** Sign-in, put together: accounts, applications, the authorization server, pages, and what decides who sees what. @see auth.md 1 */
export type ComposedSignIn = AsyncDisposable & {
  readonly http: SignIn
  readonly decide: Decide
  /** `CapabilityStatement.rest.security` */
  readonly security: CapabilityStatementRestSecurity
  /** The address by which the first administrator makes an account; undefined where there is one. */
  invitation(): Promise<string | undefined>
}

export type SignInComposing = {
  readonly config: Config
  readonly store: Store
  readonly definitions: Definitions
  readonly shared: Shared
  readonly events: Events
  readonly metrics: Metrics
  readonly ids: Ids
  /** The one door; it is asked only once everything stands. */
  readonly perform: Perform
}

export const composeSignIn = async (parts: SignInComposing): Promise<ComposedSignIn> => {
  const { config, store, definitions, shared, events, metrics, ids, perform } = parts
  const { limits } = config
  const address = publicAddress(publicUrl(config))
  const production = environmentOf(config) === 'production'
  const accounts = await composeAccounts({ config, store, shared, ids })
  const { ground, keys } = accounts
  valueOf(await checkIssuer(store, address.issuer, systemClock, isLocalUrl))

  const roles = loadRoles(config, definitions)
  const states = createKnownStates({ store, definitions, settings: settingsOf(config), limits, clock: systemClock })
  const consents = createConsents({ ...consentsFrom(states), clock: systemClock, zone: config.zone, byDefault: config.consentDefault })
  const outgoing = createOutgoing({ loopback: environmentOf(config) === 'development' })
  const health = createClientHealth({ store, clock: systemClock })
  const jwks = createJwksCache({ outgoing, clock: systemClock })
  const clients = createClientRegistry({ ground, jwks, health, production })

  const reach = createRoleReach({ ...reachFrom(states), clock: systemClock })
  const principals: PrincipalParts = { ground, address, definitions, roles, clients, reach, emergenciesOf: async () => [] }
  const unknownTokens = shared.counter({ name: 'unknown-tokens', most: 20, windowSeconds: 60 })
  const authenticate = createAuthenticate({ ...principals, unknownToken: unknownTokens })
  const listening = [
    shared.onWake('tokens', authenticate.forget),
    shared.onWake('clients', () => {
      clients.forget()
      authenticate.forget()
    }),
  ]

  const asking = createAsking({ perform, ids, limits })
  const registration = config.registration === 'on'
  const scopes = supportedScopes(definitions.resourceTypes, type => anyonesLetters(roles, type))
  const visits = {
    accounts,
    address,
    forms: keys.forms,
    ...(config.frameAncestors === undefined ? {} : { frameAncestors: config.frameAncestors }),
  }
  const renderError = createErrorPage(visits)
  const server = createAuthorizationServer({
    ...principals,
    clients,
    signingKeys: keys.signing,
    cookieKeys: () =>
      keys.keyring
        .versions('cookies')
        .slice(0, 2)
        .map(({ key }) => key.export().toString('base64url')),
    sessionCookie: cookieName('sid', address.base),
    see: async (principal, type, id) => {
      const seen = await asking.read(principal, type, id)
      return seen.ok && seen.value !== undefined ? subjectOf(seen.value) : undefined
    },
    renderError,
    refreshGraceSeconds: config.refreshGraceSeconds,
    scopes,
    registration,
    failed: (error, requestId) => {
      events.bugMet('auth', error, requestId)
      metrics.bug('auth')
    },
  })
  const resetsByAddress = shared.counter({ name: 'reset-address', most: 5, windowSeconds: 3600 })
  const resetsByName = shared.counter({ name: 'reset-name', most: 5, windowSeconds: 3600 })
  const pages = createPages({
    ...visits,
    interactions: server.interactions,
    patients: createPatientDirectory({ asking, principalOf: live => sessionPrincipal(principals, live) }),
    apps: createGrantedApps({ ground, clients, definitions }),
    mayAskReset: async (from, name) => {
      const [byAddress, byName] = await Promise.all([resetsByAddress(from), resetsByName(name)])
      return byAddress.allowed && byName.allowed
    },
  })
  const discovery = smartConfiguration({ address, registration, scopes })
  const schedules = startSchedules({ accounts, address, config, events })

  return {
    decide: createDecide({ roles: () => roles, consents, clock: systemClock }),
    security: capabilitySecurity(authorizationEndpoints(address, registration)),
    http: {
      authenticate,
      tokenLimits: createTokenLimits({ shared, limited: metrics.rateLimited }),
      doorLimits: createDoorLimits({ shared, limited: metrics.rateLimited }),
      origins: {
        ofAny: clients.allowsOrigin,
        ofClient: async (client, origin) => (await clients.find(client))?.allowedOrigins.includes(origin) === true,
      },
      discovery: () => discovery,
      renderError: pageOf(renderError),
      doors: [
        {
          name: 'authorization',
          paths: ['/oauth', '/.well-known/oauth-authorization-server/oauth'],
          handler: server.handler,
          answers: 'json',
        },
        { name: 'login', paths: ['/login'], handler: pages.login, answers: 'page' },
        { name: 'account', paths: ['/account'], handler: pages.account, answers: 'page' },
      ],
    },
    invitation: async () => {
      const secret = valueOf(await firstInvitation(ground, randomUUID(), { address: '' }))
      return secret === undefined ? undefined : `${address.base}/login/invitation/${secret}`
    },
    [Symbol.asyncDispose]: async () => {
      await schedules[Symbol.asyncDispose]()
      for (const stop of listening) stop()
      await health[Symbol.asyncDispose]()
    },
  }
}

/** The page says what it has words for; all else is known by the code of the request. */
const pageOf =
  (render: ErrorPage): DoorErrors =>
  (req, res, { what, status, retryAfterSeconds }, from) =>
    render(
      req,
      res,
      {
        status,
        ...(what === 'away' || what === 'too-many' ? { about: what } : {}),
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      },
      from,
    )

/** What a launch asks of an instance: whom it is about. */
const subjectOf = ({ resourceType, id, subject, patient }: Resource): Seen => {
  const reference = ((subject ?? patient) as { readonly reference?: unknown } | undefined)?.reference
  const of = resourceType === 'Patient' ? id : /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(String(reference))?.[1]
  return of === undefined ? {} : { subject: of }
}
