import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from '@jest/globals'
import type { Client } from '../../../src/auth/clients/client.ts'
import { createSigning } from '../../../src/auth/keys/signing.ts'
import { mailsBeside } from '../../../src/auth/pages/mails/outbox.ts'
import { createPages } from '../../../src/auth/pages/pages.ts'
import type { EncounterRow, GrantedApp, PagesParts, PatientRow } from '../../../src/auth/pages/parts.ts'
import { parseScopes } from '../../../src/auth/scopes/scope.ts'
import type { Interaction, Interactions } from '../../../src/auth/server/interaction.ts'
import { publicAddress } from '../../../src/auth/web.ts'
import { ok } from '../../../src/base/outcome.ts'
import { blankClient } from '../../support/blank-client.ts'
import { testDefinitions } from '../../support/definitions.ts'
import type { TestEngine } from '../../support/engines.ts'
import { type Accounts, openAccounts } from '../accounts-ground.ts'

/** The pages behind a real server, with a small authorization server and a few patients that tests set. */
export type PagesGround = {
  readonly accounts: Accounts
  readonly base: string
  /** What applications wait for, by uid; tests put them there. */
  readonly interactions: Map<string, Interaction>
  /** What pages told the authorization server, in order. */
  readonly told: (readonly [what: string, value: unknown])[]
  patients: readonly PatientRow[]
  own: readonly PatientRow[]
  encounters: readonly EncounterRow[]
  apps: GrantedApp[]
  /** Searches that came. */
  readonly searches: string[]
  emergency: { patient: string; until: number } | undefined
  /** Emergencies that the patient was told of. */
  opened: readonly { readonly openedAt: number; readonly reason: 'ETREAT' | 'other' }[]
  /** Where an interaction leads in the end. */
  readonly app: string
}

const servers: Server[] = []

/** Closes after each test what was opened in it. Call it once in a file. */
export const closingServers = (): void => {
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    }
  })
}

type Options = {
  readonly base?: string
  readonly facility?: string
  readonly parts?: Partial<PagesParts>
  readonly passwordDays?: number
  readonly zone?: string
}

export const openPages = async (
  engine: TestEngine,
  { base: said, facility = 'RS Sehat Sentosa', parts, passwordDays, zone }: Options = {},
): Promise<PagesGround> => {
  const accounts = await openAccounts(engine, {
    facility,
    ...(passwordDays === undefined ? {} : { passwordDays }),
    ...(zone === undefined ? {} : { zone }),
  })
  const { ground } = accounts.parts
  const server = createServer()
  const base = await listening(server)
  // An origin of its own, so that a browser holds the redirect after consent against `form-action`.
  const app = await listening(createServer(appPage))
  const world: PagesGround = {
    accounts,
    base,
    interactions: new Map(),
    told: [],
    patients: [],
    own: [],
    encounters: [],
    apps: [],
    searches: [],
    emergency: undefined,
    opened: [],
    app: `${app}/app`,
  }
  const pages = createPages({
    accounts: { ...accounts.parts, ground: { ...ground, beside: mailsBeside(ground) } },
    address: publicAddress(said ?? base),
    forms: createSigning(accounts.keyring, 'forms'),
    interactions: smallInteractions(world),
    patients: {
      find: async (_live, text) => {
        world.searches.push(text)
        return ok(world.patients.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase())))
      },
      own: async () => ok(world.own),
      byId: async (_live, id) => ok([...world.patients, ...world.own].find(row => row.id === id)),
      encounters: async () => ok(world.encounters),
    },
    apps: {
      list: async () => world.apps,
      withdraw: async (_account, grant) => {
        const before = world.apps.length
        world.apps = world.apps.filter(app => app.grant !== grant)
        return ok(world.apps.length < before)
      },
    },
    emergencies: {
      told: async () => world.opened,
      active: async () => (world.emergency === undefined ? [] : [world.emergency]),
      begin: async (_live, patient) => {
        if (!world.patients.some(({ id }) => id === patient)) return ok(false)
        world.emergency = { patient, until: accounts.clock.now + 3_600_000 }
        return ok(true)
      },
    },
    ...parts,
  })
  server.on('request', (req, res) => {
    const from = {
      address: '192.0.2.7',
      requestId: 'req-1',
      ...(req.headers['user-agent'] === undefined ? {} : { userAgent: req.headers['user-agent'] }),
    }
    const path = req.url ?? '/'
    const handler = path.startsWith('/account') ? pages.account : pages.login
    handler(req, res, from).catch((error: unknown) => {
      world.told.push(['thrown', error])
      if (!res.headersSent) res.writeHead(500)
      res.end()
    })
  })
  return world
}

