import { type Client, clientRecords, isVerified } from '../auth/clients/client.ts'
import type { AppLaunches, LaunchableApp } from '../auth/pages/parts.ts'
import type { Principal } from '../auth/policy/principal.ts'
import { needsEncounter, readScopes, scopesForPerson } from '../auth/server/asked-scopes.ts'
import { hasPlainScope, type SmartScope } from '../auth/scopes/scope.ts'
import type { LiveSession } from '../auth/sessions/sessions.ts'
import { type LaunchParts, launchUriOf, makeLaunch } from '../auth/smart/launches.ts'

export type AppLaunchesParts = {
  readonly launching: LaunchParts
  /** Somebody on our own pages. */
  readonly principalOf: (live: LiveSession) => Promise<Principal>
}

const shownMax = 50
const lookedAtMax = 500

/** The applications that somebody may open out of the record, for the page *Apps*. @see auth.md 7.3 */
export const createAppLaunches = ({ launching, principalOf }: AppLaunchesParts): AppLaunches => {
  const { ground, clients } = launching
  const find = async (live: LiveSession, id: string): Promise<LaunchableApp | undefined> => {
    const client = await clients.find(id)
    return client && appFor(launching, live, client)
  }
  return {
    find,
    list: async live => {
      const page = await ground.store
        .records<Client>(clientRecords)
        .range('status', { from: ['active'], to: ['active'], limit: lookedAtMax })
      const apps: LaunchableApp[] = []
      // The registry knows which of them work here.
      for (const { key, value } of page.rows) {
        if (apps.length >= shownMax) break
        const app = value.launchUris.length === 0 ? undefined : await find(live, key)
        if (app !== undefined) apps.push(app)
      }
      return apps
    },
    start: async (live, request) => makeLaunch(launching, await principalOf(live), request),
  }
}

/** Undefined where nobody can start it, or where all that it may ask for is beyond what this person has. */
const appFor = (parts: LaunchParts, { account }: LiveSession, client: Client): LaunchableApp | undefined => {
  const launchUri = launchUriOf(client)
  if (launchUri === undefined) return undefined
  const text = client.scopesAllowed.join(' ')
  const scopes = scopesForPerson(parts, client, text, account.value)
  if (!hasPlainScope(scopes, 'launch') || (isOfData(readScopes(parts, client, text)) && !isOfData(scopes))) return undefined
  const { id, name, publisher } = client
  return {
    id,
    name,
    ...(publisher === undefined ? {} : { publisher }),
    verified: isVerified(client),
    launchUri,
    ofEncounters: needsEncounter(scopes),
  }
}

const isOfData = (scopes: readonly SmartScope[]): boolean => scopes.some(({ kind }) => kind === 'resource')
