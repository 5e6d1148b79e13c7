import type { KoaContextWithOIDC } from 'oidc-provider'
import { heldPermissions } from '../policy/held-permissions.ts'
import { sessionPrincipal } from '../principal/person.ts'
import type { AuthorizationServerParts } from './server-parts.ts'
import { standingOf, stepsOf, textOf } from './standing.ts'

/**
 * Whether our screen for emergency access is due: a launch for a patient says `purpose_of_use=BTG`, and whoever is signed in may break the glass at all and has
 * not done so. By itself the word grants nothing, and who goes on without is no worse off. @see auth.md 12.5.2
 */
export const asksEmergency = async (parts: AuthorizationServerParts, ctx: KoaContextWithOIDC): Promise<boolean> => {
  const { params, result } = ctx.oidc
  if (!namesEmergency(params?.purpose_of_use) || stepsOf(result).emergency !== undefined) return false
  const { live, launch, client, next } = await standingOf(parts, ctx)
  if (live === undefined || launch === undefined || next !== 'agree') return false
  if (!heldPermissions(parts.roles, await sessionPrincipal(parts, live)).has('break-glass')) return false
  const open = await parts.emergenciesOf({ account: live.account.key, session: live.session.key, client: client.id })
  return !open.includes(launch.value.patient)
}

/** v3-ActReason `BTG`, break the glass. */
const namesEmergency = (purpose: unknown): boolean => textOf(purpose).split(/[ ,]/).includes('BTG')
