import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { RandomBytes } from '../secrets.ts'
import type { Keyring } from './keyring.ts'

/** Where an encrypted value stands. It is authenticated: a value that was moved to another row or column does not open. */
export type FieldPlace = { readonly table: string; readonly column: string; readonly row: string }

/** AES-256-GCM over single values of records. A value is `{id of the data key}.{nonce, ciphertext, tag in base64url}`. @see auth.md 11 */
export type FieldEncryption = {
  encrypt(text: string, place: FieldPlace): string
  /** Undefined when it is damaged, was moved, or its key is gone. */
  decrypt(value: string, place: FieldPlace): Promise<string | undefined>
  /** Whether the current key made it; if not, it is to be encrypted anew. */
  isCurrent(value: string): boolean
}

const nonceBytes = 12
const tagBytes = 16

export const createFieldEncryption = (keyring: Keyring, random: RandomBytes): FieldEncryption => ({
  encrypt(text, place) {
    const { id, key } = keyring.current('fields')
    const nonce = random(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated(id, place))
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return `${id}.${sealed.toString('base64url')}`
  },
  async decrypt(value, place) {
    const { id, bytes } = partsOf(value)
    const key = id.startsWith('fields-') ? await keyring.find(id) : undefined
    if (key === undefined || bytes.length < nonceBytes + tagBytes) return undefined
    const decipher = createDecipheriv('aes-256-gcm', key.key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
      .setAAD(associated(id, place))
      .setAuthTag(bytes.subarray(-tagBytes))
    try {
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8')
    } catch {
      return undefined
    }
  },
  isCurrent: value => partsOf(value).id === keyring.current('fields').id,
})

const partsOf = (value: string): { readonly id: string; readonly bytes: Buffer } => {
  const dot = value.indexOf('.')
  return { id: value.slice(0, Math.max(0, dot)), bytes: Buffer.from(value.slice(dot + 1), 'base64url') }
}

/** JSON keeps the parts apart, whatever stands in them. */
const associated = (id: string, { table, column, row }: FieldPlace): Buffer => Buffer.from(JSON.stringify([id, table, column, row]))
