import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from '@jest/globals'
import { exportJWK, type JWK, SignJWT } from 'jose'
import type { Account } from '../../../src/auth/accounts/account.ts'
import type { Authenticate } from '../../../src/auth/bearer.ts'
import type { Client } from '../../../src/auth/clients/client.ts'
import { clientRecords } from '../../../src/auth/clients/client.ts'
import { type ClientHealth, createClientHealth } from '../../../src/auth/clients/client-health.ts'
import { createClientRegistry, secretPlace } from '../../../src/auth/clients/registry.ts'
import type { Fact, Method } from '../../../src/auth/facts.ts'
import { openSigningKeys } from '../../../src/auth/keys/signing-keys.ts'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { createAuthenticate } from '../../../src/auth/principal/authenticate.ts'
import type { Forgetting } from '../../../src/auth/principal/principal-parts.ts'
import { type AuthStore, commitRecords } from '../../../src/auth/record-plans.ts'
import { createAuthorizationServer } from '../../../src/auth/server/authorization-server.ts'
import type { Interaction } from '../../../src/auth/server/interaction.ts'
import type { AuthorizationProblem, AuthorizationServer, AuthorizationServerParts, Seen } from '../../../src/auth/server/server-parts.ts'
import { logoutsBeside } from '../../../src/auth/sessions/logout-notice.ts'
import { findSession, newSession } from '../../../src/auth/sessions/sessions.ts'
import { publicAddress, type WebHandler } from '../../../src/auth/web.ts'
import type { Records } from '../../../src/storage/port.ts'
import { blankClient } from '../../support/blank-client.ts'
import { testDefinitions } from '../../support/definitions.ts'
import type { TestEngine } from '../../support/engines.ts'
import { testRoles } from '../../support/roles.ts'
import { type Accounts, openAccounts, valueOf } from '../accounts-ground.ts'

export const sessionCookie = 'simpul_sid'

/** An authorization server on a real port over a real store, and what a test moves and looks at. */
export type Oauth = {
  readonly accounts: Accounts
  readonly parts: AuthorizationServerParts
  readonly server: AuthorizationServer
  readonly authenticate: Authenticate & Forgetting
  readonly base: string
  readonly fhir: string
  /** What there is to see: `Patient/1`, `Encounter/1` with its subject. */
  readonly seen: Map<string, Seen>
  readonly represented: Map<string, readonly string[]>
  readonly problems: AuthorizationProblem[]
  readonly facts: Fact[]
  readonly doors: Map<string, WebHandler>
  /** Whether the store breaks whatever it is asked. */
  readonly store: { away: boolean }
  /** What the pages would do with the interaction in hand; tests set it. */
  pages: Pages
}

export type Pages = {
  /** Whose cookie the browser gets at `login`: an account that is signed in anew. */
  login?: Account
  amr?: readonly Method[]
  patient?: string
  encounter?: string
  /** Of what was asked: what is ticked. `no`: refused. */
  ticks?: (asked: readonly string[]) => readonly string[] | 'no' | 'wait'
  seen?: (interaction: Interaction) => void
}

const opened: { readonly server: Server; readonly health: ClientHealth }[] = []