const listening = async (server: Server): Promise<string> => {
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const appPage = (_req: unknown, res: ServerResponse): void => {
  res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
  res.end('<!doctype html><html lang="id"><title>App</title><link rel="icon" href="data:,"><p>App</p></html>')
}

/** Goes from prompt to prompt as tests say, and to the application in the end. */
const smallInteractions = (world: PagesGround): Interactions => {
  const next = (res: ServerResponse, uid: string, change: (before: Interaction) => Interaction | undefined): void => {
    const before = world.interactions.get(uid)
    const after = before === undefined ? undefined : change(before)
    if (after === undefined) world.interactions.delete(uid)
    else world.interactions.set(uid, after)
    res.writeHead(303, { Location: after === undefined ? `${world.app}?code=c` : `/login/${uid}`, 'Cache-Control': 'no-store' })
    res.end()
  }
  const uidOf = (url: string | undefined): string => /^\/login\/([^/?]+)/.exec(url ?? '')?.[1] ?? ''
  return {
    find: async req => world.interactions.get(uidOf(req.url)),
    async loggedIn(req, res, session) {
      world.told.push(['loggedIn', session.id])
      next(res, uidOf(req.url), ({ again: _, ...before }) => ({
        ...before,
        prompt: before.asked.some(s => s.kind === 'plain' && s.text === 'launch/patient') ? 'select_patient' : 'consent',
        session: session.id,
      }))
    },
    async patientChosen(req, res, patient) {
      world.told.push(['patient', patient])
      next(res, uidOf(req.url), before => ({
        ...before,
        prompt: before.asked.some(s => s.kind === 'plain' && s.text === 'launch/encounter') ? 'select_encounter' : 'consent',
        patient,
      }))
    },
    async encounterChosen(req, res, encounter) {
      world.told.push(['encounter', encounter])
      next(res, uidOf(req.url), before => ({ ...before, prompt: 'consent', encounter }))
    },
    async emergencyAnswered(req, res, opened) {
      world.told.push(['emergency', opened])
      next(res, uidOf(req.url), before => ({ ...before, prompt: 'consent' }))
    },
    async allowed(req, res, scopes, choice) {
      world.told.push(['allowed', choice === undefined ? scopes : { scopes, ...choice }])
      next(res, uidOf(req.url), () => undefined)
    },
    async refused(req, res) {
      world.told.push(['refused', undefined])
      next(res, uidOf(req.url), () => undefined)
    },
  }
}

export const uid = 'interaction0000000001'

const client: Client = { ...blankClient, id: 'growth-chart', name: 'Grafik Tumbuh', publisher: 'PT Aplikasi Sehat' }

/** An application waits. */
export const waiting = (
  world: PagesGround,
  about: Partial<Omit<Interaction, 'asked' | 'client'>> & { readonly scopes?: string; readonly client?: Partial<Client> } = {},
): string => {
  const { scopes = 'openid fhirUser launch/patient patient/Patient.rs patient/Observation.cruds', client: changed, ...rest } = about
  const asked = parseScopes(scopes, { definitions: testDefinitions() }).scopes
  world.interactions.set(uid, { uid, prompt: 'login', redirectUri: `${world.app}`, ...rest, client: { ...client, ...changed }, asked })
  return `/login/${uid}`
}

export const scopesOf = (text: string) => parseScopes(text, { definitions: testDefinitions() }).scopes

export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string; readonly path: string }

