/** auth.md 9.4, 15: who asks is known before the body is read, and a failure says which token would do. */

import { describe, expect, test } from '@jest/globals'
import type { Authenticate } from '../../src/auth/bearer.ts'
import type { Principal } from '../../src/auth/policy/principal.ts'
import { type At, fail, type Outcome, ok } from '../../src/base/outcome.ts'
import type { Answer, Perform } from '../../src/interactions/request.ts'
import { type Received, startHttp, testOutsideBase } from '../support/http-server.ts'

const clinician: Principal = {
  kind: 'user',
  accountId: '019a9c00-0000-7000-8000-000000000001',
  clientId: 'klinik-aplikasi',
  fhirUser: 'Practitioner/1',
  roles: [],
  tokenRef: 'sidik-token',
  launch: {},
  purpose: ['TREAT'],
  clearance: { anywhere: [], inCare: [], self: [], emergency: [] },
  emergencies: [],
  acr: 2,
}

const secret = 'token-yang-tidak-boleh-terlihat'
const bearer = { authorization: `Bearer ${secret}` }

/** Knows one token. `asked` hears what each request said of itself. */
const knowing =
  (asked: (string | undefined)[] = []): Authenticate =>
  authorization => {
    asked.push(authorization)
    return authorization === bearer.authorization ? ok(clinician) : fail(authorization === undefined ? 'login-needed' : 'token-invalid', {})
  }

const outcomeOf = ({ text }: Received) => JSON.parse(text) as { resourceType: string; issue: readonly Record<string, unknown>[] }

