import type { RecordDefinition, StoredRecord } from '../../storage/port.ts'
import type { Ground } from '../ground.ts'
import { isSecret, newSecret, secretHash } from '../secrets.ts'

/** A login that is under way at a provider. The browser has its token in a cookie; whoever comes back with it first uses it up. @see auth.md 13 */
export type FederationStep = {
  /** SHA-256 of the token. */
  readonly hash: string
  readonly provider: string
  readonly state: string
  readonly nonce: string
  /** Encrypted: the verifier of PKCE. */
  readonly verifier: string
  /** Encrypted: the secret of the invitation by which somebody came. */
  readonly invitation?: string
  /** Where it leads: the application that waits, or a page of the account. */
  readonly uid?: string
  readonly next: string
  /** An application asked for a login of now. */
  readonly again?: true
  readonly language: 'id' | 'en'
  readonly expires: number
}

export const federationStepRecords: RecordDefinition = { name: 'idp_step', key: 'hash', expires: 'expires' }

export const federationStepMs = 10 * 60_000

export const newFederationToken = ({ random }: Ground): { readonly token: string; readonly hash: string } => {
  const token = newSecret(random)
  return { token, hash: secretHash(token) }
}

/** Undefined when it is over, used up, or of another provider. */
export const findFederationStep = async (
  { store, clock }: Ground,
  token: string,
  provider: string,
): Promise<StoredRecord<FederationStep> | undefined> => {
  if (!isSecret(token)) return undefined
  const kept = await store.records<FederationStep>(federationStepRecords).get(secretHash(token))
  return kept !== undefined && kept.value.expires > clock() && kept.value.provider === provider ? kept : undefined
}

export const stepPlace = (hash: string, column: 'verifier' | 'invitation') => ({ table: federationStepRecords.name, column, row: hash })
