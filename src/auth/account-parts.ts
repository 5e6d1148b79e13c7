import type { AccountRules } from './accounts/account.ts'
import type { Ground } from './ground.ts'
import type { Spraying } from './lockout/spraying.ts'
import type { PasswordHashing } from './passwords/hashing.ts'

/** What the stories of login and of account security are given. */
export type AccountParts = {
  readonly ground: Ground
  readonly hashing: PasswordHashing
  readonly spraying: Spraying
  readonly rules: AccountRules
}
