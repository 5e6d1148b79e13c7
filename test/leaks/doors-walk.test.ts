/**
 * T18, T20, T24, A.12 52: every route beside the FHIR API, by one of each kind of caller. Who may what is what the table of roles says; whoever is refused hears the
 * same of what is there and of what never was, for the same questions to the store, and nobody hears of others.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { AdminRoute } from '../../src/auth/admin/routes.ts'
import { testEngines } from '../support/engines.ts'
import { type DoorCaller, people, plantDoorCallers, saidAtDoor, usernameOf } from './door-callers.ts'
import { adminRoutes, doorPaths, type PageRow, pageRows, plainPaths } from './doors.ts'
import { furnish, type House } from './house.ts'
import { never, oauthRows as rowsOf, type OAuthRow } from './oauth-rows.ts'
import { isLong } from './random.ts'
import { type ClosedServer, type Received, type Sent, startClosed } from './server.ts'
import { difference } from './walk.ts'

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

for (const engine of testEngines)
  describe(engine.name, () => {
    let server: ClosedServer
    let callers: readonly DoorCaller[]
    let house: House
    let routes: readonly AdminRoute[]

    const callerOf = (name: string): DoorCaller => {
      const found = callers.find(caller => caller.name === name)
      if (found === undefined) throw new Error(`nobody is called ${name}`)
      return found
    }
    /** Where another engine has shown what each may, a third of them come to each route in turn, and few to the pages. */
    const isFirst = engine === testEngines[0] || isLong
    const comingTo = (route: number): readonly DoorCaller[] => (isFirst ? callers : callers.filter((_, at) => (at + route) % 3 === 0))
    /** Tokens that nobody gave are counted by address: each comes from another. */
    let addresses = 0
    const address = (): Readonly<Record<string, string>> => {
      addresses += 1
      return { 'x-forwarded-for': `10.0.${addresses >> 8}.${addresses & 255}` }
    }
    const asked = async (caller: DoorCaller, method: string, path: string, body?: object): Promise<Received> =>
      server.send({
        method,
        path,
        headers: { 'accept-language': 'en', ...address(), ...caller.headers, ...(body === undefined ? {} : json) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })

    beforeAll(async () => {
      server = await startClosed(engine, {
        SIMPUL_RATE_LIMIT_TOKENS: '1000',
        SIMPUL_AUTH_REGISTRATION: 'on',
        SIMPUL_TRUST_PROXY: '127.0.0.1',
      })
      callers = await plantDoorCallers(server)
      routes = await adminRoutes()
      house = await furnish(callerOf, asked)
    }, 120_000)
    afterAll(async () => server?.[Symbol.asyncDispose]())

    /** Ids, names and secrets of others, none of which the caller said himself. */
    const foreignIn = ({ headers, text }: Received, sent: Pick<Sent, 'path' | 'body'>): readonly string[] => {
      const words = [...Object.values(house.known).flatMap(places => Object.values(places)), ...house.secrets]
      const heard = `${text} ${JSON.stringify(headers)}`
      const named = [...words.filter(word => heard.includes(word)), ...(heard.match(/qxz[a-z]*-[A-Za-z-]*/g) ?? [])]
      return named.filter(word => !sent.path.includes(word) && !String(sent.body ?? '').includes(word))
    }

    describe('administration', () => {
      test('every route, by every kind of caller: who may what is what the table of roles says, and who may not learns nothing', async () => {
        const wrong: string[] = []
        const told = new Map<string, number>()
        for (const [at, route] of routes.entries())
          for (const caller of comingTo(at)) {
            const said = saidAtDoor(caller, route)
            told.set(String(said), (told.get(String(said)) ?? 0) + 1)
            const heard = async (path: string): Promise<string> => {
              server.calls()
              const received = await asked(caller, route.method, path, bodyFor(route))
              const kind = kindOf(received)
              const isRight = said === 'in' ? received.status < 500 && !refusals.has(kind) : received.status === said
              if (!isRight) wrong.push(`${caller.name}: ${route.method} ${route.path}: ${received.status} ${kind}, and should be ${said}`)
              const foreign = said === 'in' ? [] : foreignIn(received, { path })
              if (foreign.length > 0) wrong.push(`${caller.name}: ${route.method} ${route.path} shows ${foreign.join(' ')}`)
              return `${plain(received)} ${callsOf(server)}`
            }
            // Whoever is let in asks of what never was: nothing is changed for the next.
            const never = placed(route.path, unknownPlaces)
            const there = said === 'in' ? never : placed(route.path, knownPlaces(route.path, house))
            if (there === never) {
              await heard(never)
              continue
            }
            const parted = await apart(
              () => heard(there),
              () => heard(never),
            )
            if (parted !== undefined) wrong.push(`${caller.name}: ${route.method} ${route.path}: ${parted}`)
          }
        expect(wrong).toEqual([])
        // A table in which nobody is let in, or nobody kept out, proves nothing.
        expect(['in', '401', '403'].map(said => (told.get(said) ?? 0) > 20)).toEqual([true, true, true])
      }, 120_000)

      test('whoever is let in is shown no secret, and of himself alone where the route is his own', async () => {
        const wrong: string[] = []
        for (const route of routes.filter(({ method }) => method === 'GET'))
          for (const caller of callers) {
            if (saidAtDoor(caller, route) !== 'in') continue
            const path = placed(route.path, knownPlaces(route.path, house))
            const received = await asked(caller, 'GET', path)
            const shown = house.secrets.filter(secret => received.text.includes(secret))
            if (shown.length > 0) wrong.push(`${caller.name}: ${path} shows a secret`)
            if (/"(?:password|passwordHistory|cookie|payload|sealed|hashed)"/.test(received.text))
              wrong.push(`${caller.name}: ${path} shows how it is kept`)
            const own = usernameOf(caller.name)
            const others = foreignIn(received, { path }).filter(word => word !== own && !/^qxz-(?:practitioner|patient|house)-/.test(word))
            if (route.own && others.length > 0) wrong.push(`${caller.name}: ${path} shows ${others.join(' ')}`)
          }
        expect(wrong).toEqual([])
      }, 60_000)
    })

    describe('pages', () => {
      const uid = 'a'.repeat(21)
      const at = ({ path }: PageRow): string => path.replace('{uid}', uid).replace('*', 'n'.repeat(43))
      const browser = (cookie: string | undefined, more: object = {}) => ({ 'accept-language': 'en', ...(cookie && { cookie }), ...more })
      const visitors = (): readonly (readonly [name: string, cookie: string | undefined])[] => [
        ['nobody', undefined],
        ['whoever has a cookie that is none', `simpul_sid=${'n'.repeat(43)}`],
        ...['a doctor', 'a patient', 'the administrator', 'an administrator who has left'].map(
          name => [name, callerOf(name).cookie] as const,
        ),
      ]

      test('every page: nobody sees others on it, and an account is for whoever is signed in', async () => {
        const wrong: string[] = []
        for (const row of await pageRows()) {
          if (row.method !== 'GET') continue
          for (const [name, cookie] of visitors()) {
            const path = at(row)
            const received = await server.send({ path, headers: browser(cookie) })
            const own = usernameOf(name)
            const foreign = foreignIn(received, { path }).filter(word => word !== own)
            if (foreign.length > 0) wrong.push(`${name}: ${path} shows ${foreign.join(' ')}`)
            const isSignedIn = ['a doctor', 'a patient', 'the administrator'].includes(name)
            const toLogin = received.status === 303 && String(received.headers.location).startsWith('/login')
            if (path.startsWith('/account') && !isSignedIn && !toLogin) wrong.push(`${name}: ${path} ${received.status}`)
            if (received.status >= 500) wrong.push(`${name}: ${path} ${received.status}`)
          }
        }
        expect(wrong).toEqual([])
      }, 60_000)

      test('every form: a cookie without the token of the form does nothing, nor does the token of somebody else', async () => {
        const wrong: string[] = []
        const { token } = await formTokenOf(server, callerOf('a nurse').cookie)
        const forged: readonly (readonly [what: string, sent: string, headers: object])[] = [
          ['no token', '', { origin: server.base }],
          ['the token of another', `token=${encodeURIComponent(token)}`, { origin: server.base }],
          ['another site', '', { origin: 'https://other.example' }],
          ['no origin', '', {}],
        ]
        for (const row of await pageRows()) {
          if (row.method !== 'POST') continue
          for (const [name, cookie] of visitors())
            for (const [what, sent, more] of name === 'a doctor' ? forged : forged.slice(0, 1)) {
              const path = at(row)
              const send = async (): Promise<readonly [Received, readonly string[]]> => {
                server.calls()
                const received = await server.send({ method: 'POST', path, headers: { ...browser(cookie, more), ...form }, body: sent })
                return [received, Object.keys(server.calls()).filter(call => /^(?:commit|put|remove)\b/.test(call))]
              }
              const [received, first] = await send()
              // What runs by the clock writes too, but not each time.
              const written = first.length === 0 ? first : (await send())[1]
              const isRefused = path.includes(uid) ? received.status === 400 : received.status === 403
              const shown = foreignIn(received, { path }).filter(word => word !== usernameOf(name))
              if (!isRefused || shown.length > 0) wrong.push(`${name}, ${what}: ${path} ${received.status} ${shown.join(' ')}`)
              if (written.length > 0) wrong.push(`${name}, ${what}: ${path} writes: ${written.join()}`)
            }
        }
        expect(wrong).toEqual([])
      }, 60_000)

      test('ids in forms of one account: what is of others is what never was', async () => {
        const wrong: string[] = []
        const rows: readonly (readonly [path: string, known: Readonly<Record<string, string>>])[] = [
          ['/account/apps/withdraw', { grant: callerOf('a nurse').ids?.grant ?? '' }],
          ['/account/security/end', { session: callerOf('a nurse').ids?.session ?? '' }],
          ['/account/apps/open', { client: house.known.clients?.id ?? '' }],
          ['/account/apps/patient', { client: house.known.clients?.id ?? '', patient: people.patient.B }],
          [`/account/emergency/${people.patient.B}`, { reason: 'ETREAT', words: 'Pasien tidak sadar di IGD, riwayat alergi dibutuhkan.' }],
        ]
        for (const name of ['a receptionist', 'a patient', 'the administrator']) {
          const { token, cookie } = await formTokenOf(server, callerOf(name).cookie)
          for (const [path, fields] of rows) {
            const heard = async (isKnown: boolean): Promise<string> => {
              const sentPath = isKnown ? path : path.replace(people.patient.B, never(people.patient.B))
              const values = Object.entries(fields).map(([field, value]) => [
                field,
                isKnown || field === 'reason' || field === 'words' ? value : never(value),
              ])
              const body = new URLSearchParams([...values, ['token', token]] as [string, string][]).toString()
              server.calls()
              const received = await server.send({
                method: 'POST',
                path: sentPath,
                headers: { ...browser(cookie, { origin: server.base }), ...form },
                body,
              })
              const shown = foreignIn(received, { path, body }).filter(word => word !== usernameOf(name))
              if (shown.length > 0) wrong.push(`${name}: ${path} shows ${shown.join(' ')}`)
              const text = plain(received).replaceAll(sentPath, 'PATH').replaceAll(encodeURIComponent(sentPath), 'PATH')
              return `${values.reduce((whole, [, value = '']) => whole.replaceAll(value, 'VALUE'), text)} ${callsOf(server)}`
            }
            const parted = await apart(
              () => heard(true),
              () => heard(false),
            )
            if (parted !== undefined) wrong.push(`${name}: ${path}: ${parted}`)
          }
        }
        expect(wrong).toEqual([])
      }, 60_000)
    })

    describe('the authorization server', () => {
      const oauthRows = (): readonly OAuthRow[] => rowsOf(callerOf, house)

      test('every endpoint answers who may not with nothing of anybody, and alike for what is there and what never was', async () => {
        const wrong: string[] = []
        for (const row of oauthRows()) {
          const heard = async (isKnown: boolean): Promise<string> => {
            const sent = isKnown ? row.known : (row.unknown ?? row.known)
            const path = row.path.replace('{id}', row.places?.[isKnown ? 0 : 1] ?? '')
            const body = sent === undefined ? undefined : typeof sent === 'string' ? sent : new URLSearchParams(sent).toString()
            server.calls()
            const received = await server.send({
              method: row.method ?? 'GET',
              path,
              headers: { 'accept-language': 'en', ...callerOf(row.who ?? 'nobody').headers, ...(typeof sent === 'string' ? json : form) },
              ...(body === undefined ? {} : { body }),
            })
            if (!row.says.includes(received.status))
              wrong.push(`${row.path} ${Object.keys(sent ?? {})} says ${received.status}: ${received.text}`)
            const foreign = foreignIn(received, { path, ...(body === undefined ? {} : { body }) })
            if (foreign.length > 0) wrong.push(`${row.path} shows ${foreign.join(' ')}`)
            return `${plain(received)} ${row.isHeld ? '' : callsOf(server)}`.replaceAll(path, 'PATH')
          }
          const parted = await apart(
            () => heard(true),
            () => heard(false),
          )
          if (parted !== undefined) wrong.push(`${row.path}: ${parted}`)
        }
        expect(wrong).toEqual([])
        // What others asked to end goes on.
        expect((await asked(callerOf('a doctor'), 'GET', '/admin/me')).status).toBe(200)
      }, 60_000)

      test('keys are public, and public alone', async () => {
        const { keys } = JSON.parse((await server.send({ path: '/oauth/jwks' })).text) as { keys: readonly object[] }
        expect(keys.length).toBeGreaterThan(0)
        for (const key of keys) for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(member)
      })

      test('every endpoint that is announced, and every door, is walked', async () => {
        const announced = Object.entries(
          JSON.parse((await server.send({ path: '/oauth/.well-known/openid-configuration' })).text) as Record<string, unknown>,
        )
          .filter(([name]) => name.endsWith('_endpoint') || name.endsWith('_uri'))
          .map(([, address]) => new URL(String(address)).pathname)
        const walked = [
          ...oauthRows().map(({ path }) => path),
          ...(await pageRows()).map(({ path }) => path),
          ...routes.map(({ path }) => path),
        ]
        const isWalked = (path: string): boolean =>
          walked.some(one => one === path || one.startsWith(`${path}/`) || one.startsWith(`${path}?`))
        const doors = doorPaths().map(path => (path === 'backchannelPath' ? '/login/backchannel-logout' : path))
        expect([...announced, ...doors].filter(path => !isWalked(path))).toEqual([])
        expect(announced.length).toBeGreaterThan(5)
      })
    })

    test('health, figures, discovery and the start page tell nothing of anybody, and take nothing', async () => {
      const wrong: string[] = []
      for (const path of plainPaths())
        for (const name of ['nobody', 'a patient', 'the administrator'])
          for (const method of ['GET', 'POST', 'DELETE']) {
            const received = await server.send({ method, path, headers: callerOf(name).headers })
            if (method !== 'GET' && ![404, 405].includes(received.status)) wrong.push(`${name}: ${method} ${path} ${received.status}`)
            const foreign = foreignIn(received, { path })
            if (foreign.length > 0 || received.status >= 500)
              wrong.push(`${name}: ${method} ${path} ${received.status} ${foreign.join(' ')}`)
          }
      // Through a proxy comes the whole world: figures of the house are not there for it.
      for (const path of ['/metrics', '/health/detailed', '/health/database', '/health/redis']) {
        const { status } = await server.send({ path, headers: { ...address(), ...callerOf('the administrator').headers } })
        if (status !== 404) wrong.push(`${path} from elsewhere ${status}`)
      }
      expect(wrong).toEqual([])
      expect(plainPaths()).toContain('/metrics')
    })
  })

