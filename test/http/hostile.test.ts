/**
 * What careless and hostile clients send, and what they get: exact status, IssueType and message id, a whole OperationOutcome, and no
 * value of a record in it. The rows are those of rest-api.md 2 to 18, over sockets, on a composed server with a SQLite store.
 */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type FailureKind, failureKinds } from '../../src/base/failure-kinds.ts'
import { testEngines } from '../support/engines.ts'
import { type Received, type Sent, startHttp, type TestServer } from '../support/http-server.ts'
import { type TestParts, testParts } from '../support/parts.ts'

const fhir = { 'content-type': 'application/fhir+json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const jsonPatch = { 'content-type': 'application/json-patch+json' }
const mergePatch = { 'content-type': 'application/merge-patch+json' }

/** Stands in the records and in hostile values: it must never come back in an outcome. */
const secret = 'Rahasia3171234567890001'

const patient = (more: object = {}): string => JSON.stringify({ resourceType: 'Patient', name: [{ family: secret }], ...more })
const bundle = (type: string, ...entry: unknown[]): string => JSON.stringify({ resourceType: 'Bundle', type, entry })
const post = (url: string, resource: unknown, more: object = {}) => ({ ...more, resource, request: { method: 'POST', url } })
const person = { resourceType: 'Patient', name: [{ family: secret }] }

const get = (path: string, headers: Sent['headers'] = {}): Sent => ({ path: `/fhir${path}`, headers })
const send = (method: string, path: string, body?: string | Uint8Array, headers: Sent['headers'] = fhir): Sent => ({
  method,
  path: `/fhir${path}`,
  headers: body === undefined && headers === fhir ? {} : headers,
  ...(body === undefined ? {} : { body }),
})

const deep = (levels: number): string => `{"resourceType":"Patient","extension":${'['.repeat(levels)}${']'.repeat(levels)}}`

type Row = readonly [what: string, sent: Sent, kind: FailureKind, has?: readonly string[]]

// biome-ignore format: a table
const urls: readonly Row[] = [
  ['a type in lower case',                       get('/patient/1'),                                          'unknown-type-suggestion', ['did you mean Patient']],
  ['a type misspelt',                            get('/Pateint/1'),                                          'unknown-type-suggestion', ['Patient']],
  ['a type in the plural',                       get('/Patients'),                                           'unknown-type-suggestion', ['Patient']],
  ['a type of nothing',                          get('/Unicorn/1'),                                          'unknown-type'],
  ['an abstract type',                           get('/DomainResource/1'),                                   'unknown-type'],
  ['a number where a type belongs',              get('/3171234567890001'),                                   'unknown-path'],
  ['an id with an encoded slash',                get('/Patient/a%2Fb'),                                      'impossible-id', ['1 to 64']],
  ['an id of 65 characters',                     get(`/Patient/${'a'.repeat(65)}`),                          'impossible-id'],
  ['an id with an underscore',                   get('/Patient/a_b'),                                        'impossible-id'],
  ['PUT to an id with an underscore',            send('PUT', '/Patient/a_b', patient({ id: 'a_b' })),        'bad-id'],
  ['PUT to an id of 65 characters',              send('PUT', `/Patient/${'a'.repeat(65)}`, patient()),       'bad-id'],
  ['DELETE of an impossible id',                 send('DELETE', '/Patient/a%2Fb'),                           'bad-id'],
  ['%zz in the path',                            get('/Patient/%zz'),                                        'bad-url'],
  ['bytes that are no UTF-8',                    get('/Patient/%ff'),                                        'bad-url'],
  ['a NUL in the path',                          get('/Patient/%00'),                                        'bad-url'],
  ['%zz in the query',                           get('/Patient?name=%zz'),                                   'bad-url'],
  ['a NUL in the query',                         get('/Patient?_id=%00'),                                    'bad-url'],
  ['an empty segment',                           get('/Patient//1'),                                         'unknown-path'],
  ['dot segments',                               get('/Patient/../Patient/1'),                               'unknown-path'],
  ['encoded dot segments',                       get('/%2e%2e/%2e%2e/etc/passwd'),                           'unknown-path'],
  ['a path beside the API',                      { path: '/etc/passwd' },                                    'unknown-path'],
  ['a path that only begins like the API',       { path: '/fhirs/Patient' },                                 'unknown-path'],
  ['segments without end',                       get(`/Patient/1${'/x'.repeat(1000)}`),                      'unknown-path'],
  ['a version that is no number',                get('/Patient/1/_history/abc'),                             'unknown-instance'],
  ['version 0',                                  get('/Patient/1/_history/0'),                               'unknown-instance'],
  ['version 01',                                 get('/Patient/1/_history/01'),                              'unknown-instance'],
  ['a version of twenty digits',                 get('/Patient/1/_history/99999999999999999999'),            'unknown-instance'],
  ['POST to an instance',                        send('POST', '/Patient/1', patient()),                      'method-not-allowed'],
  ['DELETE of a history',                        send('DELETE', '/Patient/1/_history'),                      'method-not-allowed'],
  ['DELETE of a version',                        send('DELETE', '/Patient/1/_history/1'),                    'method-not-allowed'],
  ['GET of _search',                             get('/Patient/_search?name=a'),                             'method-not-allowed'],
  ['POST to metadata',                           send('POST', '/metadata', '{}'),                            'method-not-allowed'],
  ['TRACE',                                      send('TRACE', '/Patient/1'),                                'method-not-allowed'],
  ['DELETE of everything',                       send('DELETE', '/'),                                        'method-not-allowed'],
  ['PUT without id and criteria',                send('PUT', '/Patient', patient()),                         'id-or-criteria-needed'],
  ['DELETE of a whole type',                     send('DELETE', '/Patient'),                                 'id-or-criteria-needed'],
  ['PATCH of a whole type',                      send('PATCH', '/Patient', '[]', jsonPatch),                 'id-or-criteria-needed'],
  ['DELETE of a whole type with a format',       send('DELETE', '/Patient?_format=json'),                    'id-or-criteria-needed'],
  ['a type outside the compartment',             get('/Patient/1/Practitioner'),                             'not-in-compartment', ['Practitioner', 'Patient']],
  ['a compartment of a type that has none',      get('/Organization/1/Patient'),                             'unknown-path'],
  ['a search of everything without parameters',  get('/'),                                                   'base-without-parameters', ['/metadata']],
  ['an operation of R4 that is not built',       get('/Patient/1/$everything'),                              'not-enabled', ['$everything']],
  ['an operation of nobody',                     send('POST', '/$drop-tables', '{}'),                        'unknown-operation'],
  ['an async job',                               get('/_async/1'),                                           'unknown-path'],
  ['a URL of 17,000 characters',                 get(`/Patient?name=${'a'.repeat(17_000)}`),                 'url-too-long', ['POST _search']],
  ['a value of 9,000 characters',                get(`/Patient?name=${'a'.repeat(9000)}`),                   'url-too-long'],
  ['101 parameters',                             get(`/Patient?${'name=a&'.repeat(101)}`),                   'too-many-parameters'],
]

// biome-ignore format: a table
const headers: readonly Row[] = [
  ['Turtle wanted',                              get('/Patient/1', { accept: 'text/turtle' }),                               'not-acceptable', ['application/fhir+json']],
  ['XML wanted',                                 get('/Patient/1', { accept: 'application/fhir+xml' }),                      'not-acceptable'],
  ['_format=xml',                                get('/Patient/1?_format=xml'),                                              'not-acceptable'],
  ['_format of nothing',                         get('/Patient/1?_format=foo'),                                              'not-acceptable'],
  ['two formats',                                get('/Patient/1?_format=json&_format=xml'),                                 'repeated-parameter', ['_format']],
  ['FHIR R5 wanted',                             get('/Patient/1', { accept: 'application/fhir+json; fhirVersion=5.0' }),    'not-acceptable'],
  ['_pretty=perhaps',                            get('/Patient/1?_pretty=perhaps'),                                          'bad-parameter'],
  ['a body without Content-Type',                send('POST', '/Patient', patient(), {}),                                    'content-type-missing'],
  ['an XML body',                                send('POST', '/Patient', '<Patient/>', { 'content-type': 'application/fhir+xml' }), 'content-type-unknown'],
  ['a form as a Patient',                        send('POST', '/Patient', 'name=a', form),                                   'content-type-unknown'],
  ['another charset',                            send('POST', '/Patient', patient(), { 'content-type': 'application/json; charset=iso-8859-1' }), 'charset-unknown'],
  ['FHIR R5 in Content-Type',                    send('POST', '/Patient', patient(), { 'content-type': 'application/fhir+json; fhirVersion=5.0' }), 'fhir-version-unknown'],
  ['an unknown Content-Encoding',                send('POST', '/Patient', patient(), { ...fhir, 'content-encoding': 'lzma' }),        'encoding-unknown'],
  ['stacked encodings',                          send('POST', '/Patient', patient(), { ...fhir, 'content-encoding': 'gzip, gzip' }),  'encoding-unknown'],
  ['gzip that is none',                          send('POST', '/Patient', patient(), { ...fhir, 'content-encoding': 'gzip' }),        'bad-compression'],
  ['If-Match with half a quote',                 send('PUT', '/Patient/1', patient({ id: '1' }), { ...fhir, 'if-match': 'W/3"' }),    'bad-header', ['If-Match']],
  ['If-Match, empty',                            send('PUT', '/Patient/1', patient({ id: '1' }), { ...fhir, 'if-match': '' }),        'bad-header'],
  ['If-Match of a version long gone',            send('PUT', '/Patient/1', patient({ id: '1' }), { ...fhir, 'if-match': 'W/"999"' }), 'version-mismatch'],
  ['If-Match on a deletion, wrong',              send('DELETE', '/Patient/1', undefined, { 'if-match': 'W/"999"' }),                  'version-mismatch'],
  ['If-None-Match: * on what exists',            send('PUT', '/Patient/1', patient({ id: '1' }), { ...fhir, 'if-none-match': '*' }),  'already-exists'],
  ['If-Unmodified-Since on a write',             send('PUT', '/Patient/1', patient({ id: '1' }), { ...fhir, 'if-unmodified-since': 'Sat, 21 Nov 2026 00:00:00 GMT' }), 'bad-header', ['If-Match']],
  ['If-Modified-Since: yesterday',               get('/Patient/1', { 'if-modified-since': 'yesterday' }),                    'bad-header'],
  ['Content-Type twice',                         { ...send('POST', '/Patient', patient()), headers: { 'content-type': ['application/json', 'text/plain'] } }, 'repeated-header'],
  ['If-Modified-Since twice',                    get('/Patient/1', { 'if-modified-since': ['Sat, 21 Nov 2026 00:00:00 GMT', 'Sun, 22 Nov 2026 00:00:00 GMT'] }), 'repeated-header'],
  ['a method override',                          send('POST', '/Patient', patient(), { ...fhir, 'x-http-method-override': 'DELETE' }), 'method-override'],
  ['a method override on GET',                   get('/Patient/1', { 'x-method-override': 'PUT' }),                          'method-override'],
  ['_method=DELETE',                             get('/Patient/1?_method=DELETE'),                                           'method-override'],
  ['headers of 20 kB',                           get('/Patient/1', { 'x-padding': 'a'.repeat(20_000) }),                     'headers-too-large'],
  ['headers of 20 kB in small pieces',           get('/Patient/1', Object.fromEntries(Array.from({ length: 1500 }, (_, n) => [`x-${n}`, 'abc']))), 'headers-too-large'],
  ['an expectation nobody meets',                get('/Patient/1', { expect: 'a miracle' }),                                 'bad-header'],
]

// biome-ignore format: a table
const bodies: readonly Row[] = [
  ['an empty body',                              send('POST', '/Patient', '', fhir),                                 'empty-body'],
  ['blanks for a body',                          send('POST', '/Patient', '   '),                                    'json-syntax'],
  ['half a body',                                send('POST', '/Patient', patient().slice(0, -5)),                   'json-syntax', ['line 1']],
  ['XML called JSON',                            send('POST', '/Patient', '<Patient xmlns="http://hl7.org/fhir"/>'), 'json-syntax', ['line 1', 'column 1']],
  ['a trailing comma',                           send('POST', '/Patient', '{"resourceType":"Patient",}'),            'json-syntax'],
  ['NaN',                                        send('POST', '/Observation', '{"resourceType":"Observation","valueInteger":NaN}'), 'json-syntax'],
  ['a member twice',                             send('POST', '/Patient', '{"resourceType":"Patient","id":"a","id":"b"}'), 'duplicate-member', ['line 1']],
  ['two documents in one body',                  send('POST', '/Patient', '{"resourceType":"Patient"}{}'),           'json-syntax'],
  ['bytes that are no UTF-8',                    send('POST', '/Patient', Buffer.from('{"resourceType":"Patient","x":"\xff"}', 'latin1')), 'not-utf8'],
  ['half of a surrogate pair',                   send('POST', '/Patient', '{"resourceType":"Patient","language":"\\ud800"}'), 'lone-surrogate'],
  ['101 levels',                                 send('POST', '/Patient', deep(101)),                                'too-deep', ['100']],
  ['a million levels',                           send('POST', '/Patient', deep(1_000_000)),                          'too-deep'],
  ['an array',                                   send('POST', '/Patient', '[]'),                                     'not-an-object', ['array']],
  ['null',                                       send('POST', '/Patient', 'null'),                                   'not-an-object'],
  ['a string',                                   send('POST', '/Patient', `"${secret}"`),                            'not-an-object'],
  ['no resourceType',                            send('POST', '/Patient', '{"id":"a"}'),                             'no-resource-type'],
  ['another resourceType',                       send('POST', '/Patient', '{"resourceType":"Observation"}'),         'wrong-resource-type', ['Patient']],
  ['a resourceType that is a number',            send('POST', '/Patient', '{"resourceType":1}'),                     'no-resource-type'],
  ['an id with a slash',                         send('POST', '/Patient', patient({ id: '../../etc' })),             'bad-id'],
  ['the id ..',                                  send('PUT', '/Patient/x', patient({ id: '..' })),                   'bad-id'],
  ['PUT without id',                             send('PUT', '/Patient/x', patient()),                               'id-missing'],
  ['PUT with another id',                        send('PUT', '/Patient/x', patient({ id: 'y' })),                    'id-mismatch'],
  ['PUT of another type',                        send('PUT', '/Patient/x', '{"resourceType":"Group","id":"x"}'),     'wrong-resource-type'],
  ['a partial copy',                             send('PUT', '/Patient/1', patient({ id: '1', meta: { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }] } })), 'partial-resource'],
  ['a masked view',                              send('PUT', '/Patient/1', patient({ id: '1', meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'REDACTED' }] } })), 'masked-resource'],
  ['implicit rules',                             send('POST', '/Patient', patient({ implicitRules: 'http://x.example' })), 'implicit-rules'],
  ['meta that is a string',                      send('POST', '/Patient', patient({ meta: 'x' })),                   'wrong-form', ['Patient.meta']],
  ['an NIK for an id',                           send('PUT', '/Patient/3171234506900001', patient({ id: '3171234506900001' })), 'nik-as-id'],
  ['9 MiB',                                      send('POST', '/Patient', patient({ x: 'a'.repeat(9 * 1024 * 1024) })), 'body-too-large'],
  ['9 MiB in 9 kB of gzip',                      send('POST', '/Patient', gzipSync(patient({ x: 'a'.repeat(9 * 1024 * 1024) })), { ...fhir, 'content-encoding': 'gzip' }), 'expands-too-much'],
  ['_search with a JSON body',                   send('POST', '/Patient/_search', '{"name":"a"}'),                   'content-type-unknown', ['x-www-form-urlencoded']],
  ['a form of 2 MiB',                            send('POST', '/Patient/_search', `name=${'a'.repeat(2 * 1024 * 1024)}`, form), 'body-too-large'],
  ['a form that is no UTF-8',                    send('POST', '/Patient/_search', 'name=%ff', form),                 'bad-url'],
  ['a Binary with a strange context',            send('POST', '/Binary', 'x', { 'content-type': 'text/plain', 'x-security-context': '/etc/passwd' }), 'bad-header'],
]

