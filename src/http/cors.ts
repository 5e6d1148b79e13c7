/** Which pages of other origins may read what is answered. Credentials of browsers are never among it: there is no `Allow-Credentials` anywhere. @see auth.md 9.4 */

/** Origins of browser apps, as the registry of clients knows them. */
export type Origins = {
  /** Whether a client that is in use registered it. */
  readonly ofAny: (origin: string) => Promise<boolean>
  /** Whether this client did. */
  readonly ofClient: (client: string, origin: string) => Promise<boolean>
}

export const exposedHeaders =
  'ETag, Location, Content-Location, Last-Modified, WWW-Authenticate, Retry-After, X-Request-Id, X-Progress, Link'

/** What a page may send beside the headers that need no leave. */
const allowedHeaders =
  'Accept, Authorization, Content-Type, DPoP, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer, X-Correlation-Id, X-Request-Id, X-Security-Context'

const preflightSeconds = 600

/** The origin of a request that may be looked up at all: `null` stands for anybody, so it stands for nobody. */
export const originOf = (header: string | undefined): string | undefined =>
  header === undefined || header === 'null' || header.length > originMax ? undefined : header

const originMax = 300

/** The answer to a preflight, as flat pairs. `origin`: `*` or the one that asks. */
export const preflightHeaders = (origin: string, methods: readonly string[]): readonly string[] => [
  'Access-Control-Allow-Origin',
  origin,
  'Access-Control-Allow-Methods',
  methods.join(', '),
  'Access-Control-Allow-Headers',
  allowedHeaders,
  'Access-Control-Max-Age',
  String(preflightSeconds),
]

/** Whose scripts may read an answer that is no FHIR, and by which methods. */
export type Sharing = { readonly with: 'any' | 'clients'; readonly methods: readonly string[] }

const any: Sharing = { with: 'any', methods: ['GET', 'HEAD'] }

const shared: Readonly<Record<string, Sharing | undefined>> = {
  __proto__: null as never,
  '/fhir/.well-known/smart-configuration': any,
  '/.well-known/oauth-authorization-server/oauth': any,
  '/.well-known/brands.json': any,
  '/oauth/.well-known/openid-configuration': any,
  '/oauth/.well-known/oauth-authorization-server': any,
  '/oauth/jwks': any,
  '/oauth/token': { with: 'clients', methods: ['POST'] },
  '/oauth/revoke': { with: 'clients', methods: ['POST'] },
  '/oauth/me': { with: 'clients', methods: ['GET', 'POST'] },
}

/** Undefined: nobody's scripts, and no preflight succeeds. */
export const sharingOf = (path: string): Sharing | undefined => shared[path] ?? (path.startsWith('/smart/styles/') ? any : undefined)
