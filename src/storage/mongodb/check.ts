import { systemClock } from '../../base/clock.ts'
import { besideFindings } from './check-beside.ts'
import { lostWords, restoreServed, servedFindings } from './check-served.ts'
import { typeFindings } from './check-type.ts'
import { type Database, openDatabase } from './database.ts'
import { isExpired } from './snapshot.ts'

/** Findings named at most; a broken store is broken after the first hundred. */
const findingsMax = 100
/** One type is read in one state, which the database must keep for as long as that takes. */
const snapshotMinutes = 60

/**
 * Compares everything the store says twice: the text with what stands beside it for people, versions and their ends, index entries among themselves,
 * exact counts, parts, owners, whom relations serve, blobs, records. Returns findings without values of records; none when the store is whole. Reads every document;
 * resources may be written meanwhile, what is being removed may be found half gone.
 */
export const deepCheck = async (address: string): Promise<readonly string[]> => {
  const database = await openDatabase({ address, clock: systemClock, cursorMinutes: snapshotMinutes, appName: 'simpul doctor' })
  try {
    return await take(findingsIn(database), findingsMax)
  } finally {
    await database.close()
  }
}

/** What mends it. */
export const remedyOf = (finding: string): string =>
  finding.startsWith(lostWords)
    ? '"npx simpul doctor --repair" writes them anew from the relations, while servers go on.'
    : 'Restore the newest backup, or report this.'

/** Writes anew what can be made from the rest and is lost. Answers how many words that were. */
export const repair = async (address: string): Promise<number> => {
  const database = await openDatabase({ address, clock: systemClock, cursorMinutes: 0, appName: 'simpul doctor' })
  try {
    return await restoreServed(database.db)
  } finally {
    await database.close()
  }
}

/** What a store says of itself at a glance, and what works less well than it could when page links shall live so long. */
export const glanceAt = async (
  address: string,
  cursorMinutes: number,
): Promise<{ readonly migrations: number; readonly live: number; readonly warnings: readonly string[] }> => {
  const database = await openDatabase({ address, clock: systemClock, cursorMinutes, appName: 'simpul doctor' })
  try {
    const { db } = database
    const migrations = await db.collection('simpul.migrations').countDocuments()
    const [sum] = await db
      .collection('simpul.slots')
      .aggregate([
        { $project: { counts: { $objectToArray: '$shapes' } } },
        { $group: { _id: null, live: { $sum: { $sum: '$counts.v' } } } },
      ])
      .toArray()
    return { migrations, live: Number(sum?.live ?? 0), warnings: database.warnings }
  } finally {
    await database.close()
  }
}

async function* findingsIn(database: Database): AsyncGenerator<string> {
  const types = await database.collections.types()
  for (const type of types) yield* typeFindings(database, type)
  yield* besideFindings(database.db, types)
  yield* servedFindings(database.db)
}

const take = async (findings: AsyncGenerator<string>, max: number): Promise<readonly string[]> => {
  const taken: string[] = []
  try {
    for await (const finding of findings) if (taken.push(finding) >= max) break
  } catch (error) {
    if (!isExpired(error)) throw error
    taken.push('A type takes longer to read than the database keeps snapshots: nothing is known of what comes after it')
  }
  return taken
}
