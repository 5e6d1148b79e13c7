/** `fhir-kit-client` with the token of a doctor, against a whole server on both engines. @see auth.md 5, annex A.12 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Client } from 'fhir-kit-client'
import { testEngines } from '../support/engines.ts'
import { type Clinic, openClinic, tokensFor } from './clinic.ts'

type Bundle = {
  readonly resourceType: 'Bundle'
  readonly type: string
  readonly total?: number
  readonly link: { relation: string; url: string }[]
  readonly entry?: readonly {
    readonly resource: { readonly id: string; readonly resourceType: string }
    readonly response?: { readonly status: string }
  }[]
}

const weight = (value: number, patient = 'budi') => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  subject: { reference: `Patient/${patient}` },
  valueQuantity: { value, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
})

for (const engine of testEngines)
  describe(`fhir-kit-client (${engine.name})`, () => {
    let clinic: Clinic
    let token = ''

    beforeAll(async () => {
      clinic = await openClinic(engine, app => ({
        app: { name: 'Rekam', type: 'public', development: true, redirectUris: [`${app}/callback`], scopesAllowed: ['user/*.cruds'] },
      }))
      token = (await tokensFor(clinic, 'app', 'user/*.cruds', clinic.doctor)).access_token
    }, 120_000)
    afterAll(async () => clinic?.[Symbol.asyncDispose]())

    const client = (bearerToken?: string) => new Client({ baseUrl: clinic.fhir, ...(bearerToken === undefined ? {} : { bearerToken }) })
    const idsOf = (bundle: unknown): readonly string[] => ((bundle as Bundle).entry ?? []).map(({ resource }) => resource.id)

    test('A.1 1, A.1 8: finds the authorization server in the discovery document', async () => {
      const found = await client().smartAuthMetadata()
      expect([found.authorizeUrl?.href, found.tokenUrl?.href, found.registerUrl]).toEqual([
        `${clinic.issuer}/auth`,
        `${clinic.issuer}/token`,
        undefined,
      ])
    })

    test('is told by an OperationOutcome that a token is needed', async () => {
      await expect(client().read({ resourceType: 'Patient', id: 'budi' })).rejects.toMatchObject({
        response: { status: 401, data: { resourceType: 'OperationOutcome', issue: [{ code: 'login' }] } },
      })
      expect((await client().capabilityStatement()).resourceType).toBe('CapabilityStatement')
    })

    test('reads whom the doctor treats; another’s patient is one that never was', async () => {
      expect(await client(token).read({ resourceType: 'Patient', id: 'budi' })).toMatchObject({ name: [{ text: 'Budi Santoso' }] })
      for (const id of ['lain', 'tidak-ada'])
        await expect(client(token).read({ resourceType: 'Patient', id })).rejects.toMatchObject({ response: { status: 404 } })
    })

    test('searches page after page, forth and back', async () => {
      const fhir = client(token)
      const first = await fhir.search({
        resourceType: 'Observation',
        searchParams: { patient: 'budi', category: 'vital-signs', _count: 2, _sort: '_id' },
      })
      const second = await fhir.nextPage({ bundle: first as never })
      const third = await fhir.nextPage({ bundle: second as never })
      expect([first, second, third].map(idsOf)).toEqual([['berat-0', 'berat-1'], ['berat-2', 'berat-3'], ['berat-4']])
      expect(fhir.nextPage({ bundle: third as never })).toBeUndefined()
      const all = await fhir.search({ resourceType: 'Condition', searchParams: { _total: 'accurate' } })
      expect([idsOf(all), (all as unknown as Bundle).total]).toEqual([['asma'], 1])
    })

    test('creates, patches, and reads the history', async () => {
      const fhir = client(token)
      const made = (await fhir.create({ resourceType: 'Observation', body: weight(75) })) as unknown as { readonly id: string }
      await fhir.patch({
        resourceType: 'Observation',
        id: made.id,
        jsonPatch: [{ op: 'replace', path: '/valueQuantity/value', value: 76 }],
      })
      const history = (await fhir.resourceHistory({ resourceType: 'Observation', id: made.id })) as unknown as Bundle
      expect([history.total, history.entry?.map(({ response }) => response?.status)]).toEqual([2, ['200 OK', '201 Created']])
      expect(await fhir.vread({ resourceType: 'Observation', id: made.id, version: '1' })).toMatchObject({ valueQuantity: { value: 75 } })
      await expect(fhir.create({ resourceType: 'Observation', body: weight(75, 'lain') })).rejects.toMatchObject({
        response: { status: 403 },
      })
    })

    test('writes a transaction as a whole, or nothing of it', async () => {
      const fhir = client(token)
      const transaction = (patients: readonly string[]) => {
        const fullUrls = patients.map(() => `urn:uuid:${randomUUID()}`)
        const entry = patients.map((patient, n) => ({
          fullUrl: fullUrls[n],
          resource: weight(80 + n, patient),
          request: { method: 'POST', url: 'Observation' },
        }))
        return fhir.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry } as never })
      }
      const count = async () =>
        ((await fhir.search({ resourceType: 'Observation', searchParams: { _summary: 'count' } })) as unknown as Bundle).total
      const before = await count()
      const done = (await transaction(['budi', 'budi'])) as unknown as Bundle
      expect(done.entry?.map(({ response }) => response?.status)).toEqual(['201 Created', '201 Created'])
      await expect(transaction(['budi', 'lain'])).rejects.toMatchObject({ response: { status: 403 } })
      expect(await count()).toBe((before ?? 0) + 2)
    })
  })