// biome-ignore format: a table
const instances: readonly Row[] = [
  ['a read of nobody',                           get('/Patient/nobody'),                                             'unknown-instance', ['Patient/nobody']],
  ['a read of a deletion',                       get('/Patient/gone'),                                               'deleted-instance', ['Patient/gone']],
  ['a vread of a deletion',                      get('/Patient/gone/_history/2'),                                    'deleted-instance'],
  ['a version that is not there',                get('/Patient/1/_history/77'),                                      'unknown-instance'],
  ['a history of nobody',                        get('/Patient/nobody/_history'),                                    'unknown-instance'],
  ['a read with a search parameter',             get('/Patient/1?name=x'),                                           'unknown-parameter', ['name']],
  ['a read with _summary=count',                 get('/Patient/1?_summary=count'),                                   'bad-parameter'],
  ['a create with an unknown parameter',         send('POST', '/Patient?_format=json&foo=1', patient()),             'unknown-parameter', ['foo']],
  ['a delete with a body of parameters',         send('DELETE', '/Patient/1?cascade=true'),                          'unknown-parameter'],
  ['a delete of what others refer to',           send('DELETE', '/Patient/1'),                                       'still-referenced', ['Observation/o1']],
  ['_history with _at=2024-13',                  get('/Patient/_history?_at=2024-13'),                               'bad-parameter', ['_at']],
  ['_history with _since=soon',                  get('/_history?_since=soon'),                                       'bad-parameter'],
  ['_history with _sort=name',                   get('/_history?_sort=name'),                                        'bad-parameter'],
  ['_history with a search parameter',           get('/_history?name=a'),                                            'unknown-parameter'],
  ['metadata of an unknown mode',                get('/metadata?mode=everything'),                                   'bad-parameter', ['mode']],
  ['a patch that is no array',                   send('PATCH', '/Patient/1', '{"op":"add"}', jsonPatch),             'patch-document'],
  ['a patch of an unknown operation',            send('PATCH', '/Patient/1', '[{"op":"explode","path":"/name"}]', jsonPatch), 'patch-document'],
  ['a patch through the prototype',              send('PATCH', '/Patient/1', '[{"op":"add","path":"/__proto__/x","value":1}]', jsonPatch), 'patch-failed'],
  ['a patch of a path that is not there',        send('PATCH', '/Patient/1', '[{"op":"replace","path":"/contact/5","value":1}]', jsonPatch), 'patch-failed'],
  ['a test that is false',                       send('PATCH', '/Patient/1', `[{"op":"test","path":"/gender","value":"${secret}"}]`, jsonPatch), 'patch-failed'],
  ['a patch of the id',                          send('PATCH', '/Patient/1', '[{"op":"replace","path":"/id","value":"2"}]', jsonPatch), 'patch-protected'],
  ['a merge patch of the type',                  send('PATCH', '/Patient/1', '{"resourceType":"Group"}', mergePatch), 'patch-protected'],
  ['a patch as plain JSON',                      send('PATCH', '/Patient/1', '[]', { 'content-type': 'application/json' }), 'content-type-unknown', ['json-patch']],
  ['a patch of nobody',                          send('PATCH', '/Patient/nobody', '{"active":true}', mergePatch),    'unknown-instance'],
  ['a patch of a deletion',                      send('PATCH', '/Patient/gone', '{"active":true}', mergePatch),      'deleted-instance'],
  ['If-None-Exist with an unknown parameter',    send('POST', '/Patient', patient(), { ...fhir, 'if-none-exist': 'foo=bar' }), 'unknown-parameter', ['foo']],
  ['If-None-Exist that selects nothing',         send('POST', '/Patient', patient(), { ...fhir, 'if-none-exist': '_count=1' }), 'criteria-not-selective'],
  ['a conditional update with an empty value',   send('PUT', '/Patient?identifier=', patient()),                     'empty-value', ['identifier']],
  ['a conditional delete of two',                send('DELETE', '/Patient?gender=female'),                           'multiple-matches'],
  ['a conditional patch of nobody',              send('PATCH', '/Patient?identifier=http://x.example|none', '{"active":true}', mergePatch), 'no-match'],
  ['a conditional create that matches two',      send('POST', '/Patient', patient(), { ...fhir, 'if-none-exist': 'gender=female' }), 'multiple-matches'],
]

