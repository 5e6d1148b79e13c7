import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from '@jest/globals'
import type { Account } from '../../../src/auth/accounts/account.ts'
import { accountById } from '../../../src/auth/accounts/find-account.ts'
import type { AdminParts } from '../../../src/auth/admin/admin-parts.ts'
import { createAdmin } from '../../../src/auth/admin/door.ts'
import { registerClient } from '../../../src/auth/clients/administration.ts'
import { createClientHealth } from '../../../src/auth/clients/client-health.ts'
import { readRegistration } from '../../../src/auth/clients/registration.ts'
import { createClientRegistry } from '../../../src/auth/clients/registry.ts'
import type { Fact } from '../../../src/auth/facts.ts'
import { openSigningKeys } from '../../../src/auth/keys/signing-keys.ts'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { personOf, usualPurpose } from '../../../src/auth/principal/person.ts'
import { createRoleReach } from '../../../src/auth/relations/role-reach.ts'
import { parseScopes } from '../../../src/auth/scopes/scope.ts'
import { publicAddress } from '../../../src/auth/web.ts'
import { fail, ok } from '../../../src/base/outcome.ts'
import { testDefinitions } from '../../support/definitions.ts'
import type { TestEngine } from '../../support/engines.ts'
import { testRoles } from '../../support/roles.ts'
import { type Accounts, anAccount, openAccounts, origin, valueOf } from '../accounts-ground.ts'

/** Administration behind a real HTTP server, for people whose tokens the test says. */
export type AdminGround = Accounts & {
  readonly admin: AdminParts
  readonly facts: Fact[]
  /** Somebody with these roles, and a bearer token of theirs. */
  somebody(name: string, roles: readonly string[], with_?: Partial<Bearing>): Promise<Somebody>
  ask(who: Somebody | undefined, method: string, path: string, body?: unknown): Promise<Answer>
}
export type Somebody = { readonly id: string; readonly token: string }
export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
}
type Bearing = { readonly acr: 1 | 2; readonly scope: string; readonly client: 'house' | 'stranger'; readonly factorAgeMs: number }

const servers: Server[] = []

/** Call it once in a file. */
export const closingServers = (): void => {
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    }
  })
}

export const openAdmin = async (engine: TestEngine, more: Partial<AdminParts> = {}): Promise<AdminGround> => {
  const accounts = await openAccounts(engine)
  const facts: Fact[] = []
  const ground = { ...accounts.parts.ground, told: (told: readonly Fact[]) => void facts.push(...told) }
  const health = createClientHealth({ store: accounts.store, clock: ground.clock })
  const clients = createClientRegistry({ ground, jwks: { keysAt: async () => 'keys-refused' }, health, production: false })
  const bearers = new Map<string, { readonly account: string } & Bearing>()
  const rules = { definitions: testDefinitions(), roles: testRoles(), production: false }
  const registered = async (name: string, trust: string): Promise<string> => {
    const json = {
      name,
      type: 'public',
      redirectUris: ['https://app.example/cb'],
      trust,
      scopesAllowed: trust === 'first-party' ? ['__admin'] : [],
    }
    const made = await registerClient(ground, valueOf(readRegistration(json, rules)), { by: 'cli', approvedBy: 'host' }, origin)
    return valueOf(made).client.id
  }
  const ids = { house: await registered('Konsol', 'first-party'), stranger: await registered('Lain', 'approved') }
  facts.splice(0)
  const signing = valueOf(await openSigningKeys({ store: accounts.store, clock: ground.clock, fields: ground.fields }))
  const admin: AdminParts = {
    ground,
    address: publicAddress('https://rumah.example'),
    definitions: rules.definitions,
    roles: rules.roles,
    clients,
    reach: createRoleReach({
      referring: async () => ({ found: [], more: false }),
      all: async () => [],
      newest: async () => undefined,
      clock: ground.clock,
    }),
    emergenciesOf: async () => [],
    registration: { production: false },
    keys: { signing },
    subjectOf: async () => undefined,
    zone: 'Asia/Jakarta',
    features: ['consent'],
    authenticate: async authorization => {
      const bearer = bearers.get(authorization ?? '')
      const account = bearer === undefined ? undefined : await accountById(ground, bearer.account)
      if (bearer === undefined || account?.value.status !== 'active') return fail('login-needed', {}, { challenge: {} })
      return ok(await principalOf(admin, account.value, bearer, ids[bearer.client]))
    },
    ...more,
  }
  const handler = createAdmin(admin)
  const server = createServer((req, res) => {
    handler(req, res, { address: '192.0.2.7', requestId: 'r-1' }).catch((error: unknown) => {
      res.writeHead(500).end(String(error))
    })
  })
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    ...accounts,
    admin,
    facts,
    somebody: async (name, roles, with_ = {}) => {
      const account = await anAccount(
        accounts,
        name,
        roles.map(role => ({ role, organization: 'Organization/o', givenBy: 'cli' })),
      )
      const token = `Bearer ${account.id}-${bearers.size}`
      bearers.set(token, { account: account.id, acr: 2, scope: '__admin', client: 'house', factorAgeMs: 0, ...with_ })
      return { id: account.id, token }
    },
    ask: async (who, method, path, body) => {
      const answer = await fetch(`${base}${path}`, {
        method,
        headers: {
          ...(who === undefined ? {} : { authorization: who.token }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          'accept-language': 'en',
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      return { status: answer.status, headers: answer.headers, text, json: text.startsWith('{') ? JSON.parse(text) : {} }
    },
  }
}

const principalOf = async (
  admin: AdminParts,
  account: Account,
  { acr, scope, factorAgeMs }: Bearing,
  clientId: string,
): Promise<Principal> => ({
  ...(await personOf(admin, { ...account, fhirUser: 'Practitioner/1' })),
  clientId,
  tokenRef: 'ref',
  scopes: parseScopes(scope, { definitions: admin.definitions }).scopes,
  launch: {},
  purpose: usualPurpose('user'),
  emergencies: [],
  acr,
  ...(acr === 2 && { factorAt: admin.ground.clock() - factorAgeMs }),
})
