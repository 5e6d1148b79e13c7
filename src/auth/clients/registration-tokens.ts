import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordDefinition, RecordWrite, StoredRecord } from '../../storage/port.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { deleteOver, putOver } from '../record-plans.ts'
import { isSecret, newSecret, secretHash } from '../secrets.ts'

/**
 * What lets applications register themselves: `initial` is made by an administrator, for so many registrations and at most these scopes; `own` is what an
 * application gets to look after its registration, and is replaced whenever it is used to change it. @see auth.md 8, 10.2
 */
export type RegistrationToken = {
  /** SHA-256 of what its bearer holds. */
  readonly hash: string
  readonly kind: 'initial' | 'own'
  /** Of an initial one: what it is called, the most that may be asked for, and how many registrations are left. */
  readonly name?: string
  readonly scopes?: readonly string[]
  readonly usesLeft?: number
  readonly createdBy?: string
  /** Of an application's own. */
  readonly client?: string
  readonly createdAt: number
  readonly expires: number
}

export type KeptRegistrationToken = StoredRecord<RegistrationToken>

export const registrationTokenRecords: RecordDefinition = {
  name: 'registration_token',
  key: 'hash',
  indexes: { kind: ['kind', 'createdAt'] },
  expires: 'expires',
}

const dayMs = 86_400_000
export const initialDays = 7
const ownMs = 365 * dayMs

/** A new initial token; `secret` is shown this once. */
export const makeInitialToken = async (
  ground: Ground,
  { name, scopes, uses, days }: { readonly name: string; readonly scopes: readonly string[]; readonly uses: number; readonly days: number },
  by: string,
  origin: Origin,
): Promise<Outcome<{ readonly secret: string; readonly token: RegistrationToken }>> => {
  const secret = newSecret(ground.random)
  const now = ground.clock()
  const token: RegistrationToken = {
    hash: secretHash(secret),
    kind: 'initial',
    name,
    scopes,
    usesLeft: uses,
    createdBy: by,
    createdAt: now,
    expires: now + days * dayMs,
  }
  const facts: readonly Fact[] = [{ what: 'registration-token-made', by }]
  const done = await commitFacts(ground, [putOver(registrationTokenRecords, undefined, token)], facts, origin)
  return done.ok ? ok({ secret, token }) : done
}

/** The newest first; of those that an administrator made. */
export const initialTokens = async ({ store }: Ground, limit: number): Promise<readonly RegistrationToken[]> => {
  const range = { from: ['initial'], to: ['initial'], descending: true, limit }
  return (await store.records<RegistrationToken>(registrationTokenRecords).range('kind', range)).rows.map(({ value }) => value)
}

/** False: there is none of that hash. */
export const removeInitialToken = async (ground: Ground, hash: string, by: string, origin: Origin): Promise<Outcome<boolean>> => {
  const kept = await ground.store.records<RegistrationToken>(registrationTokenRecords).get(hash)
  if (kept?.value.kind !== 'initial') return ok(false)
  const facts: readonly Fact[] = [{ what: 'registration-token-removed', by }]
  const done = await commitFacts(ground, [{ record: registrationTokenRecords.name, delete: hash }], facts, origin)
  return done.ok ? ok(true) : done
}

/** The token as it may be used now. */
export const findRegistrationToken = async (
  { store, clock }: Ground,
  kind: RegistrationToken['kind'],
  secret: string,
): Promise<KeptRegistrationToken | undefined> => {
  if (!isSecret(secret)) return undefined
  const kept = await store.records<RegistrationToken>(registrationTokenRecords).get(secretHash(secret))
  if (kept?.value.kind !== kind || kept.value.expires <= clock() || kept.value.usesLeft === 0) return undefined
  return kept
}

/** One registration less. Of many at once each counts. */
export const spendInitialToken = (kept: KeptRegistrationToken): RecordWrite =>
  putOver(registrationTokenRecords, kept, { ...kept.value, usesLeft: (kept.value.usesLeft ?? 1) - 1 })

/** An application's own token, in place of the one it came with. */
export const newOwnToken = (
  { random, clock }: Ground,
  client: string,
  before?: KeptRegistrationToken,
): { readonly secret: string; readonly writes: readonly RecordWrite[] } => {
  const secret = newSecret(random)
  const now = clock()
  const token: RegistrationToken = { hash: secretHash(secret), kind: 'own', client, createdAt: now, expires: now + ownMs }
  const made = putOver(registrationTokenRecords, undefined, token)
  return { secret, writes: before === undefined ? [made] : [deleteOver(registrationTokenRecords, before), made] }
}
