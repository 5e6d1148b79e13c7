import { randomUUID } from 'node:crypto'

/** Whether this run has a mongod. Its absence was told in large letters when the run began (start-servers.ts). */
export const mongodbThere = (process.env.SIMPUL_TEST_MONGODB_URI ?? 'none') !== 'none'

/** Databases of one run of the tests have names of their own: they go when it ends (stop-servers.ts). */
export const databasePrefix = 'simpul-test-'
const ofRun = `${databasePrefix}${process.env.SIMPUL_TEST_RUN ?? process.pid.toString(36)}-`

/** A database that no other test knows, on the mongod of this run. Whoever asks may drop it. */
export const mongodbAddress = (name: string): string => addressOf(`${ofRun}${name}-${randomUUID().slice(0, 8)}`)

/** Databases of this Jest worker by kind and number, which one test file after the other uses. */
export const workerAddress = (number: number, kind: string): string =>
  addressOf(`${ofRun}worker-${process.env.JEST_WORKER_ID ?? '0'}-${kind}${kind === '' ? '' : '-'}${number}`)

const addressOf = (database: string): string => {
  const url = new URL(mongodbThere ? (process.env.SIMPUL_TEST_MONGODB_URI as string) : 'mongodb://nowhere.invalid')
  url.pathname = `/${database}`
  return url.href
}
