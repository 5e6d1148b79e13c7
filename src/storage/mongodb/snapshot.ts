import { MongoServerError, Timestamp } from 'mongodb'
import type { Snapshot } from '../port.ts'
import type { Database } from './database.ts'
import type { State } from './state.ts'

/**
 * A snapshot is a cluster time: the database keeps what was current then for as long as `snapshotMs` says. Its token is `{seconds}.{increment}`.
 */

/** The state that holds all that a majority has by now. */
export const takeSnapshot = async ({ db, collections, clock }: Database): Promise<Snapshot> => {
  const at = clock()
  const answer = await db.command({
    find: collections.own('types').collectionName,
    filter: {},
    projection: { _id: 1 },
    limit: 1,
    singleBatch: true,
    readConcern: { level: 'snapshot' },
  })
  return snapshotOf(answer.cursor.atClusterTime, at)
}

export const snapshotOf = (time: Timestamp, at: number): Snapshot => ({ token: `${time.t}.${time.i}`, at })

/** Undefined when its time is over or the token is none of ours. A time that has not come the server itself refuses, at once (`isExpired`). */
export const stateOf = ({ clock, snapshotMs }: Pick<Database, 'clock' | 'snapshotMs'>, { token, at }: Snapshot): State | undefined => {
  const [, t, i] = /^(\d{1,10})\.(\d{1,10})$/.exec(token)?.map(Number) ?? []
  if (t === undefined || i === undefined || t > wordMax || i > wordMax || t === 0) return undefined
  return clock() - at > snapshotMs ? undefined : { at: new Timestamp({ t, i }) }
}

const wordMax = 0xffff_ffff

const codes = {
  snapshotTooOld: 239,
  /** Also for a collection made after the snapshot. */
  snapshotUnavailable: 246,
  invalidOptions: 72,
} as const

/** Whether the database no longer has, or never had, the state that was asked for. */
export const isExpired = (error: unknown): boolean => {
  if (!(error instanceof MongoServerError)) return false
  if (error.code === codes.snapshotTooOld || error.code === codes.snapshotUnavailable) return true
  return error.code === codes.invalidOptions && error.message.includes('atClusterTime')
}
