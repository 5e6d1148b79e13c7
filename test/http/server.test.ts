/** rest-api.md 2 to 5 and operate.md 3 to 5, as far as they are transport: what leaves the server around an answer. */

import { createHash } from 'node:crypto'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fail, issue, ok } from '../../src/base/outcome.ts'
import type { Answer, InteractionRequest, Perform } from '../../src/interactions/request.ts'
import { type Received, startHttp, type TestServer, testOutsideBase } from '../support/http-server.ts'

const instant = Date.UTC(2026, 10, 21, 7, 30, 15, 250)
const stored = Buffer.from(`{"resourceType":"Patient","id":"1","multipleBirthInteger":1.50,"text":"${'x'.repeat(2000)}"}`)

let answer: Answer | ReturnType<typeof fail> = { status: 200 }
let asked: InteractionRequest | undefined
let server: TestServer

const perform: Perform = async request => {
  asked = request
  return 'ok' in answer ? answer : ok(answer)
}

beforeAll(async () => {
  server = await startHttp({ perform, startPage: () => '<!doctype html><title>Simpul</title>' })
})
afterAll(() => server[Symbol.asyncDispose]())

const read: Answer = { status: 200, body: { kind: 'json', chunks: [stored] }, versionId: 3, lastModified: instant }
const get = (path: string, headers: Record<string, string> = {}): Promise<Received> => server.send({ path: `/fhir${path}`, headers })

