import type { RecordDefinition, StoredRecord } from '../../storage/port.ts'
import type { Method } from '../facts.ts'
import type { Ground } from '../ground.ts'
import { backupCodesFew, hashBackupCode, matchingBackupCode, newBackupCodes, readBackupCode } from './backup-codes.ts'
import { base32 } from './base32.ts'
import { acceptedStep, totpSecretBytes, totpUri } from './totp.ts'

/** The second factors of one account, in one record: using any of them is one conditional write. @see auth.md 2.4 */
export type FactorSet = {
  readonly account: string
  readonly totp?: {
    /** Encrypted. */
    readonly secret: string
    /** The last step used; it and those before are spent. */
    readonly lastStep: number
    readonly enrolledAt: number
  }
  /** An enrolment that waits for its first code. */
  readonly pending?: { readonly secret: string; readonly startedAt: number }
  /** Keyed hashes of those not used yet. */
  readonly backupCodes: readonly string[]
}

export const factorRecords: RecordDefinition = { name: 'factor', key: 'account' }

/** How long an enrolment waits for its first code. */
export const enrolmentMs = 10 * 60_000

export type KeptFactors = StoredRecord<FactorSet> | undefined

export const factorsOf = ({ store }: Ground, account: string): Promise<KeptFactors> => store.records<FactorSet>(factorRecords).get(account)

export const hasFactor = (kept: KeptFactors): boolean => kept?.value.totp !== undefined

/** A factor used, and what the record is then: whoever puts it over the one that was read has used it, and nobody else. */
export type FactorUse = { readonly method: Extract<Method, 'otp' | 'backup'>; readonly after: FactorSet; readonly fewCodes: boolean }

/** Takes the 6 digits of an authenticator app or a backup code. Undefined: wrong, or used before. */
export const factorUse = async (ground: Ground, kept: KeptFactors, typed: string): Promise<FactorUse | undefined> => {
  if (kept === undefined || kept.value.totp === undefined) return undefined
  const { value } = kept
  const code = readBackupCode(typed)
  const used = code === undefined ? await totpUse(ground, value, typed) : await backupUse(ground, value, code)
  return used === undefined ? undefined : { ...used, fewCodes: used.after.backupCodes.length < backupCodesFew }
}

type Use = Omit<FactorUse, 'fewCodes'>

const totpUse = async (ground: Ground, set: FactorSet, typed: string): Promise<Use | undefined> => {
  const { totp } = set
  const secret = totp === undefined ? undefined : await opened(ground, set.account, totp.secret)
  if (totp === undefined || secret === undefined) return undefined
  const lastStep = acceptedStep(secret, typed.replace(/\s/g, ''), ground.clock(), totp.lastStep)
  return lastStep === undefined ? undefined : { method: 'otp', after: { ...set, totp: { ...totp, lastStep } } }
}

const backupUse = async ({ hash }: Ground, set: FactorSet, code: string): Promise<Use | undefined> => {
  const spent = await matchingBackupCode(hash, set.account, code, set.backupCodes)
  return spent === undefined
    ? undefined
    : { method: 'backup', after: { ...set, backupCodes: set.backupCodes.filter(one => one !== spent) } }
}

/** What an authenticator app is told: as a QR code, or typed. Shown once. */
export type Enrolment = { readonly uri: string; readonly secret: string }

/** A new secret that waits for its first code. What is enrolled already stays until then. */
export const newEnrolment = (
  { random, fields, clock }: Ground,
  kept: KeptFactors,
  account: string,
  names: { readonly issuer: string; readonly account: string },
): { readonly after: FactorSet; readonly enrolment: Enrolment } => {
  const secret = random(totpSecretBytes)
  const encrypted = fields.encrypt(secret.toString('base64url'), placeOf(account))
  return {
    after: { account, backupCodes: [], ...kept?.value, pending: { secret: encrypted, startedAt: clock() } },
    enrolment: { uri: totpUri(secret, names.issuer, names.account), secret: base32(secret) },
  }
}

/** The factors once the first code has come, with new backup codes, which are shown once. Undefined: wrong code, or nothing waits. */
export const enrolled = async (
  ground: Ground,
  kept: KeptFactors,
  typed: string,
): Promise<{ readonly after: FactorSet; readonly backupCodes: readonly string[] } | undefined> => {
  const pending = kept?.value.pending
  const now = ground.clock()
  if (kept === undefined || pending === undefined || now - pending.startedAt > enrolmentMs) return undefined
  const { account } = kept.value
  const secret = await opened(ground, account, pending.secret)
  const lastStep = secret === undefined ? undefined : acceptedStep(secret, typed.replace(/\s/g, ''), now)
  if (lastStep === undefined) return undefined
  return withBackupCodes(ground, { account, totp: { secret: pending.secret, lastStep, enrolledAt: now }, backupCodes: [] })
}

/** New backup codes; the old ones are void. */
export const withBackupCodes = (
  { random, hash }: Ground,
  set: FactorSet,
): { readonly after: FactorSet; readonly backupCodes: readonly string[] } => {
  const backupCodes = newBackupCodes(random)
  return { after: { ...set, backupCodes: backupCodes.map(code => hashBackupCode(hash, set.account, code)) }, backupCodes }
}

const opened = async ({ fields }: Ground, account: string, encrypted: string): Promise<Buffer | undefined> => {
  const text = await fields.decrypt(encrypted, placeOf(account))
  return text === undefined ? undefined : Buffer.from(text, 'base64url')
}

export const placeOf = (account: string) => ({ table: factorRecords.name, column: 'secret', row: account })
