import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, type JWTVerifyResult, jwtVerify } from 'jose'
import { type Outcome, ok } from '../../base/outcome.ts'
import type { Ground } from '../ground.ts'
import type { PublicAddress } from '../web.ts'
import { isFirstUse } from './first-use.ts'

/** What a proof is held against: a request as it came. Read only where a token is bound to a key. */
export type Sent = {
  readonly method?: string | undefined
  /** Path and query. */
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

export const proofAlgs = ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const

/** A proof is of now: clocks may be so far apart, as at the token endpoint. */
export const proofSecondsMax = 5 * 60
const proofCharactersMax = 8_192
const jtiCharactersMax = 256

/**
 * Whether the request carries a fresh proof that its sender has the key with this thumbprint, made for this token and this request, and for no other before.
 * @see RFC 9449 4.3
 */
export const provesKey = async (
  { ground, address }: { readonly ground: Ground; readonly address: PublicAddress },
  { method, url, headers }: Sent,
  { token, jkt }: { readonly token: string; readonly jkt: string },
): Promise<Outcome<boolean>> => {
  const { dpop } = headers
  const proof = typeof dpop === 'string' && dpop.length <= proofCharactersMax ? await verified(ground, dpop) : undefined
  if (proof === undefined) return ok(false)
  const { iat, jti, htm, htu, ath } = proof.payload
  const now = ground.clock()
  const isOfNow = typeof iat === 'number' && Math.abs(now - iat * 1000) <= proofSecondsMax * 1000
  if (!isOfNow || typeof jti !== 'string' || jti === '' || jti.length > jtiCharactersMax) return ok(false)
  if (htm !== method || !isAddress(htu, `${address.base}${url ?? '/'}`)) return ok(false)
  if (ath !== createHash('sha256').update(token).digest('base64url')) return ok(false)
  if (proof.jkt !== jkt) return ok(false)
  // One that is dated ahead is fresh for twice as long.
  return isFirstUse(ground, ['dpop', jkt, jti], now + 2 * proofSecondsMax * 1000)
}

type Verified = { readonly payload: JWTVerifyResult['payload']; readonly jkt: string }

const verified = async ({ clock }: Ground, proof: string): Promise<Verified | undefined> => {
  try {
    const rules = { algorithms: [...proofAlgs], typ: 'dpop+jwt', currentDate: new Date(clock()) }
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, rules)
    return protectedHeader.jwk === undefined ? undefined : { payload, jkt: await calculateJwkThumbprint(protectedHeader.jwk) }
  } catch {
    // Whatever is wrong with it, it proves nothing.
    return undefined
  }
}

/** Without query and fragment, and in the one spelling that URLs have. */
const isAddress = (htu: unknown, asked: string): boolean => {
  const [said, is] = [typeof htu === 'string' ? URL.parse(htu) : null, URL.parse(asked)]
  if (said === null || is === null) return false
  return said.origin === is.origin && said.pathname === is.pathname && said.username === '' && said.password === ''
}
