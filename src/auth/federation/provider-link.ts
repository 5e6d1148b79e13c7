import { hash } from 'node:crypto'
import type { RecordDefinition, StoredRecord } from '../../storage/port.ts'
import type { Ground } from '../ground.ts'

/** Whom a provider means by a subject. Nothing else links: no address, no name. @see auth.md 13, 17 T29 */
export type ProviderLink = {
  /** SHA-256 of issuer and subject. */
  readonly id: string
  readonly issuer: string
  readonly subject: string
  /** Id of the provider at which it began. */
  readonly provider: string
  readonly account: string
  readonly how: 'invitation' | 'administrator' | 'directory' | 'creation'
  readonly createdAt: number
  readonly createdBy: string
  /** Absent for one of an administrator at which nobody else has looked: it opens nothing yet. */
  readonly approvedBy?: string
}

export const linkedRecords: RecordDefinition = {
  name: 'idp_link',
  key: 'id',
  indexes: { account: ['account', 'createdAt'], issuer: ['issuer', 'account'] },
}

/** An account has no more. */
export const linksMax = 20

export const linkId = (issuer: string, subject: string): string => hash('sha256', JSON.stringify([issuer, subject]), 'base64url')

/** Of whoever the provider means; undefined where nobody linked it, or nobody looked at who linked it. */
export const linkOf = async ({ store }: Ground, issuer: string, subject: string): Promise<StoredRecord<ProviderLink> | undefined> => {
  const kept = await store.records<ProviderLink>(linkedRecords).get(linkId(issuer, subject))
  return kept !== undefined && isLive(kept.value) ? kept : undefined
}

export const isLive = ({ how, approvedBy }: ProviderLink): boolean => how !== 'administrator' || approvedBy !== undefined

/** All of an account, the oldest first. */
export const linksOf = async ({ store }: Ground, account: string): Promise<readonly StoredRecord<ProviderLink>[]> =>
  (await store.records<ProviderLink>(linkedRecords).range('account', { from: [account], to: [account], limit: linksMax })).rows
