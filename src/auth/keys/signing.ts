import { createHmac, timingSafeEqual } from 'node:crypto'
import type { DataKey, KeyPurpose, Keyring } from './keyring.ts'

/** Signatures over texts that travel through a browser: `forms` for the synchronizer tokens of forms, `cookies` for values of cookies that hold no secret. */
export type Signing = {
  /** `{number of the key}.{43 characters}` */
  sign(text: string): string
  /** By the present key or the one before: forms that are open while keys rotate still come back. */
  verify(signature: string, text: string): boolean
}

const keysBelieved = 2

export const createSigning = (keyring: Keyring, purpose: Extract<KeyPurpose, 'cookies' | 'forms'>): Signing => ({
  sign: text => signed(keyring.current(purpose), text),
  verify: (signature, text) =>
    keyring
      .versions(purpose)
      .slice(0, keysBelieved)
      .some(key => {
        const [given, wanted] = [Buffer.from(signature), Buffer.from(signed(key, text))]
        return given.length === wanted.length && timingSafeEqual(given, wanted)
      }),
})

const signed = ({ number, key }: DataKey, text: string): string => `${number}.${createHmac('sha256', key).update(text).digest('base64url')}`
