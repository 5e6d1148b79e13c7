import { createDecide, type Decide } from '../auth/access.ts'
import type { Authenticate } from '../auth/bearer.ts'
import { createClientHealth } from '../auth/clients/client-health.ts'
import { createJwksCache } from '../auth/clients/jwks-cache.ts'
import { type ClientRegistry, createClientRegistry } from '../auth/clients/registry.ts'
import { createConsents } from '../auth/consent/consents.ts'
import { emergenciesOf } from '../auth/emergencies/emergencies.ts'
import { checkIssuer } from '../auth/installation.ts'
import { createOutgoing, type Outgoing } from '../auth/outgoing/outgoing.ts'
import { createAuthenticate } from '../auth/principal/authenticate.ts'
import type { AuthenticateParts, PrincipalParts } from '../auth/principal/principal-parts.ts'
import { createRoleReach } from '../auth/relations/role-reach.ts'
import { publicAddress } from '../auth/web.ts'
import { systemClock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import { type Config, environmentOf, isLocalUrl, publicUrl } from '../config/config.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import { countedAs } from '../http/caller.ts'
import type { Shared } from '../nodes/shared.ts'
import type { Store } from '../storage/port.ts'
import { type ComposedAccounts, composeAccounts } from './accounts.ts'
import { createKnownStates, type KnownStates } from './known-states.ts'
import { loadRoles } from './roles.ts'
import { settingsOf } from './settings.ts'
import { opened } from './opened.ts'

/** Who may ask, and what they may: accounts, applications, roles, consents, and the tokens that stand for them. */
export type Identity = AsyncDisposable & {
  readonly accounts: ComposedAccounts
  readonly clients: ClientRegistry
  readonly principals: PrincipalParts
  readonly authenticate: Authenticate
  readonly unknownToken: AuthenticateParts['unknownToken']
  /** To addresses that applications chose. */
  readonly outgoing: Outgoing
  readonly decide: Decide
  /** Applications under development get nothing, and none is registered. */
  readonly production: boolean
  /** ms: since when this installation is known under its address. */
  readonly since: number
}

export type IdentityParts = {
  readonly config: Config
  readonly store: Store
  readonly definitions: Definitions
  readonly shared: Shared
  readonly ids: Ids
}

const unknownTokens = { name: 'unknown-tokens', most: 20, windowSeconds: 60 }

export const composeIdentity = async ({ config, store, definitions, shared, ids }: IdentityParts): Promise<Identity> => {
  const environment = environmentOf(config)
  const production = environment === 'production'
  const address = publicAddress(publicUrl(config))
  const accounts = await composeAccounts({ config, store, shared, ids })
  const { ground } = accounts
  const since = opened(await checkIssuer(store, address.issuer, systemClock, isLocalUrl))

  const roles = loadRoles(config, definitions)
  const states = createKnownStates({ store, definitions, settings: settingsOf(config), limits: config.limits, clock: systemClock })
  const consents = createConsents({
    newest: states.newest,
    activeConsents: activeConsents(states),
    clock: systemClock,
    zone: config.zone,
    byDefault: config.consentDefault,
  })
  const reach = createRoleReach({
    newest: states.newest,
    all: states.all,
    referring: (type, param, targets, limit) => states.matching(type, { [param]: targets }, limit),
    clock: systemClock,
  })
  const health = createClientHealth({ store, clock: systemClock })
  const outgoing = createOutgoing({ loopback: environment === 'development' })
  const jwks = createJwksCache({ outgoing, clock: systemClock })
  const clients = createClientRegistry({ ground, jwks, health, production })
  const principals: PrincipalParts = {
    ground,
    address,
    definitions,
    roles,
    clients,
    reach,
    emergenciesOf: about => emergenciesOf(ground, about),
  }
  const unknown = shared.counter(unknownTokens)
  const unknownToken: AuthenticateParts['unknownToken'] = async address => unknown(countedAs(address))
  const authenticate = createAuthenticate({ ...principals, unknownToken })
  const listening = [
    // One that was compromised is gone in every node at once. What cannot be read now is read by the schedule.
    shared.onWake('keys', () => void accounts.keys.signing.turn().catch(() => undefined)),
    shared.onWake('tokens', authenticate.forget),
    shared.onWake('clients', () => {
      clients.forget()
      authenticate.forget()
    }),
  ]
  return {
    accounts,
    clients,
    principals,
    authenticate,
    unknownToken,
    outgoing,
    decide: createDecide({ roles: () => roles, consents, clock: systemClock }),
    production,
    since,
    [Symbol.asyncDispose]: async () => {
      for (const stop of listening) stop()
      await health[Symbol.asyncDispose]()
    },
  }
}

/** Of one patient; where there are more nothing of that patient is open. */
const consentsMax = 200

const activeConsents = (states: KnownStates) => async (patient: string) => {
  const { found, more } = await states.matching('Consent', { patient: [`Patient/${patient}`], status: ['active'] }, consentsMax)
  return { consents: found, more }
}