const kindOf = ({ text }: Received): string => (text.startsWith('{') ? ((JSON.parse(text) as { kind?: string }).kind ?? '') : '')

/** What a route says to whoever may not come in at all. */
const refusals: ReadonlySet<string> = new Set([
  'login-needed',
  'token-invalid',
  'token-expired',
  'insufficient-scope',
  'permission-needed',
  'step-up-needed',
])

const bodyFor = ({ method }: AdminRoute): object | undefined => (method === 'POST' || method === 'PUT' ? {} : undefined)

const placed = (path: string, places: Readonly<Record<string, string>>): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => places[name] ?? unknownPlaces.id)

const unknownPlaces = { id: 'never-was-here', secret: 'never-was-here', link: 'never-was-here' }

/** `/admin/users/{id}/disable`: what stands in its places, by the second segment. */
const knownPlaces = (path: string, { known }: House): Readonly<Record<string, string>> => known[path.split('/')[2] ?? ''] ?? {}

/**
 * Ids of applications are no secrets: they stand in every address that leads to a login (RFC 6749 2.2). Those in use are remembered for some seconds, and others are
 * asked for each time, so that one that is let in works at once.
 */
const callsOf = (server: ClosedServer): string => JSON.stringify(Object.entries(server.calls()).filter(([call]) => call !== 'get client'))