describe('a request', () => {
  test('is performed for whom its token stands for', async () => {
    let principal: unknown
    const perform: Perform = async (_request, context) => {
      principal = context.principal
      return ok({ status: 200 })
    }
    await using server = await startHttp({ perform, signIn: { authenticate: knowing() } })
    expect((await server.send({ path: '/fhir/Patient/1', headers: bearer })).status).toBe(200)
    expect(principal).toBe(clinician)
  })

  test('waits for a token that has to be looked up', async () => {
    const authenticate: Authenticate = async () => ok(clinician)
    await using server = await startHttp({ signIn: { authenticate } })
    expect((await server.send({ path: '/fhir/Patient/1', headers: bearer })).status).toBe(200)
  })

  test('for the capabilities or the discovery document needs nobody', async () => {
    const asked: (string | undefined)[] = []
    await using server = await startHttp({ signIn: { authenticate: knowing(asked) } })
    for (const path of ['/fhir/metadata', '/fhir/.well-known/smart-configuration']) expect((await server.send({ path })).status).toBe(200)
    expect(asked).toEqual([])
  })

  test('is never believed for a cookie', async () => {
    const asked: (string | undefined)[] = []
    await using server = await startHttp({ signIn: { authenticate: knowing(asked) } })
    const cookie = '__Host-simpul_sid=abc; simpul_sid=abc'
    expect((await server.send({ path: '/fhir/Patient/1', headers: { cookie } })).status).toBe(401)
    expect(asked).toEqual([undefined])
  })

  test('with two tokens is refused', async () => {
    await using server = await startHttp({ signIn: { authenticate: knowing() } })
    const answer = await server.sendBytes(
      'GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\nConnection: close\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('that nobody answers for is refused before its body is read', async () => {
    await using server = await startHttp({ signIn: { authenticate: knowing() } })
    const answer = await server.sendBytes(
      'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Type: application/fhir+json\r\nContent-Length: 1000000\r\n\r\n{',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
  })

  test('where sign-in is off is everybody’s', async () => {
    let kind = ''
    const perform: Perform = async (_request, { principal }) => {
      kind = principal.kind
      return ok({ status: 200 })
    }
    await using server = await startHttp({ perform })
    expect((await server.send({ path: '/fhir/Patient/1', headers: bearer })).status).toBe(200)
    expect(kind).toBe('anonymous')
  })
})

describe('a failure', () => {
  const realm = `realm="${testOutsideBase}"`
  const discovery = `<${testOutsideBase}/.well-known/smart-configuration>; rel="service-meta"; type="application/json"`
  const bound: At = { challengeScheme: 'DPoP', challenge: { error: 'invalid_token', algs: 'ES256' } }
  type Row = readonly [Outcome<never>, status: number, code: string, challenge: string | undefined, link: string | undefined]
  // biome-ignore format: a table
  const rows: readonly Row[] = [
    [fail('login-needed', {}),                                       401, 'login',     `Bearer ${realm}`, discovery],
    [fail('token-invalid', {}),                                      401, 'login',     `Bearer ${realm}, error="invalid_token"`, discovery],
    [fail('token-expired', {}),                                      401, 'expired',   `Bearer ${realm}, error="invalid_token"`, discovery],
    [fail('token-invalid', {}, bound),                               401, 'login',     `DPoP ${realm}, error="invalid_token", algs="ES256"`, discovery],
    [fail('step-up-needed', {}),                                     401, 'login',     `Bearer ${realm}, error="insufficient_user_authentication", acr_values="urn:simpul:acr:2", max_age=300`, discovery],
    [fail('insufficient-scope', {}, asking('user/Condition.r')),     403, 'forbidden', `Bearer ${realm}, error="insufficient_scope", scope="user/Condition.r"`, undefined],
    [fail('insufficient-scope', {}, asking('a"b\\c\r\nX-Y: z')),     403, 'forbidden', `Bearer ${realm}, error="insufficient_scope", scope="abcX-Y: z"`, undefined],
    [fail('forbidden', {}),                                          403, 'forbidden', undefined, undefined],
    [fail('too-many-unknown-tokens', {}, { retryAfterSeconds: 7 }),  429, 'throttled', undefined, undefined],
    [fail('accounts-away', {}, { retryAfterSeconds: 5 }),            503, 'transient', undefined, undefined],
  ]
  for (const [outcome, status, code, challenge, link] of rows) {
    const kind = outcome.ok ? '' : outcome.failure.kind
    test(`${kind} is ${status} with ${challenge ?? 'no challenge'}`, async () => {
      const performed: Outcome<Answer> = outcome
      await using server = await startHttp({ perform: async () => performed, signIn: { authenticate: knowing() } })
      const answer = await server.send({ path: '/fhir/Patient/1', headers: bearer })
      expect([answer.status, answer.headers['www-authenticate'], answer.headers.link]).toEqual([status, challenge, link])
      expect(outcomeOf(answer).resourceType).toBe('OperationOutcome')
      expect(outcomeOf(answer).issue.map(issue => issue.code)).toEqual([code])
      expect(answer.headers['cache-control']).toBe('private, no-store')
    })
  }

  test('of authentication itself says the same', async () => {
    await using server = await startHttp({ signIn: { authenticate: knowing() } })
    const none = await server.send({ path: '/fhir/Patient/1' })
    expect([none.status, none.headers['www-authenticate'], none.headers.link]).toEqual([401, `Bearer ${realm}`, discovery])
    const unknown = await server.send({ path: '/fhir/Patient/1', headers: { authorization: 'Bearer lain', 'accept-language': 'id' } })
    expect(unknown.headers['www-authenticate']).toBe(`Bearer ${realm}, error="invalid_token"`)
    expect(outcomeOf(unknown).issue).toEqual([
      {
        severity: 'error',
        code: 'login',
        details: {
          coding: [{ system: 'https://simpul.example/fhir/CodeSystem/outcome', code: 'token-invalid' }],
          text: 'Token akses tidak berlaku.',
        },
        diagnostics: 'The access token is not valid.',
      },
    ])
  })
})

describe('the log', () => {
  test('T12: says who asked by ids, and never with what', async () => {
    await using server = await startHttp({ signIn: { authenticate: knowing() } })
    await server.send({ path: '/fhir/Patient/1', headers: bearer })
    await server.send({ path: '/fhir/Patient/1', headers: { authorization: 'Bearer token-salah-sekali' } })
    const [known, unknown] = server.lines.filter(({ event }) => event === 'request')
    expect(known).toMatchObject({ principal: 'user', client: 'klinik-aplikasi', account: clinician.accountId, token: 'sidik-token' })
    expect(unknown).toMatchObject({ status: 401, failure: 'token-invalid' })
    expect(unknown).not.toHaveProperty('token')
    expect(JSON.stringify(server.lines)).not.toMatch(/token-yang|token-salah/)
  })
})

function asking(scope: string): At {
  return { challenge: { scope } }
}
