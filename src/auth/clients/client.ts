import type { JSONWebKeySet } from 'jose'
import type { RecordDefinition } from '../../storage/port.ts'

/** An application or a service that may ask for tokens. @see auth.md 10.1 */
export type Client = {
  /** `[A-Za-z0-9_-]{8,64}` */
  readonly id: string
  readonly name: string
  readonly publisher?: string
  readonly verifiedPublisher?: true
  readonly type: 'public' | 'symmetric' | 'asymmetric' | 'backend' | 'resource-server'
  readonly applicationType: 'web' | 'native'
  /** `localhost` over http may stand among its redirect URIs; never first-party, never in production. */
  readonly development?: true
  readonly redirectUris: readonly string[]
  readonly launchUris: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  readonly backchannelLogoutUri?: string
  /** As they were written, one scope each; `patient/*.cruds` stands for all that is narrower. */
  readonly scopesAllowed: readonly string[]
  /** Codes of granular parameters beyond those that are always offered. */
  readonly granularParams: readonly string[]
  readonly jwks?: JSONWebKeySet
  readonly jwksUri?: string
  readonly jkuAllowed: readonly string[]
  /** Encrypted (field encryption); two while one is being replaced. */
  readonly secrets: readonly { readonly id: string; readonly sealed: string; readonly createdAt: number; readonly expiresAt: number }[]
  /** As `readClientGrants` takes them: what a service may do on its own. */
  readonly grants: readonly unknown[]
  readonly permissions?: readonly string[]
  readonly appStateSystems: readonly string[]
  readonly appStateGlobal?: true
  readonly trust: 'first-party' | 'approved' | 'self-registered'
  /** Whether it may keep access while nobody is signed in. */
  readonly offline: boolean
  /** It may run on a device without a browser of its own: somebody types its code elsewhere. @see RFC 8628 */
  readonly deviceFlow?: true
  /** It gets tokens only with a proof of its key, and they are good with that key alone. @see RFC 9449 */
  readonly requireDpop?: true
  readonly accessTokenMinutes?: number
  readonly refreshDays?: number
  readonly ipAllow: readonly string[]
  readonly rateClass: 'interactive' | 'backend' | 'patient-app'
  readonly contacts: readonly string[]
  readonly termsUri?: string
  readonly policyUri?: string
  /** Purposes of use (v3-ActReason) it may name; empty: the usual ones. */
  readonly purpose: readonly string[]
  readonly status: 'draft' | 'active' | 'suspended'
  readonly createdAt: number
  readonly createdBy: string
  readonly approvals: readonly { readonly by: string; readonly at: number }[]
}

export const clientRecords: RecordDefinition = { name: 'client', key: 'id', indexes: { status: ['status', 'name'] } }

/** @see RFC 8628 3.4 */
export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** Somebody of this house knows who made it. */
export const isVerified = ({ verifiedPublisher, trust }: Client): boolean => verifiedPublisher === true || trust === 'first-party'
