import { accountById } from '../auth/accounts/find-account.ts'
import type { ClientRegistry } from '../auth/clients/registry.ts'
import type { GrantContext } from '../auth/grants/grant-context.ts'
import { endGrant, grantById, grantsOf } from '../auth/grants/grants.ts'
import type { Ground } from '../auth/ground.ts'
import type { GrantedApp, GrantedApps } from '../auth/pages/parts.ts'
import { parseScopes } from '../auth/scopes/scope.ts'
import { ok } from '../base/outcome.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'

export type GrantedAppsParts = {
  readonly ground: Ground
  readonly clients: Pick<ClientRegistry, 'find'>
  readonly definitions: Definitions
}

const shownMax = 100

/** The applications that somebody gave access to, for the page *Apps*. @see auth.md 9.1 */
export const createGrantedApps = ({ ground, clients, definitions }: GrantedAppsParts): GrantedApps => {
  const appOf = async (grant: GrantContext): Promise<GrantedApp> => {
    const client = await clients.find(grant.client)
    const granularParams = new Set(client?.granularParams ?? [])
    return {
      grant: grant.id,
      name: client?.name ?? grant.client,
      ...(client?.publisher === undefined ? {} : { publisher: client.publisher }),
      scopes: parseScopes(grant.scopes, { definitions, granularParams }).scopes,
      ...(grant.patient === undefined ? {} : { patient: grant.patient }),
      since: grant.createdAt,
      ...(grant.kind === 'offline' ? { offlineUntil: grant.expires } : {}),
    }
  }
  return {
    list: async account => {
      const kept = await accountById(ground, account)
      if (kept === undefined) return []
      const grants = await grantsOf(ground, account, kept.value.epoch)
      return Promise.all(grants.slice(0, shownMax).map(appOf))
    },
    withdraw: async (account, grant, origin) => {
      const kept = await grantById(ground, grant)
      if (kept?.value.account !== account) return ok(false)
      const ended = await endGrant(ground, grant, { by: account, reason: 'user' }, origin)
      return ended.ok ? ok(true) : ended
    },
  }
}
