import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordDefinition, StoredRecord } from '../../storage/port.ts'
import { type AuthStore, again, commitRecords, deleteOver, putOver, untilHeld } from '../record-plans.ts'
import type { RandomBytes } from '../secrets.ts'
import { type KeyEncryptionKey, unwrapKey, wrapKey } from './key-encryption-key.ts'

/**
 * Data keys, wrapped by a key that the store never sees.
 * `fields` encrypts values at rest, `index` makes keyed hashes, `pepper` goes into password hashes, `cookies` and `forms` sign.
 * @see auth.md 11
 */
export const keyPurposes = ['fields', 'index', 'pepper', 'cookies', 'forms'] as const
export type KeyPurpose = (typeof keyPurposes)[number]

/** `id` is `{purpose}-{number}`; the highest number of a purpose is the current one. */
export type DataKey = { readonly id: string; readonly purpose: KeyPurpose; readonly number: number; readonly key: KeyObject }

type KeyRow = {
  readonly id: string
  readonly purpose: KeyPurpose
  readonly number: number
  readonly wrapped: string
  /** Id of the KEK that wrapped it. */
  readonly kek: string
  readonly createdAt: number
}
type CheckRow = { readonly id: typeof checkId; readonly kek: string; readonly check: string }
type Row = KeyRow | CheckRow

export const keyringRecords: RecordDefinition = { name: 'keyring', key: 'id' }

const checkId = 'check'
/** Some per purpose and rotation. */
const rowsMax = 1_000
const dataKeyBytes = 32

/** Why a keyring cannot be opened. The message is a sentence for the operator. */
export class KeyringRefused extends Error {
  readonly why: 'wrong-kek' | 'damaged' | 'no-kek'

  constructor(why: KeyringRefused['why'], message: string) {
    super(message)
    this.name = 'KeyringRefused'
    this.why = why
  }
}

export type KeyringParts = {
  readonly store: AuthStore
  readonly kek: KeyEncryptionKey
  readonly clock: Clock
  readonly random: RandomBytes
}

/** All data keys of an installation, open in memory. */
export class Keyring {
  readonly #parts: KeyringParts
  #kek: KeyEncryptionKey
  #keys: ReadonlyMap<string, DataKey> = new Map()

  private constructor(parts: KeyringParts) {
    this.#parts = parts
    this.#kek = parts.kek
  }

