import { logOut } from '../sessions/sessions.ts'
import type { Visit } from './visit.ts'

/** Below a door: where the steps of a login are. */
export const stepPaths = { factor: '/code', enrol: '/enrol', password: '/password' } as const

/** Somebody else was signed in in this browser: nobody has the value of that cookie any more. Where it does not end now it ends of idleness. */
export const endOther = async ({ live, from, parts }: Visit, account: string): Promise<void> => {
  if (live !== undefined && live.account.key !== account) await logOut(parts.accounts.ground, live, from)
}
