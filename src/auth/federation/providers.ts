import type { Ground } from '../ground.ts'
import { type Provider, providerRecords, providersMax, sealedPlace } from './provider.ts'
import type { OpenProvider } from './relying-party.ts'

/** The providers as logins ask for them. What is remembered is at most 5 seconds old. */
export type Providers = {
  /** Those in use, by name. */
  active(): Promise<readonly Provider[]>
  /** One in use, with its secret; read anew. */
  open(id: string): Promise<OpenProvider | undefined>
  forget(): void
}

const rememberedMs = 5_000

export const createProviders = ({ store, clock, fields }: Pick<Ground, 'store' | 'clock' | 'fields'>): Providers => {
  let remembered: { readonly providers: Promise<readonly Provider[]>; readonly at: number } | undefined

  const read = async (): Promise<readonly Provider[]> => {
    const { rows } = await store.records<Provider>(providerRecords).range('key', { limit: providersMax })
    return rows
      .map(({ value }) => value)
      .filter(({ status }) => status === 'active')
      .toSorted((a, b) => a.name.localeCompare(b.name, 'id'))
  }

  return {
    active: () => {
      if (remembered === undefined || clock() - remembered.at >= rememberedMs) {
        const providers = read()
        const entry = { providers, at: clock() }
        remembered = entry
        providers.catch(() => {
          if (remembered === entry) remembered = undefined
        })
      }
      return remembered.providers
    },
    open: async id => {
      const kept = await store.records<Provider>(providerRecords).get(id)
      if (kept?.value.status !== 'active') return undefined
      const secret = await fields.decrypt(kept.value.sealed, sealedPlace(id))
      return secret === undefined ? undefined : { provider: kept.value, secret }
    },
    forget: () => {
      remembered = undefined
    },
  }
}
