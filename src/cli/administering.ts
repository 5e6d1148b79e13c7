import type { AccountParts } from '../auth/account-parts.ts'
import type { ApprovalParts } from '../auth/admin/approvals.ts'
import type { RegistrationRules } from '../auth/clients/registration.ts'
import type { Origin } from '../auth/ground.ts'
import type { Keys } from '../auth/keys/open-keys.ts'
import type { PublicAddress } from '../auth/web.ts'
import { sentence } from '../base/failure-kinds.ts'
import type { Failure } from '../base/outcome.ts'
import { exitCodes } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

/** The store of the configuration with the keys of its accounts, as the verbs of administration need it. A server may be using it meanwhile. */
export type Administering = AsyncDisposable &
  ApprovalParts & {
    readonly accounts: AccountParts
    readonly keys: Keys
    readonly registration: RegistrationRules
    readonly address: PublicAddress
    /** IANA: of working days. */
    readonly zone: string
    /** For trials: the public address leads to this machine, and this is no production. */
    readonly forTrials: boolean
    /** File of the key encryption key that the first start made; absent where a variable says which it is. */
    readonly kekFile?: string
  }

export type Open = () => Promise<Administering>

/** Whoever runs a verb is somebody at the host. */
export const atHost: Origin = { address: 'host' }

/** Every sentence of a failure. */
export const failed = (terminal: Terminal, failure: Failure): number => {
  for (const { kind, values } of [failure, ...(failure.more ?? [])]) terminal.err(sentence(kind, values, 'en'))
  return exitCodes.failed
}
