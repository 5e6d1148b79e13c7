import { fail, type Outcome } from '../../base/outcome.ts'
import { isSecret } from '../secrets.ts'
import { proofAlgs, provesKey, type Sent } from './dpop-proof.ts'
import type { AuthenticateParts, PrincipalParts } from './principal-parts.ts'
import { allowing, findToken, type LiveToken } from './token.ts'

type Parts = Pick<PrincipalParts, 'ground' | 'address' | 'clients'>

/** A token that lives, brought by whom it was given to. */
export type Brought = LiveToken & { readonly token: string }

/** `bound`: a token belongs to a key and came without it, or came as one that does and belongs to none. `proof`: the proof of the key is missing or not good. */
export type NotBrought = 'unknown' | 'expired' | 'over' | 'bound' | 'proof'

/** Too many unknown tokens came from the address: ms until they are counted anew. @see auth.md 16 */
export type TooMany = { readonly tooManyForMs: number }

/** The token of a request. Everything is read anew. Unknown ones count, as at the API. */
export const findBrought = async (
  parts: Parts & Pick<AuthenticateParts, 'unknownToken'>,
  authorization: string,
  sent: Sent,
  from: string,
): Promise<Brought | NotBrought | TooMany> => {
  const found = await look(parts, authorization, sent, from)
  if (found !== 'unknown') return found
  const { allowed, resetMs } = await parts.unknownToken(from)
  return allowed ? found : { tooManyForMs: resetMs }
}

const look = async (parts: Parts, authorization: string, sent: Sent, from: string): Promise<Brought | NotBrought> => {
  const bearer = bearerToken(authorization)
  if (bearer === undefined) return findBound(parts, authorization, sent, from)
  const found = await findToken(parts, bearer)
  if (typeof found === 'string') return found
  if (isBound(found)) return 'bound'
  return allowing(found.client.ipAllow)(from) ? { ...found, token: bearer } : 'over'
}

/** The same of one that comes with a proof of its key. The proof counts once. @see RFC 9449 7.1 */
export const findBound = async (parts: Parts, authorization: string, sent: Sent, from: string): Promise<Brought | NotBrought> => {
  const token = tokenAfter(dpopScheme, authorization)
  if (token === undefined) return 'unknown'
  const found = await findToken(parts, token)
  if (typeof found === 'string') return found
  if (!allowing(found.client.ipAllow)(from)) return 'over'
  const { jkt } = found.payload
  if (jkt === undefined) return 'bound'
  const proved = await provesKey(parts, sent, { token, jkt })
  if (!proved.ok) throw new Error('The use of a proof could not be noted')
  return proved.value ? { ...found, token } : 'proof'
}

export const isBound = ({ payload }: LiveToken): boolean => payload.jkt !== undefined

export const comesWithProof = (authorization: string): boolean => /^dpop /i.test(authorization)

const bearerScheme = /^bearer +([^ ]+)$/i
const dpopScheme = /^dpop +([^ ]+)$/i

/** Undefined for another scheme, and for what cannot be a token of ours. */
export const bearerToken = (authorization: string): string | undefined => tokenAfter(bearerScheme, authorization)

const tokenAfter = (scheme: RegExp, authorization: string): string | undefined => {
  const token = scheme.exec(authorization)?.[1]
  return token !== undefined && isSecret(token) ? token : undefined
}

const algs = proofAlgs.join(' ')

/** What an answer says of a token that did not do. @see RFC 6750 3.1, RFC 9449 7.1 */
export const notBrought = (why: 'expired' | 'over' | 'bound' | 'proof', withProof: boolean): Outcome<never> => {
  const error = why === 'proof' ? 'invalid_dpop_proof' : 'invalid_token'
  const how = withProof || why === 'bound' ? ({ challenge: { error, algs }, challengeScheme: 'DPoP' } as const) : { challenge: { error } }
  return fail(why === 'expired' ? 'token-expired' : 'token-invalid', {}, how)
}

/** The same as a header. `realm`: where the token is for. */
export const challengeFor = (authorization: string, why: NotBrought, realm: string): string => {
  const error = why === 'proof' ? 'invalid_dpop_proof' : 'invalid_token'
  return why === 'bound' || comesWithProof(authorization)
    ? `DPoP realm="${realm}", error="${error}", algs="${algs}"`
    : `Bearer realm="${realm}", error="${error}"`
}