// biome-ignore format: a table
const searches: readonly Row[] = [
  ['a misspelt parameter',                       get('/Patient?naem=Budi'),                                'unknown-parameter-suggestion', ['naem', 'name']],
  ['a parameter in capitals',                    get('/Patient?Name=x'),                                   'unknown-parameter-suggestion', ['name']],
  ['_COUNT',                                     get('/Patient?_COUNT=1'),                                 'unknown-parameter-suggestion', ['_count']],
  ['an empty value',                             get('/Patient?name='),                                    'empty-value', ['name']],
  ['no value at all',                            get('/Patient?name'),                                     'empty-value'],
  ['a value without a name',                     get(`/Patient?=${secret}`),                               'nameless-parameter'],
  ['_count=-1',                                  get('/Patient?_count=-1'),                                'bad-parameter', ['_count']],
  ['_count=1e3',                                 get('/Patient?_count=1e3'),                               'bad-parameter'],
  ['_count=ten',                                 get('/Patient?_count=ten'),                               'bad-parameter'],
  ['_count twice',                               get('/Patient?_count=1&_count=2'),                        'repeated-parameter'],
  ['_sort by nothing',                           get('/Patient?_sort=beauty'),                             'unknown-parameter', ['beauty']],
  ['_sort twice',                                get('/Patient?_sort=name&_sort=birthdate'),               'repeated-parameter'],
  ['a token with three parts',                   get(`/Patient?identifier=a|b|${secret}`),                 'bad-parameter', ['identifier']],
  ['a prefix without a date',                    get('/Patient?birthdate=gt'),                             'bad-parameter', ['birthdate']],
  ['the 13th month',                             get('/Patient?birthdate=2024-13'),                        'bad-parameter'],
  ['a date in words',                            get(`/Patient?birthdate=${secret}`),                      'bad-parameter'],
  ['an unknown modifier',                        get('/Patient?name:almost=x'),                            'unknown-modifier', ['almost']],
  ['a modifier of another type',                 get('/Patient?birthdate:exact=2024'),                     'unknown-modifier'],
  ['a quantity in words',                        get('/Observation?value-quantity=much'),                  'bad-parameter'],
  ['_elements and _summary together',            get('/Patient?_elements=name&_summary=true'),             'parameter-clash'],
  ['_total=perhaps',                             get('/Patient?_total=perhaps'),                           'bad-parameter'],
  ['_include of nothing',                        get('/Observation?_include=Observation:nothing'),         'unknown-parameter', ['nothing', '_include']],
  ['1,001 values',                               get(`/Patient?_id=${'a,'.repeat(1001)}a`),                'too-many-values', ['1000']],
  ['a cursor made up',                           get('/Patient?_cursor=AAAA'),                             'bad-cursor'],
  ['_type of nothing',                           get('/?_type=Unicorn'),                                   'bad-parameter', ['_type']],
  ['an injection into SQL',                      get(`/Patient?birthdate=2024'%20OR%20'1'='1`),            'bad-parameter'],
  ['a compartment of nobody',                    get('/Patient/nobody/Observation'),                       'unknown-instance'],
  ['the same parameter in URL and form',         send('POST', '/Patient/_search?_count=1', '_count=2', form), 'repeated-parameter'],
]

