import { within } from '../../config/addresses.ts'
import type { Account } from '../accounts/account.ts'
import { accountById, type KeptAccount } from '../accounts/find-account.ts'
import type { Client } from '../clients/client.ts'
import { isUsable } from '../clients/registry.ts'
import type { KeptGrant } from '../grants/grant-context.ts'
import { grantById, grantStands } from '../grants/grants.ts'
import type { Ground } from '../ground.ts'
import { isSecret } from '../secrets.ts'
import { type LibraryPayload, type LibraryRow, libraryRow } from '../server/library-rows.ts'
import { type LiveSession, sessionById } from '../sessions/sessions.ts'
import type { PrincipalParts } from './principal-parts.ts'

/** A grant with all that it hangs on, alive. `session` is there for online grants alone. */
export type LiveGrant = { readonly grant: KeptGrant; readonly account: KeptAccount; readonly session?: LiveSession }

/** An access token that lives, and what it hangs on. `live` is absent for a service on its own. */
export type LiveToken = { readonly payload: LibraryPayload; readonly client: Client; readonly live?: LiveGrant }

export type TokenFound = LiveToken | 'unknown' | 'expired' | 'over'

/**
 * By the token as it came. Everything is read anew: the row of the token, its grant, account, session and client. `over`: one of these ended. `unknown`: there
 * is no such token, or it is for somebody else.
 */
export const findToken = async (
  { ground, address, clients }: Pick<PrincipalParts, 'ground' | 'address' | 'clients'>,
  token: string,
): Promise<TokenFound> => {
  const row = isSecret(token) ? (await libraryRow(ground.store, token))?.value : undefined
  if (row?.payload === undefined || !isAccessToken(row)) return 'unknown'
  const { payload } = row
  if ((payload.exp ?? 0) * 1000 <= ground.clock()) return 'expired'
  if (payload.aud !== address.fhir || payload.clientId === undefined) return 'unknown'
  const [client, live] = await Promise.all([
    clients.find(payload.clientId),
    payload.grantId === undefined ? undefined : liveGrant(ground, payload.grantId),
  ])
  if (client === undefined || !isUsable(client)) return 'over'
  if (row.model === 'ClientCredentials') return { payload, client }
  if (live === undefined || live.grant.value.client !== client.id || live.account.key !== payload.accountId) return 'over'
  return { payload, client, live }
}

export const allowing = (ranges: readonly string[]): ((address: string) => boolean) => (ranges.length === 0 ? anywhere : within(ranges))

const anywhere = (): boolean => true

const isAccessToken = ({ model }: LibraryRow): boolean => model === 'AccessToken' || model === 'ClientCredentials'

/** Undefined as soon as the grant or anything that it hangs on is over: withdrawn, logged out, other roles, another password. */
export const liveGrant = async (ground: Ground, id: string): Promise<LiveGrant | undefined> => {
  const grant = await grantById(ground, id)
  return grant !== undefined && grantStands(grant, ground.clock()) ? holding(ground, grant) : undefined
}

/** The same of a grant that may have been ended a moment ago: whoever gets tokens of it gets dead ones. */
export const heldGrant = async (ground: Ground, id: string): Promise<LiveGrant | undefined> => {
  const grant = await grantById(ground, id)
  return grant && holding(ground, grant)
}

const holding = async (ground: Ground, grant: KeptGrant): Promise<LiveGrant | undefined> => {
  const { account: accountId, epoch, kind, session: sessionId } = grant.value
  if (kind === 'offline') {
    const account = await accountById(ground, accountId)
    return account !== undefined && isCurrent(account.value, epoch) ? { grant, account } : undefined
  }
  const session = await sessionById(ground, sessionId)
  if (session === undefined || session.account.key !== accountId) return undefined
  return isCurrent(session.account.value, epoch) ? { grant, account: session.account, session } : undefined
}

const isCurrent = ({ status, epoch }: Account, made: number): boolean => status === 'active' && epoch === made
