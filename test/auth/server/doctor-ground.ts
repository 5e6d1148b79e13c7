import type { Account } from '../../../src/auth/accounts/account.ts'
import type { Client } from '../../../src/auth/clients/client.ts'
import type { TestEngine } from '../../support/engines.ts'
import { anAccount, doctor } from '../accounts-ground.ts'
import { keepClient, type Oauth, openOauth } from './oauth-ground.ts'

type Options = NonNullable<Parameters<typeof openOauth>[1]> & { readonly client?: Partial<Client> }

/** A server that knows one client, and a doctor who signs in when asked to and chooses the first patient. */
export const openWithDoctor = async (
  engine: TestEngine,
  { client, ...options }: Options = {},
): Promise<{ readonly oauth: Oauth; readonly account: Account }> => {
  const oauth = await openOauth(engine, options)
  await keepClient(oauth, client)
  const account = await anAccount(oauth.accounts, 'dr-ani', [doctor])
  oauth.pages = { login: account, patient: '1' }
  return { oauth, account }
}
