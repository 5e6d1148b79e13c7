import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordDefinition, RecordPosition, StoredRecord } from '../../storage/port.ts'
import { type FactorSet, factorRecords, placeOf as secretPlace } from '../factors/factor-set.ts'
import type { Ground } from '../ground.ts'
import type { FieldPlace } from '../keys/field-encryption.ts'
import { type Account, accountRecords } from './account.ts'
import { phonePlace } from './phone.ts'

/**
 * Encrypts anew what accounts keep under an older data key, page after page, so that the old key can be retired. What changes meanwhile is left to
 * the next run; what cannot be opened stays as it is, and counts as `unreadable`. Rows of the login history are never changed: they keep their key until they go.
 */
export const reencryptAccounts = async (ground: Ground): Promise<Outcome<Reencrypted>> => {
  const phones = await walk<Account>(ground, accountRecords, async (account, renew) => {
    const phone = account.phone === undefined ? undefined : await renew(account.phone, phonePlace(account.id))
    return phone === undefined ? undefined : { ...account, phone }
  })
  if (!phones.ok) return phones
  const secrets = await walk<FactorSet>(ground, factorRecords, async (set, renew) => {
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
  const total = (count: keyof Reencrypted): number => phones.value[count] + secrets.value[count]
  return ok({ renewed: total('renewed'), missed: total('missed'), unreadable: total('unreadable') })
}

/** Records. `missed`: they changed meanwhile. */
export type Reencrypted = { readonly renewed: number; readonly missed: number; readonly unreadable: number }

/** The value under the current key; undefined when it is so already, or cannot be opened. */
type Renew = (value: string, place: FieldPlace) => Promise<string | undefined>

const pageRows = 200

const walk = async <V extends object>(
  ground: Ground,
  definition: RecordDefinition,
  change: (value: V, renew: Renew) => Promise<V | undefined>,
): Promise<Outcome<Reencrypted>> => {
  const records = ground.store.records<V>(definition)
  let [renewed, missed, unreadable] = [0, 0, 0]
  const renew: Renew = async (value, place) => {
    if (ground.fields.isCurrent(value)) return undefined
    const text = await ground.fields.decrypt(value, place)
    if (text === undefined) unreadable++
    return text === undefined ? undefined : ground.fields.encrypt(text, place)
  }
  for await (const row of rowsOf<V>(ground, definition)) {
    const after = await change(row.value, renew)
    if (after === undefined) continue
    const done = await records.put(after, row.revision)
    if (!done.ok) return done
    if (done.value.held) renewed++
    else missed++
  }
  return ok({ renewed, missed, unreadable })
}

async function* rowsOf<V extends object>({ store }: Ground, definition: RecordDefinition): AsyncGenerator<StoredRecord<V>> {
  let after: RecordPosition | undefined
  do {
    const page = await store.records<V>(definition).range('key', { limit: pageRows, ...(after === undefined ? {} : { after }) })
    yield* page.rows
    after = page.more ? page.rows.at(-1)?.position : undefined
  } while (after !== undefined)
}
