import { argon2, timingSafeEqual } from 'node:crypto'
import { type Outcome, ok } from '../../base/outcome.ts'
import type { DataKey, Keyring } from '../keys/keyring.ts'
import type { RandomBytes } from '../secrets.ts'
import { type Argon2idCost, type Argon2idHash, readPhc, writePhc } from './phc.ts'
import { createTurns } from './turns.ts'

/** A password as it is kept: the hash, and the id of the pepper that went into it. */
export type StoredPassword = { readonly phc: string; readonly pepper: string }

export type Verified = {
  readonly matches: boolean
  /** Parameters or pepper have changed since: hash it anew while the password is at hand. */
  readonly outdated: boolean
}

/**
 * Argon2id (RFC 9106) with a pepper as its secret input. Each call costs one hash, some 33 ms and 19 MiB; two run at once and 50 wait, more fail `overloaded`.
 * @see auth.md 2.2
 */
export type PasswordHashing = {
  hash(password: string): Promise<Outcome<StoredPassword>>
  /** Without a stored password, or with one that cannot be read, it costs the same and matches nothing. */
  verify(password: string, stored: StoredPassword | undefined): Promise<Outcome<Verified>>
  /** Hashes computed since the start. */
  readonly hashes: number
}

/** What OWASP asks for where memory is dear. */
export const argon2idCost: Argon2idCost = { memory: 19_456, passes: 2, lanes: 1 }
const saltBytes = 16
const tagBytes = 32
const atOnce = 2
const waitingMax = 50

/** Texts that look the same are the same password. @see NIST SP 800-63B 5.1.1.2 */
export const normalPassword = (text: string): string => text.normalize('NFKC')

export const createPasswordHashing = (keyring: Keyring, random: RandomBytes, cost = argon2idCost): PasswordHashing => {
  /** Of an account that is not there; what it gives is not believed. */
  const nobody: Argon2idHash = { ...cost, salt: Buffer.alloc(saltBytes), tag: Buffer.alloc(tagBytes) }
  const turns = createTurns(atOnce, waitingMax)
  let hashes = 0
  const tagOf = (password: string, pepper: DataKey, { salt, tag, ...by }: Argon2idHash): Promise<Outcome<Buffer>> =>
    turns.take(() => {
      hashes++
      return argon2id(normalPassword(password), pepper, salt, tag.length, by)
    })
  const isCurrent = (kept: Argon2idHash, pepper: DataKey): boolean =>
    pepper.id === keyring.current('pepper').id &&
    kept.memory === cost.memory &&
    kept.passes === cost.passes &&
    kept.lanes === cost.lanes &&
    kept.salt.length === saltBytes &&
    kept.tag.length === tagBytes
  return {
    async hash(password) {
      const pepper = keyring.current('pepper')
      const fresh = { ...cost, salt: random(saltBytes), tag: Buffer.alloc(tagBytes) }
      const tag = await tagOf(password, pepper, fresh)
      return tag.ok ? ok({ phc: writePhc({ ...fresh, tag: tag.value }), pepper: pepper.id }) : tag
    },
    async verify(password, stored) {
      const kept = stored === undefined ? undefined : readPhc(stored.phc)
      const pepper = stored?.pepper.startsWith('pepper-') ? await keyring.find(stored.pepper) : undefined
      const known = kept !== undefined && pepper !== undefined
      const tag = await tagOf(password, known ? pepper : keyring.current('pepper'), known ? kept : nobody)
      if (!tag.ok) return tag
      const matches = known && timingSafeEqual(tag.value, kept.tag)
      return ok({ matches, outdated: matches && !isCurrent(kept, pepper) })
    },
    get hashes() {
      return hashes
    },
  }
}

const argon2id = (
  password: string,
  pepper: DataKey,
  salt: Buffer,
  tagLength: number,
  { memory, passes, lanes }: Argon2idCost,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const parameters = { message: password, nonce: salt, secret: pepper.key.export(), parallelism: lanes, tagLength, memory, passes }
    argon2('argon2id', parameters, (error, tag) => {
      if (error === null) resolve(tag)
      else reject(error)
    })
  })
