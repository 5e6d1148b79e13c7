import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose'
import type { Clock } from '../../base/clock.ts'
import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordDefinition, RecordWrite, StoredRecord } from '../../storage/port.ts'
import { type AuthStore, again, commitRecords, deleteOver, putOver, type RecordsHeld, untilHeld } from '../record-plans.ts'
import type { FieldEncryption } from './field-encryption.ts'
import { type Reencrypted, reencryptRecords } from './reencrypt.ts'

/**
 * The keys that id tokens are signed with (RS256, 2048 bits: SMART demands it; ES384 is reserved). What a key is for follows from the clock alone, so that all
 * nodes change over at the same moment: 24 hours it is only *announced*, then it *signs*, and 24 hours after the next one began it is gone. Only the
 * making of the next key is a write, under a number that one node takes. @see auth.md 11
 */
export type SigningKeys = {
  /** With private parts, for whoever signs: the key that signs first, then the others that are published. */
  currentJwks(): JwkSet
  /** What `/oauth/jwks` shows, in the same order. */
  publicJwks(): JwkSet
  state(): readonly SigningKeyState[]
  /** Takes over what other nodes made, makes the next key when the present one is 90 days old, and removes what is gone. Calls listeners where the sets changed. To be called every few minutes. */
  turn(): Promise<Outcome<void>>
  /** Announces the next key now. `compromised`: it signs at once, and the others are gone at once. `commit` writes what belongs to it in the same plan. */
  rotate(how?: 'announced' | 'compromised', commit?: CommitRecords): Promise<Outcome<void>>
  /** The answer stops listening. */
  onChange(listener: () => void): () => void
}

type CommitRecords = (records: readonly RecordWrite[]) => Promise<Outcome<RecordsHeld>>

export type JwkSet = { readonly keys: readonly JWK[] }

export type SigningKeyState = {
  readonly kid: string
  readonly alg: 'RS256'
  readonly is: 'announced' | 'signing' | 'retiring'
  /** ms */
  readonly signsFrom: number
}

type SigningKey = {
  /** `RS256-{number}` */
  readonly id: string
  readonly number: number
  readonly alg: 'RS256'
  /** RFC 7638 */
  readonly kid: string
  readonly public: JWK
  /** The private JWK, sealed. */
  readonly sealed: string
  readonly signsFrom: number
  readonly createdAt: number
}

export const signingKeyRecords: RecordDefinition = { name: 'signing_key', key: 'id' }

const signingKeyPlace = (id: string) => ({ table: 'signing_key', column: 'sealed', row: id })

const hourMs = 3_600_000
const signingPhaseMs = 24 * hourMs
const signingKeyMs = 90 * 24 * hourMs
const keysMax = 20

export type SigningKeyParts = { readonly store: AuthStore; readonly clock: Clock; readonly fields: FieldEncryption }

type OpenKey = SigningKey & { readonly private: JWK }

/** Reads the keys, and makes the first one. Throws where a key cannot be unsealed. */
export const openSigningKeys = async (parts: SigningKeyParts): Promise<Outcome<SigningKeys>> => {
  const keys = new StoredSigningKeys(parts)
  const turned = await keys.turn()
  return turned.ok ? ok(keys) : turned
}

class StoredSigningKeys implements SigningKeys {
  readonly #parts: SigningKeyParts
  readonly #listeners = new Set<() => void>()
  /** The newest first. */
  #keys: readonly OpenKey[] = []
  #told = ''

  constructor(parts: SigningKeyParts) {
    this.#parts = parts
  }

  readonly #commit: CommitRecords = records => commitRecords(this.#parts.store, records)

  currentJwks(): JwkSet {
    return { keys: this.#published().map(key => key.private) }
  }

  publicJwks(): JwkSet {
    return { keys: this.#published().map(key => key.public) }
  }

  state(): readonly SigningKeyState[] {
    const now = this.#parts.clock()
    const signing = signerOf(this.#keys, now)
    return this.#published().map(({ kid, alg, signsFrom }) => ({
      kid,
      alg,
      signsFrom,
      is: kid === signing?.kid ? 'signing' : signsFrom > now ? 'announced' : 'retiring',
    }))
  }

