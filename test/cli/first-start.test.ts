/**
 * auth.md 2.1, annex A.3: a server that nobody has set up, from its first start to the first record that an application reads, as a new user does it: with a
 * terminal, a browser without script and HTTP. On both engines.
 */

import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TestBrowser, wordsOf } from '../auth/pages/pages-ground.ts'
import { testEngines } from '../support/engines.ts'
import { type RunningServer, startServer } from '../support/running-server.ts'

const run = promisify(execFile)
const program = resolve(import.meta.dirname, '../../bin/simpul.js')

const house = [
  { resourceType: 'Organization', id: 'rs', active: true, type: [{ coding: [{ code: 'prov' }] }], name: 'RS Contoh' },
  { resourceType: 'Practitioner', id: 'demo-doctor', active: true, name: [{ text: 'dr. Sari' }] },
  { resourceType: 'Patient', id: 'budi', managingOrganization: { reference: 'Organization/rs' }, name: [{ text: 'Budi Santoso' }] },
  { resourceType: 'Patient', id: 'lain', name: [{ text: 'Budi Lain' }] },
  { resourceType: 'Condition', id: 'asma', subject: { reference: 'Patient/budi' }, code: { text: 'Asma' } },
]

const password = 'tujuh payung kertas 58'
const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url')

for (const engine of testEngines)
  describe(`the first start (${engine.name})`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'simpul-first-'))
    let store: Awaited<ReturnType<typeof engine.address>>
    let environment: Record<string, string> = {}
    let server: RunningServer
    let base = ''
    let app: Server
    let redirectUri = ''
    let client = ''

    const simpul = async (...argv: string[]): Promise<string> =>
      (await run(process.execPath, [program, ...argv], { env: { PATH: process.env.PATH ?? '', ...environment } })).stdout
    const invitation = (): string => /http\S+\/login\/invitation\/(\S+)/.exec(server.said())?.[0] ?? ''
    const fhir = (path: string, token?: string) =>
      fetch(`${base}/fhir/${path}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })

    beforeAll(async () => {
      store = await engine.address()
      environment = {
        SIMPUL_AUTH: 'smart',
        SIMPUL_STORE: store.address,
        SIMPUL_DATA_DIR: folder,
        SIMPUL_AUTH_KEK: randomBytes(32).toString('base64'),
      }
      writeFileSync(join(folder, 'house.ndjson'), house.map(one => JSON.stringify(one)).join('\n'))
      // Whoever imports sits at the machine: nobody signs in for it.
      await simpul('import', join(folder, 'house.ndjson'))
      server = await startServer({ ...environment, SIMPUL_LOG_LEVEL: 'debug' })
      base = `http://127.0.0.1:${server.port}`
      environment = { ...environment, SIMPUL_PORT: String(server.port) }
      app = createServer((_req, res) => void res.end('the application'))
      await new Promise<void>(listening => app.listen(0, '127.0.0.1', listening))
      redirectUri = `http://127.0.0.1:${(app.address() as AddressInfo).port}/callback`
    }, 60_000)
    afterAll(async () => {
      app.close()
      await server[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    })

    test('is closed: nothing is read without a token, and it says where to get one', async () => {
      const answer = await fhir('Patient/budi')
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toBe(`Bearer realm="${base}/fhir"`)
      expect(answer.headers.get('link')).toContain(`<${base}/fhir/.well-known/smart-configuration>`)
      expect(await answer.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'login' }] })
      expect((await fhir('Patient/budi', 'x'.repeat(43))).headers.get('www-authenticate')).toContain('error="invalid_token"')
    })

    test('A.1 8: tells apps where the authorization server is, in both documents alike', async () => {
      const discovery = (await (await fhir('.well-known/smart-configuration')).json()) as Record<string, string>
      const statement = JSON.stringify(
        ((await (await fhir('metadata')).json()) as { rest: readonly [{ security: object }] }).rest[0].security,
      )
      for (const name of ['authorization', 'token', 'introspection', 'management', 'revocation'])
        expect(statement).toContain(`"${discovery[`${name}_endpoint`]}"`)
      expect(discovery.registration_endpoint).toBeUndefined()
    })

    test('says on the terminal, in two languages and nowhere else, how the first administrator gets in', async () => {
      expect(server.said()).toContain('Belum ada akun. Buka tautan ini dalam 30 menit')
      expect(server.said()).toContain('There is no account yet. Open this link within 30 minutes')
      const secret = invitation().split('/').at(-1) as string
      expect(secret).toHaveLength(43)
      const browser = new TestBrowser(base)
      await browser.open(`/login/invitation/${secret}`)
      for (const line of server
        .said()
        .split('\n')
        .filter(text => text.startsWith('{')))
        expect(line).not.toContain(secret)
    })

    test('lets the first administrator make an account and sign in, and only the first', async () => {
      const path = new URL(invitation()).pathname
      const browser = new TestBrowser(base)
      await browser.open(path)
      const accepted = await browser.send(path, { username: 'kepala', password, again: password })
      expect(accepted.status).toBe(200)
      expect((await browser.open(path)).status).toBe(410)
      await browser.open('/login')
      const signedIn = await browser.send('/login', { username: 'kepala', password })
      expect([signedIn.status, signedIn.path]).toEqual([200, expect.stringMatching(/^\/account|\/login\/enrol/)])
      expect(browser.cookies.has('simpul_sid')).toBe(true)
      // A session of pages opens no API.
      const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      expect((await fetch(`${base}/fhir/Patient/budi`, { headers: { cookie } })).status).toBe(401)
    })

    test('takes an application that is registered from the terminal', async () => {
      const registration = {
        name: 'Aplikasi Contoh',
        type: 'public',
        applicationType: 'native',
        redirectUris: [redirectUri],
        allowedOrigins: ['https://aplikasi.rumahsakit.example'],
        scopesAllowed: ['openid', 'fhirUser', 'launch/patient', 'patient/*.rs', 'user/*.rs', 'offline_access'],
        trust: 'approved',
        offline: true,
      }
      writeFileSync(join(folder, 'client.json'), JSON.stringify(registration))
      const made = JSON.parse((await simpul('client', 'create', join(folder, 'client.json'), '--json')).trim().split('\n')[0] as string)
      client = made.client.id
      expect(made.client).toMatchObject({ name: 'Aplikasi Contoh', status: 'active' })
    })

    test('A.3 11, A.3 13, A.3 14, A.3 20: lets it read one patient for a doctor, who signs in, chooses and allows', async () => {
      const seeded = (await simpul('dev', 'seed', '--json'))
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Record<string, string>)
      const doctor = seeded.find(({ role }) => role === 'doctor') as { username: string; password: string }
      const verifier = randomBytes(32).toString('base64url')
      const state = randomBytes(16).toString('hex')
      const asked = new URLSearchParams({
        response_type: 'code',
        client_id: client,
        redirect_uri: redirectUri,
        scope: 'openid fhirUser launch/patient patient/Patient.rs patient/Condition.rs',
        state,
        aud: `${base}/fhir`,
        code_challenge: challengeOf(verifier),
        code_challenge_method: 'S256',
      })
      const browser = new TestBrowser(base)
      const login = await browser.open(`/oauth/auth?${asked}`)
      expect(wordsOf(login.text)).toContain('Sign in to Simpul')
      let page = await browser.send(actionOf(login.text, 'password'), { username: doctor.username, password: doctor.password })
      // The first login passes without a second factor, and says so in the language of the account.
      expect(wordsOf(page.text)).toContain('Pasang aplikasi autentikator sekarang.')
      page = await browser.send(actionOf(page.text, 'arrived'))
      expect(wordsOf(page.text)).toContain('Pilih pasien')
      page = await browser.send(actionOf(page.text, 'text'), { text: 'Budi' })
      expect(wordsOf(page.text)).toContain('Budi Santoso')
      // Not known to any facility of the doctor.
      expect(wordsOf(page.text)).not.toContain('Budi Lain')
      page = await browser.send(actionOf(page.text, 'patient'), {}, ['patient', 'budi'])
      expect(wordsOf(page.text)).toContain('Aplikasi Contoh meminta izin')
      page = await browser.send(actionOf(page.text, 'allow'))
      const back = new URL(page.path, base)
      expect([`${back.origin}${back.pathname}`, back.searchParams.get('state'), back.searchParams.get('error')]).toEqual([
        redirectUri,
        state,
        null,
      ])
      const form = new URLSearchParams({
        grant_type: 'authorization_code',
        code: back.searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        client_id: client,
        code_verifier: verifier,
      })
      const answer = await fetch(`${base}/oauth/token`, {
        method: 'POST',
        body: form,
        headers: { origin: 'https://aplikasi.rumahsakit.example' },
      })
      const tokens = (await answer.json()) as Record<string, unknown>
      expect([answer.status, tokens.token_type, typeof tokens.expires_in, tokens.patient]).toEqual([200, 'Bearer', 'number', 'budi'])
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://aplikasi.rumahsakit.example')
      const token = tokens.access_token as string

      expect(((await (await fhir('Patient/budi', token)).json()) as { name: unknown }).name).toEqual([{ text: 'Budi Santoso' }])
      expect((await fhir('Condition?patient=budi', token)).status).toBe(200)
      const scope = await fhir('Observation?patient=budi', token)
      expect([scope.status, scope.headers.get('www-authenticate')]).toEqual([
        403,
        `Bearer realm="${base}/fhir", error="insufficient_scope", scope="patient/Observation.s"`,
      ])
      const [hidden, never] = [await fhir('Patient/lain', token), await fhir('Patient/tidak-ada', token)]
      expect([hidden.status, never.status]).toEqual([404, 404])
      expect((await hidden.text()).replaceAll('lain', 'x')).toBe((await never.text()).replaceAll('tidak-ada', 'x'))
      expect((await fhir('Practitioner/demo-doctor', token)).status).toBe(200)
      const lines = server.logged('request').filter(({ client: asking }) => asking === client)
      expect(lines.length).toBeGreaterThan(0)
      expect(server.said()).not.toContain(token)
    })

    test('invites nobody any more when it starts again', async () => {
      await server[Symbol.asyncDispose]()
      await using again = await startServer(environment)
      expect(again.said()).toContain('Whoever uses it signs in.')
      expect(again.said()).not.toContain('/login/invitation/')
    })
  })

