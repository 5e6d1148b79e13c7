import { type Outcome, ok } from '../../base/outcome.ts'
import type { Rule } from '../../base/rules.ts'
import type { Account, AccountRules } from '../accounts/account.ts'
import type { PasswordHashing, StoredPassword } from './hashing.ts'
import { passwordFaults, usedBefore } from './password-rules.ts'

export type NewPassword = { readonly stored: StoredPassword } | { readonly faults: readonly Rule[] }

/** The hash of a password that an account may take, or what is wrong with it. Costs up to six hashes: one for each it had, and its own. */
export const newPassword = async (
  hashing: PasswordHashing,
  rules: AccountRules,
  { username, email, passwordHistory }: Pick<Account, 'username' | 'email' | 'passwordHistory'>,
  password: string,
): Promise<Outcome<NewPassword>> => {
  const faults = passwordFaults(password, {
    hospital: rules.facility,
    classes: rules.passwordClasses,
    ...(username === undefined ? {} : { username }),
    ...(email === undefined ? {} : { email }),
  })
  if (faults.length > 0) return ok({ faults })
  for (const before of passwordHistory) {
    const verified = await hashing.verify(password, before)
    if (!verified.ok) return verified
    if (verified.value.matches) return ok({ faults: [usedBefore] })
  }
  const stored = await hashing.hash(password)
  return stored.ok ? ok({ stored: stored.value }) : stored
}
