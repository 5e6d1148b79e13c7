import type { RecordDefinition } from '../../storage/port.ts'
import type { StoredPassword } from '../passwords/hashing.ts'
import { type PasswordAge, passwordAge } from '../passwords/password-age.ts'

/** Somebody who may log in. It is no FHIR resource; `fhirUser` names theirs. @see auth.md 2.1 */
export type Account = {
  readonly id: string
  /** Folded. Absent until an invitation without one is accepted. */
  readonly username?: string
  readonly email?: string
  /** Encrypted. */
  readonly phone?: string
  readonly locale: 'id' | 'en'
  readonly status: 'invited' | 'active' | 'disabled'
  readonly password?: StoredPassword
  readonly passwordChangedAt?: number
  /** The last five, the present one first. */
  readonly passwordHistory: readonly StoredPassword[]
  readonly mustChangePassword?: true
  /** Somebody is linked to it at an outside identity provider: it is in use without a password as well. */
  readonly federated?: true
  /** `Practitioner/1`; also Patient, RelatedPerson or Person. */
  readonly fhirUser?: string
  readonly roles: readonly RoleAssignment[]
  /** Patients who act for others need a second factor as staff do. */
  readonly actsForOthers?: true
  readonly clearance?: Clearance
  /** Logins that were let pass without the second factor that is needed. */
  readonly graceUsed: number
  /** Sessions, grants and device cookies of another epoch are dead. */
  readonly epoch: number
  readonly createdAt: number
  readonly createdBy: string
  readonly enabledAt?: number
  readonly disabled?: { readonly at: number; readonly by: string; readonly reason: string }
}

export type RoleAssignment = {
  readonly role: string
  /** `Organization/1`; absent: wherever this installation is. */
  readonly organization?: string
  readonly location?: string
  /** ms */
  readonly from?: number
  readonly until?: number
  readonly givenBy: string
  readonly approvedBy?: string
}

/** Highest confidentiality, and the sensitivities that may be seen. @see auth.md 12.4 */
export type Clearance = { readonly confidentiality: 'U' | 'L' | 'M' | 'N' | 'R' | 'V'; readonly sensitivities: readonly string[] }

export const accountRecords: RecordDefinition = {
  name: 'account',
  key: 'id',
  unique: { username: ['username'] },
  indexes: { email: ['email'], status: ['status', 'createdAt'], user: ['fhirUser'] },
}

export const passwordsKept = 5

export type AccountRules = {
  /** Days after which passwords of staff expire; 0: never (SIMPUL_AUTH_PASSWORD_DAYS). */
  readonly passwordDays: number
  /** Demands three of four classes of characters (SIMPUL_AUTH_PASSWORD_CLASSES). */
  readonly passwordClasses: boolean
  /** Sessions an account may have at once; 0: any number (SIMPUL_AUTH_SESSIONS_MAX). */
  readonly sessionsMax: number
  /** SIMPUL_AUTH_IDLE_MINUTES */
  readonly idleMinutes: number
  /** Name of the facility, which no password may hold, and which stands in authenticator apps. */
  readonly facility: string
  /** In which times are shown (SIMPUL_ZONE): `Asia/Jakarta`. */
  readonly zone: string
}

export const defaultAccountRules: AccountRules = {
  passwordDays: 90,
  passwordClasses: false,
  sessionsMax: 0,
  idleMinutes: 30,
  facility: 'Simpul',
  zone: 'Asia/Jakarta',
}

/** Staff is whoever is not a patient and nothing else; without any role that is not known, and the stricter rules hold. */
export const isStaff = ({ roles }: Account): boolean => roles.length === 0 || roles.some(({ role }) => role !== 'patient')

export const needsFactor = (account: Account): boolean => isStaff(account) || account.actsForOthers === true

export const passwordAgeOf = (account: Account, now: number, { passwordDays }: AccountRules): PasswordAge =>
  isStaff(account) ? passwordAge(account.passwordChangedAt ?? 0, now, passwordDays) : { is: 'fresh' }

/** The account with a new password: grants, sessions and device cookies of before are dead. */
export const withPassword = (account: Account, password: StoredPassword, now: number): Account => {
  const { mustChangePassword: _, ...kept } = account
  return {
    ...kept,
    password,
    passwordChangedAt: now,
    passwordHistory: [password, ...account.passwordHistory].slice(0, passwordsKept),
    epoch: account.epoch + 1,
  }
}

/** The same password, hashed as passwords are now. */
export const withRehashed = (account: Account, password: StoredPassword): Account => ({
  ...account,
  password,
  passwordHistory: [password, ...account.passwordHistory.slice(1)],
})
