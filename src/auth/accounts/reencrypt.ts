import { type Outcome, ok } from '../../base/outcome.ts'
import { type FactorSet, factorRecords, placeOf as secretPlace } from '../factors/factor-set.ts'
import type { Ground } from '../ground.ts'
import { type Reencrypted, reencryptRecords, summed } from '../keys/reencrypt.ts'
import { type Account, accountRecords } from './account.ts'
import { phonePlace } from './phone.ts'

/**
 * Encrypts anew what accounts keep under an older data key, page after page, so that the old key can be retired. What changes meanwhile is left to
 * the next run; what cannot be opened stays as it is, and counts as `unreadable`. Rows of the login history are never changed: they keep their key until they go.
 */
export const reencryptAccounts = async (ground: Ground): Promise<Outcome<Reencrypted>> => {
  const phones = await reencryptRecords<Account>(ground, accountRecords, async (account, renew) => {
    const phone = account.phone === undefined ? undefined : await renew(account.phone, phonePlace(account.id))
    return phone === undefined ? undefined : { ...account, phone }
  })
  if (!phones.ok) return phones
  const secrets = await reencryptRecords<FactorSet>(ground, factorRecords, async (set, renew) => {
    const place = secretPlace(set.account)
    const totp = set.totp === undefined ? undefined : await renew(set.totp.secret, place)
    const pending = set.pending === undefined ? undefined : await renew(set.pending.secret, place)
    if (totp === undefined && pending === undefined) return undefined
    return {
      ...set,
      ...(set.totp === undefined || totp === undefined ? {} : { totp: { ...set.totp, secret: totp } }),
      ...(set.pending === undefined || pending === undefined ? {} : { pending: { ...set.pending, secret: pending } }),
    }
  })
  if (!secrets.ok) return secrets
  return ok(summed([phones.value, secrets.value]))
}
