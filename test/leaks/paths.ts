import type { Sent } from './server.ts'

/** One way to name an instance, whether it is there or not. `path` is below the base of the API. */
export type Row = { readonly way: string; readonly sent: (type: string, id: string, content: object) => Sent }

const fhir = { 'content-type': 'application/fhir+json' }
const json = (method: string, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Sent => ({
  method,
  path,
  headers: { ...fhir, ...headers },
  body: JSON.stringify(body),
})
const get = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Sent => ({ method, path, headers })
const bundle = (type: 'batch' | 'transaction', ...entry: object[]): Sent => json('POST', '', { resourceType: 'Bundle', type, entry })
const entry = (method: string, url: string, resource?: object, more: object = {}): object => ({
  ...(resource && { resource }),
  request: { method, url, ...more },
})
const tagged = (id: string): string => `_tag=${encodeURIComponent(`urn:leaks|${id}t`)}`
const observation = (reference: string): object => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'x' },
  subject: { reference },
})
const provenance = (reference: string): object => ({
  resourceType: 'Provenance',
  recorded: '2026-11-20T00:00:00Z',
  target: [{ reference }],
  agent: [{ who: { display: 'x' } }],
})
const named = (content: object, id: string): object => ({ ...content, id })
const jsonPatch = (operations: readonly object[]) => ({
  headers: { 'content-type': 'application/json-patch+json' },
  body: JSON.stringify(operations),
})
const fhirPatch = (path: string): object => ({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'delete' },
        { name: 'path', valueString: path },
      ],
    },
  ],
})

