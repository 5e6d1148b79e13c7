import type { JSONWebKeySet } from 'jose'
import type { Ground } from '../ground.ts'
import { type Client, clientRecords } from './client.ts'
import type { ClientHealth } from './client-health.ts'
import type { JwksCache } from './jwks-cache.ts'

/**
 * What the authorization server and the FHIR API ask about clients. What is remembered is at most 5 seconds old, and forgotten at once where this process or a
 * wake-up of another says that a client changed. @see auth.md 10.1
 */
export type ClientRegistry = {
  /** Of any status: whoever gives it anything looks at `status` (`isUsable`). */
  find(id: string): Promise<Client | undefined>
  /** Its secrets in plain text, those that are valid now, the newest first. */
  secretsOf(client: Client): Promise<readonly string[]>
  /** Its public keys, inline or from its URL. Undefined where it has none, or the set is unreachable or malformed, or has one `kid` twice: then it is not authenticated. */
  keysOf(client: Client, kid?: string): Promise<JSONWebKeySet | undefined>
  /** Whether a client that is in use has this origin: what a preflight may be told before anybody knows which client asks. */
  allowsOrigin(origin: string): Promise<boolean>
  /** Something was changed here or elsewhere. */
  forget(): void
  readonly health: ClientHealth
}

export type ClientRegistryParts = {
  readonly ground: Ground
  readonly jwks: JwksCache
  readonly health: ClientHealth
  /** SIMPUL_ENVIRONMENT=production: clients marked `development` do not work. */
  readonly production: boolean
}

const rememberedMs = 5_000
const rememberedMax = 10_000

export const createClientRegistry = ({ ground, jwks, health, production }: ClientRegistryParts): ClientRegistry => {
  const { store, clock, fields } = ground
  const clients = new Map<string, { readonly client: Client; readonly at: number }>()
  let origins: { readonly known: Promise<ReadonlySet<string>>; readonly at: number } | undefined
  /** What was read before somebody said that a client changed is not remembered after it. */
  let changes = 0

  const find = async (id: string): Promise<Client | undefined> => {
    const known = clients.get(id)
    if (known !== undefined && isFresh(known.at, clock())) return known.client
    if (!isClientId(id)) return undefined
    const [at, before] = [clock(), changes]
    const kept = await store.records<Client>(clientRecords).get(id)
    clients.delete(id)
    if (kept === undefined || (production && kept.value.development === true)) return undefined
    if (clients.size >= rememberedMax) clients.clear()
    // One that gets nothing is asked for each time: let in, it works at once.
    if (changes === before && isUsable(kept.value)) clients.set(id, { client: kept.value, at })
    return kept.value
  }

  return {
    find,
    secretsOf: async client => {
      const now = clock()
      const valid = client.secrets.filter(({ expiresAt }) => expiresAt > now)
      const opened = await Promise.all(valid.map(({ id, sealed }) => fields.decrypt(sealed, secretPlace(client.id, id))))
      return opened.flatMap(secret => secret ?? []).toReversed()
    },
    keysOf: async ({ id, jwks: inline, jwksUri }, kid) => {
      if (jwksUri === undefined) return inline
      const found = await jwks.keysAt(jwksUri, kid)
      if (typeof found !== 'string') return found
      health.trouble(id, found)
      return undefined
    },
    allowsOrigin: async origin => {
      if (origins === undefined || !isFresh(origins.at, clock())) origins = { known: originsOf(ground, production), at: clock() }
      return (await origins.known).has(origin)
    },
    forget: () => {
      changes += 1
      clients.clear()
      origins = undefined
    },
    health,
  }
}

/** A clock that ran back forgets. */
const isFresh = (at: number, now: number): boolean => at <= now && now - at < rememberedMs

export const isClientId = (text: string): boolean => /^[A-Za-z0-9_-]{8,64}$/.test(text)

/** Whether it may be given anything now. Drafts reach test patients alone; who gives tokens knows that. */
export const isUsable = ({ status }: Client): boolean => status === 'active'

export const secretPlace = (client: string, secret: string) => ({ table: 'client', column: `secret/${secret}`, row: client })

const pageRows = 500

const originsOf = async ({ store }: Ground, production: boolean): Promise<ReadonlySet<string>> => {
  const { rows } = await store.records<Client>(clientRecords).range('status', { from: ['active'], to: ['active'], limit: pageRows })
  return new Set(rows.filter(({ value }) => !(production && value.development)).flatMap(({ value }) => value.allowedOrigins))
}
