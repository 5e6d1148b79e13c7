/** Standalone launch. @see auth.md annex A.3 */
import { describe, expect, test } from '@jest/globals'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor } from '../accounts-ground.ts'
import { authorized, Browser, closingOauth, keepClient, openOauth } from './oauth-ground.ts'

closingOauth()
closingAccounts()

for (const engine of testEngines)
  describe(engine.name, () => {
    test('A.3 11: a patient is chosen, access is agreed to, and a code comes back', async () => {
      const oauth = await openOauth(engine)
      await keepClient(oauth)
      const account = await anAccount(oauth.accounts, 'dr-ani', [doctor])
      oauth.pages = { login: account, patient: '1' }
      const { tokens } = await authorized(oauth, {}, new Browser(oauth))
      expect(tokens).toMatchObject({
        token_type: 'Bearer',
        expires_in: 900,
        patient: '1',
        scope: 'launch/patient openid fhirUser patient/*.rs',
      })
    })
  })
