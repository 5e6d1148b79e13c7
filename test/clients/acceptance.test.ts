/** What a test kit for SMART App Launch asks of a whole server, on both engines. @see auth.md annex A.1, A.9, A.10 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { testEngines } from '../support/engines.ts'
import { type Clinic, openClinic, tokensFor } from './clinic.ts'

type Json = Readonly<Record<string, unknown>>
type Entry = { readonly fullUrl: string; readonly resource: Json & { readonly resourceType: string; readonly id: string } }
type Bundle = { readonly type: string; readonly timestamp?: string; readonly entry?: readonly Entry[]; readonly link?: readonly Link[] }
type Link = { readonly relation: string; readonly url: string }

const observationCategory = 'http://terminology.hl7.org/CodeSystem/observation-category'
const hl7 = 'http://terminology.hl7.org/CodeSystem'
const usCore = 'http://hl7.org/fhir/us/core/CodeSystem'
const around = 'launch/patient openid fhirUser offline_access'

/** What US Core asks for type by type. */
const usCoreTypes = `
  AllergyIntolerance CarePlan CareTeam Condition Coverage Device DiagnosticReport DocumentReference Encounter
  Endpoint Goal Immunization Location Media Medication MedicationDispense MedicationRequest Observation Organization
  Patient Practitioner PractitionerRole Procedure QuestionnaireResponse RelatedPerson ServiceRequest Specimen Provenance`
  .trim()
  .split(/\s+/)

const asked: readonly (readonly [what: string, scope: string])[] = [
  ['A.3 15: all of a patient, in the words of v2', `${around} patient/*.rs`],
  ['A.3 15: all of a patient, in the words of v1', `${around} patient/*.read`],
  ['A.3 15: 28 types, one by one', `${around} ${usCoreTypes.map(type => `patient/${type}.rs`).join(' ')}`],
  [
    'A.9 42: the first set of granular scopes',
    [
      around,
      `patient/Condition.rs?category=${hl7}/condition-category|encounter-diagnosis`,
      `patient/Condition.rs?category=${usCore}/condition-category|health-concern`,
      `patient/Observation.rs?category=${hl7}/observation-category|laboratory`,
      `patient/Observation.rs?category=${hl7}/observation-category|social-history`,
    ].join(' '),
  ],
  [
    'A.9 42: the second set of granular scopes',
    [
      around,
      `patient/Condition.rs?category=${hl7}/condition-category|problem-list-item`,
      `patient/Observation.rs?category=${hl7}/observation-category|vital-signs`,
      `patient/Observation.rs?category=${hl7}/observation-category|survey`,
      `patient/Observation.rs?category=${usCore}/us-core-category|sdoh`,
    ].join(' '),
  ],
]

const vitalSigns = `patient/Observation.rs?category=${observationCategory}|vital-signs`

