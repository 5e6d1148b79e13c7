import { createPublicKey } from 'node:crypto'
import type { JSONWebKeySet, JWK } from 'jose'
import { isRecord } from '../roles/json-shape.ts'

const keysMax = 50
const kidCharactersMax = 200
const rsaBitsMin = 2048

/**
 * A client's public keys from JSON; undefined when the set is malformed: an empty one, a key without `kid` or one `kid` twice, a key that cannot be read, is too
 * weak, or is a private one. @see auth.md 7.6, 10.1
 */
export const readKeySet = (json: unknown): JSONWebKeySet | undefined => {
  if (!isRecord(json) || !Array.isArray(json.keys) || json.keys.length === 0 || json.keys.length > keysMax) return undefined
  const keys = json.keys.flatMap((key: unknown) => readKey(key) ?? [])
  const kids = new Set(keys.map(({ kid }) => kid))
  return keys.length === json.keys.length && kids.size === keys.length ? { keys } : undefined
}

/** What a public key is made of; all else of a JWK is left out. */
const members = ['kty', 'kid', 'alg', 'use', 'n', 'e', 'crv', 'x', 'y'] as const

const readKey = (json: unknown): JWK | undefined => {
  if (!isRecord(json)) return undefined
  const { kty, kid } = json
  if (typeof kid !== 'string' || kid === '' || kid.length > kidCharactersMax || 'd' in json || 'k' in json) return undefined
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return undefined
  const texts = members.flatMap(name => (json[name] === undefined ? [] : [[name, json[name]] as const]))
  if (texts.some(([, value]) => typeof value !== 'string')) return undefined
  const jwk: JWK = { ...Object.fromEntries(texts), kty, kid }
  return isStrong(jwk) ? jwk : undefined
}

const isStrong = (jwk: JWK): boolean => {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    return asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) >= rsaBitsMin
  } catch {
    return false
  }
}
