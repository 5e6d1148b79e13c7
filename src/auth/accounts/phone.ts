import type { Ground } from '../ground.ts'
import { type Account, accountRecords } from './account.ts'

export const phonePlace = (account: string) => ({ table: accountRecords.name, column: 'phone', row: account })

export const encryptedPhone = ({ fields }: Ground, account: string, phone: string): string => fields.encrypt(phone, phonePlace(account))

/** Undefined when there is none, or none that can be read. */
export const phoneOf = async ({ fields }: Ground, { id, phone }: Account): Promise<string | undefined> =>
  phone === undefined ? undefined : fields.decrypt(phone, phonePlace(id))
