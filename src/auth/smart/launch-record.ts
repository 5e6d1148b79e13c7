import type { RecordDefinition, StoredRecord } from '../../storage/port.ts'
import type { LaunchContext } from '../grants/grant-context.ts'
import type { Ground } from '../ground.ts'
import { isSecret, secretHash } from '../secrets.ts'

/** An application that somebody starts out of the record: for that application and that user, once, within 5 minutes. @see auth.md 7.3 */
export type Launch = {
  /** SHA-256 of the value. */
  readonly hash: string
  readonly client: string
  readonly account: string
  /** Ids. */
  readonly patient: string
  readonly encounter?: string
  readonly context: LaunchContext
  readonly createdAt: number
  /** ms */
  readonly expires: number
  /** The grant that came of it. */
  readonly used?: string
}

export type KeptLaunch = StoredRecord<Launch>

export const launchRecords: RecordDefinition = { name: 'launch', key: 'hash', expires: 'expires' }

export const launchMs = 5 * 60_000

/** Undefined when it is unknown, used, over, or another application's. */
export const findLaunch = async ({ store, clock }: Ground, value: string, client: string): Promise<KeptLaunch | undefined> => {
  const kept = isSecret(value) ? await store.records<Launch>(launchRecords).get(secretHash(value)) : undefined
  const lives = kept !== undefined && kept.value.used === undefined && kept.value.expires > clock()
  return lives && kept.value.client === client ? kept : undefined
}