/** Everything that an id can be put into. */
// biome-ignore format: a table
export const rows: readonly Row[] = [
  { way: 'read',                       sent: (type, id) => get(`/${type}/${id}`) },
  { way: 'read by HEAD',               sent: (type, id) => get(`/${type}/${id}`, {}, 'HEAD') },
  { way: 'read, If-None-Match',        sent: (type, id) => get(`/${type}/${id}`, { 'if-none-match': 'W/"1"' }) },
  { way: 'read, If-Modified-Since',    sent: (type, id) => get(`/${type}/${id}`, { 'if-modified-since': 'Sat, 21 Nov 2026 00:00:00 GMT' }) },
  { way: 'read, _summary',             sent: (type, id) => get(`/${type}/${id}?_summary=true`) },
  { way: 'read, _elements',            sent: (type, id) => get(`/${type}/${id}?_elements=id`) },
  { way: 'read as text',               sent: (type, id) => get(`/${type}/${id}`, { accept: 'text/plain' }) },
  { way: 'vread',                      sent: (type, id) => get(`/${type}/${id}/_history/1`) },
  { way: 'vread of no version',        sent: (type, id) => get(`/${type}/${id}/_history/9`) },
  { way: 'vread by HEAD',              sent: (type, id) => get(`/${type}/${id}/_history/1`, {}, 'HEAD') },
  { way: 'history of an instance',     sent: (type, id) => get(`/${type}/${id}/_history`) },
  { way: 'history by HEAD',            sent: (type, id) => get(`/${type}/${id}/_history?_since=2020-01-01T00:00:00Z`, {}, 'HEAD') },
  { way: 'search by id',               sent: (type, id) => get(`/${type}?_id=${id}&_total=accurate`) },
  { way: 'search by id of the system', sent: (type, id) => get(`/?_type=${type},Patient&_id=${id}&_total=accurate`) },
  { way: 'search by tag, counted',     sent: (type, id) => get(`/${type}?${tagged(id)}&_summary=count`) },
  { way: 'search by POST',             sent: (type, id) => ({ method: 'POST', path: `/${type}/_search`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `_id=${id}` }) },
  { way: 'list',                       sent: (_, id) => get(`/Observation?_list=${id}`) },
  { way: 'compartment',                sent: (_, id) => get(`/Patient/${id}/Observation?_total=accurate`) },
  { way: 'compartment of everything',  sent: (_, id) => get(`/Encounter/${id}/*`) },
  { way: 'chain',                      sent: (type, id) => get(`/Observation?subject:${type === 'Patient' || type === 'Group' || type === 'Device' || type === 'Location' ? type : 'Patient'}._id=${id}&_total=accurate`) },
  { way: 'reverse chain',              sent: (_, id) => get(`/Patient?_has:Observation:subject:_id=${id}&_total=accurate`) },
  { way: 'reference searched',         sent: (type, id) => get(`/Provenance?target=${type}/${id}&_total=accurate`) },
  { way: 'update',                     sent: (type, id, content) => json('PUT', `/${type}/${id}`, named(content, id)) },
  { way: 'update, If-Match',           sent: (type, id, content) => json('PUT', `/${type}/${id}`, named(content, id), { 'if-match': 'W/"1"' }) },
  { way: 'update, If-None-Match *',    sent: (type, id, content) => json('PUT', `/${type}/${id}`, named(content, id), { 'if-none-match': '*' }) },
  { way: 'update without a body',      sent: (type, id) => json('PUT', `/${type}/${id}`, {}) },
  { way: 'conditional update',         sent: (type, id, content) => json('PUT', `/${type}?${tagged('none')}`, named(content, id)) },
  { way: 'conditional update by id',   sent: (type, id, content) => json('PUT', `/${type}?_id=${id}`, named(content, id)) },
  { way: 'merge patch',                sent: (type, id) => ({ ...json('PATCH', `/${type}/${id}`, { status: 'amended' }), headers: { 'content-type': 'application/merge-patch+json' } }) },
  { way: 'json patch that tests',      sent: (type, id) => ({ method: 'PATCH', path: `/${type}/${id}`, ...jsonPatch([{ op: 'test', path: '/resourceType', value: type }]) }) },
  { way: 'json patch that copies',     sent: (type, id) => ({ method: 'PATCH', path: `/${type}/${id}`, ...jsonPatch([{ op: 'copy', from: '/text', path: '/note' }]) }) },
  { way: 'json patch that moves',      sent: (type, id) => ({ method: 'PATCH', path: `/${type}/${id}`, ...jsonPatch([{ op: 'move', from: '/text', path: '/note' }]) }) },
  { way: 'FHIRPath patch',             sent: (type, id) => json('PATCH', `/${type}/${id}`, fhirPatch(`${type}.text`)) },
  { way: 'conditional patch',          sent: (type, id) => ({ ...json('PATCH', `/${type}?${tagged(id)}`, { status: 'amended' }), headers: { 'content-type': 'application/merge-patch+json' } }) },
  { way: 'delete',                     sent: (type, id) => get(`/${type}/${id}`, {}, 'DELETE') },
  { way: 'delete, If-Match',           sent: (type, id) => get(`/${type}/${id}`, { 'if-match': 'W/"1"' }, 'DELETE') },
  { way: 'conditional delete',         sent: (type, id) => get(`/${type}?${tagged(id)}`, {}, 'DELETE') },
  { way: 'reference written',          sent: (type, id) => json('POST', '/Basic', { resourceType: 'Basic', code: { text: 'x' }, subject: { reference: `${type}/${id}` } }) },
  { way: 'subject written',            sent: (_, id) => json('POST', '/Observation', observation(`Patient/${id}`)) },
  { way: 'target written',             sent: (type, id) => json('POST', '/Provenance', provenance(`${type}/${id}`)) },
  { way: 'version referred to',        sent: (type, id) => json('POST', '/Provenance', provenance(`${type}/${id}/_history/1`)) },
  { way: 'X-Security-Context',         sent: (type, id) => ({ method: 'POST', path: '/Binary', headers: { 'content-type': 'text/plain', 'x-security-context': `${type}/${id}` }, body: 'x' }) },
  { way: 'batch',                      sent: (type, id, content) => bundle('batch', entry('GET', `${type}/${id}`), entry('HEAD', `${type}/${id}`), entry('GET', `${type}?_id=${id}`), entry('PUT', `${type}/${id}`, named(content, id)), entry('DELETE', `${type}/${id}`), entry('GET', `${type}/${id}`, undefined, { ifNoneMatch: 'W/"1"' })) },
  { way: 'transaction that reads',     sent: (type, id) => bundle('transaction', entry('GET', `${type}/${id}`)) },
  { way: 'transaction that searches',  sent: (type, id) => bundle('transaction', entry('GET', `${type}?${tagged(id)}&_total=accurate`)) },
  { way: 'transaction that updates',   sent: (type, id, content) => bundle('transaction', entry('PUT', `${type}/${id}`, named(content, id))) },
  { way: 'transaction that deletes',   sent: (type, id) => bundle('transaction', entry('DELETE', `${type}/${id}`)) },
  { way: 'transaction, conditional deletion', sent: (type, id) => bundle('transaction', entry('DELETE', `${type}?${tagged(id)}`)) },
  { way: 'transaction that patches',   sent: (type, id) => bundle('transaction', entry('PATCH', `${type}/${id}`, fhirPatch(`${type}.text`))) },
  { way: 'transaction that refers',    sent: (type, id) => bundle('transaction', entry('POST', 'Provenance', provenance(`${type}/${id}`))) },
  { way: 'conditional reference',      sent: (type, id) => bundle('transaction', entry('POST', 'Provenance', provenance(`${type}?${tagged(id)}`))) },
  { way: 'conditional subject',        sent: (_, id) => bundle('transaction', entry('POST', 'Observation', observation(`Patient?${tagged(id)}`))) },
  { way: 'operation',                  sent: (type, id) => get(`/${type}/${id}/$everything`) },
  { way: 'no operation',               sent: (type, id) => json('POST', `/${type}/${id}/$none`, {}) },
]

/** Creations that hang on whether there is one already; what is hidden is not, so they create, and are asked apart. */
export const creations: readonly Row[] = [
  {
    way: 'conditional create',
    sent: (type, id, content) => json('POST', `/${type}`, { ...content, id: undefined }, { 'if-none-exist': tagged(id) }),
  },
  {
    way: 'conditional create in a batch',
    sent: (type, id, content) => bundle('batch', entry('POST', type, { ...content, id: undefined }, { ifNoneExist: tagged(id) })),
  },
  { way: 'conditional update', sent: (type, id, content) => json('PUT', `/${type}?${tagged(id)}`, { ...content, id: undefined }) },
]
