/** auth.md 14, 16: headers that every answer carries. */

import { describe, expect, test } from '@jest/globals'
import type { WebHandler } from '../../src/auth/web.ts'
import { apiSecurity, pageSecurity } from '../../src/http/security-headers.ts'
import { type Received, startHttp } from '../support/http-server.ts'

const pairs = (flat: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] as string]] : [])))

const policy = (frames: string): string =>
  `default-src 'none';style-src 'self';img-src 'self' data:;script-src 'self';form-action 'self';frame-ancestors ${frames};base-uri 'none'`

describe('headers of security', () => {
  test('of the API let nothing be shown, and let any origin embed what CORS lets it read', () => {
    expect(pairs(apiSecurity({ https: false }))).toEqual({
      'Content-Security-Policy': "default-src 'none';frame-ancestors 'none'",
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    })
  })

  test('T7: of pages forbid every frame and everything inline', () => {
    expect(pairs(pageSecurity({ https: false }))).toEqual({
      'Content-Security-Policy': policy("'none'"),
      'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
    })
  })

  test('of pages that a portal may frame name it, and leave out the header that knows no names', () => {
    const headers = pairs(pageSecurity({ https: true, frameAncestors: ['https://portal.rumahsakit.example'] }))
    expect(headers['Content-Security-Policy']).toBe(policy('https://portal.rumahsakit.example'))
    expect(headers).not.toHaveProperty('X-Frame-Options')
  })

  test('insist on https where that is the public address', () => {
    for (const flat of [apiSecurity({ https: true }), pageSecurity({ https: true })])
      expect(pairs(flat)['Strict-Transport-Security']).toBe('max-age=31536000; includeSubDomains')
  })
})

describe('every answer', () => {
  const handler: WebHandler = async (_req, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<p>')
  const doors = [
    { name: 'login', paths: ['/login'], handler, answers: 'page' },
    { name: 'oauth', paths: ['/oauth'], handler, answers: 'json' },
  ] as const
  const security = ({ headers }: Received): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      Object.entries(headers).filter(([name]) => /^(content-security|cross-origin|referrer|strict|x-content|x-frame)/.test(name)),
    )
  const lower = (flat: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(pairs(flat)).map(([name, value]) => [name.toLowerCase(), value]))

  const api = lower(apiSecurity({ https: true }))
  const page = lower(pageSecurity({ https: true }))
  // biome-ignore format: a table
  const rows: readonly (readonly [path: string, status: number, expected: Readonly<Record<string, string>>])[] = [
    ['/fhir/Patient/1',                           401, api],
    ['/fhir/metadata',                            200, api],
    ['/fhir/.well-known/smart-configuration',     200, api],
    ['/fhir/Nonsense',                            404, api],
    ['/nonsense',                                 404, api],
    ['/health',                                   200, api],
    ['/oauth/token',                              200, api],
    ['/oauth/auth',                               200, page],
    ['/login/abc',                                200, page],
  ]
  for (const [path, status, expected] of rows)
    test(`of ${path} carries them, and names no program`, async () => {
      await using server = await startHttp({ base: 'https://simpul.rumahsakit.example/fhir', signIn: { doors } })
      const answer = await server.send({ path })
      expect(answer.status).toBe(status)
      expect(security(answer)).toEqual(expected)
      expect([answer.headers.server, answer.headers['x-powered-by']]).toEqual([undefined, undefined])
    })

  test('of the start page carries a policy of its own', async () => {
    await using server = await startHttp({ startPage: () => '<p>' })
    const { headers } = await server.send({ path: '/' })
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'unsafe-inline';.*frame-ancestors 'none'$/)
    expect(headers).toMatchObject({ 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' })
  })
})
