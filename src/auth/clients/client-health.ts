import type { Clock } from '../../base/clock.ts'
import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordDefinition } from '../../storage/port.ts'
import { type AuthStore, again, putOver, untilHeld } from '../record-plans.ts'

/**
 * What an application got wrong of late, which keys and scopes it uses: for whoever has to find out why it does not work. Kinds and counts only, so it can neither
 * grow nor tell a secret. Gathered in memory and written every half minute; what a crash loses is no harm. @see auth.md 10.1
 */
export const troubles = {
  'keys-unreachable': { en: 'Its keys could not be fetched from jwksUri.', id: 'Kuncinya tidak dapat diambil dari jwksUri.' },
  'keys-malformed': {
    en: 'The document at jwksUri is no key set, or a key lacks kid, is weak, or shares its kid with another.',
    id: 'Dokumen di jwksUri bukan himpunan kunci, atau ada kunci tanpa kid, lemah, atau dengan kid yang sama.',
  },
  'keys-refused': {
    en: 'jwksUri leads to an address that this server does not go to.',
    id: 'jwksUri menuju alamat yang tidak didatangi server ini.',
  },
  'kid-unknown': {
    en: 'An assertion named a key that is not in its key set.',
    id: 'Assertion menyebut kunci yang tidak ada dalam himpunan kuncinya.',
  },
  'assertion-refused': { en: 'An assertion was refused.', id: 'Sebuah assertion ditolak.' },
  'proof-refused': {
    en: 'Its proof that it has the key of its tokens (DPoP) was refused.',
    id: 'Bukti bahwa aplikasi memegang kunci tokennya (DPoP) ditolak.',
  },
  'secret-wrong': { en: 'It came with a wrong secret.', id: 'Aplikasi datang dengan secret yang salah.' },
  'secret-expired': { en: 'Its secrets have expired.', id: 'Secret aplikasi ini sudah kedaluwarsa.' },
  'redirect-unknown': { en: 'It named a redirect URI that is not registered.', id: 'Aplikasi menyebut redirect URI yang tidak terdaftar.' },
  'audience-wrong': { en: 'It asked for another server (aud).', id: 'Aplikasi meminta server lain (aud).' },
  'challenge-missing': {
    en: 'It asked without a code challenge of method S256.',
    id: 'Aplikasi meminta tanpa code challenge dengan metode S256.',
  },
  'state-short': {
    en: 'Its state has fewer than 16 characters and can be guessed.',
    id: 'state-nya kurang dari 16 karakter dan dapat ditebak.',
  },
  'scope-refused': { en: 'It asked for scopes that it may not have.', id: 'Aplikasi meminta scope yang tidak diizinkan.' },
  'code-refused': {
    en: 'It brought a code that was used, expired or not its own.',
    id: 'Aplikasi membawa kode yang sudah dipakai, kedaluwarsa, atau bukan miliknya.',
  },
  'refresh-refused': {
    en: 'It brought a refresh token that was used, expired or revoked.',
    id: 'Aplikasi membawa refresh token yang sudah dipakai, kedaluwarsa, atau dicabut.',
  },
  'launch-refused': {
    en: 'It brought a launch that was used, expired or not its own.',
    id: 'Aplikasi membawa launch yang sudah dipakai, kedaluwarsa, atau bukan miliknya.',
  },
  'address-refused': { en: 'It came from an address that is not registered.', id: 'Aplikasi datang dari alamat yang tidak terdaftar.' },
  'logout-not-taken': {
    en: 'It did not take a notice at backchannelLogoutUri that somebody had signed out.',
    id: 'Aplikasi tidak menerima pemberitahuan di backchannelLogoutUri bahwa seseorang telah keluar.',
  },
  'rate-exceeded': { en: 'It asked too often.', id: 'Aplikasi meminta terlalu sering.' },
} as const

export type ClientTrouble = keyof typeof troubles

