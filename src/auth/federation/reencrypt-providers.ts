import type { Outcome } from '../../base/outcome.ts'
import type { Ground } from '../ground.ts'
import { type Reencrypted, reencryptRecords } from '../keys/reencrypt.ts'
import { type Provider, providerRecords, sealedPlace } from './provider.ts'

/** Secrets of providers, those that wait for a second person among them. */
export const reencryptProviders = (ground: Ground): Promise<Outcome<Reencrypted>> =>
  reencryptRecords<Provider>(ground, providerRecords, async (provider, renew) => {
    const { id, sealed, proposed } = provider
    const place = sealedPlace(id)
    const [current, waiting] = [await renew(sealed, place), proposed === undefined ? undefined : await renew(proposed.sealed, place)]
    if (current === undefined && waiting === undefined) return undefined
    return {
      ...provider,
      sealed: current ?? sealed,
      ...(proposed === undefined ? {} : { proposed: { ...proposed, sealed: waiting ?? proposed.sealed } }),
    }
  })