for (const engine of testEngines)
  describe(`acceptance (${engine.name})`, () => {
    let clinic: Clinic
    let whole = ''
    let granular = ''

    beforeAll(async () => {
      clinic = await openClinic(
        engine,
        app => ({
          app: {
            name: 'Rekam',
            type: 'public',
            development: true,
            redirectUris: [`${app}/callback`],
            allowedOrigins: [app],
            offline: true,
            scopesAllowed: ['launch/patient', 'openid', 'fhirUser', 'offline_access', 'patient/*.rs'],
          },
        }),
        { SIMPUL_AUTH_FACILITY_IDENTIFIER: 'https://fhir.kemkes.go.id/id/organisasi|1000001' },
      )
      whole = (await tokensFor(clinic, 'app', 'patient/Observation.rs', clinic.patient)).access_token
      granular = (await tokensFor(clinic, 'app', vitalSigns, clinic.patient)).access_token
    }, 120_000)
    afterAll(async () => clinic?.[Symbol.asyncDispose]())

    const json = async (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Json> =>
      (await (await fetch(url, { headers })).json()) as Json
    const configuration = () => json(`${clinic.fhir}/.well-known/smart-configuration`)

    test('A.1 1, A.1 2: the discovery document is JSON whatever is accepted, and every address in it is absolute', async () => {
      for (const accept of ['application/json', 'application/fhir+json', '*/*', 'text/html', undefined]) {
        const answer = await fetch(`${clinic.fhir}/.well-known/smart-configuration`, { headers: accept === undefined ? {} : { accept } })
        expect([accept, answer.status, answer.headers.get('content-type')]).toEqual([
          accept,
          200,
          expect.stringMatching(/^application\/json/),
        ])
        for (const [name, value] of Object.entries((await answer.json()) as Json))
          if (/_endpoint$|_uri$|^issuer$|_bundle$/.test(name)) expect([name, new URL(String(value)).origin]).toEqual([name, clinic.base])
      }
    })

    test('A.1 3, A.1 4, A.1 5, A.1 7, A.1 9: it has what each kind of client needs', async () => {
      const document = (await configuration()) as Readonly<Record<string, readonly string[]>>
      for (const name of ['capabilities', 'grant_types_supported', 'code_challenge_methods_supported', 'scopes_supported'])
        expect([name, document[name]?.every(one => typeof one === 'string' && one !== '')]).toEqual([name, true])
      expect(document.code_challenge_methods_supported).toEqual(['S256'])
      expect(document.scopes_supported).toEqual(expect.arrayContaining(['patient/*.rs', 'user/Observation.rs', 'openid', 'fhirUser']))
      expect(document.token_endpoint_auth_methods_supported).toContain('private_key_jwt')
    })

    test('A.1 6, A.1 8: pages anywhere may read both documents, and they name the same endpoints', async () => {
      for (const path of ['.well-known/smart-configuration', 'metadata']) {
        const answer = await fetch(`${clinic.fhir}/${path}`, { headers: { origin: 'https://inferno.example' } })
        expect([path, answer.headers.get('access-control-allow-origin')]).toEqual([path, '*'])
      }
      const statement = await json(`${clinic.fhir}/metadata`)
      const [{ security }] = statement.rest as readonly [{ readonly security: Json }]
      expect(security.service).toEqual([expect.objectContaining({ coding: [expect.objectContaining({ code: 'SMART-on-FHIR' })] })])
      const [{ extension }] = security.extension as readonly [
        { readonly extension: readonly { readonly url: string; readonly valueUri: string }[] },
      ]
      const said = await configuration()
      expect(Object.fromEntries(extension.map(({ url, valueUri }) => [url, valueUri]))).toEqual({
        authorize: said.authorization_endpoint,
        token: said.token_endpoint,
        introspect: said.introspection_endpoint,
        manage: said.management_endpoint,
        revoke: said.revocation_endpoint,
      })
    })

    /** All pages. */
    const found = async (token: string, path: string, form?: string): Promise<readonly string[]> => {
      const ids: string[] = []
      const headers = { authorization: `Bearer ${token}` }
      let answer = await (form === undefined
        ? fetch(`${clinic.fhir}/${path}`, { headers })
        : fetch(`${clinic.fhir}/${path}`, { method: 'POST', headers, body: new URLSearchParams(form) }))
      for (;;) {
        expect(answer.status).toBe(200)
        const bundle = (await answer.json()) as Bundle
        ids.push(...(bundle.entry ?? []).map(({ resource }) => resource.id))
        const next = bundle.link?.find(({ relation }) => relation === 'next')
        if (next === undefined) return ids.sort()
        answer = await fetch(next.url, { headers })
      }
    }

    for (const [what, scope] of asked)
      test(`${what} are given to a patient as they were asked for`, async () => {
        const given = (await tokensFor(clinic, 'app', scope, clinic.patient)).scope
        expect(new Set(given.split(' '))).toEqual(new Set(scope.split(' ')))
      })

    const searches = [
      'patient=budi',
      'patient=budi&_count=2',
      'subject=Patient/budi&code=http://loinc.org|29463-7&_count=1',
      `patient=budi&category=${observationCategory}|laboratory`,
      `patient=budi&category=${observationCategory}|vital-signs&_sort=-_id`,
      'value-quantity=gt70&_sort=value-quantity',
      '_id=berat-0,lab-1',
    ]
    for (const search of searches)
      test(`A.9 43: under a granular scope ?${search} finds exactly what matches it, over all pages, by GET and POST`, async () => {
        const expected = (await found(whole, `Observation?${search}`)).filter(id => id.startsWith('berat-'))
        expect(await found(granular, `Observation?${search}`)).toEqual(expected)
        expect(await found(granular, 'Observation/_search', search)).toEqual(expected)
      })

    test('A.9 44: what matches the scope is read, and what does not is not there', async () => {
      const read = (id: string) => fetch(`${clinic.fhir}/Observation/${id}`, { headers: { authorization: `Bearer ${granular}` } })
      expect((await read('berat-0')).status).toBe(200)
      const other = await read('lab-1')
      expect([other.status, await other.json()]).toEqual([404, expect.objectContaining({ resourceType: 'OperationOutcome' })])
    })

    test('A.9 45: nor by an include, a step back, a chain, a history, or in a batch', async () => {
      const headers = {
        authorization: `Bearer ${(await tokensFor(clinic, 'app', `patient/Patient.rs ${vitalSigns}`, clinic.patient)).access_token}`,
      }
      const shown = async (path: string) => JSON.stringify(await json(`${clinic.fhir}/${path}`, headers))
      for (const path of [
        'Patient?_id=budi&_revinclude=Observation:subject',
        `Patient?_has:Observation:patient:category=${observationCategory}|laboratory`,
        'Observation?_include=Observation:subject&_count=50',
        'Observation/_history',
        'Patient/budi/Observation',
      ])
        expect([path, (await shown(path)).includes('lab-1')]).toEqual([path, false])
      expect((await fetch(`${clinic.fhir}/Observation/lab-1/_history`, { headers })).status).toBe(404)
      const request = { method: 'GET', url: 'Observation/lab-1' }
      const batch = await fetch(clinic.fhir, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/fhir+json' },
        body: JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry: [{ request }] }),
      })
      expect(((await batch.json()) as { entry: readonly [{ response: Json }] }).entry[0].response.status).toMatch(/^404/)
    })

    test('A.10 46, A.10 47, A.10 48: brands are where discovery says, and each endpoint answers', async () => {
      const document = await configuration()
      const answer = await fetch(String(document.user_access_brand_bundle), { headers: { origin: 'https://inferno.example' } })
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
      expect(answer.headers.get('etag')).toMatch(/^W\//)
      const bundle = (await answer.json()) as Bundle
      expect([bundle.type, Date.parse(bundle.timestamp ?? '') > 0]).toEqual(['collection', true])
      const resources = (bundle.entry ?? []).map(({ resource }) => resource)
      const endpoints = resources.filter(({ resourceType }) => resourceType === 'Endpoint')
      expect(endpoints.length).toBeGreaterThan(0)
      for (const { address } of endpoints) expect((await json(`${address}/metadata`)).resourceType).toBe('CapabilityStatement')
      const identifier = document.user_access_brand_identifier
      expect(identifier).toEqual({ system: 'https://fhir.kemkes.go.id/id/organisasi', value: '1000001' })
      const organizations = resources.filter(({ resourceType }) => resourceType === 'Organization')
      const holders = organizations.filter(one => (one.identifier as readonly Json[] | undefined)?.some(({ value }) => value === '1000001'))
      expect(holders).toHaveLength(1)
    })
  })
