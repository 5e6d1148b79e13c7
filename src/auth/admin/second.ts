import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { host } from '../second-person.ts'
import type { ApprovalParts } from './approvals.ts'
import { holdersNeeded, holdersOf } from './holders.ts'

/**
 * Whether `by`, who holds the permission or is the host, may be the second person for what `asked` asked for: somebody else does; the host while fewer than two
 * accounts hold the permission, and for what it asked itself while none does. @see auth.md 4.3
 */
export const mayBeSecond = async (
  { ground, roles }: ApprovalParts,
  permission: string,
  asked: string,
  by: string,
): Promise<Outcome<undefined>> => {
  if (by !== host) return by === asked ? fail('another-person', {}) : ok(undefined)
  const holders = await holdersOf(ground, roles, permission, { most: holdersNeeded })
  if (holders.length >= holdersNeeded) return fail('enough-holders', { permission })
  return asked === host && holders.length > 0 ? fail('another-person', {}) : ok(undefined)
}