describe('several processes that serve one port', () => {
  test('invite once, and each takes what one of them gave', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simpul-first-'))
    await using server = await startServer({ SIMPUL_AUTH: 'smart', SIMPUL_WORKERS: '2', SIMPUL_DATA_DIR: folder })
    expect(server.said().match(/\/login\/invitation\//g)).toHaveLength(1)
    const path = new URL(/http\S+\/login\/invitation\/\S+/.exec(server.said())?.[0] ?? '').pathname
    const base = `http://127.0.0.1:${server.port}`
    const browser = new TestBrowser(base)
    await browser.open(path)
    expect((await browser.send(path, { username: 'kepala', password, again: password })).status).toBe(200)
    await browser.open('/login')
    await browser.send('/login', { username: 'kepala', password })
    // Connections are dealt out in turn: each of them knows the session.
    for (let n = 0; n < 6; n++) expect((await browser.ask('/account', { headers: { connection: 'close' } })).status).toBe(200)
    expect((await fetch(`${base}/fhir/Patient/1`)).status).toBe(401)
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)
})

/** The action of the form that has a field of this name. */
function actionOf(page: string, field: string): string {
  const form = page.split('<form').find(part => new RegExp(`name="${field}`).test(part.split('</form>')[0] ?? '')) ?? ''
  return (/action="([^"]*)"/.exec(form)?.[1] ?? '').replaceAll('&amp;', '&')
}
