import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import type { Client } from '../clients/client.ts'
import type { PublicAddress } from '../web.ts'

const expAheadSeconds = 5 * 60
export const clockToleranceSeconds = 5

/**
 * What the library does not ask of a client's assertion: audiences are compared with fixed strings, `exp` is at most 5 minutes ahead, `kid` is there, and `jku`
 * is one that the client registered. `iss`, `sub`, the signature and the single use of `jti` are its own checks. @see auth.md 7.6
 */
export const checkAssertion = async (
  { issuer }: PublicAddress,
  findClient: (id: string) => Promise<Client | undefined>,
  _ctx: KoaContextWithOIDC,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>>,
): Promise<void> => {
  const refused = (detail: string): never => {
    throw new errors.InvalidClientAuth(detail)
  }
  const audiences: readonly unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  const ours: readonly unknown[] = [issuer, `${issuer}/token`]
  if (!audiences.some(aud => ours.includes(aud))) refused('aud is the token endpoint or the issuer')
  if (typeof claims.exp !== 'number' || claims.exp > Date.now() / 1000 + expAheadSeconds + clockToleranceSeconds)
    refused('exp is too far ahead')
  if (typeof claims.jti !== 'string' || claims.jti.length > 256) refused('jti is a text of at most 256 characters')
  if (typeof claims.sub !== 'string' || claims.iss !== claims.sub) refused('iss and sub are the client')
  if (typeof header.kid !== 'string' || header.kid === '') refused('kid is missing')
  // Nothing that must be understood is: an assertion is a plain JWT.
  if (header.crit !== undefined) refused('crit is not supported')
  const client = await findClient(String(claims.sub))
  const { jku } = header
  if (jku !== undefined && jku !== client?.jwksUri && !(client?.jkuAllowed ?? []).some(allowed => allowed === jku))
    refused('jku is not registered')
}
