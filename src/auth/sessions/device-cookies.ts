import type { RecordDefinition, RecordWrite } from '../../storage/port.ts'
import type { Account } from '../accounts/account.ts'
import type { Ground } from '../ground.ts'
import { firstOf } from '../record-plans.ts'
import { isSecret, newSecret, secretHash } from '../secrets.ts'

/** A browser in which an account logged in before. One browser has one cookie, and a row for each account that it knows. @see auth.md 2.3 */
type DeviceCookie = {
  /** `{hash}.{account}` */
  readonly id: string
  readonly hash: string
  readonly account: string
  readonly epoch: number
  readonly usedAt: number
  readonly expires: number
}

export const deviceRecords: RecordDefinition = { name: 'device_cookie', key: 'id', indexes: { hash: ['hash'] }, expires: 'expires' }

export const deviceMs = 180 * 86_400_000

/**
 * Id of the row when the browser knows the account, undefined when not. One look-up wherever a cookie came, also for a `subject` that is no account:
 * whether a name exists does not show in the work.
 */
export const knownDevice = async (
  { store, clock }: Ground,
  cookie: string | undefined,
  subject: { readonly id: string; readonly epoch: number },
): Promise<string | undefined> => {
  if (cookie === undefined || !isSecret(cookie)) return undefined
  const row = await store.records<DeviceCookie>(deviceRecords).get(`${secretHash(cookie)}.${subject.id}`)
  return row !== undefined && row.value.epoch === subject.epoch && row.value.expires > clock() ? row.key : undefined
}

/** The cookie of a browser in which the account has logged in, and its row. A value that we did not give is not taken over. */
export const rememberedDevice = async (
  ground: Ground,
  cookie: string | undefined,
  account: Account,
): Promise<{ readonly cookie: string; readonly write: RecordWrite }> => {
  const value = cookie !== undefined && (await isOurs(ground, cookie)) ? cookie : newSecret(ground.random)
  const hash = secretHash(value)
  const now = ground.clock()
  const row: DeviceCookie = {
    id: `${hash}.${account.id}`,
    hash,
    account: account.id,
    epoch: account.epoch,
    usedAt: now,
    expires: now + deviceMs,
  }
  return { cookie: value, write: { record: deviceRecords.name, put: row } }
}

const isOurs = async ({ store }: Ground, cookie: string): Promise<boolean> =>
  isSecret(cookie) && (await firstOf(store.records<DeviceCookie>(deviceRecords), 'hash', [secretHash(cookie)])) !== undefined
