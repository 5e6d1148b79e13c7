import type { KeyedHash } from '../keys/keyed-hash.ts'
import type { RandomBytes } from '../secrets.ts'

/** Codes for the day the phone is lost: ten at a time, `XXXXX-XXXXX` in Crockford's base32, 50 bits each. @see https://www.crockford.com/base32.html */
export const backupCodesMade = 10
/** Fewer than these left, and their owner is told. */
export const backupCodesFew = 3

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const lettersMade = 10

export const newBackupCodes = (random: RandomBytes): readonly string[] => Array.from({ length: backupCodesMade }, () => newCode(random))

const newCode = (random: RandomBytes): string => {
  const letters = Array.from(random(lettersMade), byte => alphabet[byte & 31]).join('')
  return `${letters.slice(0, 5)}-${letters.slice(5)}`
}

/** A code as people type it: any case, with or without the hyphen, O for 0, I and L for 1. Undefined when it cannot be one. */
export const readBackupCode = (typed: string): string | undefined => {
  const letters = typed.slice(0, 40).toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  return /^[0-9A-HJKMNP-TV-Z]{10}$/.test(letters) ? `${letters.slice(0, 5)}-${letters.slice(5)}` : undefined
}

/** What is kept of a code; the same code of two accounts gives two values. */
export const hashBackupCode = (hash: KeyedHash, account: string, code: string): string => hash.of('backup-code', `${account}\0${code}`)

/** Which of the kept ones the code is. Looks at all of them, whichever it is. */
export const matchingBackupCode = async (
  hash: KeyedHash,
  account: string,
  code: string,
  kept: readonly string[],
): Promise<string | undefined> => {
  const matches = await Promise.all(kept.map(one => hash.matches(one, 'backup-code', `${account}\0${code}`)))
  return kept[matches.indexOf(true)]
}
