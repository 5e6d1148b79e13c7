/**
 * The server speaks HTTP and leaves TLS to what stands in front of it; here that is a small proxy. What is seen through it is TLS 1.2 or newer, and everything
 * the server says of itself is https, whatever reached it inside. @see auth.md annex A.2, 16
 */
import { request as httpRequest } from 'node:http'
import { createServer, request, type RequestOptions, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect, type SecureVersion } from 'node:tls'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { freePort } from '../support/free-port.ts'
import { selfSigned } from '../support/certificate.ts'
import { sqliteEngine } from '../support/engines.ts'
import { type Clinic, openClinic } from './clinic.ts'

const certificate = selfSigned('localhost')
let clinic: Clinic
let proxy: Server
let port = 0
let inside = 0

beforeAll(async () => {
  inside = await freePort()
  proxy = createServer({ ...certificate, minVersion: 'TLSv1.2' }, (req, res) => {
    const { method, url: path, headers } = req
    req.pipe(
      httpRequest({ port: inside, host: '127.0.0.1', method, path, headers }, answer => {
        res.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(res)
      }),
    )
  })
  await new Promise<void>(done => proxy.listen(0, '127.0.0.1', done))
  port = (proxy.address() as AddressInfo).port
  clinic = await openClinic(
    sqliteEngine,
    app => ({
      app: { name: 'Rekam', type: 'public', development: true, redirectUris: [`${app}/callback`], scopesAllowed: ['patient/*.rs'] },
    }),
    { SIMPUL_BASE_URL: `https://localhost:${port}`, SIMPUL_PORT: String(inside), SIMPUL_TRUST_PROXY: '127.0.0.1' },
  )
}, 120_000)
afterAll(async () => {
  proxy.closeAllConnections()
  await new Promise(done => proxy.close(done))
  await clinic?.[Symbol.asyncDispose]()
})

const ask = (path: string, options: RequestOptions = {}) =>
  new Promise<{ readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly text: string }>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', servername: 'localhost', port, path, ca: certificate.cert, ...options }, answer => {
      let text = ''
      answer.on('data', (part: Buffer) => (text += String(part)))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
    })
    asked.on('error', reject).end()
  })

/** The protocol that both sides agree on; undefined where they do not. */
const agreed = (version: SecureVersion): Promise<string | null | undefined> =>
  new Promise(resolve => {
    const socket = connect(
      { host: '127.0.0.1', port, servername: 'localhost', ca: certificate.cert, minVersion: version, maxVersion: version },
      () => {
        resolve(socket.getProtocol())
        socket.destroy()
      },
    )
    socket.on('error', () => resolve(undefined))
  })

// biome-ignore format: a table
const versions: readonly (readonly [version: SecureVersion, agreedOn: string | undefined])[] = [
  ['TLSv1.1', undefined],
  ['TLSv1.2', 'TLSv1.2'],
  ['TLSv1.3', 'TLSv1.3'],
]
for (const [version, expected] of versions)
  test(`A.2 10: ${version} is ${expected === undefined ? 'refused' : 'spoken'}`, async () => expect(await agreed(version)).toBe(expected))

test('A.2 10: every address in the discovery documents is https, and browsers are told to stay with it', async () => {
  for (const path of ['/fhir/.well-known/smart-configuration', '/oauth/.well-known/openid-configuration']) {
    const { status, text, headers } = await ask(path)
    expect([path, status, headers['strict-transport-security']]).toEqual([path, 200, expect.stringContaining('max-age=31536000')])
    for (const [name, value] of Object.entries(JSON.parse(text) as object))
      if (/_endpoint$|_uri$|^issuer$|_bundle$/.test(name))
        expect([name, new URL(String(value)).origin]).toEqual([name, `https://localhost:${port}`])
  }
})

test('A.2 10: redirects lead to https, and cookies are for https alone', async () => {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clinic.client('app').id,
    redirect_uri: `${clinic.app}/callback`,
    scope: 'patient/*.rs',
    state: 'x'.repeat(32),
    aud: clinic.fhir,
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  })
  const asked = await ask(`/oauth/auth?${query}`)
  expect(asked.status).toBe(303)
  expect(new URL(String(asked.headers.location), clinic.base).href).toMatch(new RegExp(`^${clinic.base}/login/`))
  const cookies = asked.headers['set-cookie'] as string[]
  expect(cookies.length).toBeGreaterThan(0)
  for (const cookie of cookies) expect(cookie).toMatch(/; secure/i)
})
