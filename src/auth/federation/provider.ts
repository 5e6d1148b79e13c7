import type { RecordDefinition } from '../../storage/port.ts'

/** What is said of an outside identity provider when it is registered or changed. @see auth.md 13 */
export type ProviderRegistration = {
  /** On the button: "Sign in with {name}". */
  readonly name: string
  /** Exactly as the provider names itself. */
  readonly issuer: string
  readonly clientId: string
  readonly authentication: 'secret' | 'private-key'
  readonly scopes: readonly string[]
  /** Names of claims; a name with dots that is no claim itself leads into objects: `realm_access.roles`. */
  readonly claims: { readonly email: string; readonly emailVerified: string; readonly roles?: string }
  /** Only whoever has a verified address in one of these domains comes in; empty: anybody. */
  readonly emailDomains: readonly string[]
  /** Of these the facility runs the directory: a verified address in them stands for the one account that has it. */
  readonly directoryDomains: readonly string[]
  /** Values of `acr`, and of `amr`, that stand for two factors. */
  readonly acr: readonly string[]
  readonly amr: readonly string[]
  /** What becomes of somebody who is linked to no account: nothing, or a new account. */
  readonly unknown: 'refuse' | 'create'
  /** Empty: roles are given here alone. */
  readonly roleMap: readonly MappedRole[]
  /** Whether it may end sessions (back-channel logout). */
  readonly logout: boolean
  /** Accounts with an address in these domains do not log in with a password here. */
  readonly passwordOff: readonly string[]
  /** Ids of the two administrators who keep theirs. */
  readonly localAdministrators: readonly string[]
}

/** Whoever has `value` in the claim of roles has the role while they have it. */
export type MappedRole = { readonly value: string; readonly role: string; readonly organization?: string }

export type Provider = ProviderRegistration & {
  /** Part of addresses: small letters, digits and `-`. */
  readonly id: string
  /** `draft`: nobody has looked at it but who registered it. */
  readonly status: 'draft' | 'active' | 'suspended'
  /** Encrypted: the client secret, or the private key as JWK. */
  readonly sealed: string
  readonly createdAt: number
  readonly createdBy: string
  readonly approvedBy?: string
  /** A change that waits for a second person, in place of what there is. */
  readonly proposed?: { readonly registration: ProviderRegistration; readonly sealed: string; readonly by: string; readonly at: number }
}

export const providerRecords: RecordDefinition = { name: 'idp', key: 'id', unique: { issuer: ['issuer'] } }

/** So many are looked at and shown. */
export const providersMax = 50

export const isProviderId = (text: string): boolean => /^[a-z][a-z0-9-]{1,31}$/.test(text)

export const sealedPlace = (id: string) => ({ table: providerRecords.name, column: 'sealed', row: id })

/** As roles and links say who gave them. */
export const providerAs = (id: string): string => `idp:${id}`
