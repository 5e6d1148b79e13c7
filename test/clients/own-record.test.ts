/** An application of this house starts another one for the patient that is open in it, with the scope `__launch.create`. @see auth.md 7.3, annex A.4 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TestBrowser } from '../auth/pages/pages-ground.ts'
import { testEngines } from '../support/engines.ts'
import { authorizeBy, type Clinic, openClinic, tokensFor } from './clinic.ts'

const recordScope = 'openid user/*.rs __launch.create'

for (const engine of testEngines)
  describe(`a launch out of the house’s own record (${engine.name})`, () => {
    let clinic: Clinic
    beforeAll(async () => {
      clinic = await openClinic(engine, app => {
        const known = { type: 'public', applicationType: 'native', redirectUris: [`${app.replace('localhost', '127.0.0.1')}/callback`] }
        return {
          // Nobody is asked about an application of the house; one under development cannot be of the house.
          record: { ...known, name: 'Rekam medis', trust: 'first-party', scopesAllowed: recordScope.split(' ') },
          other: { ...known, name: 'Lain', scopesAllowed: ['openid', 'user/*.rs'] },
          chart: {
            name: 'Grafik Tumbuh',
            type: 'public',
            development: true,
            redirectUris: [`${app}/callback`],
            launchUris: [`${app}/launch`],
            scopesAllowed: ['launch', 'patient/*.rs'],
          },
        }
      })
    }, 120_000)
    afterAll(async () => clinic?.[Symbol.asyncDispose]())

    /** Applications of the house are none under development, and so not at `localhost`. */
    const native = (): Clinic => ({ ...clinic, app: clinic.app.replace('localhost', '127.0.0.1') })
    const launch = (token: string, given: object = {}) =>
      fetch(`${clinic.base}/smart/launches`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ clientId: clinic.client('chart').id, patient: 'budi', ...given }),
      })

    test('A.4 23, A.4 24, A.4 25: the app opens for that patient, without a choice and without another login', async () => {
      const browser = new TestBrowser(clinic.base)
      const record = await tokensFor(native(), 'record', recordScope, clinic.doctor, browser)
      const made = await launch(record.access_token, { encounter: 'kunjungan' })
      expect(made.status).toBe(201)
      const { url } = (await made.json()) as { readonly url: string }
      const verifier = randomBytes(32).toString('base64url')
      const asked = new URLSearchParams({
        response_type: 'code',
        client_id: clinic.client('chart').id,
        redirect_uri: `${clinic.app}/callback`,
        scope: 'launch patient/*.rs',
        state: randomUUID(),
        aud: new URL(url).searchParams.get('iss') ?? '',
        launch: new URL(url).searchParams.get('launch') ?? '',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      })
      // Whoever would be asked to sign in again has nothing to say.
      const nobody = { ...clinic.doctor, password: '', backupCodes: [] }
      const back = await authorizeBy(clinic, `${clinic.issuer}/auth?${asked}`, nobody, browser)
      const form = {
        grant_type: 'authorization_code',
        code: back.searchParams.get('code') ?? '',
        redirect_uri: `${clinic.app}/callback`,
        client_id: clinic.client('chart').id,
        code_verifier: verifier,
      }
      const answer = await fetch(`${clinic.issuer}/token`, { method: 'POST', body: new URLSearchParams(form) })
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ patient: 'budi', encounter: 'kunjungan' })])
    }, 60_000)

    test('without the scope, for a patient out of reach, and of another’s encounter nothing starts', async () => {
      const record = await tokensFor(native(), 'record', recordScope, clinic.doctor)
      const other = await tokensFor(native(), 'other', 'openid user/*.rs', clinic.doctor)
      expect((await launch(other.access_token)).status).toBe(403)
      expect((await launch('x'.repeat(43))).status).toBe(401)
      const [hidden, never] = [
        await launch(record.access_token, { patient: 'lain' }),
        await launch(record.access_token, { patient: 'tidak-ada' }),
      ]
      expect([hidden.status, never.status]).toEqual([400, 400])
      expect(await hidden.text()).toBe(await never.text())
    }, 60_000)
  })