/** A browser without script: cookies, forms and redirects. */
export class TestBrowser {
  readonly cookies = new Map<string, string>()
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>
  here: Answer | undefined

  constructor(base: string, headers: Readonly<Record<string, string>> = {}) {
    this.#base = base
    this.#headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/143.0', 'accept-language': 'en', ...headers }
  }

  /** One request, without following where it leads. */
  async ask(path: string, sent?: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> }): Promise<Answer> {
    const response = await fetch(new URL(path, this.#base), {
      redirect: 'manual',
      method: sent?.body === undefined ? 'GET' : 'POST',
      headers: {
        ...this.#headers,
        cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(sent?.body === undefined ? {} : { origin: this.#base, 'content-type': 'application/x-www-form-urlencoded' }),
        ...sent?.headers,
      },
      ...(sent?.body === undefined ? {} : { body: sent.body }),
    })
    for (const one of response.headers.getSetCookie()) {
      const [pair = ''] = one.split(';')
      const equals = pair.indexOf('=')
      if (/max-age=0/i.test(one)) this.cookies.delete(pair.slice(0, equals))
      else this.cookies.set(pair.slice(0, equals), pair.slice(equals + 1))
    }
    this.here = { status: response.status, headers: response.headers, text: await response.text(), path }
    return this.here
  }

  /** Goes there, and on as it is told. */
  async open(path: string): Promise<Answer> {
    return this.#follow(await this.ask(path))
  }

  /** Fills the form with this action on the page in hand, and sends it. `press`: the button with this name and value. */
  async send(
    action: string,
    values: Readonly<Record<string, string | readonly string[]>> = {},
    press?: readonly [string, string],
  ): Promise<Answer> {
    return this.#follow(await this.sendOnly(action, values, press))
  }

  async sendOnly(
    action: string,
    values: Readonly<Record<string, string | readonly string[]>> = {},
    press?: readonly [string, string],
  ): Promise<Answer> {
    const fields = new URLSearchParams(formOf(this.here?.text ?? '', action))
    for (const [name, value] of Object.entries(values)) {
      fields.delete(name)
      for (const one of typeof value === 'string' ? [value] : value) fields.append(name, one)
    }
    if (press !== undefined) fields.append(...(press as [string, string]))
    return this.ask(action, { body: fields.toString() })
  }

  async #follow(first: Answer): Promise<Answer> {
    let answer = first
    for (let n = 0; n < 10 && answer.status === 303; n++) answer = await this.ask(answer.headers.get('location') ?? '/')
    return answer
  }
}

/** What a form would send as it stands on the page. */
export const formOf = (page: string, action: string): [string, string][] => {
  const start = page.indexOf(`action="${action.replaceAll('&', '&amp;')}"`)
  if (start < 0) throw new Error(`no form for ${action} on the page: ${titleOf(page)}`)
  const inside = page.slice(start, page.indexOf('</form>', start))
  return [...inside.matchAll(/<input\b[^>]*>/g)].flatMap(([tag]): [string, string][] => {
    const name = attribute(tag, 'name')
    const box = /type="(?:checkbox|radio)"/.test(tag)
    return name === undefined || (box && !/\schecked/.test(tag)) ? [] : [[name, attribute(tag, 'value') ?? '']]
  })
}

const attribute = (tag: string, name: string): string | undefined => {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
  return value === undefined ? undefined : unescaped(value)
}

const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#96;': '`' }
const unescaped = (text: string): string => text.replace(/&(?:amp|lt|gt|quot|#39|#96);/g, one => entities[one] ?? one)

export const titleOf = (page: string): string => unescaped(/<title>([^<]*)<\/title>/.exec(page)?.[1] ?? '')

/** The words of a page, as somebody reads them. */
export const wordsOf = (page: string): string =>
  unescaped(
    page
      .replace(/<head>.*?<\/head>/s, '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' '),
  ).trim()