describe('an answer', () => {
  test('of a read carries the stored bytes, ETag, Last-Modified and its length', async () => {
    answer = read
    const { status, headers, bytes } = await get('/Patient/1')
    expect(status).toBe(200)
    expect(bytes.equals(stored)).toBe(true)
    expect(headers).toMatchObject({
      etag: 'W/"3"',
      'last-modified': 'Sat, 21 Nov 2026 07:30:15 GMT',
      'content-type': 'application/fhir+json; charset=utf-8',
      'content-length': String(stored.length),
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
      vary: 'Accept, Accept-Encoding, Accept-Language, Authorization, Origin, Prefer',
    })
    expect(headers['x-powered-by']).toBeUndefined()
  })

  test('to HEAD has the same headers and no body', async () => {
    answer = read
    const [whole, head] = [await get('/Patient/1'), await server.send({ method: 'HEAD', path: '/fhir/Patient/1' })]
    expect(head.bytes.length).toBe(0)
    const comparable = (headers: Received['headers']) => ({ ...headers, date: '', 'x-request-id': '' })
    expect(comparable(head.headers)).toEqual(comparable(whole.headers))
  })

  test('304 has no body and no length, but the validators', async () => {
    answer = { ...read, status: 304 }
    const { status, headers, bytes } = await get('/Patient/1')
    expect([status, bytes.length, headers['content-length'], headers['content-type']]).toEqual([304, 0, undefined, undefined])
    expect(headers.etag).toBe('W/"3"')
  })

  test('names places below our own base, whatever the request says of hosts', async () => {
    answer = { status: 201, location: 'Patient/1/_history/1', contentLocation: 'Patient/1/_history/1' }
    const { status, headers } = await get('/Patient/1', { host: 'evil.example', 'x-forwarded-host': 'evil.example' })
    expect(status).toBe(201)
    expect([headers.location, headers['content-location']]).toEqual(Array(2).fill(`${testOutsideBase}/Patient/1/_history/1`))
  })

  test('of several chunks is sent whole', async () => {
    answer = { status: 200, body: { kind: 'json', chunks: [Buffer.from('{"a":'), Buffer.from('1'), Buffer.from('}')] } }
    const { text, headers } = await get('/Patient')
    expect([text, headers['content-length']]).toEqual(['{"a":1}', '7'])
  })

  test('with _pretty=true is indented, and numbers keep their digits', async () => {
    answer = { status: 200, body: { kind: 'json', chunks: [Buffer.from('{"a":[1.50,{}],"b":"{\\"x\\":[]}","c":{"d":[]}}')] } }
    const { text } = await get('/Patient/1?_pretty=true')
    expect(text).toBe('{\n  "a": [\n    1.50,\n    {}\n  ],\n  "b": "{\\"x\\":[]}",\n  "c": {\n    "d": []\n  }\n}')
  })

  test('of warnings is an OperationOutcome in the language of the client', async () => {
    answer = { status: 200, body: { kind: 'outcome' }, issues: [issue('information', 'nothing-changed', {})] }
    const { text, headers } = await get('/Patient/1', { 'accept-language': 'id-ID,id;q=0.9,en;q=0.8' })
    expect(headers['content-language']).toBe('id')
    expect(JSON.parse(text).issue[0]).toMatchObject({
      severity: 'information',
      details: { text: 'Tidak ada perubahan: isinya sama.' },
      diagnostics: 'Nothing changed: the content is the same.',
    })
  })

  test('of the capabilities may be kept a minute and read from anywhere', async () => {
    answer = { status: 200, etag: 'abc', body: { kind: 'json', chunks: [Buffer.from('{}')] } }
    const { headers } = await get('/metadata')
    expect(headers).toMatchObject({ etag: 'W/"abc"', 'cache-control': 'public, max-age=60', 'access-control-allow-origin': '*' })
    answer = fail('overloaded', {}, { retryAfterSeconds: 1 })
    const failed = await get('/metadata')
    expect([failed.status, failed.headers['cache-control']]).toEqual([503, 'private, no-store'])
  })

  const unpack = { zstd: zstdDecompressSync, br: brotliDecompressSync, gzip: gunzipSync }
  // biome-ignore format: a table
  const encodings: readonly (readonly [string, keyof typeof unpack | undefined])[] = [
    ['gzip, deflate, br, zstd',      'zstd'],
    ['gzip, br',                     'br'],
    ['gzip',                         'gzip'],
    ['gzip;q=1, zstd;q=0.5',         'gzip'],
    ['*',                            'zstd'],
    ['zstd;q=0, *',                  'br'],
    ['identity',                     undefined],
    ['deflate',                      undefined],
    ['identity, gzip;q=0.5',         undefined],
    ['gzip;q=0',                     undefined],
  ]
  for (const [accept, encoding] of encodings) {
    test(`to Accept-Encoding: ${accept} comes ${encoding === undefined ? 'plain' : `as ${encoding}`}`, async () => {
      answer = read
      const { headers, bytes } = await get('/Patient/1', { 'accept-encoding': accept })
      expect(headers['content-encoding']).toBe(encoding)
      expect((encoding === undefined ? bytes : unpack[encoding](bytes)).toString()).toBe(stored.toString())
    })
  }

  test('below 1 KiB is never compressed', async () => {
    answer = { status: 200, body: { kind: 'json', chunks: [Buffer.from('{}')] } }
    expect((await get('/Patient/1', { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBeUndefined()
  })

  test('of 1 MiB is compressed too', async () => {
    const large = Buffer.from(`"${'abc'.repeat(350_000)}"`)
    answer = { status: 200, body: { kind: 'json', chunks: [large] } }
    expect(gunzipSync((await get('/Patient/1', { 'accept-encoding': 'gzip' })).bytes).equals(large)).toBe(true)
  })
})

describe('a failure', () => {
  test('names Allow of a 405, the ETag of a deletion, and when to come again', async () => {
    expect((await server.send({ method: 'POST', path: '/fhir/Patient/1' })).headers.allow).toBe('GET, HEAD, PUT, PATCH, DELETE')
    answer = fail('deleted-instance', { what: 'Patient/1' }, { versionId: 4 })
    expect((await get('/Patient/1')).headers.etag).toBe('W/"4"')
    answer = fail('write-conflict', {}, { retryAfterSeconds: 1 })
    expect((await get('/Patient/1')).headers['retry-after']).toBe('1')
  })

  test('that throws is a 500 with the request id, told in the log by our own frames only', async () => {
    await using broken = await startHttp({
      perform: async () => {
        throw new TypeError('Rahasia 3171234567890001', { cause: Object.assign(new Error('SQLITE_BUSY: secret'), { code: 'ERR_SQLITE' }) })
      },
    })
    const { status, text, headers } = await broken.send({ path: '/fhir/Patient/1', headers: { 'x-request-id': 'mine' } })
    expect(status).toBe(500)
    expect(JSON.parse(text).issue[0]).toMatchObject({ code: 'exception', details: { coding: [{ code: 'exception' }] } })
    expect(text).not.toMatch(/Rahasia|SQLITE|TypeError/)
    expect(headers['x-request-id']).toBe('mine')
    const [line] = broken.lines.filter(({ event }) => event === 'bug')
    expect(line).toMatchObject({ level: 'error', room: 'http', error: { name: 'TypeError', cause: { code: 'ERR_SQLITE' } } })
    expect(JSON.stringify(line)).not.toMatch(/Rahasia|secret/)
  })
})

describe('a request', () => {
  test('reaches the interaction with conditions, preferences and parameters', async () => {
    answer = { status: 200 }
    await server.send({
      method: 'PUT',
      path: '/fhir/Patient?identifier=a%7Cb',
      headers: {
        'content-type': 'application/fhir+json',
        'if-match': 'W/"3"',
        prefer: 'return=minimal, handling=lenient, return=representation',
      },
      body: '{}',
    })
    expect(asked).toMatchObject({
      interaction: 'update',
      type: 'Patient',
      parameters: [{ name: 'identifier', value: 'a|b' }],
      conditions: { ifMatch: 'W/"3"' },
      prefer: { return: 'minimal', handling: 'lenient' },
      body: { kind: 'resource' },
    })
  })

  // biome-ignore format: a table
  const preferences: readonly (readonly [method: string, path: string, prefer: string, applied: string | undefined])[] = [
    ['PUT', '/Patient/1',  'return=minimal',                 'return=minimal'],
    ['PUT', '/Patient/1',  'return=OperationOutcome',        'return=OperationOutcome'],
    ['PUT', '/Patient/1',  'return=everything',              undefined],
    ['GET', '/Patient/1',  'return=minimal',                 undefined],
    ['GET', '/Patient',    'handling=lenient',               'handling=lenient'],
    ['GET', '/Patient',    'wait=5',                         'wait=5'],
    ['GET', '/Patient',    'respond-async',                  undefined],
  ]
  for (const [method, path, prefer, applied] of preferences) {
    test(`${method} ${path} with Prefer: ${prefer} applies ${applied ?? 'nothing'}`, async () => {
      answer = { status: 200 }
      const body = method === 'PUT' ? { body: '{}' } : {}
      const { headers } = await server.send({
        method,
        path: `/fhir${path}`,
        headers: { prefer, 'content-type': 'application/json' },
        ...body,
      })
      expect(headers['preference-applied']).toBe(applied)
    })
  }

  test('by form joins the parameters of URL and body', async () => {
    answer = { status: 200 }
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' }
    await server.send({ method: 'POST', path: '/fhir/Patient/_search?_count=5', headers, body: 'name=a+b&&birthdate=ge2024%2D01' })
    expect(asked?.parameters).toEqual([
      { name: '_count', value: '5' },
      { name: 'name', value: 'a b' },
      { name: 'birthdate', value: 'ge2024-01' },
    ])
    expect(asked?.body).toBeUndefined()
  })

  test('for a Binary brings its bytes, type and context', async () => {
    answer = { status: 201 }
    const headers = { 'content-type': 'image/png; x=y', 'x-security-context': 'Patient/1' }
    await server.send({ method: 'POST', path: '/fhir/Binary', headers, body: Buffer.from([0, 255, 1]) })
    expect(asked?.body).toMatchObject({ kind: 'raw', contentType: 'image/png; x=y', securityContext: 'Patient/1' })
  })

  test('for a Binary as a resource brings its context too, for other types none', async () => {
    answer = { status: 201 }
    const headers = { 'content-type': 'application/fhir+json', 'x-security-context': 'Patient/1' }
    for (const type of ['Binary', 'Basic']) {
      await server.send({ method: 'POST', path: `/fhir/${type}`, headers, body: JSON.stringify({ resourceType: type }) })
      const body = { kind: 'resource', bytes: expect.any(Uint8Array), ...(type === 'Binary' ? { securityContext: 'Patient/1' } : {}) }
      expect(asked?.body).toEqual(body)
    }
  })

  // biome-ignore format: a table
  const ids: readonly (readonly [sent: string, echoed: boolean])[] = [
    ['abc-1.2_3',       true],
    ['a'.repeat(64),    true],
    ['a'.repeat(65),    false],
    ['a b',             false],
    ['"><script>',      false],
    ['a'.repeat(10_000), false],
  ]
  for (const [sent, echoed] of ids) {
    test(`with the id ${sent.slice(0, 20)} ${echoed ? 'is answered with it' : 'gets an id of ours'}`, async () => {
      answer = { status: 200 }
      const { headers } = await get('/Patient/1', { 'x-request-id': sent })
      if (echoed) expect(headers['x-request-id']).toBe(sent)
      else expect(headers['x-request-id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
      expect(JSON.stringify(server.lines).includes(`"request":"${sent}"`)).toBe(false)
    })
  }

  test('of a browser to [base] is led to the start page', async () => {
    const { status, headers } = await get('', { accept: 'text/html,*/*;q=0.8' })
    expect([status, headers.location]).toEqual([302, '/'])
    expect((await server.send({ path: '/' })).headers['content-type']).toBe('text/html; charset=utf-8')
  })

  test('OPTIONS tells the methods, also where a body may follow', async () => {
    const { status, headers } = await server.send({ method: 'OPTIONS', path: '/fhir/Patient/1' })
    expect([status, headers.allow, headers.connection]).toEqual([204, 'GET, HEAD, PUT, PATCH, DELETE', 'close'])
    expect((await server.send({ method: 'OPTIONS', path: '/fhir/patient/1' })).status).toBe(404)
  })

  test('for a foreign host is refused in demo mode', async () => {
    await using demo = await startHttp({ hosts: ['127.0.0.1', 'localhost'], startPage: () => 'page' })
    const status = async (path: string, host: string) => (await demo.send({ path, headers: { host } })).status
    expect(await status('/fhir/Patient/1', 'localhost:8080')).toBe(200)
    expect(await status('/fhir/Patient/1', '127.0.0.1')).toBe(200)
    expect(await status('/fhir/Patient/1', 'evil.example')).toBe(421)
    expect(await status('/', 'evil.example:8080')).toBe(421)
    expect(await demo.sendBytes('GET http://evil.example/fhir/Patient/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 421 /,
    )
  })
})

describe('bytes that are no request', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [what: string, bytes: string, status: number, kind?: string])[] = [
    ['nonsense',                          'nonsense\r\n\r\n',                                                             400],
    ['a TLS handshake',                   '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',                                 400],
    ['no Host',                           'GET /fhir/Patient/1 HTTP/1.1\r\nConnection: close\r\n\r\n',                                         400],
    ['a length twice',                    'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['length and chunks',                 'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['headers of 100 kB',                 `GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
    ['a URL with raw bytes',              'GET /fhir/Patient/\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',      400, 'bad-url'],
    ['a name typed into the URL',         'GET /fhir/Patient?name=\xc3\x91and\xc3\xba HTTP/1.1\r\nHost: a\r\n\r\n',    400, 'bad-url'],
    ['CONNECT',                           'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',          405],
  ]
  for (const [what, bytes, status, kind] of rows) {
    test(`${what} gets ${status}`, async () => {
      const text = await server.sendBytes(Buffer.from(bytes, 'latin1'))
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      const outcome = JSON.parse(text.slice(text.indexOf('{')))
      expect(outcome.resourceType).toBe('OperationOutcome')
      if (kind !== undefined) expect(outcome.issue[0].details.coding[0].code).toBe(kind)
    })
  }

  test('a connection stays usable after a failure without a body', async () => {
    answer = { status: 204 }
    const one = 'GET /fhir/patient/1 HTTP/1.1\r\nHost: a\r\n\r\n'
    const text = await server.sendBytes(`${one}${one}GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    expect(text.match(/HTTP\/1\.1 404/g)).toHaveLength(2)
    expect(text).toContain('HTTP/1.1 204')
  })
})

describe('beside the API', () => {
  test('health tells whether the store answers', async () => {
    let answers = true
    await using own = await startHttp({ storeAnswers: () => answers })
    answers = false
    expect((await own.send({ path: '/health/live' })).status).toBe(200)
    const { status, headers, text } = await own.send({ path: '/health/ready' })
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'application/health+json', 'private, no-store'])
    expect(JSON.parse(text)).toEqual({ status: 'ok' })
    expect(JSON.parse((await own.send({ path: '/health' })).text)).toMatchObject({ status: 'ok', version: '0.0.0' })
    await using down = await startHttp({ storeAnswers: () => false })
    expect((await down.send({ path: '/health/ready' })).status).toBe(503)
    expect((await down.send({ path: '/health/live' })).status).toBe(200)
  })

  test('metrics count requests by interaction, and hold no label that could name somebody', async () => {
    answer = read
    await get('/Patient/rahasia-1')
    const { text, headers } = await server.send({ path: '/metrics' })
    expect(headers['content-type']).toContain('text/plain')
    expect(text).toMatch(/simpul_http_requests_total\{interaction="read",resource_type="Patient",method="GET",code="200"\} \d+/)
    expect(text).toContain('simpul_failures_total{kind="disk-full"} 0')
    expect(text).toContain('simpul_sqlite_wal_bytes 6')
    expect(text).toContain('simpul_ready 1')
    expect(text).not.toMatch(/rahasia|\{[^}]*\b(?:patient|user|account|id|address|url|path)="/i)
    expect(text.split('\n').length).toBeLessThan(6000)
  })

  test('anything else is a 404, and a POST a 405', async () => {
    expect((await server.send({ path: '/nothing' })).status).toBe(404)
    expect((await server.send({ path: '/__proto__' })).status).toBe(404)
    expect((await server.send({ method: 'POST', path: '/health' })).headers.allow).toBe('GET, HEAD')
  })
})

describe('more work than can be done', () => {
  test('waits in line, and beyond the line is told to come again', async () => {
    const waiting: (() => void)[] = []
    await using busy = await startHttp({
      limits: { inFlightMax: 1, waitingMax: 1, waitMs: 10_000 },
      perform: () => new Promise(resolve => waiting.push(() => resolve(ok({ status: 204 })))),
    })
    const ask = () => busy.send({ path: '/fhir/Patient/1' })
    const [first, second] = [ask(), ask()]
    while (waiting.length < 1) await new Promise(resolve => setTimeout(resolve, 10))
    await new Promise(resolve => setTimeout(resolve, 50))
    const third = await ask()
    expect([third.status, third.headers['retry-after']]).toEqual([503, '1'])
    expect(JSON.parse(third.text).issue[0].code).toBe('transient')
    waiting.shift()?.()
    while (waiting.length < 1) await new Promise(resolve => setTimeout(resolve, 10))
    waiting.shift()?.()
    expect([(await first).status, (await second).status]).toEqual([204, 204])
  })

  test('waits no longer than it may', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    await using busy = await startHttp({
      limits: { inFlightMax: 1, waitingMax: 5, waitMs: 50 },
      perform: () => promise.then(() => ok({ status: 204 })),
    })
    const first = busy.send({ path: '/fhir/Patient/1' })
    expect((await busy.send({ path: '/fhir/Patient/1' })).status).toBe(503)
    resolve()
    expect((await first).status).toBe(204)
  })
})

test('a Binary goes out as its content, in a sandbox', async () => {
  const binary = { resourceType: 'Binary', contentType: 'text/html', data: Buffer.from('<script>1</script>').toString('base64') }
  answer = { status: 200, versionId: 1, body: { kind: 'json', chunks: [Buffer.from(JSON.stringify(binary))] } }
  const { text, headers } = await get('/Binary/1', { accept: '*/*' })
  expect(text).toBe('<script>1</script>')
  expect(headers).toMatchObject({ 'content-type': 'text/html', 'content-disposition': 'attachment' })
  expect(headers['content-security-policy']).toBe("default-src 'none';frame-ancestors 'none', sandbox")
  expect(headers['repr-digest']).toBe(`sha-256=:${createHash('sha256').update(text).digest('base64')}:`)
  expect((await get('/Binary/1', { accept: 'image/png' })).status).toBe(406)
  expect(JSON.parse((await get('/Binary/1', { accept: 'application/fhir+json' })).text)).toEqual(binary)
})

test('a Binary of which only a part is asked for goes out as a resource: half of a content is none', async () => {
  const reduced = { resourceType: 'Binary', contentType: 'text/html' }
  answer = { status: 200, versionId: 1, body: { kind: 'json', chunks: [Buffer.from(JSON.stringify(reduced))] } }
  for (const query of ['_elements=contentType', '_summary=true']) {
    const { text, headers } = await get(`/Binary/1?${query}`, { accept: '*/*' })
    expect([headers['content-type'], JSON.parse(text)]).toEqual(['application/fhir+json; charset=utf-8', reduced])
  }
})

test('a compressed content has the digest of what is sent', async () => {
  const binary = { resourceType: 'Binary', contentType: 'text/plain', data: Buffer.from('halo '.repeat(1000)).toString('base64') }
  answer = { status: 200, versionId: 1, body: { kind: 'json', chunks: [Buffer.from(JSON.stringify(binary))] } }
  const { bytes, headers } = await get('/Binary/1', { accept: '*/*', 'accept-encoding': 'gzip' })
  expect(headers['content-encoding']).toBe('gzip')
  expect(headers['repr-digest']).toBe(`sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`)
})

test('a page that throws is a 500 like any other, never the error page of a library', async () => {
  await using broken = await startHttp({
    startPage: () => {
      throw new Error('Rahasia')
    },
  })
  const { status, text } = await broken.send({ path: '/' })
  expect([status, JSON.parse(text).issue[0].code]).toEqual([500, 'exception'])
  expect(text).not.toMatch(/Rahasia|<pre>/)
})
