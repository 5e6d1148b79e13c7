import { generateKeyPairSync } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from '@jest/globals'
import { importJWK, type JWK, SignJWT } from 'jose'
import { type Adapter, type AdapterPayload, type KoaContextWithOIDC, Provider } from 'oidc-provider'

/** An OpenID provider of somebody else, for tests: another instance of the library, at an address of its own. It lets in whoever the test says. */
export type OutsideProvider = {
  readonly issuer: string
  readonly people: Map<string, Person>
  /** Whoever comes next is this one. */
  next: string
  /** Refuses whoever comes. */
  refusing: boolean
  /** Requests that came, by path. */
  readonly asked: string[]
  /** Closes its door; `open` opens it again at the same address. */
  close(): Promise<void>
  open(): Promise<void>
  /** A token as its own, with what the test wants said. */
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, string>>): Promise<string>
}

export type Person = {
  readonly email?: string
  readonly emailVerified?: boolean
  readonly groups?: readonly string[]
  readonly amr?: readonly string[]
}

const servers: Server[] = []

/** Call it once in a file. */
export const closingProviders = (): void => {
  afterEach(async () => {
    for (const server of servers.splice(0)) await closed(server)
  })
}

const closed = (server: Server): Promise<unknown> => {
  server.closeAllConnections()
  return new Promise(done => server.close(done))
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk: JWK = { ...privateKey.export({ format: 'jwk' }), kid: 'outside-1', alg: 'RS256', use: 'sig' }

export const clientSecret = 'rahasia-klien-untuk-uji-coba-saja-0123456789'

/** `base`: of those who log in by it; `logoutBase`: where it says that sessions are over. */
export const openOutside = async (base: string, logoutBase = base, id = 'sso'): Promise<OutsideProvider> => {
  const server = createServer()
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const library = libraryOf(issuer, { base, logoutBase, id }, sub => world.people.get(sub))
  const answer = library.callback()
  const world: OutsideProvider = {
    issuer,
    people: new Map(),
    next: '',
    refusing: false,
    asked: [],
    close: () => closed(server).then(() => undefined),
    open: () => new Promise<void>(done => server.listen(port, '127.0.0.1', done)),
    sign: async (claims, header = {}) => {
      return new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'outside-1', ...header })
        .sign(await importJWK(jwk, 'RS256'))
    },
  }
  server.on('request', (req, res) => {
    world.asked.push((req.url ?? '').split('?', 1)[0] ?? '')
    if (!req.url?.startsWith('/interaction/')) return void answer(req, res)
    return void interaction(library, world, req, res)
  })
  return world
}

/** Nobody types anything: the one whom the test names is there. */
const interaction = async (library: Provider, world: OutsideProvider, req: IncomingMessage, res: ServerResponse): Promise<void> => {
  if (world.refusing) return library.interactionFinished(req, res, { error: 'access_denied', error_description: 'no' })
  const { amr = ['pwd'] } = world.people.get(world.next) ?? {}
  return library.interactionFinished(req, res, { login: { accountId: world.next, amr: [...amr] } })
}

/** Keeps what the library keeps, for as long as the test runs. */
class Kept implements Adapter {
  static readonly #all = new Map<string, AdapterPayload>()
  readonly #model: string

  constructor(model: string) {
    this.#model = model
  }

  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    Kept.#all.set(`${this.#model} ${id}`, payload)
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return Kept.#all.get(`${this.#model} ${id}`)
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return [...Kept.#all].find(([key, payload]) => key.startsWith(`${this.#model} `) && payload.uid === uid)?.[1]
  }

  async findByUserCode(): Promise<undefined> {
    return undefined
  }

  async consume(id: string): Promise<void> {
    const payload = await this.find(id)
    if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000)
  }

  async destroy(id: string): Promise<void> {
    Kept.#all.delete(`${this.#model} ${id}`)
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, payload] of Kept.#all) if (payload.grantId === grantId) Kept.#all.delete(key)
  }
}

const libraryOf = (
  issuer: string,
  { base, logoutBase, id }: { readonly base: string; readonly logoutBase: string; readonly id: string },
  personOf: (sub: string) => Person | undefined,
): Provider =>
  new Provider(issuer, {
    clients: [
      {
        client_id: 'simpul',
        client_secret: clientSecret,
        redirect_uris: [`${base}/login/federation/${id}/callback`],
        backchannel_logout_uri: `${logoutBase}/login/backchannel-logout/${id}`,
        backchannel_logout_session_required: true,
      },
    ],
    adapter: Kept,
    jwks: { keys: [jwk] },
    cookies: { keys: ['only-for-tests'] },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx: KoaContextWithOIDC, form: string) => {
          ctx.body = form
        },
        postLogoutSuccessSource: (ctx: KoaContextWithOIDC) => {
          ctx.body = 'out'
        },
      },
    },
    interactions: { url: (_: KoaContextWithOIDC, { uid }) => `/interaction/${uid}` },
    conformIdTokenClaims: true,
    claims: { openid: ['sub', 'acr', 'amr', 'auth_time'], email: ['email', 'email_verified'], groups: ['groups'] },
    scopes: ['openid', 'email', 'groups'],
    findAccount: (_: KoaContextWithOIDC, sub: string) => ({
      accountId: sub,
      claims: () => {
        const { email, emailVerified = true, groups = [] } = personOf(sub) ?? {}
        return { sub, groups: [...groups], ...(email === undefined ? {} : { email, email_verified: emailVerified }) }
      },
    }),
    loadExistingGrant: async ctx => {
      const grant = new ctx.oidc.provider.Grant({
        accountId: ctx.oidc.session?.accountId ?? '',
        clientId: ctx.oidc.client?.clientId ?? '',
      })
      grant.addOIDCScope('openid email groups')
      await grant.save()
      return grant
    },
    ttl: { Interaction: 600, Session: 3600, Grant: 3600, AccessToken: 600, IdToken: 600 },
  })
