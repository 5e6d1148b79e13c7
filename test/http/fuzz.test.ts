/** rest-api.md 23, A4: whatever is asked, the answer is no 500, is FHIR, and comes soon. 10,000 requests (100,000 in the long run); the composed server stands behind. */
import { Agent, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type TestEngine, testEngines } from '../support/engines.ts'
import { startHttp, type TestServer } from '../support/http-server.ts'
import { type TestParts, testParts } from '../support/parts.ts'

/** What is behind the store is asked little by these: the transport is meant. */
const runsOn = ({ name }: TestEngine): number => (name === 'sqlite' ? 10_000 : 2000) * (process.env.SIMPUL_TEST_LONG === '1' ? 10 : 1)
const slowMs = 2000

for (const engine of testEngines)
  describe(engine.name, () => {
    const runs = runsOn(engine)
    let parts: TestParts
    let server: TestServer
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })

    beforeAll(async () => {
      parts = await testParts({ engine })
      server = await startHttp({ perform: parts.perform })
    })

    afterAll(async () => {
      agent.destroy()
      await server?.[Symbol.asyncDispose]()
      await parts?.[Symbol.asyncDispose]()
    })

    const seeds =
      `Patient/1 Patient/1/_history/1 Patient/_history _history Patient/1/Observation Patient/1/* metadata Patient/_search _search
  Patient?name=a Observation?code=a|b&date=ge2024 Patient?_has:Observation:patient:code=a Patient?_sort=-birthdate&_count=2 ?_type=Patient
  Patient/1/$everything Observation?subject.name=a&_include=Observation:subject`.split(/\s+/)
    const pieces = fc.oneof(
      fc.constantFrom(
        '/',
        '//',
        '..',
        '.',
        '?',
        '&',
        '=',
        '%',
        '%zz',
        '%00',
        '%2F',
        '%ff',
        '+',
        ':',
        '|',
        ',',
        '$',
        '_',
        '*',
        '#',
        '\\',
        "'",
        ';',
      ),
      fc.constantFrom(
        'Patient',
        'patient',
        '_history',
        '_search',
        'metadata',
        '_id',
        ':missing',
        '_cursor',
        'ge2024',
        '_format=xml',
        '_count=0',
        '9'.repeat(30),
      ),
      fc.string({ maxLength: 8 }).map(encodeURI),
    )

    /** A seed with some of its parts replaced, doubled or cut. */
    const paths = fc
      .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(60), fc.nat(4), pieces), { maxLength: 4 }))
      .map(([seed, changes]) => changes.reduce((path, [at, cut, piece]) => path.slice(0, at) + piece + path.slice(at + cut), seed))

    const headerValues = fc.oneof(
      fc.constantFrom(
        '*/*',
        'application/fhir+json',
        'text/html',
        'W/"1"',
        '*',
        '',
        '"',
        'gzip',
        'return=minimal',
        'a;q=2',
        'gzip, gzip',
        ',,,',
        'identifier=a|b',
      ),
      fc.string({ maxLength: 20 }).map(text => text.replace(/[^\x21-\x7e]/g, '')),
    )
    const headerNames = fc.constantFrom(
      ...`accept accept-language accept-encoding if-match if-none-match if-modified-since if-none-exist prefer
  content-type content-encoding x-request-id traceparent x-method-override x-security-context`.split(/\s+/),
    )
    const headerSets = fc.dictionary(headerNames, headerValues, { maxKeys: 4 })
    const methods = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')
    const bodies = fc.oneof(
      fc.constantFrom('', '{}', '[]', '{"resourceType":"Patient"}', '{"resourceType":"Bundle","type":"batch"}', 'name=a', '\0'),
      fc.json({ maxDepth: 2 }),
    )

    type Answer = { readonly status: number; readonly type: string; readonly text: string; readonly ms: number }

    const ask = (method: string, path: string, headers: Record<string, string>, body: string): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const started = performance.now()
        const carries = method === 'POST' || method === 'PUT' || method === 'PATCH'
        const length = carries ? { 'content-length': String(Buffer.byteLength(body)) } : {}
        const asked = request(
          { host: '127.0.0.1', port: server.port, agent, method, path: `/fhir/${path}`, headers: { ...length, ...headers } },
          res => {
            const chunks: Buffer[] = []
            res.on('data', chunk => chunks.push(chunk))
            res.on('end', () => {
              const type = String(res.headers['content-type'] ?? '')
              const text = res.headers['content-encoding'] === undefined ? Buffer.concat(chunks).toString('utf8') : ''
              resolve({ status: res.statusCode ?? 0, type, text, ms: performance.now() - started })
            })
          },
        )
        asked.on('error', reject)
        asked.end(carries ? body : undefined)
      })

    /** Characters that Node's client refuses to send; raw bytes of that kind are in server.test.ts. */
    const sendable = (path: string): boolean => /^[\x21-\x7e]*$/.test(path)

    test(`${runs} mutated requests get no 500, an OperationOutcome for every failure, and no slow answer`, async () => {
      const strange: unknown[] = []
      await fc.assert(
        fc.asyncProperty(methods, paths.filter(sendable), headerSets, bodies, async (method, path, headers, body) => {
          const { status, type, text, ms } = await ask(method, path, headers, body)
          const isOutcome =
            method === 'HEAD' || text === '' || (type.includes('json') && JSON.parse(text).resourceType === 'OperationOutcome')
          if (status === 500 || ms > slowMs || (status >= 400 && !isOutcome)) strange.push({ method, path, headers, body, status, ms })
          expect(strange).toEqual([])
        }),
        { numRuns: runs, seed: 20_261_121, endOnFailure: true },
      )
      expect(server.lines.filter(({ event }) => event === 'bug')).toEqual([])
    }, 600_000)
  })