  async turn(): Promise<Outcome<void>> {
    const done = await untilHeld<void>(async () => {
      const rows = await this.#read()
      const now = this.#parts.clock()
      const gone = rows.filter(({ value }) => isGone(value, this.#keys, now))
      const newest = this.#keys[0]
      const due = newest === undefined || newest.signsFrom + signingKeyMs <= now
      if (!due && gone.length === 0) return ok(undefined)
      const made = due ? [await this.#next(newest === undefined ? now : now + signingPhaseMs)] : []
      const held = await this.#commit([...made, ...gone.map(row => deleteOver(signingKeyRecords, row))])
      // Read anew either way: another node may have been quicker.
      return held.ok ? again : held
    })
    this.#tell()
    return done
  }

  async rotate(how: 'announced' | 'compromised' = 'announced', commit: CommitRecords = this.#commit): Promise<Outcome<void>> {
    const before = this.#keys[0]?.number ?? 0
    const done = await untilHeld<void>(async () => {
      const rows = await this.#read()
      const now = this.#parts.clock()
      // Where another node was quicker, that was the rotation; a key that is announced already is the next one.
      if ((this.#keys[0]?.number ?? 0) > before) return ok(undefined)
      if (how === 'announced' && this.#keys.some(({ signsFrom }) => signsFrom > now)) return ok(undefined)
      const next = await this.#next(how === 'compromised' ? now : now + signingPhaseMs)
      const dropped = how === 'compromised' ? rows.map(row => deleteOver(signingKeyRecords, row)) : []
      const held = await commit([next, ...dropped])
      return held.ok ? again : held
    })
    this.#tell()
    return done
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #read(): Promise<readonly StoredRecord<SigningKey>[]> {
    const { rows } = await this.#parts.store.records<SigningKey>(signingKeyRecords).range('key', { limit: keysMax })
    const opened = await Promise.all(rows.map(({ value }) => this.#opened(value)))
    this.#keys = opened.sort((a, b) => b.number - a.number)
    return rows
  }

  async #opened(key: SigningKey): Promise<OpenKey> {
    const known = this.#keys.find(({ kid }) => kid === key.kid)
    if (known !== undefined) return { ...key, private: known.private }
    const text = await this.#parts.fields.decrypt(key.sealed, signingKeyPlace(key.id))
    if (text === undefined) throw new Error(`The signing key ${key.id} cannot be opened: its data key is gone, or the record is damaged`)
    // Written by #next, and authenticated.
    return { ...key, private: JSON.parse(text) as JWK }
  }

  async #next(signsFrom: number): Promise<RecordWrite> {
    const number = (this.#keys[0]?.number ?? 0) + 1
    const id = `RS256-${number}`
    const { publicKey, privateKey } = await newRsaKey()
    const bare = await exportJWK(publicKey)
    const named = { kid: await calculateJwkThumbprint(bare), alg: 'RS256', use: 'sig' }
    const sealed = this.#parts.fields.encrypt(JSON.stringify({ ...(await exportJWK(privateKey)), ...named }), signingKeyPlace(id))
    const createdAt = this.#parts.clock()
    const key: SigningKey = { id, number, alg: 'RS256', kid: named.kid, public: { ...bare, ...named }, sealed, signsFrom, createdAt }
    return putOver(signingKeyRecords, undefined, key)
  }

  /** The one that signs, the one announced, the ones that retire. */
  #published(): readonly OpenKey[] {
    const now = this.#parts.clock()
    const there = this.#keys.filter(key => !isGone(key, this.#keys, now))
    const signing = signerOf(there, now)
    return signing === undefined ? there : [signing, ...there.filter(key => key !== signing)]
  }

  #tell(): void {
    const now = this.#published()
      .map(({ kid }) => kid)
      .join(' ')
    if (now === this.#told) return
    this.#told = now
    for (const listener of this.#listeners) listener()
  }
}

/** Seals the private parts anew under the current data key. */
export const reencryptSigningKeys = (parts: Pick<SigningKeyParts, 'store' | 'fields'>): Promise<Outcome<Reencrypted>> =>
  reencryptRecords<SigningKey>(parts, signingKeyRecords, async (key, renew) => {
    const sealed = await renew(key.sealed, signingKeyPlace(key.id))
    return sealed === undefined ? undefined : { ...key, sealed }
  })

/** Of the keys, newest first: the newest whose time has come; before that the oldest there is. */
const signerOf = <K extends { readonly signsFrom: number }>(keys: readonly K[], now: number): K | undefined =>
  keys.find(({ signsFrom }) => signsFrom <= now) ?? keys.at(-1)

/** Its successor has been signing for a day: no token that it signed is still believed. */
const isGone = (key: { readonly number: number }, keys: readonly { readonly number: number; readonly signsFrom: number }[], now: number) =>
  keys.some(({ number, signsFrom }) => number > key.number && signsFrom + signingPhaseMs <= now)

const newPair = promisify(generateKeyPair)
const newRsaKey = () => newPair('rsa', { modulusLength: 2048 })
