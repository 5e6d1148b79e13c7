import { createHash, randomUUID } from 'node:crypto'
import type { Db } from 'mongodb'
import { type Clock, systemClock } from '../../base/clock.ts'
import { type Done, type Migrations, pendingOf, statesOf } from '../migrations.ts'
import { bringUp, hasCode, layOut, serverCodes, type TypeDocument } from './collections.ts'
import { openDatabase, whileOpening } from './database.ts'
import { type Step, steps } from './layout.ts'

/** `simpul.migrations` */
type MigrationDocument = { readonly _id: number; readonly name: string; readonly checksum: string; readonly at: Date }
/** `simpul.leases`: who does what only one may do; by the clock of mongod. */
type LeaseDocument = { readonly _id: 'migrate'; readonly holder?: string; readonly until: Date }

export type MigrateOptions = {
  /** A holder that is silent for so long is taken for dead. */
  readonly leaseMs?: number
  readonly pollMs?: number
}

export const checksum = ({ collections, types, fills }: Step): string =>
  createHash('sha256').update(JSON.stringify({ collections, types, fills })).digest('hex')

/**
 * Brings the database to the newest known layout: forward only, each step recorded with its checksum. Of several that start at once one does it
 * and the others wait until it is done, or until its holder died. A step says what shall be there, so one that was cut short is done again from its
 * beginning. Throws when the list has gaps, when a recorded step is unknown here (the store is newer than the program) or reads differently now.
 */
export const migrate = async (
  db: Db,
  clock: Clock,
  list: readonly Step[] = steps,
  options: MigrateOptions = {},
): Promise<readonly Done[]> => {
  const { leaseMs = 10_000, pollMs = 50 } = options
  for (;;) {
    const done = await doneIn(db)
    if (pendingOf(list, done, checksum).length === 0) return done
    await using lease = await tryLease(db, leaseMs)
    if (lease === undefined) {
      await new Promise(again => setTimeout(again, pollMs))
      continue
    }
    // Whoever held it before may have done them.
    for (const step of pendingOf(list, await doneIn(db), checksum)) {
      await apply(db, list, step)
      await record(db, step, clock)
    }
  }
}

/** For `simpul migrate`: looking changes nothing. */
export const migrationsAt = async (address: string, clock: Clock = systemClock, list: readonly Step[] = steps): Promise<Migrations> => {
  const { db, close } = await openDatabase({ address, clock, cursorMinutes: 0, appName: 'simpul migrate' })
  return {
    status: async () => {
      const done = await doneIn(db)
      pendingOf(list, done, checksum)
      return statesOf(list, done)
    },
    up: async () => statesOf(list, await whileOpening(address, () => migrate(db, clock, list))),
    [Symbol.asyncDispose]: close,
  }
}

const doneIn = async (db: Db): Promise<readonly Done[]> => {
  const found = await db
    .collection<MigrationDocument>('simpul.migrations')
    .find({}, { sort: { _id: 1 } })
    .toArray()
  return found.map(({ _id, name, checksum: sum, at }) => ({ number: _id, name, checksum: sum, at: at.getTime() }))
}

const apply = async (db: Db, list: readonly Step[], step: Step): Promise<void> => {
  const { number, collections = {}, fills = {} } = step
  await Promise.all(Object.entries(collections).map(([name, layout]) => layOut(db, `simpul.${name}`, layout)))
  for (const [name, pipeline] of Object.entries(fills))
    await db
      .collection(`simpul.${name}`)
      .aggregate([...pipeline])
      .toArray()
  // One type after the other: an index on a large collection is work enough for the server.
  const before = db.collection<TypeDocument>('simpul.types').find({ layout: { $lt: number } }, { sort: { _id: 1 } })
  for (const type of await before.toArray()) await bringUp(db, type, list.slice(0, number))
}

const record = async (db: Db, step: Step, clock: Clock): Promise<void> => {
  const { number, name } = step
  try {
    await db
      .collection<MigrationDocument>('simpul.migrations')
      .insertOne({ _id: number, name, checksum: checksum(step), at: new Date(clock()) })
  } catch (error) {
    // Our lease ran out and another did the same.
    if (!hasCode(error, serverCodes.duplicateKey)) throw error
  }
}

/** Undefined while another holds it. Renewed until it is let go. */
const tryLease = async (db: Db, leaseMs: number): Promise<AsyncDisposable | undefined> => {
  const leases = db.collection<LeaseDocument>('simpul.leases')
  const holder = randomUUID()
  const until = { $add: ['$$NOW', leaseMs] }
  await leases.updateOne({ _id: 'migrate' }, { $setOnInsert: { until: new Date(0) } }, { upsert: true })
  const { matchedCount } = await leases.updateOne({ _id: 'migrate', $expr: { $lt: ['$until', '$$NOW'] } }, [{ $set: { holder, until } }])
  if (matchedCount === 0) return undefined
  const renewing = setInterval(() => {
    leases.updateOne({ _id: 'migrate', holder }, [{ $set: { until } }]).catch(() => undefined)
  }, leaseMs / 4)
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(renewing)
      await leases.updateOne({ _id: 'migrate', holder }, { $set: { until: new Date(0) }, $unset: { holder: 1 } })
    },
  }
}
