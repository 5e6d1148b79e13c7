import type { AccountParts } from '../account-parts.ts'
import type { Account } from '../accounts/account.ts'
import type { Provider } from './provider.ts'
import type { Providers } from './providers.ts'
import { domainOf } from './subject.ts'

type LocalLogin = NonNullable<AccountParts['localLogin']>

/** Not where a provider stands for the domain of their address; `emergency`: one of the two who may in any case. @see auth.md 13 */
export const createLocalLogin =
  (providers: Pick<Providers, 'active'>): LocalLogin =>
  async account => {
    const enforcing = (await providers.active()).filter(({ passwordOff }) => passwordOff.length > 0)
    if (account === undefined) return 'open'
    const { email } = account
    const off = enforcing.some(provider => stands(provider, account, email))
    if (!off) return 'open'
    return enforcing.some(({ localAdministrators }) => localAdministrators.includes(account.id)) ? 'emergency' : 'off'
  }

/** An account of the domain, or one that the provider's people use without any address here. */
const stands = ({ passwordOff }: Provider, { federated }: Account, email: string | undefined): boolean =>
  email === undefined ? federated === true : passwordOff.includes(domainOf(email))
