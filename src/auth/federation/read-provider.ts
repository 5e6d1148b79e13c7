import { createPrivateKey } from 'node:crypto'
import { type Outcome, ok } from '../../base/outcome.ts'
import { type Rule, rule } from '../../base/rules.ts'
import { readEmail } from '../accounts/names.ts'
import { isWebUrl } from '../clients/client-uris.ts'
import { badMembers, Members } from '../members.ts'
import { isRecord } from '../roles/json-shape.ts'
import type { RoleTable } from '../roles/role-table.ts'
import { isProviderId, type MappedRole, type Provider, type ProviderRegistration } from './provider.ts'
import { mayMap } from './provider-roles.ts'

export type ProviderRules = {
  readonly roles: RoleTable
  /** For development: providers on this machine, without https. */
  readonly loopback: boolean
}

/** What was said of a provider; `secret`: the client secret, or the private key as JWK text, if one was given. */
export type ReadProvider = { readonly id: string; readonly registration: ProviderRegistration; readonly secret?: string }

const [nameMax, urlMax, textMax, listMax] = [60, 500, 200, 50] as const
const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const

/**
 * A provider from JSON. Fails `bad-member` for the first thing that is wrong, with all others behind it. `before`: the one that is changed, which keeps its id and,
 * where none is given, its secret.
 */
export const readProvider = (json: unknown, rules: ProviderRules, before?: Provider): Outcome<ReadProvider> => {
  const members = new Members(json)
  const id = idOf(members, before)
  const registration = registrationOf(members, rules)
  const secret = secretOf(members, registration.authentication)
  members.others()
  if (members.faults.length === 0) refuseClashes(registration, members)
  const kept = before !== undefined && before.authentication === registration.authentication
  if (secret === undefined && !kept) members.wrong(memberOf(registration.authentication), rule('member-needed'))
  return members.faults.length === 0 ? ok({ id, registration, ...(secret === undefined ? {} : { secret }) }) : badMembers(members.faults)
}

const idOf = (members: Members, before: Provider | undefined): string => {
  const form = { rule: rule('provider-id'), holds: before === undefined ? isProviderId : (text: string) => text === before.id }
  return before === undefined ? members.neededText('id', 32, form) : (members.text('id', 32, form) ?? before.id)
}

const registrationOf = (members: Members, { roles, loopback }: ProviderRules): ProviderRegistration => {
  const issuer = {
    rule: rule('https-url'),
    holds: (text: string) => isWebUrl(text, loopback ? { development: true } : {}) && !text.includes('?'),
  }
  const scope = { rule: rule('member-unknown'), holds: (text: string) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text) }
  const domain = { rule: rule('mail-domain'), holds: (text: string) => readEmail(`x@${text}`) === `x@${text}` }
  const account = { rule: rule('member-unknown'), holds: (text: string) => /^[A-Za-z0-9-]{1,64}$/.test(text) }
  const scopes = members.texts('scopes', listMax, textMax, scope)
  return {
    name: members.neededText('name', nameMax),
    issuer: members.neededText('issuer', urlMax, issuer),
    clientId: members.neededText('clientId', textMax),
    authentication: members.oneOf('authentication', ['secret', 'private-key']) ?? 'secret',
    scopes: ['openid', ...(scopes.length === 0 ? ['email'] : scopes.filter(one => one !== 'openid'))],
    claims: claimsOf(members),
    emailDomains: members.texts('emailDomains', listMax, 253, domain),
    directoryDomains: members.texts('directoryDomains', listMax, 253, domain),
    acr: members.texts('acr', listMax, textMax),
    amr: members.texts('amr', listMax, textMax),
    unknown: members.oneOf('unknown', ['refuse', 'create']) ?? 'refuse',
    roleMap: roleMapOf(members, roles),
    logout: members.flag('logout') ?? false,
    passwordOff: members.texts('passwordOff', listMax, 253, domain),
    localAdministrators: members.texts('localAdministrators', 2, 64, account),
  }
}

const claimsOf = (members: Members): ProviderRegistration['claims'] => {
  const given = members.any('claims')
  const claims = new Members(given ?? {}, members.faults, 'claims')
  const roles = claims.text('roles', textMax)
  const names = {
    email: claims.text('email', textMax) ?? 'email',
    emailVerified: claims.text('emailVerified', textMax) ?? 'email_verified',
  }
  claims.others()
  return { ...names, ...(roles === undefined ? {} : { roles }) }
}

const roleMapOf = (members: Members, table: RoleTable): readonly MappedRole[] => {
  const given = members.any('roleMap') ?? []
  if (!Array.isArray(given) || given.length > listMax) {
    members.wrong('roleMap', rule('list-of', { max: listMax }))
    return []
  }
  const known = { rule: rule('role-mapped'), holds: (text: string) => mayMap(table, text) }
  const organization = {
    rule: rule('reference-such-as', { example: 'Organization/1' }),
    holds: (text: string) => /^Organization\/[A-Za-z0-9.-]{1,64}$/.test(text),
  }
  return given.map((one: unknown, index) => {
    const row = new Members(one, members.faults, `roleMap[${index}]`)
    const where = row.text('organization', 100, organization)
    const mapped = {
      value: row.neededText('value', 512),
      role: row.neededText('role', 64, known),
      ...(where === undefined ? {} : { organization: where }),
    }
    row.others()
    return mapped
  })
}

const memberOf = (authentication: Provider['authentication']): 'clientSecret' | 'privateKey' =>
  authentication === 'secret' ? 'clientSecret' : 'privateKey'

const secretOf = (members: Members, authentication: Provider['authentication']): string | undefined => {
  const secret = members.text('clientSecret', 1_000)
  const key = members.any('privateKey')
  const wrong = (name: string, why: Rule): undefined => members.wrong(name, why)
  if (secret !== undefined && authentication !== 'secret') return wrong('clientSecret', rule('secret-or-key'))
  if (key === undefined || key === null) return secret
  if (authentication !== 'private-key') return wrong('privateKey', rule('secret-or-key'))
  return isPrivateKey(key) ? JSON.stringify(key) : wrong('privateKey', rule('private-jwk', { words: algorithms.join(', ') }))
}

const isPrivateKey = (key: unknown): boolean => {
  if (!isRecord(key) || !algorithms.some(alg => alg === key.alg) || JSON.stringify(key).length > 10_000) return false
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey({ key: { ...key }, format: 'jwk' })
    return asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
  } catch {
    return false
  }
}

/** What does not go together, once every member by itself is right. */
const refuseClashes = (provider: ProviderRegistration, members: Members): void => {
  const { claims, roleMap, passwordOff, localAdministrators, directoryDomains, emailDomains } = provider
  if (roleMap.length > 0 && claims.roles === undefined) members.wrong('claims.roles', rule('member-needed'))
  if (passwordOff.length > 0 && localAdministrators.length !== 2) members.wrong('localAdministrators', rule('two-administrators'))
  const outside = (domains: readonly string[]): boolean => emailDomains.length > 0 && domains.some(one => !emailDomains.includes(one))
  if (outside(directoryDomains)) members.wrong('directoryDomains', rule('among-domains'))
  if (outside(passwordOff)) members.wrong('passwordOff', rule('among-domains'))
}
