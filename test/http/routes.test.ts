/** rest-api.md 2: URLs and methods. @see https://hl7.org/fhir/R4/http.html#summary */
import { describe, expect, test } from '@jest/globals'
import { defaultLimits } from '../../src/base/limits.ts'
import { createRouteEntry, createRouter } from '../../src/http/routes.ts'
import { testDefinitions } from '../support/definitions.ts'

const router = createRouter(testDefinitions())

// biome-ignore format: a table
const known: readonly (readonly [string, string, Record<string, unknown>])[] = [
  ['GET',    '/Patient/1',                        { interaction: 'read', type: 'Patient', id: '1' }],
  ['HEAD',   '/Patient/1',                        { interaction: 'read', type: 'Patient', id: '1' }],
  ['GET',    '/Patient/1/',                       { interaction: 'read', type: 'Patient', id: '1' }],
  ['GET',    '/P%61tient/%31',                    { interaction: 'read', type: 'Patient', id: '1' }],
  ['GET',    '/Patient/1/_history/2',             { interaction: 'vread', type: 'Patient', id: '1', versionId: '2' }],
  ['POST',   '/Patient',                          { interaction: 'create', type: 'Patient' }],
  ['POST',   '/Patient/',                         { interaction: 'create', type: 'Patient' }],
  ['PUT',    '/Patient/1',                        { interaction: 'update', type: 'Patient', id: '1' }],
  ['PUT',    '/Patient',                          { interaction: 'update', type: 'Patient', needs: 'criteria' }],
  ['PATCH',  '/Patient/1',                        { interaction: 'patch', type: 'Patient', id: '1' }],
  ['PATCH',  '/Patient',                          { interaction: 'patch', type: 'Patient', needs: 'criteria' }],
  ['DELETE', '/Patient/1',                        { interaction: 'delete', type: 'Patient', id: '1' }],
  ['DELETE', '/Patient',                          { interaction: 'delete', type: 'Patient', needs: 'criteria' }],
  ['GET',    '/Patient/1/_history',               { interaction: 'history-instance', type: 'Patient', id: '1' }],
  ['GET',    '/Patient/_history',                 { interaction: 'history-type', type: 'Patient' }],
  ['GET',    '/_history',                         { interaction: 'history-system' }],
  ['GET',    '/Patient',                          { interaction: 'search-type', type: 'Patient' }],
  ['POST',   '/Patient/_search',                  { interaction: 'search-type', type: 'Patient' }],
  ['GET',    '/',                                 { interaction: 'search-system', needs: 'parameters' }],
  ['GET',    '',                                  { interaction: 'search-system', needs: 'parameters' }],
  ['POST',   '/_search',                          { interaction: 'search-system' }],
  ['GET',    '/Patient/1/Observation',            { interaction: 'search-compartment', type: 'Observation', compartment: { type: 'Patient', id: '1' } }],
  ['GET',    '/Patient/1/*',                      { interaction: 'search-compartment', compartment: { type: 'Patient', id: '1' } }],
  ['POST',   '/Encounter/1/Condition/_search',    { interaction: 'search-compartment', type: 'Condition', compartment: { type: 'Encounter', id: '1' } }],
  ['POST',   '/Device/1/*/_search',               { interaction: 'search-compartment', compartment: { type: 'Device', id: '1' } }],
  ['GET',    '/metadata',                         { interaction: 'capabilities' }],
  ['HEAD',   '/metadata',                         { interaction: 'capabilities' }],
  ['POST',   '/',                                 { interaction: 'batch' }],
]