export type Health = {
  readonly client: string
  /** ms */
  readonly lastUsed?: number
  readonly troubles: Readonly<Partial<Record<ClientTrouble, { readonly count: number; readonly first: number; readonly last: number }>>>
  /** Keys of its assertions and when they were last seen. */
  readonly keys: Readonly<Record<string, number>>
  /** Scopes that it got a token with, and when. */
  readonly scopes: Readonly<Record<string, number>>
}

export const clientHealthRecords: RecordDefinition = { name: 'client_health', key: 'client' }

export type ClientHealth = AsyncDisposable & {
  trouble(client: string, what: ClientTrouble): void
  /** It got a token. */
  used(client: string, how?: { readonly kid?: string; readonly scopes?: readonly string[] }): void
  /** What is known, with what is not written yet. */
  of(client: string): Promise<Health>
  flush(): Promise<void>
}

const writtenEveryMs = 30_000
const clientsMax = 1_000
const keysMax = 10
const scopesMax = 200

export const createClientHealth = ({ store, clock }: { readonly store: AuthStore; readonly clock: Clock }): ClientHealth => {
  const records = store.records<Health>(clientHealthRecords)
  let pending = new Map<string, Health>()
  let timer: NodeJS.Timeout | undefined

  const note = (client: string, seen: Omit<Health, 'client'>): void => {
    const known = pending.get(client)
    if (known === undefined && pending.size >= clientsMax) return
    pending.set(client, merged(known ?? empty(client), { client, ...seen }))
    timer ??= setTimeout(flushed, writtenEveryMs).unref()
  }

  const flush = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const written = pending
    pending = new Map()
    for (const seen of written.values()) await write(seen)
  }

  /** A store that is away loses notes, and nothing else: nobody is told. */
  const flushed = (): Promise<void> => flush().catch(() => undefined)

  const write = (seen: Health): Promise<Outcome<void>> =>
    untilHeld<void>(async () => {
      const before = await records.get(seen.client)
      const write = putOver(clientHealthRecords, before, merged(before?.value ?? empty(seen.client), seen))
      const done = await store.commit({ expects: [], guards: [], versions: [], records: [write] })
      return !done.ok ? done : done.value.held ? ok(undefined) : again
    })

  return {
    trouble: (client, what) => {
      const now = clock()
      note(client, { troubles: { [what]: { count: 1, first: now, last: now } }, keys: {}, scopes: {} })
    },
    used: (client, { kid, scopes = [] } = {}) => {
      const now = clock()
      note(client, {
        lastUsed: now,
        troubles: {},
        keys: kid === undefined ? {} : { [kid]: now },
        scopes: Object.fromEntries(scopes.map(scope => [scope, now])),
      })
    },
    of: async client => {
      const kept = (await records.get(client))?.value ?? empty(client)
      const seen = pending.get(client)
      return seen === undefined ? kept : merged(kept, seen)
    },
    flush,
    [Symbol.asyncDispose]: flushed,
  }
}

const empty = (client: string): Health => ({ client, troubles: {}, keys: {}, scopes: {} })

const merged = (before: Health, seen: Health): Health => ({
  client: before.client,
  ...(seen.lastUsed === undefined && before.lastUsed === undefined ? {} : { lastUsed: Math.max(seen.lastUsed ?? 0, before.lastUsed ?? 0) }),
  troubles: addedTroubles(before.troubles, seen.troubles),
  keys: latest(before.keys, seen.keys, keysMax),
  scopes: latest(before.scopes, seen.scopes, scopesMax),
})

const addedTroubles = (before: Health['troubles'], seen: Health['troubles']): Health['troubles'] => {
  const sum = { ...before }
  // The keys are those of `troubles`: `trouble` takes no others.
  for (const [what, { count, last }] of Object.entries(seen) as [ClientTrouble, { count: number; first: number; last: number }][]) {
    const known = before[what]
    sum[what] = { count: (known?.count ?? 0) + count, first: known?.first ?? last, last: Math.max(known?.last ?? 0, last) }
  }
  return sum
}

/** The most recent of both. */
const latest = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>, most: number): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries({ ...a, ...b })
      .sort(([, one], [, other]) => other - one)
      .slice(0, most),
  )
