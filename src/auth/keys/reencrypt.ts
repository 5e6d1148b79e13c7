import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordDefinition, RecordPosition, StoredRecord } from '../../storage/port.ts'
import type { Ground } from '../ground.ts'
import type { FieldPlace } from './field-encryption.ts'

type Reencrypting = Pick<Ground, 'store' | 'fields'>

/** Records. `missed`: they changed meanwhile. */
export type Reencrypted = { readonly renewed: number; readonly missed: number; readonly unreadable: number }

export const summed = (parts: readonly Reencrypted[]): Reencrypted => {
  const total = (count: keyof Reencrypted): number => parts.reduce((sum, part) => sum + part[count], 0)
  return { renewed: total('renewed'), missed: total('missed'), unreadable: total('unreadable') }
}

/** The value under the current key; undefined when it is so already, or cannot be opened. */
export type Renew = (value: string, place: FieldPlace) => Promise<string | undefined>

const pageRows = 200

/**
 * Encrypts anew what records keep under an older data key, page after page. `change` answers the record with values renewed, or undefined where nothing was to do. What
 * changes meanwhile is left to the next run; what cannot be opened stays as it is, and counts as `unreadable`.
 */
export const reencryptRecords = async <V extends object>(
  ground: Reencrypting,
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

async function* rowsOf<V extends object>({ store }: Reencrypting, definition: RecordDefinition): AsyncGenerator<StoredRecord<V>> {
  let after: RecordPosition | undefined
  do {
    const page = await store.records<V>(definition).range('key', { limit: pageRows, ...(after === undefined ? {} : { after }) })
    yield* page.rows
    after = page.more ? page.rows.at(-1)?.position : undefined
  } while (after !== undefined)
}
