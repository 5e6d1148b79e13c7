/** Of many who use a single thing at once one wins, and what he won is dead. @see auth.md 8, T13, T14, T31 */
import { describe, expect, test } from '@jest/globals'
import { testEngines } from '../../support/engines.ts'
import { closingAccounts } from '../accounts-ground.ts'
import { openWithDoctor } from './doctor-ground.ts'
import {
  aKey,
  assertionClaims,
  assertionType,
  authorized,
  authorizeUrl,
  Browser,
  closingOauth,
  codeFor,
  keepClient,
  postForm,
  redeem,
  refresh,
} from './oauth-ground.ts'

closingOauth()
closingAccounts()

const times = <T>(n: number, act: () => Promise<T>): Promise<readonly T[]> => Promise.all(Array.from({ length: n }, act))

for (const engine of testEngines)
  describe(engine.name, () => {
    test('A.3 19: of 50 parallel redemptions of a code one succeeds, and its tokens are dead', async () => {
      const { oauth } = await openWithDoctor(engine)
      const asked = authorizeUrl(oauth, { scope: 'openid offline_access patient/*.rs' })
      const code = await codeFor(new Browser(oauth), asked)
      const all = await times(50, () => redeem(oauth, code, asked))
      const won = all.filter(({ status }) => status === 200)
      expect([won.length, new Set(all.filter(({ status }) => status !== 200).map(({ body }) => body.error))]).toEqual([
        1,
        new Set(['invalid_grant']),
      ])
      const [{ body } = { body: undefined }] = won
      expect(await oauth.authenticate(`Bearer ${body?.access_token}`, '192.0.2.7')).toMatchObject({ ok: false })
      expect((await refresh(oauth, body?.refresh_token ?? '')).status).toBe(400)
    })

    test('A.6 33: of 50 parallel refreshes one succeeds, and the family is dead', async () => {
      const { oauth } = await openWithDoctor(engine)
      const { tokens } = await authorized(oauth, { scope: 'openid offline_access patient/*.rs' })
      const all = await times(50, () => refresh(oauth, tokens.refresh_token ?? ''))
      const won = all.filter(({ status }) => status === 200)
      expect([won.length, new Set(all.filter(({ status }) => status !== 200).map(({ body }) => body.error))]).toEqual([
        1,
        new Set(['invalid_grant']),
      ])
      for (const { access_token, refresh_token } of [tokens, won[0]?.body ?? tokens]) {
        expect(await oauth.authenticate(`Bearer ${access_token}`, '192.0.2.7')).toMatchObject({ ok: false })
        expect((await refresh(oauth, refresh_token ?? '')).status).toBe(400)
      }
    })

    test('A.7 36: of 100 parallel uses of an assertion one succeeds', async () => {
      const { oauth } = await openWithDoctor(engine)
      const key = await aKey('ES384', 'k1')
      await keepClient(oauth, { id: 'service-1', type: 'backend', jwks: { keys: [key.jwk] }, scopesAllowed: ['system/*.rs'] })
      const client_assertion = await key.sign(assertionClaims(oauth, 'service-1'))
      const form = { grant_type: 'client_credentials', scope: 'system/*.rs', client_assertion, client_assertion_type: assertionType }
      const all = await times(100, async () => (await postForm(oauth, '/oauth/token', form)).status)
      expect([all.filter(status => status === 200).length, all.filter(status => status === 401).length]).toEqual([1, 99])
    })
  })