// biome-ignore format: a table
const bundles: readonly Row[] = [
  ['a Patient posted to the base',               send('POST', '/', patient()),                                                             'wrong-resource-type', ['Bundle']],
  ['a parameter beside a Bundle',                 send('POST', '/?foo=1', bundle('batch')),                                                'unknown-parameter', ['http.foo']],
  ['a collection posted to the base',            send('POST', '/', bundle('collection')),                                                  'bundle-type', ['/Bundle']],
  ['an entry list that is an object',            send('POST', '/', '{"resourceType":"Bundle","type":"batch","entry":{}}'),                 'wrong-form'],
  ['an entry without a request',                 send('POST', '/', bundle('batch', { resource: person })),                                 'bundle-entry', ['Bundle.entry[0]']],
  ['an entry without a method',                  send('POST', '/', bundle('batch', { request: { url: 'Patient/1' } })),                    'bundle-entry'],
  ['a POST without a resource',                  send('POST', '/', bundle('transaction', { request: { method: 'POST', url: 'Patient' } })), 'bundle-entry'],
  ['a GET with a resource',                      send('POST', '/', bundle('transaction', { resource: person, request: { method: 'GET', url: 'Patient/1' } })), 'bundle-entry'],
  ['an entry for another server',                send('POST', '/', bundle('transaction', post('http://other.example/fhir/Patient', person))), 'bundle-entry'],
  ['two entries with one fullUrl',               send('POST', '/', bundle('transaction', post('Patient', person, { fullUrl: 'urn:uuid:1' }), post('Patient', person, { fullUrl: 'urn:uuid:1' }))), 'duplicate-full-url', ['Bundle.entry[0]', 'Bundle.entry[1]']],
  ['one instance twice',                         send('POST', '/', bundle('transaction', ...[1, 2].map(() => ({ resource: { ...person, id: 'z' }, request: { method: 'PUT', url: 'Patient/z' } })))), 'overlapping-entries'],
  ['DELETE and PUT of one instance',             send('POST', '/', bundle('transaction', { request: { method: 'DELETE', url: 'Patient/z' } }, { resource: { ...person, id: 'z' }, request: { method: 'PUT', url: 'Patient/z' } })), 'overlapping-entries'],
  ['a resource without a type in an entry',      send('POST', '/', bundle('transaction', post('Patient', { name: [] }))),                  'no-resource-type', ['Bundle.entry[0]']],
  ['an entry of an unknown type',                send('POST', '/', bundle('transaction', post('patient', person))),                        'unknown-type-suggestion', ['Bundle.entry[0]']],
  ['5,001 entries',                              send('POST', '/', bundle('transaction', ...Array.from({ length: 5001 }, () => ({ request: { method: 'GET', url: 'Patient/1' } })))), 'too-many-entries', ['5000']],
  ['1,001 entries in a batch',                   send('POST', '/', bundle('batch', ...Array.from({ length: 1001 }, () => ({ request: { method: 'GET', url: 'Patient/1' } })))), 'too-many-entries', ['1000']],
  ['a reference to no entry',                    send('POST', '/', bundle('transaction', post('Observation', { resourceType: 'Observation', subject: { reference: 'urn:uuid:00000000-0000-4000-8000-000000000000' } }))), 'unresolved-reference'],
  ['a read of nobody in a transaction',          send('POST', '/', bundle('transaction', { request: { method: 'GET', url: 'Patient/nobody' } })), 'unknown-instance', ['Bundle.entry[0]']],
  ['a wrong ifMatch in an entry',                send('POST', '/', bundle('transaction', { resource: { ...person, id: '1' }, request: { method: 'PUT', url: 'Patient/1', ifMatch: 'W/"99"' } })), 'version-mismatch'],
  ['a delete of everything in an entry',         send('POST', '/', bundle('transaction', { request: { method: 'DELETE', url: 'Patient' } })), 'id-or-criteria-needed'],
]

