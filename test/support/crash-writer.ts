/**
 * Child of crash.test.ts and elections.test.ts: writes to a store (a file, or mongodb://…) until it is killed, and says on standard output what was acknowledged:
 * one line `type id versionId seq deleted` per version, after the commit answered. Plans of several versions are marked by their number.
 */
import { writeSync } from 'node:fs'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import { openMongoStore } from '../../src/storage/mongodb/store.ts'
import { openSqliteStore } from '../../src/storage/sqlite/store.ts'
import { newVersion, planOf } from './versions.ts'

/** One record for each pair, in the plan of the pair. */
const pairRecords = { name: 'pairs', key: 'name', ordered: true } as const

const [path = '', round = '0'] = process.argv.slice(2)
const options = { definitions: {} as Definitions, clock: Date.now, cursorMinutes: 0, records: [pairRecords] }
const store = path.startsWith('mongodb://')
  ? await openMongoStore({ address: path, ...options })
  : await openSqliteStore({ path, ...options })
writeSync(1, 'ready\n')

let plan = 0
/** Each writer has its own instances: creates pairs, updates one of them, deletes now and then, counts up, keeps a record; all in one plan. */
const write = async (writer: number): Promise<void> => {
  for (;;) {
    const name = `r${round}-w${writer}-${++plan}`
    const pair = [
      newVersion({ id: `${name}-a`, identifiers: [name] }),
      newVersion({ type: 'Observation', id: `${name}-b`, subject: `Patient/${name}-a`, weight: plan }),
    ]
    await acknowledge(
      pair,
      await store.commit({ ...planOf(pair), counters: [{ key: 'plans' }], records: [{ record: 'pairs', put: { name } }] }),
    )
    const before = await store.newest('Patient', `${name}-a`)
    if (before === undefined) throw new Error('An acknowledged write cannot be read')
    if (plan % 3 === 0) {
      const next = [newVersion({ id: before.id, versionId: 2, ...(plan % 2 === 0 ? { method: 'DELETE' as const } : { family: name }) })]
      await acknowledge(next, await store.commit(planOf(next, [before])))
    }
    if (plan % 50 === 0) await store.snapshot()
  }
}

const acknowledge = async (
  versions: readonly ReturnType<typeof newVersion>[],
  done: Awaited<ReturnType<typeof store.commit>>,
): Promise<void> => {
  if (!done.ok || !done.value.held) throw new Error('A plan of its own instances did not hold')
  const seqs = done.value.versions
  writeSync(1, versions.map((one, at) => `${one.type} ${one.id} ${one.versionId} ${seqs[at]?.seq} ${one.method === 'DELETE'}\n`).join(''))
}

await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)))