export const closingOauth = (): void => {
  afterEach(async () => {
    for (const { server, health } of opened.splice(0)) {
      await health[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  })
}

export const openOauth = async (
  engine: TestEngine,
  options: { readonly refreshGraceSeconds?: number; readonly publicBase?: string } = {},
): Promise<Oauth> => {
  const accounts = await openAccounts(engine)
  // The library asks the machine what time it is, so everybody does.
  Object.defineProperty(accounts.clock, 'now', { get: () => Date.now(), set: () => {} })
  const listening = createServer()
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
  const facts: Fact[] = []
  const store = { away: false }
  const ground = {
    ...accounts.parts.ground,
    store: awayWhen(accounts.parts.ground.store, store),
    beside: (told: readonly Fact[]) => {
      facts.push(...told)
      return logoutsBeside(accounts.parts.ground)(told)
    },
  }
  const seen = new Map<string, Seen>([
    ['Patient/1', {}],
    ['Patient/2', {}],
    ['Encounter/1', { subject: '1' }],
    ['Encounter/2', { subject: '2' }],
  ])
  const represented = new Map<string, readonly string[]>()
  const problems: AuthorizationProblem[] = []
  const health = createClientHealth(ground)
  opened.push({ server: listening, health })
  const clients = createClientRegistry({
    ground,
    jwks: { keysAt: async () => 'keys-unreachable' },
    health,
    production: false,
  })
  const signingKeys = valueOf(await openSigningKeys({ store: ground.store, clock: ground.clock, fields: ground.fields }))
  const unknown = new Map<string, number>()
  const parts: AuthorizationServerParts = {
    ground,
    unknownToken: async address => {
      const n = (unknown.get(address) ?? 0) + 1
      unknown.set(address, n)
      return { allowed: n <= 20, resetMs: 30_000 }
    },
    address: publicAddress(options.publicBase ?? base),
    definitions: testDefinitions(),
    roles: testRoles(),
    clients,
    reach: {
      assignments: async roles => roles.map(({ role }) => ({ role, organizations: ['1'], units: ['1'] })),
      represents: async user => represented.get(user ?? '') ?? [],
      alsoKnownAs: async () => [],
    },
    emergenciesOf: async () => [],
    signingKeys,
    cookieKeys: () => ['one secret', 'the one before'],
    sessionCookie,
    see: async (_principal: Principal, type, id) => seen.get(`${type}/${id}`),
    renderError: (_req, res, problem) => {
      problems.push(problem)
      res.writeHead(problem.status, { 'Content-Type': 'text/plain' }).end(`page ${problem.error}`)
    },
    renderDevice: (_req, res, shown) => void res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(shown)),
    mayPoll: async () => true,
    refreshGraceSeconds: options.refreshGraceSeconds ?? 0,
    scopes: ['openid', 'patient/*.rs'],
    registration: false,
    failed: error => void (store.away || console.error(error)),
  }
  const server = createAuthorizationServer(parts)
  const authenticate = createAuthenticate(parts)
  const oauth: Oauth = {
    accounts: { ...accounts, parts: { ...accounts.parts, ground } },
    parts,
    server,
    authenticate,
    base,
    fhir: `${base}/fhir`,
    seen,
    represented,
    problems,
    facts,
    doors: new Map(),
    store,
    pages: {},
  }
  listening.on('request', (req, res) => {
    const from = { address: '192.0.2.7', requestId: 'r1' }
    const path = (req.url ?? '').split('?')[0] ?? ''
    const door =
      oauth.doors.get(path) ??
      oauth.doors.get(`/${path.split('/')[1]}`) ??
      (path.startsWith('/login/') ? () => visitPage(oauth, req, res) : server.handler)
    const handle = door(req, res, from)
    handle.catch(error => {
      console.error(error)
      res.destroy()
    })
  })
  return oauth
}

const awayWhen = (store: AuthStore, how: { readonly away: boolean }): AuthStore => {
  const check = (): void => {
    if (how.away) throw new Error('the store is away')
  }
  return {
    commit: async plan => {
      check()
      return store.commit(plan)
    },
    records: definition =>
      new Proxy(store.records(definition), {
        get: (records, name: keyof Records<object>) => {
          // Every member of Records is a function of what it is asked for.
          const ask = records[name].bind(records) as (...asking: unknown[]) => Promise<unknown>
          return async (...asking: unknown[]) => {
            check()
            return ask(...asking)
          }
        },
      }) as never,
  }
}

/** One more door of the same server. */
export const serve = ({ doors }: Oauth, path: string, handler: WebHandler): void => void doors.set(path, handler)

/** What pages come to: one visit answers the interaction in hand. */
const visitPage = async (
  oauth: Oauth,
  req: Parameters<AuthorizationServer['handler']>[0],
  res: Parameters<AuthorizationServer['handler']>[1],
): Promise<void> => {
  const { server, pages, accounts } = oauth
  const interaction = await server.interactions.find(req, res)
  if (interaction === undefined) return void res.writeHead(404).end('no interaction')
  pages.seen?.(interaction)
  if (interaction.prompt === 'login') {
    const cookie = /(?:^|; )simpul_sid=([^;]+)/.exec(req.headers.cookie ?? '')?.[1]
    const live = cookie === undefined ? undefined : await findSession(accounts.parts.ground, cookie)
    if (live !== undefined && interaction.again === undefined) return server.interactions.loggedIn(req, res, live.session.value)
    if (pages.login === undefined) return void res.writeHead(200).end('login page')
    const made = await signIn(oauth, pages.login, pages.amr)
    res.setHeader('Set-Cookie', `${sessionCookie}=${made.cookie}; Path=/; HttpOnly`)
    return server.interactions.loggedIn(req, res, made.session)
  }
  if (interaction.prompt === 'select_patient')
    return pages.patient === undefined
      ? void res.writeHead(200).end('picker page')
      : server.interactions.patientChosen(req, res, pages.patient)
  if (interaction.prompt === 'select_encounter')
    return pages.encounter === undefined
      ? void res.writeHead(200).end('encounter page')
      : server.interactions.encounterChosen(req, res, pages.encounter)
  if (interaction.prompt === 'emergency') return server.interactions.emergencyAnswered(req, res, false)
  const asked = interaction.asked.map(scope => (scope.kind === 'plain' ? scope.text : renderScope(scope)))
  const ticks = pages.ticks?.(asked) ?? asked
  if (ticks === 'wait') return void res.writeHead(200).end('consent page')
  return ticks === 'no' ? server.interactions.refused(req, res) : server.interactions.allowed(req, res, ticks)
}

import { renderScope } from '../../../src/auth/scopes/scope.ts'

export const signIn = async ({ accounts }: Oauth, account: Account, amr: readonly Method[] = ['pwd', 'otp']) => {
  const { ground, rules } = accounts.parts
  const now = ground.clock()
  const made = await newSession(ground, rules, account, { amr: amr.map(method => ({ method, at: now })) }, { address: '192.0.2.7' })
  valueOf(await commitRecords(ground.store, made.records))
  return made
}

/** A browser: keeps cookies by name and path, follows redirects to the server itself, and stops where it is led away from it. */
export class Browser {
  readonly cookies = new Map<string, { readonly path: string; readonly value: string }>()
  readonly oauth: Oauth
  readonly visited: string[] = []

  constructor(oauth: Oauth) {
    this.oauth = oauth
  }

  cookieHeader(path: string): string {
    return [...this.cookies.entries()]
      .map(([key, cookie]) => ({ name: key.split(' ')[0] ?? '', ...cookie }))
      .filter(cookie => path === cookie.path || path.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`))
      .sort((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  keep(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/; */)
      const equals = pair.indexOf('=')
      const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)]
      const path = attributes.find(one => /^path=/i.test(one))?.slice(5) ?? '/'
      const expires = attributes.find(one => /^expires=/i.test(one))?.slice(8)
      const isGone =
        value === '' || attributes.some(one => /^max-age=0$/i.test(one)) || (expires !== undefined && Date.parse(expires) < Date.now())
      if (isGone) this.cookies.delete(`${name} ${path}`)
      else this.cookies.set(`${name} ${path}`, { path, value })
    }
  }

  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url)
    const cookie = this.cookieHeader(pathname)
    const headers = new Headers(init.headers)
    if (cookie !== '') headers.set('cookie', cookie)
    if (!headers.has('accept')) headers.set('accept', 'text/html')
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    this.keep(response)
    return response
  }

  /** Ends with the first answer that is no redirect of the server to itself. */
  async walk(url: string, init: RequestInit = {}): Promise<{ readonly response: Response; readonly url: string; readonly location?: URL }> {
    let at = url
    let response = await this.fetch(at, init)
    for (let n = 0; n < 20; n++) {
      this.visited.push(at)
      const location = response.headers.get('location')
      if (response.status < 300 || response.status > 399 || location === null) return { response, url: at }
      const next = new URL(location, at)
      if (!next.href.startsWith(`${this.oauth.base}/`)) return { response, url: at, location: next }
      at = next.href
      response = await this.fetch(at)
    }
    throw new Error(`too many redirects: ${this.visited.join(' ')}`)
  }
}

export const aClient = (given: Partial<Client> = {}): Client => ({
  ...blankClient,
  redirectUris: ['https://app.example/callback'],
  launchUris: ['https://app.example/launch'],
  allowedOrigins: ['https://app.example'],
  scopesAllowed: [
    'launch',
    'launch/patient',
    'launch/encounter',
    'openid',
    'fhirUser',
    'profile',
    'offline_access',
    'online_access',
    'patient/*.cruds',
    'user/*.cruds',
  ],
  ...given,
})

export const keepClient = async ({ accounts, parts }: Oauth, given: Partial<Client> = {}): Promise<Client> => {
  const client = aClient(given)
  valueOf(await accounts.parts.ground.store.records<Client>(clientRecords).put(client))
  const { clients } = parts
  if ('forget' in clients && typeof clients.forget === 'function') clients.forget()
  return client
}

export const secretFor = (
  { accounts }: Oauth,
  client: string,
  secret: string,
  expiresAt = Date.now() + 86_400_000,
): Client['secrets'][number] => ({
  id: `s-${secret.slice(0, 4)}`,
  sealed: accounts.parts.ground.fields.encrypt(secret, secretPlace(client, `s-${secret.slice(0, 4)}`)),
  createdAt: 0,
  expiresAt,
})

export const verifier = (): { readonly verifier: string; readonly challenge: string } => {
  const text = randomBytes(32).toString('base64url')
  return { verifier: text, challenge: createHash('sha256').update(text).digest('base64url') }
}

export type Asked = { readonly url: string; readonly verifier: string; readonly state: string }

export const authorizeUrl = (oauth: Oauth, given: Readonly<Record<string, string | undefined>> = {}): Asked => {
  const pkce = verifier()
  const state = given.state ?? 'a state with + & = / ümlaut'
  const params = new URLSearchParams()
  const all = {
    response_type: 'code',
    client_id: 'app-0001',
    redirect_uri: 'https://app.example/callback',
    scope: 'launch/patient openid fhirUser patient/*.rs',
    aud: oauth.fhir,
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    state,
    ...given,
  }
  for (const [name, value] of Object.entries(all)) if (value !== undefined) params.set(name, value)
  return { url: `${oauth.base}/oauth/auth?${params}`, verifier: pkce.verifier, state }
}

export const postForm = (
  oauth: Oauth,
  path: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  fetch(`${oauth.base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', ...headers },
    body: new URLSearchParams(form).toString(),
  })

export type Tokens = {
  readonly access_token: string
  readonly refresh_token?: string
  readonly id_token?: string
  readonly scope: string
  readonly expires_in: number
  readonly token_type: string
  readonly patient?: string
  readonly encounter?: string
  readonly error?: string
  readonly error_description?: string
}

export const redeem = async (
  oauth: Oauth,
  code: string,
  asked: Asked,
  given: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Tokens; readonly response: Response }> => {
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: 'https://app.example/callback',
    code_verifier: asked.verifier,
    ...(headers.authorization === undefined && given.client_assertion === undefined && { client_id: 'app-0001' }),
    ...given,
  }
  const response = await postForm(oauth, '/oauth/token', form, headers)
  return { status: response.status, body: (await response.json()) as Tokens, response }
}

export const refresh = async (
  oauth: Oauth,
  token: string,
  given: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Tokens; readonly response: Response }> => {
  const form = {
    grant_type: 'refresh_token',
    refresh_token: token,
    ...(headers.authorization === undefined && given.client_assertion === undefined && { client_id: 'app-0001' }),
    ...given,
  }
  const response = await postForm(oauth, '/oauth/token', form, headers)
  return { status: response.status, body: (await response.json()) as Tokens, response }
}

/** From the first request to the tokens. */
export const authorized = async (
  oauth: Oauth,
  given: Readonly<Record<string, string | undefined>> = {},
  browser = new Browser(oauth),
): Promise<{ readonly tokens: Tokens; readonly asked: Asked; readonly browser: Browser; readonly code: string }> => {
  const asked = authorizeUrl(oauth, given)
  const code = await codeFor(browser, asked)
  const { status, body } = await redeem(oauth, code, asked, given.client_id === undefined ? {} : { client_id: given.client_id })
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
  return { tokens: body, asked, browser, code }
}

export const codeFor = async (browser: Browser, asked: Asked): Promise<string> => {
  const { location, response } = await browser.walk(asked.url)
  const code = location?.searchParams.get('code')
  if (code === null || code === undefined)
    throw new Error(`no code: ${response.status} ${location?.href ?? (await response.text())} after ${browser.visited.join(' -> ')}`)
  return code
}

export type TestKey = {
  readonly jwk: JWK
  readonly secret: JWK
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>
}

export const aKey = async (alg: 'RS384' | 'ES384', kid: string): Promise<TestKey> => {
  const { publicKey, privateKey } =
    alg === 'RS384' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-384' })
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    secret: { ...(await exportJWK(privateKey)), kid, alg },
    sign: (claims, header = {}) => new SignJWT({ ...claims }).setProtectedHeader({ alg, kid, typ: 'JWT', ...header }).sign(privateKey),
  }
}

export const assertionClaims = (oauth: Oauth, client: string, given: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  iss: client,
  sub: client,
  aud: `${oauth.base}/oauth/token`,
  exp: Math.floor(Date.now() / 1000) + 300,
  jti: randomBytes(16).toString('hex'),
  ...given,
})

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