  /** Makes what is missing: everything on the first start, a key for each purpose that is new. Throws `KeyringRefused` on another KEK than the keyring's. */
  static async open(parts: KeyringParts): Promise<Outcome<Keyring>> {
    const keyring = new Keyring(parts)
    return untilHeld(async () => {
      const rows = await keyring.#rows()
      const check = checkKek(rows, parts.kek)
      keyring.#keys = openedKeys(rows, parts.kek)
      const unreadable = rows.find(({ value }) => 'wrapped' in value && !keyring.#keys.has(value.id))
      if (unreadable !== undefined)
        throw new KeyringRefused('damaged', `The key ${unreadable.key} of the keyring cannot be unwrapped; restore the records keyring.`)
      const missing = keyPurposes.filter(purpose => keyring.versions(purpose).length === 0)
      if (missing.length === 0 && check !== undefined) return ok(keyring)
      const done = await commitRecords(parts.store, [
        putOver<Row>(keyringRecords, check, checkRow(parts.kek)),
        ...missing.map(purpose => putOver<Row>(keyringRecords, undefined, keyring.#newRow(purpose, 1))),
      ])
      // Whoever came first made them: either way they are read anew.
      return done.ok ? again : done
    })
  }

  /** The key that new values are made with. */
  current(purpose: KeyPurpose): DataKey {
    const [newest] = this.versions(purpose)
    if (newest === undefined) throw new Error(`The keyring has no key for ${purpose}`)
    return newest
  }

  /** Newest first. Of keys that sign, the first two are believed. */
  versions(purpose: KeyPurpose): readonly DataKey[] {
    return [...this.#keys.values()].filter(key => key.purpose === purpose).sort((a, b) => b.number - a.number)
  }

  /** The key with this id; one that another node has just made is found as well. */
  async find(id: string): Promise<DataKey | undefined> {
    const known = this.#keys.get(id)
    if (known !== undefined || !idPattern.test(id)) return known
    await this.reload()
    return this.#keys.get(id)
  }

  /** Takes over what other nodes changed. Keys under a KEK that this process was not started with stay unknown to it. */
  async reload(): Promise<void> {
    this.#take(await this.#rows())
  }

  #take(rows: readonly StoredRecord<Row>[]): void {
    const there = new Set(rows.map(({ key }) => key))
    const kept = [...this.#keys].filter(([id]) => there.has(id))
    this.#keys = new Map([...kept, ...openedKeys(rows, this.#kek)])
  }

  /** A new current key for a purpose; the ones before stay valid for what they made. Where another node was quicker, that was the rotation. */
  async rotate(purpose: KeyPurpose): Promise<Outcome<DataKey>> {
    const before = this.current(purpose).number
    return untilHeld(async () => {
      const rows = await this.#rows()
      const check = checkKek(rows, this.#kek)
      this.#take(rows)
      if (check === undefined || this.current(purpose).number > before) return ok(this.current(purpose))
      const row = putOver<Row>(keyringRecords, undefined, this.#newRow(purpose, before + 1))
      // The check value is put as it is, so that no key is wrapped by a KEK that is being replaced.
      const done = await commitRecords(this.#parts.store, [row, putOver<Row>(keyringRecords, check, check.value)])
      return done.ok ? again : done
    })
  }

  /** Forgets a key that nothing is encrypted with any more. `current`: it is in use for new values. */
  async retire(id: string): Promise<Outcome<'retired' | 'current' | 'unknown'>> {
    return untilHeld(async () => {
      const rows = await this.#rows()
      const row = rows.find(({ key }) => key === id)
      if (row === undefined || !('wrapped' in row.value)) return ok('unknown')
      const { purpose, number } = row.value
      const newer = rows.some(({ value }) => 'wrapped' in value && value.purpose === purpose && value.number > number)
      if (!newer) return ok('current')
      const done = await commitRecords(this.#parts.store, [deleteOver(keyringRecords, row)])
      if (!done.ok) return done
      if (!done.value.held) return again
      await this.reload()
      return ok('retired')
    })
  }

  /** Wraps all data keys with another KEK, at once; the next start needs that one. Values need no new encryption. */
  async rotateKek(next: KeyEncryptionKey): Promise<Outcome<void>> {
    return untilHeld(async () => {
      const rows = await this.#rows()
      checkKek(rows, this.#kek)
      const writes = rows.map(row => putOver<Row>(keyringRecords, row, this.#rewrapped(row.value, next)))
      const done = await commitRecords(this.#parts.store, writes)
      if (!done.ok) return done
      if (!done.value.held) return again
      this.#kek = next
      await this.reload()
      return ok(undefined)
    })
  }

  #rewrapped(row: Row, next: KeyEncryptionKey): Row {
    if (!('wrapped' in row)) return checkRow(next)
    const bytes = unwrapKey(this.#kek, row.id, row.wrapped)
    if (bytes === undefined) throw new KeyringRefused('damaged', `The key ${row.id} of the keyring cannot be unwrapped.`)
    return { ...row, wrapped: wrapKey(next, row.id, bytes, this.#parts.random), kek: next.id }
  }

  #newRow(purpose: KeyPurpose, number: number): KeyRow {
    const { clock, random } = this.#parts
    const id = `${purpose}-${number}`
    return { id, purpose, number, wrapped: wrapKey(this.#kek, id, random(dataKeyBytes), random), kek: this.#kek.id, createdAt: clock() }
  }

  async #rows(): Promise<readonly StoredRecord<Row>[]> {
    return (await this.#parts.store.records<Row>(keyringRecords).range('key', { limit: rowsMax })).rows
  }
}

/** Whether the keyring that is there is wrapped with this key. */
export const opensKeyring = async (store: AuthStore, kek: KeyEncryptionKey): Promise<boolean> => {
  const kept = await store.records<Row>(keyringRecords).get(checkId)
  return kept !== undefined && 'check' in kept.value && kept.value.check === kek.check
}

const idPattern = new RegExp(`^(?:${keyPurposes.join('|')})-[1-9]\\d{0,8}$`)

const checkRow = (kek: KeyEncryptionKey): CheckRow => ({ id: checkId, kek: kek.id, check: kek.check })

/** Keys of other KEKs are left out. */
const openedKeys = (rows: readonly StoredRecord<Row>[], kek: KeyEncryptionKey): ReadonlyMap<string, DataKey> => {
  const keys = new Map<string, DataKey>()
  for (const { value } of rows) {
    if (!('wrapped' in value)) continue
    const bytes = unwrapKey(kek, value.id, value.wrapped)
    if (bytes === undefined) continue
    const { id, purpose, number } = value
    keys.set(id, { id, purpose, number, key: createSecretKey(bytes) })
  }
  return keys
}

/** The check value; undefined before the first start. */
const checkKek = (rows: readonly StoredRecord<Row>[], kek: KeyEncryptionKey): StoredRecord<Row> | undefined => {
  if (rows.length === 0) return undefined
  const kept = rows.find(({ key }) => key === checkId)
  const check = kept?.value
  if (check === undefined || !('check' in check))
    throw new KeyringRefused('damaged', 'The keyring has keys but no check value; restore the records keyring.')
  if (check.check !== kek.check)
    throw new KeyringRefused(
      'wrong-kek',
      `The key encryption key given is ${kek.id}; this store was set up with ${check.kek}. Start with that one: another cannot open what is encrypted.`,
    )
  return kept
}
