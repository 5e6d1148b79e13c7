/** The mirror of a grant: auth.md 12.3. */
import { describe, expect, test } from '@jest/globals'
import { checkConsent } from '../../../src/auth/consent/check-consent.ts'
import { consentRelations } from '../../../src/auth/consent/consent-relations.ts'
import { consentOfGrant, stillConsents } from '../../../src/auth/consent/grant-consent.ts'
import { parseScopes } from '../../../src/auth/scopes/scope.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { testDefinitions } from '../../support/definitions.ts'

const createdAt = Date.UTC(2026, 10, 21, 8)
const expires = createdAt + 30 * 86_400_000
const grant = { id: 'grant-1', client: 'aplikasi-1', purpose: ['PATRQT'], createdAt, expires, patient: 'budi', fhirUser: 'Patient/budi' }

const mirror = (scope: string, sensitive = true): Resource | undefined =>
  consentOfGrant({
    grant,
    scopes: parseScopes(scope, { definitions: testDefinitions() }).scopes,
    client: 'Buku Kesehatan',
    wording: 'https://rs.example/persetujuan/aplikasi/2',
    sensitive,
  }) as Resource | undefined // a Consent is a resource

const rows = (consent: Resource | undefined): readonly string[] =>
  consent ? consentRelations(consent).map(({ from, of }) => `${from} ${of}`) : []

describe('the mirror of a grant', () => {
  test('can be enforced, and names the client, the purpose, the types and the end', () => {
    const consent = mirror('openid patient/Observation.rs patient/Condition.r')
    expect(consent && checkConsent(consent)).toEqual({ ok: true, value: undefined })
    expect(rows(consent)).toEqual(['permitted 2|client/aplikasi-1|PATRQT|Condition', 'permitted 2|client/aplikasi-1|PATRQT|Observation'])
    expect(consent && consentRelations(consent)[0]?.until).toBeGreaterThanOrEqual(expires)
  })
  test('of all types names none', () =>
    expect(rows(mirror('patient/*.rs patient/Observation.rs'))).toEqual(['permitted 2|client/aplikasi-1|PATRQT|*']))
  test('ends at what is normal where nothing more was ticked', () => {
    const consent = mirror('patient/*.rs', false)
    expect(consent && checkConsent(consent).ok).toBe(true)
    expect(rows(consent)).toEqual([])
  })
  test('is none where nothing is opened', () => expect(mirror('openid fhirUser launch/patient')).toBeUndefined())
})

test('a grant stands as long as its mirror is active and names it', () => {
  const active = mirror('patient/*.rs') as Resource
  expect(stillConsents(active, 'grant-1')).toBe(true)
  expect(stillConsents({ ...active, language: 'id' }, 'grant-1')).toBe(true)
  for (const other of [{ ...active, status: 'inactive' }, undefined, { ...active, identifier: [] }, { resourceType: 'Patient' }])
    expect(stillConsents(other, 'grant-1')).toBe(false)
  expect(stillConsents(active, 'grant-2')).toBe(false)
})