for (const engine of testEngines)
  describe(engine.name, () => {
    let parts: TestParts
    let server: TestServer

    const isGood = ({ status }: Received): void => {
      if (status >= 300) throw new Error(`The records for the rows were refused with ${status}.`)
    }

    beforeAll(async () => {
      parts = await testParts({ engine })
      server = await startHttp({ perform: parts.perform })
      for (const id of ['1', 'gone', 'two']) isGood(await server.send(send('PUT', `/Patient/${id}`, patient({ id, gender: 'female' }))))
      isGood(await server.send(send('DELETE', '/Patient/gone')))
      const observation = {
        resourceType: 'Observation',
        id: 'o1',
        status: 'final',
        code: { text: 'x' },
        subject: { reference: 'Patient/1' },
      }
      isGood(await server.send(send('PUT', '/Observation/o1', JSON.stringify(observation))))
    })

    afterAll(async () => {
      await server?.[Symbol.asyncDispose]()
      await parts?.[Symbol.asyncDispose]()
    })

    const check = async ([, sent, kind, has = []]: Row): Promise<void> => {
      const received = await server.send(sent)
      const { status, code } = failureKinds[kind]
      const outcome = JSON.parse(received.text)
      const [issue] = outcome.issue
      expect([received.status, outcome.resourceType, issue.code, issue.details.coding[0].code]).toEqual([
        status,
        'OperationOutcome',
        code,
        kind,
      ])
      expect(received.headers['content-type']).toMatch(/^(application\/fhir|application|text)\+?\/?json/)
      expect(received.headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,64}$/)
      expect(issue.details.text.length).toBeGreaterThan(0)
      expect(issue.diagnostics).not.toMatch(/\{\w+\}/)
      for (const word of has) expect(received.text).toContain(word)
      expect(received.text).not.toContain(secret)
      expect(received.text).not.toMatch(/node_modules|\.ts:|SQLITE|SELECT |\bat \w+ \(/)
    }

    const tables = { urls, headers, bodies, instances, searches, bundles }

    for (const [name, rows] of Object.entries(tables)) {
      describe(`careless or hostile: ${name}`, () => {
        for (const row of rows) test(`${row[0]} gets ${failureKinds[row[2]].status} ${row[2]}`, () => check(row))
      })
    }

    test('there are at least 120 rows', () => {
      expect(Object.values(tables).flat().length).toBeGreaterThanOrEqual(120)
    })

    test('afterwards the server still answers, and nothing was a bug', async () => {
      expect((await server.send(get('/Patient/1'))).status).toBe(200)
      expect(server.lines.filter(({ event }) => event === 'bug')).toEqual([])
    })

    test('no line of the log holds anything of a record', () => {
      expect(JSON.stringify(server.lines)).not.toContain(secret)
    })
  })