/**
 * Where two answers, or what they cost, part. What is remembered of one is remembered of both after the first time, and whatever runs by the clock asks the store too, but
 * not each time.
 */
const apart = async (there: () => Promise<string>, never: () => Promise<string>): Promise<string | undefined> => {
  let [known, unknown] = [await there(), await never()]
  for (let n = 0; n < 3 && known !== unknown; n += 1) [known, unknown] = [await there(), await never()]
  return known === unknown ? undefined : difference(known, unknown)
}

const ofItself = new Set(['date', 'x-request-id', 'content-length', 'connection', 'keep-alive'])

const plain = ({ status, headers, text }: Received): string =>
  `${status} ${JSON.stringify(Object.entries(headers).filter(([name]) => !ofItself.has(name) && !name.includes('ratelimit')))} ${text}`
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID')
    .replaceAll(/value="[\w.-]{20,}"/g, 'TOKEN')
    .replaceAll(/=[\w.-]{20,};/g, '=COOKIE;')

/** The token of the forms of a browser, and all its cookies. */
const formTokenOf = async (server: ClosedServer, cookie = ''): Promise<{ readonly token: string; readonly cookie: string }> => {
  const page = await server.send({ path: '/account', headers: { cookie } })
  const token = /name="token" value="([^"]+)"/.exec(page.text)?.[1]
  if (token === undefined) throw new Error(`no form on the page: ${page.status}`)
  const given = [page.headers['set-cookie'] ?? []].flat().map(one => one.split(';')[0])
  return { token, cookie: [cookie, ...given].join('; ') }
}
