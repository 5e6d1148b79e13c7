/** Standalone launch: one authorization request after the other. @see auth.md 7.1, 7.2, annex A.3 */
import { describe, expect, test } from '@jest/globals'
import { changeDetails } from '../../../src/auth/accounts/administration.ts'
import { testEngines } from '../../support/engines.ts'
import { accountNow, anAccount, closingAccounts, patient } from '../accounts-ground.ts'
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
  type Oauth,
  redeem,
  refresh,
  secretFor,
} from './oauth-ground.ts'

closingOauth()
closingAccounts()

/** A doctor at the screen who chooses Patient/1 and agrees to everything. */
const withDoctor = async (engine: (typeof testEngines)[number]): Promise<Oauth> => {
  const { oauth } = await openWithDoctor(engine)
  oauth.pages.encounter = '1'
  return oauth
}

for (const engine of testEngines)
  describe(engine.name, () => {
    test('A.3 11, 12, 14, 16: a code comes back with the state as it was, and tokens with their context', async () => {
      const oauth = await withDoctor(engine)
      const asked = authorizeUrl(oauth)
      const { location } = await new Browser(oauth).walk(asked.url)
      expect(`${location?.origin}${location?.pathname}`).toBe('https://app.example/callback')
      expect(location?.searchParams.get('state')).toBe(asked.state)
      expect(location?.searchParams.get('iss')).toBe(`${oauth.base}/oauth`)
      expect(location?.searchParams.get('error')).toBeNull()
      const { status, body, response } = await redeem(oauth, location?.searchParams.get('code') ?? '', asked)
      expect(status).toBe(200)
      expect(body).toMatchObject({
        token_type: 'Bearer',
        expires_in: 900,
        patient: '1',
        scope: 'launch/patient openid fhirUser patient/*.rs',
      })
      expect(body.access_token).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(body).not.toHaveProperty('encounter')
      expect(response.headers.get('cache-control')).toContain('no-store')
      expect(response.headers.get('pragma')).toContain('no-cache')
      expect(oauth.problems).toEqual([])
    })

    test('A.3 11: by POST too, which becomes a query', async () => {
      const oauth = await withDoctor(engine)
      const asked = authorizeUrl(oauth)
      const [url = '', query = ''] = asked.url.split('?')
      const browser = new Browser(oauth)
      const { location } = await browser.walk(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: query,
      })
      expect(location?.searchParams.get('state')).toBe(asked.state)
      expect((await redeem(oauth, location?.searchParams.get('code') ?? '', asked)).status).toBe(200)
    })

    test('A.3 13: a code is redeemed with a secret by Basic, or with an assertion of RS384 or ES384', async () => {
      const oauth = await withDoctor(engine)
      const secret = 'S'.repeat(43)
      await keepClient(oauth, {
        id: 'app-secret',
        type: 'symmetric',
        secrets: [secretFor(oauth, 'app-secret', 'old'.padEnd(43, 'x')), secretFor(oauth, 'app-secret', secret)],
      })
      for (const given of [secret, 'old'.padEnd(43, 'x')]) {
        const asked = authorizeUrl(oauth, { client_id: 'app-secret' })
        const code = await codeFor(new Browser(oauth), asked)
        const authorization = `Basic ${Buffer.from(`app-secret:${given}`).toString('base64')}`
        const wrong = await redeem(oauth, code, asked, {}, { authorization: `Basic ${Buffer.from('app-secret:wrong').toString('base64')}` })
        expect([wrong.status, wrong.body.error]).toEqual([401, 'invalid_client'])
        expect((await redeem(oauth, code, asked, {}, { authorization })).status).toBe(200)
      }
      for (const alg of ['RS384', 'ES384'] as const) {
        const key = await aKey(alg, `key-${alg}`)
        await keepClient(oauth, { id: `app-${alg}-x`, type: 'asymmetric', jwks: { keys: [key.jwk] } })
        const asked = authorizeUrl(oauth, { client_id: `app-${alg}-x` })
        const code = await codeFor(new Browser(oauth), asked)
        const client_assertion = await key.sign(assertionClaims(oauth, `app-${alg}-x`))
        const { status, body } = await redeem(oauth, code, asked, { client_assertion, client_assertion_type: assertionType })
        expect([alg, status, body.error]).toEqual([alg, 200, undefined])
      }
    })

    test('A.3 15: all that was asked comes back where it is allowed, in the spelling of the request', async () => {
      const oauth = await withDoctor(engine)
      const core = [
        'AllergyIntolerance',
        'Condition',
        'Encounter',
        'Immunization',
        'MedicationRequest',
        'Observation',
        'Patient',
        'Procedure',
      ]
      for (const scope of [
        'launch/patient openid fhirUser offline_access patient/*.rs',
        'launch/patient openid fhirUser offline_access patient/*.read',
        `launch/patient openid fhirUser offline_access ${core.map(type => `patient/${type}.rs`).join(' ')}`,
      ])
        expect((await authorized(oauth, { scope })).tokens.scope).toBe(scope)
    })

    test('A.9 42: granular scopes are given as they were asked, with nothing wider beside them', async () => {
      const oauth = await withDoctor(engine)
      const core = 'http://hl7.org/fhir/us/core/CodeSystem'
      const hl7 = 'http://terminology.hl7.org/CodeSystem'
      const sets = [
        [
          `patient/Condition.rs?category=${hl7}/condition-category|encounter-diagnosis`,
          `patient/Condition.rs?category=${core}/condition-category|health-concern`,
          `patient/Observation.rs?category=${hl7}/observation-category|laboratory`,
          `patient/Observation.rs?category=${hl7}/observation-category|social-history`,
        ],
        [
          `patient/Condition.rs?category=${hl7}/condition-category|problem-list-item`,
          `patient/Observation.rs?category=${hl7}/observation-category|vital-signs`,
          `patient/Observation.rs?category=${hl7}/observation-category|survey`,
          `patient/Observation.rs?category=${core}/us-core-category|sdoh`,
        ],
      ]
      for (const set of sets) {
        const scope = ['launch/patient openid fhirUser offline_access', ...set].join(' ')
        const { tokens } = await authorized(oauth, { scope })
        expect(tokens.scope).toBe(scope)
        expect((await refresh(oauth, tokens.refresh_token ?? '')).body.scope).toBe(scope)
      }
    })

    test('a purpose that was named goes along with every request; a break-glass is none', async () => {
      const oauth = await withDoctor(engine)
      const rows = [
        [undefined, ['TREAT']],
        ['HOPERAT', ['HOPERAT']],
        ['BTG', ['TREAT']],
      ] as const
      for (const [purpose_of_use, purpose] of rows) {
        const { tokens } = await authorized(oauth, { purpose_of_use })
        expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({
          value: { purpose, emergencies: [] },
        })
      }
    })

    test('A.3 19: a code is good once, with its verifier, for its client and its redirect address', async () => {
      const oauth = await withDoctor(engine)
      await keepClient(oauth, { id: 'app-0002' })
      const asked = authorizeUrl(oauth)
      const code = await codeFor(new Browser(oauth), asked)
      const wrong = [
        await redeem(oauth, code, asked, { code_verifier: 'x'.repeat(43) }),
        await redeem(oauth, code, { ...asked, verifier: '' }),
        await redeem(oauth, code, asked, { client_id: 'app-0002' }),
        await redeem(oauth, code, asked, { redirect_uri: 'https://app.example/other' }),
        await redeem(oauth, 'x'.repeat(43), asked),
      ]
      expect(wrong.map(({ status, body }) => [status, body.error, body.error_description])).toEqual(
        wrong.map(() => [400, 'invalid_grant', 'grant request is invalid']),
      )
      const right = await redeem(oauth, code, asked)
      expect(right.status).toBe(200)
      expect(await oauth.authenticate(`Bearer ${right.body.access_token}`, '192.0.2.7')).toMatchObject({ ok: true })
      oauth.authenticate.forget()
      const twice = await redeem(oauth, code, asked)
      expect([twice.status, twice.body.error]).toEqual([400, 'invalid_grant'])
      expect(await oauth.authenticate(`Bearer ${right.body.access_token}`, '192.0.2.7')).toMatchObject({
        failure: { kind: 'token-invalid' },
      })
      expect(oauth.facts.map(({ what }) => what)).toContain('grant-reused')
    })

    test('A.3 20: scopes of a patient bring a patient, launch/encounter an encounter of that patient', async () => {
      const oauth = await withDoctor(engine)
      expect((await authorized(oauth, { scope: 'patient/Observation.rs' })).tokens).toMatchObject({ patient: '1' })
      const { tokens } = await authorized(oauth, { scope: 'launch/patient launch/encounter patient/*.rs' })
      expect(tokens).toMatchObject({ patient: '1', encounter: '1' })
      expect((await authorized(oauth, { scope: 'user/Observation.rs' })).tokens).not.toHaveProperty('patient')
    })

    test('A.3 20: another patient’s encounter and a patient out of sight are not taken', async () => {
      const oauth = await withDoctor(engine)
      oauth.pages = { ...oauth.pages, patient: '17' }
      await expect(new Browser(oauth).walk(authorizeUrl(oauth).url)).rejects.toThrow('too many redirects')
      oauth.pages = { ...oauth.pages, patient: '1', encounter: '2' }
      await expect(new Browser(oauth).walk(authorizeUrl(oauth, { scope: 'launch/encounter patient/*.rs' }).url)).rejects.toThrow(
        'too many redirects',
      )
    })

    test('A.3 20: without a patient that somebody may open there is no access', async () => {
      const oauth = await withDoctor(engine)
      const account = await anAccount(oauth.accounts, 'tono', [patient])
      await changeDetails(oauth.parts.ground, account.id, { fhirUser: 'RelatedPerson/9' }, 'cli', { address: '' })
      oauth.pages = { login: await accountNow(oauth.accounts, account.id) }
      const asked = authorizeUrl(oauth)
      const { location } = await new Browser(oauth).walk(asked.url)
      expect([location?.searchParams.get('error'), location?.searchParams.get('state')]).toEqual(['access_denied', asked.state])
    })

    test('a patient has nothing to choose; one who acts for another has', async () => {
      const oauth = await withDoctor(engine)
      const shown: string[] = []
      oauth.pages = { login: await anAccount(oauth.accounts, 'siti', [patient]), seen: ({ prompt }) => shown.push(prompt) }
      expect((await authorized(oauth)).tokens).toMatchObject({ patient: '1' })
      expect(shown).toEqual(['login', 'consent'])
      oauth.represented.set('Patient/1', ['7'])
      shown.length = 0
      oauth.pages = { ...oauth.pages, patient: '7' }
      expect((await authorized(oauth)).tokens).toMatchObject({ patient: '7' })
      expect(shown).toEqual(['login', 'select_patient', 'consent'])
    })

    test('A.3 21: who refuses sends the browser back with access_denied and the state', async () => {
      const oauth = await withDoctor(engine)
      oauth.pages = { ...oauth.pages, ticks: () => 'no' }
      const asked = authorizeUrl(oauth)
      const { location } = await new Browser(oauth).walk(asked.url)
      expect([location?.searchParams.get('error'), location?.searchParams.get('state')]).toEqual(['access_denied', asked.state])
      expect(location?.searchParams.has('code')).toBe(false)
    })

    test('A.3 22: what is not ticked is neither in the token nor in its effect, and nothing wider appears', async () => {
      const oauth = await withDoctor(engine)
      oauth.pages = { ...oauth.pages, ticks: () => ['openid', 'patient/Observation.rs', 'patient/Condition.cruds', 'user/*.cruds'] }
      const { tokens } = await authorized(oauth, { scope: 'openid fhirUser patient/*.rs' })
      expect(tokens.scope).toBe('openid patient/Observation.rs patient/Condition.rs')
      const who = await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')
      expect(who).toMatchObject({ ok: true, value: { kind: 'user', launch: { patient: '1' }, clientId: 'app-0001', acr: 2 } })
      expect(who.ok && who.value.scopes?.map(scope => (scope.kind === 'plain' ? scope.text : `${scope.type}.${scope.letters}`))).toEqual([
        'openid',
        'Observation.rs',
        'Condition.rs',
      ])
    })

    test('errors go back to the application once it is known, and to a page before', async () => {
      const oauth = await withDoctor(engine)
      await keepClient(oauth, { id: 'app-asleep', status: 'suspended' })
      const back: readonly (readonly [Record<string, string | undefined>, string])[] = [
        [{ aud: 'https://other.example/fhir' }, 'invalid_target'],
        [{ aud: undefined }, 'invalid_request'],
        [{ aud: undefined, resource: 'https://other.example/fhir' }, 'invalid_target'],
        [{ resource: 'https://other.example/fhir' }, 'invalid_target'],
        [{ code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
        [{ code_challenge_method: 'plain' }, 'invalid_request'],
        [{ response_type: 'token' }, 'unsupported_response_type'],
        [{ scope: 'nonsense' }, 'invalid_scope'],
        [{ scope: undefined }, 'invalid_scope'],
        [{ scope: 'system/*.rs' }, 'invalid_scope'],
        [{ launch: 'x'.repeat(43), scope: 'launch patient/*.rs' }, 'invalid_request'],
        [{ purpose_of_use: 'HMARKT' }, 'invalid_request'],
        [{ prompt: 'none' }, 'login_required'],
      ]
      for (const [given, error] of back) {
        const { location } = await new Browser(oauth).walk(authorizeUrl(oauth, given).url)
        // Errors of flows that answer in a fragment come back in one.
        const answer = new URLSearchParams(location?.search === '' ? location.hash.slice(1) : location?.search)
        expect([given, answer.get('error')]).toEqual([given, error])
        expect(answer.has('code')).toBe(false)
      }
      expect(oauth.problems).toEqual([])
      const pages: readonly (readonly [Record<string, string | undefined>, string])[] = [
        [{ redirect_uri: 'https://evil.example/callback' }, 'invalid_redirect_uri'],
        [{ redirect_uri: 'https://app.example/callback/' }, 'invalid_redirect_uri'],
        [{ client_id: 'app-unknown' }, 'invalid_client'],
        [{ client_id: 'app-asleep' }, 'invalid_client'],
        [{ response_mode: 'form_post' }, 'invalid_request'],
        [{ response_mode: 'fragment' }, 'invalid_request'],
      ]
      for (const [given, error] of pages) {
        const { response, location } = await new Browser(oauth).walk(authorizeUrl(oauth, given).url)
        expect([given, location, await response.text(), oauth.problems.at(-1)?.error]).toEqual([given, undefined, `page ${error}`, error])
      }
    })

    test('aud with a slash at the end, and resource in its place, mean the same', async () => {
      const oauth = await withDoctor(engine)
      for (const given of [{ aud: `${oauth.fhir}/` }, { aud: undefined, resource: oauth.fhir }, { resource: `${oauth.fhir}/` }])
        expect((await authorized(oauth, given)).tokens.patient).toBe('1')
    })
  })
