/**
 * Child of sqlite.test.ts (Jest hides the process object that tells of new threads): ends the writer thread from outside while plans wait,
 * and says as JSON what the store answered then.
 */
import process from 'node:process'
import type { Worker } from 'node:worker_threads'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import { openSqliteStore } from '../../src/storage/sqlite/store.ts'
import { newVersion, planOf } from './versions.ts'

const threads: Worker[] = []
process.on('worker', worker => threads.push(worker))
const store = await openSqliteStore({ path: process.argv[2] ?? '', definitions: {} as Definitions, clock: Date.now })
await store.commit(planOf([newVersion({ id: 'a' })]))
const waiting = Array.from({ length: 500 }, (_, n) => store.commit(planOf([newVersion({ id: `p${n}` })])))
await threads[0]?.terminate()
const outcomes = await Promise.all(waiting)
const late = await store.commit(planOf([newVersion({ id: 'late' })]))
const answers = {
  failures: [...new Set([...outcomes, late].map(one => (one.ok ? 'none' : one.failure.kind)))],
  late: late.ok,
  read: (await store.newest('Patient', 'a'))?.versionId,
  healthy: (await store.health()).ok,
  horizon: await store.horizon().catch((error: Error) => error.message),
}
await store[Symbol.asyncDispose]()
process.stdout.write(JSON.stringify(answers))
