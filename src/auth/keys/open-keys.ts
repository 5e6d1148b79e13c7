import { type Outcome, ok } from '../../base/outcome.ts'
import { createFieldEncryption, type FieldEncryption } from './field-encryption.ts'
import type { KeyEncryptionKey } from './key-encryption-key.ts'
import { createKeyedHash, type KeyedHash } from './keyed-hash.ts'
import { Keyring, type KeyringParts } from './keyring.ts'
import { createSigning, type Signing } from './signing.ts'
import { openSigningKeys, type SigningKeys } from './signing-keys.ts'

/** Everything that encrypts, hashes or signs. @see auth.md 11 */
export type Keys = {
  readonly keyring: Keyring
  readonly fields: FieldEncryption
  readonly hash: KeyedHash
  /** Synchronizer tokens of forms. */
  readonly forms: Signing
  /** Values of cookies that hold no secret. */
  readonly cookies: Signing
  /** Of id tokens. */
  readonly signing: SigningKeys
}

/**
 * Opens the keyring under the key that `findKek` found, and makes what is missing. Throws `KeyringRefused`, with a sentence for the operator, on a wrong key or
 * a damaged keyring: nothing was written then, and nothing may start.
 */
export const openKeys = async (parts: KeyringParts & { readonly kek: KeyEncryptionKey }): Promise<Outcome<Keys>> => {
  const opened = await Keyring.open(parts)
  if (!opened.ok) return opened
  const keyring = opened.value
  const fields = createFieldEncryption(keyring, parts.random)
  const signing = await openSigningKeys({ store: parts.store, clock: parts.clock, fields })
  if (!signing.ok) return signing
  return ok({
    keyring,
    fields,
    hash: createKeyedHash(keyring),
    forms: createSigning(keyring, 'forms'),
    cookies: createSigning(keyring, 'cookies'),
    signing: signing.value,
  })
}
