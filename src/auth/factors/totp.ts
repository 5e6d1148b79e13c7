import { createHmac, timingSafeEqual } from 'node:crypto'
import { base32 } from './base32.ts'

/** One-time codes by the clock: SHA-1, 6 digits, 30 seconds, as every authenticator app does them. @see RFC 6238, RFC 4226 */
export const totpSecretBytes = 20
const stepSeconds = 30
const digitsShown = 6
/** Steps before and after that are accepted: clocks differ, and people type slowly. */
const stepsAround = 1

export const stepAt = (now: number): number => Math.floor(now / 1000 / stepSeconds)

export const totpCode = (secret: Uint8Array, step: number, digits = digitsShown): string => {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = (mac.at(-1) as number) & 15
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 10 ** digits).padStart(digits, '0')
}

/** The step that `code` belongs to, near `now` and later than the last one used; undefined when there is none. */
export const acceptedStep = (secret: Uint8Array, code: string, now: number, lastStep = -1): number | undefined => {
  if (!/^\d{6}$/.test(code)) return undefined
  const current = stepAt(now)
  const given = Buffer.from(code)
  // All are compared, so that the time it takes says nothing about which one matched.
  const matching = Array.from({ length: 2 * stepsAround + 1 }, (_, n) => current - stepsAround + n).filter(
    step => step >= 0 && timingSafeEqual(given, Buffer.from(totpCode(secret, step))) && step > lastStep,
  )
  return matching[0]
}

/** What the QR code of an enrolment says. @see https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
export const totpUri = (secret: Uint8Array, issuer: string, account: string): string =>
  `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(account)}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${digitsShown}&period=${stepSeconds}`
