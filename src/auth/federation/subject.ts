import { readEmail } from '../accounts/names.ts'
import { type Claims, claimAt } from './relying-party.ts'
import type { Provider } from './provider.ts'

/** Whom a provider proved, as far as we look at it. */
export type Subject = {
  readonly issuer: string
  readonly subject: string
  /** An address that the provider has verified. */
  readonly email?: string
  readonly roles: readonly string[]
  /** How the provider names its session. */
  readonly sid?: string
  /** ms: when it asked, if it says. */
  readonly provedAt?: number
  readonly twoFactors: boolean
}

const valuesMax = 500
const textMax = 512

export const subjectOf = (provider: Provider, claims: Claims): Subject => {
  const email = verifiedEmail(provider, claims)
  const { sid, auth_time: authTime } = claims
  return {
    issuer: provider.issuer,
    subject: claims.sub,
    ...(email === undefined ? {} : { email }),
    roles: provider.claims.roles === undefined ? [] : textsOf(claimAt(claims, provider.claims.roles)),
    ...(typeof sid === 'string' && isShort(sid) ? { sid } : {}),
    ...(typeof authTime === 'number' && Number.isFinite(authTime) && authTime > 0 ? { provedAt: Math.floor(authTime) * 1000 } : {}),
    twoFactors: provedTwice(provider, claims),
  }
}

const verifiedEmail = ({ claims: names }: Provider, claims: Claims): string | undefined => {
  const [email, verified] = [claimAt(claims, names.email), claimAt(claims, names.emailVerified)]
  return typeof email === 'string' && (verified === true || verified === 'true') ? readEmail(email) : undefined
}

const provedTwice = (provider: Provider, { acr, amr }: Claims): boolean =>
  (typeof acr === 'string' && provider.acr.includes(acr)) || textsOf(amr).some(method => provider.amr.includes(method))

/** One text, or a list of them. */
const textsOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value.slice(0, valuesMax) : [value]).filter(
    (one: unknown): one is string => typeof one === 'string' && isShort(one),
  )

const isShort = (text: string): boolean => text !== '' && text.length <= textMax

/** Behind the last @. */
export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1)
