import { randomBytes } from 'node:crypto'
import { afterEach } from '@jest/globals'
import type { AccountParts } from '../../src/auth/account-parts.ts'
import type { RoleAssignment } from '../../src/auth/accounts/account.ts'
import { type Account, type AccountRules, accountRecords, defaultAccountRules } from '../../src/auth/accounts/account.ts'
import { acceptInvitation, invite } from '../../src/auth/accounts/invitation.ts'
import { enrolled, factorRecords, factorsOf, newEnrolment } from '../../src/auth/factors/factor-set.ts'
import { stepAt, totpCode } from '../../src/auth/factors/totp.ts'
import type { Origin } from '../../src/auth/ground.ts'
import { createFieldEncryption } from '../../src/auth/keys/field-encryption.ts'
import { kekOf } from '../../src/auth/keys/key-encryption-key.ts'
import { createKeyedHash } from '../../src/auth/keys/keyed-hash.ts'
import { Keyring } from '../../src/auth/keys/keyring.ts'
import { createSpraying } from '../../src/auth/lockout/spraying.ts'
import { createPasswordHashing } from '../../src/auth/passwords/hashing.ts'
import { accountStoreRecords } from '../../src/auth/records.ts'
import { uuidv7Ids } from '../../src/base/ids.ts'
import type { Outcome } from '../../src/base/outcome.ts'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import type { Records, Store } from '../../src/storage/port.ts'
import type { TestEngine } from '../support/engines.ts'

/** Everything about accounts on a real store, with a clock that tests move and calls that they count. */
export type Accounts = {
  readonly parts: AccountParts
  readonly store: Store
  readonly keyring: Keyring
  readonly clock: { now: number }
  /** Calls of the store since the last time somebody asked. */
  readonly calls: () => readonly string[]
}

export const kek = kekOf(Buffer.alloc(32, 7))
export const origin: Origin = { address: '192.0.2.1', userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/143.0' }
export const goodPassword = 'tujuh payung kertas 58'
export const otherPassword = 'empat belas lampion 29'

/** What a hash costs is asked of `passwords.test.ts` alone. */
const cheap = { memory: 64, passes: 1, lanes: 1 }

const stores: Store[] = []

/** Closes after each test what was opened in it. Call it once in a file. */
export const closingAccounts = (): void => {
  afterEach(async () => {
    for (const store of stores.splice(0)) await store[Symbol.asyncDispose]()
  })
}

export const openAuthStore = async (engine: TestEngine, clock: { readonly now: number }): Promise<Store> => {
  const store = await engine.open({ definitions: {} as Definitions, clock: () => clock.now, records: accountStoreRecords })
  stores.push(store)
  return store
}

export const openAccounts = async (engine: TestEngine, rules: Partial<AccountRules> = {}): Promise<Accounts> => {
  const clock = { now: Date.UTC(2026, 10, 21, 8) }
  const store = await openAuthStore(engine, clock)
  const asked: string[] = []
  const counted = countingStore(store, asked)
  const at = (): number => clock.now
  const keyring = valueOf(await Keyring.open({ store: counted, kek, clock: at, random: randomBytes }))
  const ground = {
    store: counted,
    clock: at,
    ids: uuidv7Ids(at),
    random: randomBytes,
    fields: createFieldEncryption(keyring, randomBytes),
    hash: createKeyedHash(keyring),
  }
  const parts: AccountParts = {
    ground,
    hashing: createPasswordHashing(keyring, randomBytes, cheap),
    // Nobody waits in a test.
    spraying: createSpraying(at, async () => undefined),
    rules: { ...defaultAccountRules, ...rules },
  }
  return { parts, store, keyring, clock, calls: () => asked.splice(0) }
}

/** The store, with a word for each call. */
const countingStore = (store: Store, asked: string[]): Pick<Store, 'records' | 'commit'> => ({
  commit: plan => {
    asked.push(`commit ${(plan.records ?? []).map(({ record }) => record).join(' ')}`)
    return store.commit(plan)
  },
  records: definition =>
    new Proxy(store.records(definition), {
      get: (records, name: keyof Records<object>) => {
        // Every member of Records is a function of what it is asked for.
        const ask = records[name].bind(records) as (...asking: unknown[]) => unknown
        return (...asking: unknown[]) => {
          asked.push(`${name} ${definition.name}`)
          return ask(...asking)
        }
      },
    }) as never,
})

export const valueOf = <T>(outcome: Outcome<T>): T => {
  if (!outcome.ok) throw new Error(`failed: ${outcome.failure.kind}`)
  return outcome.value
}

export const doctor: RoleAssignment = { role: 'doctor', organization: 'Organization/1', givenBy: 'cli' }
export const patient: RoleAssignment = { role: 'patient', givenBy: 'cli' }

/** An account in use, by invitation and acceptance. */
export const anAccount = async (
  { parts }: Accounts,
  username: string,
  roles: readonly RoleAssignment[] = [patient],
  password = goodPassword,
): Promise<Account> => {
  const invited = valueOf(
    await invite(parts.ground, { email: `${username}@rumah.example`, username, locale: 'id', roles, fhirUser: 'Patient/1' }, 'cli', origin),
  )
  if (invited.is !== 'invited') throw new Error(invited.is)
  const accepted = valueOf(await acceptInvitation(parts, invited.secret, { password }, origin))
  if (accepted.is !== 'accepted') throw new Error(accepted.is)
  return accepted.account
}

/** Sets up an authenticator app; the answer gives its code at the time the clock says. */
export const withFactor = async (
  { parts, clock }: Accounts,
  account: string,
): Promise<{ readonly code: () => string; readonly backupCodes: readonly string[] }> => {
  const { ground } = parts
  const begun = newEnrolment(ground, undefined, account, { issuer: 'Test', account })
  await ground.store.records(factorRecords).put(begun.after)
  const secret = secretOf(begun.enrolment.uri)
  const code = (): string => totpCode(secret, stepAt(clock.now))
  const made = await enrolled(ground, await factorsOf(ground, account), code())
  if (made === undefined) throw new Error('the first code is wrong')
  await ground.store.records(factorRecords).put(made.after)
  clock.now += 30_000
  return { code, backupCodes: made.backupCodes }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** What an authenticator app reads from the QR code. */
export const secretOf = (uri: string): Buffer => {
  const letters = new URL(uri).searchParams.get('secret') ?? ''
  const bits = [...letters].map(letter => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map(byte => Number.parseInt(byte, 2)))
}

export const accountNow = async ({ store }: Accounts, id: string): Promise<Account> => {
  const kept = await store.records<Account>(accountRecords).get(id)
  if (kept === undefined) throw new Error('no such account')
  return kept.value
}
