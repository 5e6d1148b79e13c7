import { type Outcome, ok } from '../../base/outcome.ts'
import type { Ground, Origin } from '../ground.ts'
import { whenDue } from '../leases.ts'
import { accountsOf } from './administration.ts'
import { invite, inviteAgain } from './invitation.ts'
import { linkMs } from './links.ts'

/** Nodes that start together give one link. */
const onceInMs = 5_000
const by = 'first-start'

/**
 * The secret of a link by which the first administrator makes their account: where nobody has one yet, and nobody was invited by other means. A link that
 * was given before and not used is void then. Undefined where there is an account, or another node has just given one.
 * @see auth.md 2.1
 */
export const firstInvitation = async (ground: Ground, holder: string, origin: Origin): Promise<Outcome<string | undefined>> => {
  let secret: string | undefined
  const lease = { name: by, everyMs: onceInMs, leaseMs: onceInMs }
  const done = await whenDue({ store: ground.store, clock: ground.clock, holder }, lease, async () => {
    const made = await inviteFirst(ground, origin)
    if (made.ok) secret = made.value
    return made
  })
  return done.ok ? ok(secret) : done
}

const inviteFirst = async (ground: Ground, origin: Origin): Promise<Outcome<string | undefined>> => {
  for (const status of ['active', 'disabled'] as const) if ((await accountsOf(ground, status, 1)).accounts.length > 0) return ok(undefined)
  const [waiting] = (await accountsOf(ground, 'invited', 1)).accounts
  if (waiting === undefined) {
    const invited = await invite(ground, { locale: 'id', roles: [{ role: 'admin', givenBy: by }] }, by, origin)
    if (!invited.ok) return invited
    return ok(invited.value.is === 'invited' ? invited.value.secret : undefined)
  }
  if (waiting.createdBy !== by) return ok(undefined)
  const invited = await inviteAgain(ground, waiting.id, by, origin)
  return invited.ok ? ok('secret' in invited.value ? invited.value.secret : undefined) : invited
}

export const invitationMinutes = linkMs.invitation / 60_000
