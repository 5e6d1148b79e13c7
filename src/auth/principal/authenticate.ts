import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { Authenticate } from '../bearer.ts'
import type { Principal } from '../policy/principal.ts'
import { secretHash } from '../secrets.ts'
import { bearerToken, comesWithProof, findBound, isBound, notBrought } from './brought.ts'
import type { Sent } from './dpop-proof.ts'
import type { AuthenticateParts, Forgetting } from './principal-parts.ts'
import { allowing, findToken } from './token.ts'
import { tokenPrincipal } from './token-principal.ts'

/** Positive answers are remembered so long, and dropped at once where this process or a wake-up of another says that something ended. */
const rememberedMs = 5_000
const rememberedMax = 10_000
/** `Bearer` and a token of ours; one that comes in another dress is looked up each time. */
const rememberedCharactersMax = 64

type Remembered = {
  readonly principal: Principal
  /** ms */
  readonly until: number
  readonly from: (address: string) => boolean
}

/** Makes a principal of a bearer token. Negative answers are not remembered, but unknown tokens of an address are counted. @see auth.md 8 */
export const createAuthenticate = (parts: AuthenticateParts): Authenticate & Forgetting => {
  const { clock } = parts.ground
  /** By the header as it came: to hash a token costs more than all else that a remembered one takes. */
  const remembered = new Map<string, Remembered>()
  /** What was read before something ended is not remembered after it. */
  let ends = 0

  const lookUp = async (authorization: string, token: string, address: string): Promise<Outcome<Principal>> => {
    const [before, at] = [ends, clock()]
    const found = await findToken(parts, token)
    if (found === 'unknown') return unknown(address)
    if (typeof found === 'string') return notBrought(found, false)
    if (isBound(found)) return notBrought('bound', false)
    const principal = await tokenPrincipal(parts, found, secretHash(token))
    const from = allowing(found.client.ipAllow)
    if (!from(address)) return fail('token-invalid', {}, invalidToken)
    if (remembered.size >= rememberedMax) remembered.clear()
    const until = Math.min(at + rememberedMs, (found.payload.exp ?? 0) * 1000)
    if (ends === before && authorization.length <= rememberedCharactersMax) remembered.set(authorization, { principal, until, from })
    return ok(principal)
  }

  /** One that is bound to a key is looked up each time, with the proof of this request. */
  const lookUpBound = async (authorization: string, sent: Sent, address: string): Promise<Outcome<Principal>> => {
    const found = await findBound(parts, authorization, sent, address)
    if (found === 'unknown') return unknown(address)
    return typeof found === 'string' ? notBrought(found, true) : ok(await tokenPrincipal(parts, found, secretHash(found.token)))
  }

  const unknown = async (address: string): Promise<Outcome<Principal>> => {
    const { allowed, resetMs } = await parts.unknownToken(address)
    if (allowed) return fail('token-invalid', {}, invalidToken)
    return fail('too-many-unknown-tokens', {}, { retryAfterSeconds: Math.max(1, Math.ceil(resetMs / 1000)) })
  }

  const authenticate: Authenticate = (authorization, address, sent) => {
    if (authorization === undefined) return fail('login-needed', {}, { challenge: {} })
    const known = remembered.get(authorization)
    if (known !== undefined && isFresh(known, clock())) {
      return known.from(address) ? ok(known.principal) : fail('token-invalid', {}, invalidToken)
    }
    remembered.delete(authorization)
    const token = bearerToken(authorization)
    if (token === undefined) {
      return sent !== undefined && comesWithProof(authorization) ? lookUpBound(authorization, sent, address).catch(away) : unknown(address)
    }
    return lookUp(authorization, token, address).catch(away)
  }

  return Object.assign(authenticate, {
    forget: () => {
      ends += 1
      remembered.clear()
    },
  })
}

/** A clock that ran back forgets. */
const isFresh = ({ until }: Remembered, now: number): boolean => now < until && until - now <= rememberedMs

/** RFC 6750, 3.1 */
const invalidToken = { challenge: { error: 'invalid_token' } }

const away = (): Outcome<never> => fail('accounts-away', {}, { retryAfterSeconds: 5 })
