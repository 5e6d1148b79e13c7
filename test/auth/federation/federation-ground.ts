import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from '@jest/globals'
import { createBackchannelDoor } from '../../../src/auth/federation/backchannel-door.ts'
import { createFederation } from '../../../src/auth/federation/federated-login.ts'
import type { Federation } from '../../../src/auth/federation/federation.ts'
import { activateProvider, addProvider } from '../../../src/auth/federation/provider-administration.ts'
import { createProviderKeys } from '../../../src/auth/federation/provider-keys.ts'
import { createProviders, type Providers } from '../../../src/auth/federation/providers.ts'
import { readProvider } from '../../../src/auth/federation/read-provider.ts'
import { createRelyingParty } from '../../../src/auth/federation/relying-party.ts'
import { createOutgoing } from '../../../src/auth/outgoing/outgoing.ts'
import { ok } from '../../../src/base/outcome.ts'
import type { TestEngine } from '../../support/engines.ts'
import { testRoles } from '../../support/roles.ts'
import { origin, valueOf } from '../accounts-ground.ts'
import { openPages, type PagesGround, TestBrowser } from '../pages/pages-ground.ts'
import { clientSecret, openOutside, type OutsideProvider } from './outside-provider.ts'

/** The pages, and a provider of somebody else by which people come in. */
export type FederationGround = {
  readonly pages: PagesGround
  readonly outside: OutsideProvider
  readonly providers: Providers
  readonly federation: Federation
  /** Where back-channel logout is taken, without the id of the provider. */
  readonly door: string
  /** A browser that walks from our pages to the provider and back; `at` says where it stops. */
  browser(): Walker
}

export const provider = (outside: Pick<OutsideProvider, 'issuer'>, more: object = {}) => ({
  id: 'sso',
  name: 'SSO Rumah Sakit',
  issuer: outside.issuer,
  clientId: 'simpul',
  clientSecret,
  scopes: ['email', 'groups'],
  claims: { roles: 'groups' },
  amr: ['mfa'],
  ...more,
})

export const openFederation = async (engine: TestEngine, more: object = {}): Promise<FederationGround> => {
  const late: { federation?: Federation } = {}
  const there = (): Federation => {
    if (late.federation === undefined) throw new Error('not yet')
    return late.federation
  }
  const pages = await openPages(engine, {
    parts: {
      federation: {
        shown: () => there().shown(),
        begin: (...asked) => there().begin(...asked),
        finish: (...asked) => there().finish(...asked),
        loggedOut: (...asked) => there().loggedOut(...asked),
      },
    },
  })
  const { accounts, base } = pages
  // Providers know the time of now.
  accounts.clock.now = Date.now()
  const { ground } = accounts.parts
  const door = await openDoor(there)
  const outside = await openOutside(base, door)
  const rules = { roles: testRoles(), loopback: true }
  const read = valueOf(readProvider(provider(outside, more), rules))
  valueOf(await addProvider(ground, read, 'somebody', origin))
  valueOf(await activateProvider(ground, 'sso', 'another', origin, async () => ok(undefined)))
  const outgoing = createOutgoing({ loopback: true })
  const providers = createProviders(ground)
  const { clock } = ground
  const keys = createProviderKeys({ outgoing, clock })
  const relyingParty = createRelyingParty({ outgoing, keys, clock, loopback: true })
  late.federation = createFederation({ accounts: accounts.parts, base, roles: rules.roles, providers, relyingParty })
  return {
    pages,
    outside,
    providers,
    door: `${door}/login/backchannel-logout`,
    federation: late.federation,
    browser: () => new Walker(base, outside.issuer),
  }
}

const doors: Server[] = []

/** Call it once in a file. */
export const closingDoors = (): void => {
  afterEach(async () => {
    for (const server of doors.splice(0)) {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    }
  })
}

/** Where the provider says that sessions are over. */
const openDoor = async (there: () => Federation): Promise<string> => {
  const handler = createBackchannelDoor({ loggedOut: (...asked) => there().loggedOut(...asked) })
  const server = createServer((req, res) => {
    handler(req, res, { address: '192.0.2.9', requestId: 'r-9' }).catch(() => res.writeHead(500).end())
  })
  doors.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A browser with a jar for each of the two. */
export class Walker {
  readonly ours: TestBrowser
  readonly theirs: TestBrowser
  readonly #issuer: string

  constructor(base: string, issuer: string) {
    this.ours = new TestBrowser(base)
    this.theirs = new TestBrowser(issuer)
    this.#issuer = issuer
  }

  /** Begins at one of our pages; the answer is the address at the provider. */
  async begin(path: string): Promise<string> {
    const { status, headers, text } = await this.ours.ask(path)
    if (status !== 303) throw new Error(`${status} ${text}`)
    return headers.get('location') ?? ''
  }

  /** Through the provider, to where it sends the browser back. */
  async through(url: string): Promise<string> {
    let at = url
    for (let n = 0; n < 10 && at.startsWith(this.#issuer); n++) {
      const { headers, status, text } = await this.theirs.ask(at)
      const to = headers.get('location')
      if (to === null) throw new Error(`${status} ${text.slice(0, 300)}`)
      at = new URL(to, this.#issuer).href
    }
    return at
  }

  /** There and back, and what our page answers then. */
  async login(path: string) {
    return this.ours.ask(await this.through(await this.begin(path)))
  }
}