// biome-ignore format: a table
const refused: readonly (readonly [string, string, string, Record<string, unknown>?])[] = [
  ['GET',    '/patient/1',                        'unknown-type-suggestion', { values: { type: 'patient', suggestion: 'Patient' } }],
  ['GET',    '/Pateint/1',                        'unknown-type-suggestion', { values: { type: 'Pateint', suggestion: 'Patient' } }],
  ['GET',    '/Nonsense/1',                       'unknown-type'],
  ['GET',    '/3171234567890001/1',               'unknown-path'],
  ['GET',    '/DomainResource/1',                 'unknown-type'],
  ['GET',    '/Patient/a%2Fb',                    'impossible-id'],
  ['GET',    `/Patient/${'a'.repeat(65)}`,        'impossible-id'],
  ['GET',    '/Patient/a_b',                      'impossible-id'],
  ['HEAD',   '/Patient/a_b',                      'impossible-id'],
  ['PUT',    '/Patient/a_b',                      'bad-id'],
  ['PATCH',  `/Patient/${'a'.repeat(65)}`,        'bad-id'],
  ['DELETE', '/Patient/a%20b',                    'bad-id'],
  ['GET',    '/Patient/%zz',                      'bad-url'],
  ['GET',    '/Patient/%ff',                      'bad-url'],
  ['GET',    '/Patient/%00',                      'bad-url'],
  ['GET',    '/Patient/%C3',                      'bad-url'],
  ['GET',    '//Patient/1',                       'unknown-path'],
  ['GET',    '/Patient//1',                       'unknown-path'],
  ['GET',    '/Patient/1//',                      'unknown-path'],
  ['GET',    '/Patient/.',                        'unknown-path'],
  ['GET',    '/Patient/../Patient/1',             'unknown-path'],
  ['GET',    '/Patient/%2e%2e',                   'unknown-path'],
  ['GET',    '/Patient/1/_history/2/3',           'unknown-path'],
  ['GET',    '/Patient/1/_history/%20',           'impossible-id'],
  ['GET',    '/Patient/1/2/3/4/5',                'unknown-path'],
  ['POST',   '/Patient/1',                        'method-not-allowed', { allow: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'] }],
  ['DELETE', '/Patient/1/_history',               'method-not-allowed', { allow: ['GET', 'HEAD'] }],
  ['DELETE', '/Patient/1/_history/1',             'method-not-allowed', { allow: ['GET', 'HEAD'] }],
  ['GET',    '/Patient/_search',                  'method-not-allowed', { allow: ['POST'] }],
  ['PUT',    '/',                                 'method-not-allowed', { allow: ['GET', 'HEAD', 'POST'] }],
  ['DELETE', '/',                                 'method-not-allowed', { allow: ['GET', 'HEAD', 'POST'] }],
  ['POST',   '/metadata',                         'method-not-allowed', { allow: ['GET', 'HEAD'] }],
  ['TRACE',  '/Patient/1',                        'method-not-allowed'],
  ['GET',    '/Patient/1/Practitioner',           'not-in-compartment'],
  ['GET',    '/Patient/1/practitioner',           'unknown-type-suggestion'],
  ['GET',    '/Observation/1/Patient',            'unknown-path'],
  ['GET',    '/Organization/1/*',                 'unknown-path'],
  ['GET',    '/_async/5',                         'unknown-path'],
  ['GET',    '/Patient/1/$everything',            'not-enabled'],
  ['POST',   '/$nothing',                         'unknown-operation'],
  ['GET',    '/Patient/$a%20b',                   'unknown-path'],
  ['GET',    '/Metadata',                         'unknown-type'],
]

describe('a known path', () => {
  for (const [method, path, expected] of known) {
    test(`${method} ${path || '[base]'} is ${expected.interaction}`, () => {
      expect(router.match(method, path)).toEqual({ ok: true, value: expected })
    })
  }
})

describe('a careless or hostile path', () => {
  for (const [method, path, kind, more = {}] of refused) {
    test(`${method} ${path.slice(0, 40)} fails ${kind}`, () => {
      expect(router.match(method, path)).toMatchObject({ ok: false, failure: { kind, ...more } })
    })
  }
})

describe('a bundle entry', () => {
  const base = 'https://rs.example/fhir'
  const route = createRouteEntry(testDefinitions(), base, defaultLimits)

  // biome-ignore format: a table
  const entries: readonly (readonly [string, string, Record<string, unknown>])[] = [
    ['GET', 'Patient/1',                        { interaction: 'read', type: 'Patient', id: '1', parameters: [] }],
    ['GET', '/Patient/1',                       { interaction: 'read', type: 'Patient', id: '1', parameters: [] }],
    ['GET', `${base}/Patient/1`,                { interaction: 'read', type: 'Patient', id: '1', parameters: [] }],
    ['GET', `${base}?_type=Patient`,            { interaction: 'search-system', parameters: [{ name: '_type', value: 'Patient' }] }],
    ['PUT', 'Patient?identifier=a%7Cb+c',       { interaction: 'update', type: 'Patient', parameters: [{ name: 'identifier', value: 'a|b c' }] }],
  ]
  for (const [method, url, expected] of entries) {
    test(`${method} ${url} is routed by the same table`, () => expect(route(method, url)).toEqual({ ok: true, value: expected }))
  }

  // biome-ignore format: a table
  const strange: readonly (readonly [string, string, string])[] = [
    ['POST',   'http://other.example/fhir/Patient', 'bundle-entry'],
    ['POST',   '//other.example/fhir/Patient',      'bundle-entry'],
    ['POST',   `${base}x/Patient`,                  'bundle-entry'],
    ['GET',    'urn:uuid:1',                        'bundle-entry'],
    ['POST',   '../Patient',                        'unknown-path'],
    ['POST',   '/etc',                              'unknown-type'],
    ['POST',   '',                                  'bundle-entry'],
    ['POST',   '/',                                 'bundle-entry'],
    ['DELETE', 'Patient',                           'id-or-criteria-needed'],
    ['GET',    'Patient?a=%zz',                     'bad-url'],
    ['GET',    `Patient?${'a=b&'.repeat(101)}`,     'too-many-parameters'],
    ['GET',    `Patient?a=${'b'.repeat(20_000)}`,   'url-too-long'],
  ]
  for (const [method, url, kind] of strange) {
    test(`${method} ${url.slice(0, 40) || '(nothing)'} fails ${kind}`, () =>
      expect(route(method, url)).toMatchObject({ ok: false, failure: { kind } }))
  }
})
