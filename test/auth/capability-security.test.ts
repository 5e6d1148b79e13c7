/** What the CapabilityStatement and the discovery document say of access. @see https://hl7.org/fhir/smart-app-launch/1.0.0/conformance/index.html */
import { expect, test } from '@jest/globals'
import { capabilitySecurity } from '../../src/auth/capability-security.ts'
import { anyonesLetters } from '../../src/auth/roles/role-letters.ts'
import { supportedScopes } from '../../src/auth/scopes/supported-scopes.ts'
import { testDefinitions } from '../support/definitions.ts'
import { testRoles } from '../support/roles.ts'

const endpoints = {
  authorize: 'https://rs.example/oauth/auth',
  token: 'https://rs.example/oauth/token',
  introspect: 'https://rs.example/oauth/introspect',
  manage: 'https://rs.example/account/apps',
  revoke: 'https://rs.example/oauth/revoke',
}
const urisOf = (given: Parameters<typeof capabilitySecurity>[0]): unknown =>
  capabilitySecurity(given).extension?.[0]?.extension?.map(({ url, valueUri }) => [url, valueUri])

test('the endpoints stand in the extension of STU1, registration only while it is on', () => {
  expect(urisOf(endpoints)).toEqual(Object.entries(endpoints))
  expect(urisOf({ ...endpoints, register: 'https://rs.example/oauth/register' })).toHaveLength(6)
  expect(capabilitySecurity(endpoints).service?.[0]?.coding?.[0]?.code).toBe('SMART-on-FHIR')
})

test('the scopes that are offered follow from the roles', () => {
  const scopes = supportedScopes(testDefinitions().resourceTypes, type => anyonesLetters(testRoles(), type))
  for (const wanted of [
    'patient/*.rs',
    'user/*.cruds',
    'system/*.rs',
    'patient/*.read',
    'user/Patient.rs',
    'user/Patient.crus',
    'user/Location.cruds',
    'patient/AuditEvent.rs',
  ]) {
    expect(scopes).toContain(wanted)
  }
  // What nobody may do is not offered: clinical resources are not deleted.
  for (const unwanted of ['user/Patient.cruds', 'user/AuditEvent.cruds', 'user/MessageHeader.rs']) expect(scopes).not.toContain(unwanted)
})
