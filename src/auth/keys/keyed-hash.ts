import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Keyring } from './keyring.ts'

/** What is hashed: the same text hashed for two uses gives two values. A word of ours. */
export type HashUse = 'login-name' | 'backup-code' | 'identifier' | 'user-code'

/**
 * HMAC-SHA-256 cut to 16 bytes, as `{id of the key}.{base64url}`: equality can be asked of the store, and nothing be guessed by who has only the store.
 * @see auth.md 11
 */
export type KeyedHash = {
  of(use: HashUse, text: string): string
  /** Under every key there is, the current one first: what a look-up asks for while values of an older key are there. */
  all(use: HashUse, text: string): readonly string[]
  matches(value: string, use: HashUse, text: string): Promise<boolean>
}

const bytesKept = 16

export const createKeyedHash = (keyring: Keyring): KeyedHash => ({
  of: (use, text) => hashed(keyring.current('index'), use, text),
  all: (use, text) => keyring.versions('index').map(key => hashed(key, use, text)),
  async matches(value, use, text) {
    const id = value.slice(0, Math.max(0, value.indexOf('.')))
    const key = id.startsWith('index-') ? await keyring.find(id) : undefined
    if (key === undefined) return false
    const [given, wanted] = [Buffer.from(value), Buffer.from(hashed(key, use, text))]
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  },
})

const hashed = ({ id, key }: { readonly id: string; readonly key: KeyObject }, use: HashUse, text: string): string =>
  `${id}.${createHmac('sha256', key).update(`${use}\0${text}`).digest().toString('base64url', 0, bytesKept)}`
