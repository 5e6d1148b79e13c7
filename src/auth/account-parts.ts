import type { Account, AccountRules } from './accounts/account.ts'
import type { Ground } from './ground.ts'
import type { Spraying } from './lockout/spraying.ts'
import type { PasswordHashing } from './passwords/hashing.ts'

/** What the stories of login and of account security are given. */
export type AccountParts = {
  readonly ground: Ground
  readonly hashing: PasswordHashing
  readonly spraying: Spraying
  readonly rules: AccountRules
  /**
   * Whether a password of this house lets somebody in: `off` where an outside provider stands for them, `emergency` for one of those who keep theirs in any case.
   * The same look-ups for a name that nobody has. Absent: always.
   */
  readonly localLogin?: (account: Account | undefined) => Promise<'open' | 'off' | 'emergency'>
}
