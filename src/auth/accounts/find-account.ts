import type { StoredRecord } from '../../storage/port.ts'
import type { Ground } from '../ground.ts'
import { type Account, accountRecords } from './account.ts'
import { foldName } from './names.ts'

export type KeptAccount = StoredRecord<Account>

export const accountById = ({ store }: Ground, id: string): Promise<KeptAccount | undefined> =>
  store.records<Account>(accountRecords).get(id)

const accountsOfOneMax = 10

/** Accounts of one person of the records: `Patient/1`. */
export const accountsOfUser = async ({ store }: Ground, fhirUser: string): Promise<readonly Account[]> => {
  const { rows } = await store.records<Account>(accountRecords).range('user', { from: [fhirUser], to: [fhirUser], limit: accountsOfOneMax })
  return rows.map(({ value }) => value)
}

/**
 * Whose name was typed: a user name, or an e-mail address that exactly one account has. One look-up, whatever comes of it. Undefined also for a text
 * that cannot be a name.
 */
export const accountByName = async ({ store }: Ground, typed: string): Promise<KeptAccount | undefined> => {
  const name = foldName(typed)
  // An index takes no more, and no other text; nobody has such a name.
  const asked = /^[^\p{C}]{1,254}$/u.test(name) ? name : '-'
  const index = asked.includes('@') ? 'email' : 'username'
  const { rows } = await store.records<Account>(accountRecords).range(index, { from: [asked], to: [asked], limit: 2 })
  return rows.length === 1 ? rows[0] : undefined
}
