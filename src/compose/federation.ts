import { createFederation } from '../auth/federation/federated-login.ts'
import type { Federation } from '../auth/federation/federation.ts'
import { createLocalLogin } from '../auth/federation/local-login.ts'
import { createProviderKeys } from '../auth/federation/provider-keys.ts'
import { createProviders } from '../auth/federation/providers.ts'
import { createRelyingParty } from '../auth/federation/relying-party.ts'
import { createOutgoing } from '../auth/outgoing/outgoing.ts'
import { within } from '../config/addresses.ts'
import { type Config, environmentOf } from '../config/config.ts'
import type { Shared } from '../nodes/shared.ts'
import type { ComposedAccounts } from './accounts.ts'
import type { Identity } from './identity.ts'

/** Signing in by outside identity providers, and what it says of passwords here. @see auth.md 13 */
export type ComposedFederation = Disposable & { readonly federation: Federation; readonly accounts: ComposedAccounts }

export const composeFederation = (
  config: Config,
  { accounts, principals }: Identity,
  shared: Pick<Shared, 'onWake'>,
): ComposedFederation => {
  const { ground, address, roles } = principals
  const loopback = environmentOf(config) === 'development'
  const { providersFrom } = config
  const outgoing = createOutgoing({ loopback, ...(providersFrom === undefined ? {} : { allowed: within(providersFrom) }) })
  const { clock } = ground
  const providers = createProviders(ground)
  const guarded: ComposedAccounts = { ...accounts, localLogin: createLocalLogin(providers) }
  const relyingParty = createRelyingParty({ outgoing, keys: createProviderKeys({ outgoing, clock }), clock, loopback })
  const stop = shared.onWake('clients', providers.forget)
  return {
    accounts: guarded,
    federation: createFederation({ accounts: guarded, base: address.base, roles, providers, relyingParty }),
    [Symbol.dispose]: stop,
  }
}
