import { systemClock } from '../../base/clock.ts'
import { openDatabase } from './database.ts'

/** The same for all addresses of one database, whichever members they name: set, primary and database, or cluster and database. */
export const identityAt = async (address: string): Promise<string> => {
  const database = await openDatabase({ address, clock: systemClock, cursorMinutes: 1, appName: 'simpul-copy' })
  try {
    const { db } = database
    const hello = await db.command({ hello: 1 })
    const cluster = hello.setName === undefined ? await clusterOf(database.client) : `${hello.setName}/${hello.me}`
    return `mongodb:${cluster}/${db.databaseName}`
  } finally {
    await database.close()
  }
}

const clusterOf = async (client: Awaited<ReturnType<typeof openDatabase>>['client']): Promise<string> =>
  String((await client.db('config').collection('version').findOne())?.clusterId)
