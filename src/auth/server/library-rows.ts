import type { RecordDefinition, StoredRecord } from '../../storage/port.ts'
import type { AuthStore } from '../record-plans.ts'
import { secretHash } from '../secrets.ts'

/**
 * What the library keeps, under the hash of its ids: a code, a token or the cookie of a session is nowhere in the store. Ids are random (at least 126 bits),
 * so kinds share one space of keys. @see auth.md 8, annex B
 */
export type LibraryRow = {
  readonly id: string
  /** The library's name of the kind. */
  readonly model: string
  /** Without `jti`, the id itself. */
  readonly payload?: LibraryPayload
  /** In place of it where it holds what opens something: of interactions, which know the cookie of the session and the launch. */
  readonly sealed?: string
  /** Of sessions: by which tokens name them. */
  readonly uid?: string
  /** Of device codes: keyed hash of what somebody types. */
  readonly userCode?: string
  readonly consumed?: Consumed
  /** ms */
  readonly expires: number
}

/** `again`: it was let pass once more, since the answer to its first use may have been lost. */
export type Consumed = { readonly at: number; readonly address: string; readonly again?: true }

/** What of the library's payloads others read. */
export type LibraryPayload = {
  readonly kind?: string
  readonly accountId?: string
  /** Of device codes that are over. */
  readonly error?: string
  readonly inFlight?: boolean
  readonly clientId?: string
  readonly grantId?: string
  readonly scope?: string
  readonly aud?: string | readonly string[]
  /** s */
  readonly iat?: number
  readonly exp?: number
  readonly uid?: string
  /** Thumbprint of the key that it is bound to. @see RFC 9449 6 */
  readonly jkt?: string
  readonly extra?: Readonly<Record<string, unknown>>
}

export type KeptLibraryRow = StoredRecord<LibraryRow>

export const libraryRecords: RecordDefinition = {
  name: 'oidc',
  key: 'id',
  indexes: { uid: ['uid'], typed: ['userCode'] },
  expires: 'expires',
}

export const libraryRow = (store: AuthStore, id: string): Promise<KeptLibraryRow | undefined> =>
  store.records<LibraryRow>(libraryRecords).get(secretHash(id))
