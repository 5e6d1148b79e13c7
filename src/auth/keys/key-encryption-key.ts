import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { RandomBytes } from '../secrets.ts'

/** The key that wraps all others (KEK). It comes from outside, and the store never sees it. */
export type KeyEncryptionKey = {
  /** Says which it is without telling anything of it. */
  readonly id: string
  /** Kept with the keyring: a start with another KEK is noticed before anything is written. */
  readonly check: string
  readonly key: KeyObject
}

export const kekBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** A KEK as an operator gives it: 32 bytes in hexadecimal or base64. Undefined for any other text. */
export const readKek = (text: string): KeyEncryptionKey | undefined => {
  const trimmed = text.trim()
  if (/^[0-9A-Fa-f]{64}$/.test(trimmed)) return kekOf(Buffer.from(trimmed, 'hex'))
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return kekOf(Buffer.from(trimmed, 'base64'))
  return undefined
}

export const kekOf = (bytes: Uint8Array): KeyEncryptionKey => {
  if (bytes.length !== kekBytes) throw new RangeError(`A key encryption key has ${kekBytes} bytes`)
  const key = createSecretKey(bytes)
  const derived = (what: string): Buffer => createHmac('sha256', key).update(`simpul ${what}`).digest()
  return { id: derived('key id').toString('hex', 0, 8), check: derived('key check').toString('base64url'), key }
}

/** `name` is authenticated: a wrapped key cannot be passed off as another. */
export const wrapKey = (kek: KeyEncryptionKey, name: string, bytes: Uint8Array, random: RandomBytes): string => {
  const nonce = random(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', kek.key, nonce).setAAD(Buffer.from(name))
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** Undefined when it was wrapped by another KEK, under another name, or is damaged. */
export const unwrapKey = (kek: KeyEncryptionKey, name: string, wrapped: string): Buffer | undefined => {
  const bytes = Buffer.from(wrapped, 'base64url')
  if (bytes.length < nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv('aes-256-gcm', kek.key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(name))
    .setAuthTag(bytes.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
  } catch {
    return undefined
  }
}
