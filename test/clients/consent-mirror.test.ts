/** What a patient allows an application, as a Consent, in a whole server on both engines: auth.md 12.3. */
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Consent } from '@medplum/fhirtypes'
import { TestBrowser } from '../auth/pages/pages-ground.ts'
import { testEngines } from '../support/engines.ts'
import { type Clinic, openClinic, tokensFor } from './clinic.ts'

const scope = 'openid fhirUser launch/patient patient/Consent.rus patient/Observation.rs'

for (const engine of testEngines)
  describe(`the mirror of a grant (${engine.name})`, () => {
    let clinic: Clinic
    beforeAll(async () => {
      clinic = await openClinic(engine, app => ({
        book: { name: 'Buku', type: 'public', development: true, redirectUris: [`${app}/callback`], scopesAllowed: scope.split(' ') },
        other: { name: 'Catatan', type: 'public', development: true, redirectUris: [`${app}/callback`], scopesAllowed: scope.split(' ') },
      }))
    }, 120_000)
    afterAll(async () => clinic?.[Symbol.asyncDispose]())

    const ask = (token: string, path: string, init: RequestInit = {}) =>
      fetch(`${clinic.fhir}/${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, accept: 'application/fhir+json', ...init.headers },
      })
    const consents = async (token: string): Promise<readonly Consent[]> => {
      const answer = await ask(token, 'Consent?patient=budi')
      const bundle = (await answer.json()) as { readonly entry?: readonly { readonly resource: Consent }[] }
      return (bundle.entry ?? []).map(({ resource }) => resource)
    }
    /** The Consent of an application, once it says so; the server writes it in the background. */
    const consentOf = async (token: string, name: string, status: string): Promise<Consent> => {
      for (let round = 0; round < 200; round++) {
        const found = (await consents(token)).find(one => one.sourceAttachment?.title === name && one.status === status)
        if (found !== undefined) return found
        await setTimeout(50)
      }
      throw new Error(`no ${status} Consent of ${name}: ${clinic.said()}`)
    }

    test('the patient sees what was allowed, withdraws it as a Consent, and the application is out; or the other way round', async () => {
      const reading = await tokensFor(clinic, 'other', scope, clinic.patient)
      const own = await consentOf(reading.access_token, 'Catatan', 'active')
      const given = await tokensFor(clinic, 'book', scope, clinic.patient)
      expect((await ask(given.access_token, 'Observation?patient=budi')).status).toBe(200)
      const consent = await consentOf(reading.access_token, 'Buku', 'active')
      expect(consent).toMatchObject({
        patient: { reference: 'Patient/budi' },
        performer: [{ reference: 'Patient/budi' }],
        provision: { type: 'permit' },
      })
      expect(consent.provision?.actor?.[0]?.reference?.identifier?.value).toBe(clinic.client('book').id)

      const put = await ask(reading.access_token, `Consent/${consent.id}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/fhir+json', 'if-match': `W/"${consent.meta?.versionId}"` },
        body: JSON.stringify({ ...consent, status: 'inactive' }),
      })
      expect([put.status, (await ask(given.access_token, 'Observation?patient=budi')).status]).toEqual([200, 401])
      expect((await ask(reading.access_token, 'Observation?patient=budi')).status).toBe(200)

      const last = await tokensFor(clinic, 'book', scope, clinic.patient)
      const form = new URLSearchParams({ token: reading.access_token, client_id: clinic.client('other').id })
      expect((await fetch(`${clinic.issuer}/revoke`, { method: 'POST', body: form })).status).toBe(200)
      expect((await consentOf(last.access_token, 'Catatan', 'inactive')).id).toBe(own.id)
      expect((await consentOf(last.access_token, 'Buku', 'active')).id).not.toBe(consent.id)

      const browser = new TestBrowser(clinic.base)
      await browser.open('/login')
      await browser.send('/login', { username: clinic.patient.username, password: clinic.patient.password })
      await browser.open('/account/apps')
      const again = await tokensFor(clinic, 'other', scope, clinic.patient)
      await browser.send('/account/apps/withdraw', { grant: grantOf(browser.here?.text ?? '') })
      await consentOf(again.access_token, 'Buku', 'inactive')
      for (
        let round = 0;
        round < 200 && (await consents(again.access_token)).some(one => one.status === 'active' && one.sourceAttachment?.title === 'Buku');
        round++
      )
        await setTimeout(50)
      expect((await ask(last.access_token, 'Observation?patient=budi')).status).toBe(401)
    }, 120_000)

    test('what staff allow is no consent of the patient', async () => {
      const reading = await tokensFor(clinic, 'other', scope, clinic.patient)
      await consentOf(reading.access_token, 'Catatan', 'active')
      const before = (await consents(reading.access_token)).length
      await tokensFor(clinic, 'book', 'launch/patient patient/Observation.rs', clinic.doctor)
      await setTimeout(500)
      expect(await consents(reading.access_token)).toHaveLength(before)
    }, 120_000)
  })

const grantOf = (page: string): string => /name="grant" value="([^"]+)"/.exec(page)?.[1] ?? ''
