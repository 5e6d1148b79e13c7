import { type Outcome, ok } from '../../base/outcome.ts'
import type { Fact } from '../facts.ts'
import { commitFacts } from '../ground.ts'
import type { SigningKeyState } from '../keys/signing-keys.ts'
import { badMembers, Members } from '../members.ts'
import { demandStepUp } from '../step-up.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'
import { type AdminRoute, iso } from './routes.ts'

/** Keys that id tokens are signed with. Data keys and the key that wraps them are changed on the host: `simpul keys`. @see auth.md 11 */

const status = async ({ keys }: AdminParts): Promise<Outcome<AdminReply>> => ok({ body: { signing: keys.signing.state().map(shownKey) } })

const rotate = async (parts: AdminParts, { body, principal, from }: AdminCall): Promise<Outcome<AdminReply>> => {
  const { ground, keys } = parts
  const members = new Members(body ?? {})
  const compromised = members.flag('compromised') === true
  members.others()
  if (members.faults.length > 0) return badMembers(members.faults)
  // Everybody's id tokens stop being believed: not by a session that somebody left open.
  const fresh = compromised ? demandStepUp(principal, ground.clock()) : ok(undefined)
  if (!fresh.ok) return fresh
  const facts: readonly Fact[] = [{ what: 'signing-key-rotated', by: principal.accountId, ...(compromised && { reason: 'compromised' }) }]
  const done = await keys.signing.rotate(compromised ? 'compromised' : 'announced', records => commitFacts(ground, records, facts, from))
  return done.ok ? status(parts) : done
}

const shownKey = ({ signsFrom, ...key }: SigningKeyState): object => ({ ...key, signsFrom: iso(signsFrom) })

export const keyRoutes: readonly AdminRoute[] = [
  { method: 'GET', path: '/admin/keys', permissions: ['keys.rotate'], run: status },
  { method: 'POST', path: '/admin/keys/rotate', permissions: ['keys.rotate'], run: rotate },
]
