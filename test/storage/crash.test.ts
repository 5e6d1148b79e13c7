/**
 * A process killed in the middle of mixed writes loses nothing it acknowledged and leaves nothing half written
 * (storage-and-search.md 20.6). Five rounds on one file; SIMPUL_TEST_LONG=1 makes it a hundred.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from '@jest/globals'
import { deepCheck } from '../../src/storage/sqlite/check.ts'
import { openTestStore, temporaryFolder } from '../support/sqlite-store.ts'

const rounds = process.env.SIMPUL_TEST_LONG === '1' ? 100 : 5
const root = resolve(import.meta.dirname, '../..')

type Acknowledged = {
  readonly type: string
  readonly id: string
  readonly versionId: number
  readonly seq: number
  readonly deleted: boolean
}

/** Lets the child write for some time, kills it, and returns what it said was acknowledged (complete lines only). */
const killedWriter = async (path: string, round: number, ms: number): Promise<readonly Acknowledged[]> => {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(root, 'test/support/crash-writer.ts'), path, String(round)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (said === '') setTimeout(() => child.kill('SIGKILL'), ms)
    said += text
  })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
  const complete = said.slice(0, said.lastIndexOf('\n')).split('\n')
  return complete.slice(1).map(line => {
    const [type = '', id = '', versionId, seq, deleted] = line.split(' ')
    return { type, id, versionId: Number(versionId), seq: Number(seq), deleted: deleted === 'true' }
  })
}

/** Both versions of a pair, its number and its record were one plan: as many pairs as numbers and records, and no Observation without its Patient. */
const halfPlans = (path: string): number => {
  using db = new DatabaseSync(path)
  const pairs = db
    .prepare(
      `SELECT (SELECT count(*) FROM version WHERE vid = 1) AS versions,
              (SELECT value FROM counter WHERE key = 'plans') AS plans, (SELECT count(*) FROM rec_pairs) AS records,
              (SELECT count(*) FROM instance o WHERE o.id LIKE '%-b' AND NOT EXISTS (SELECT 1 FROM instance p WHERE p.t = (SELECT t FROM type WHERE name = 'Patient') AND p.id = replace(o.id, '-b', '-a') AND p.seq > 0)) AS alone`,
    )
    .get() as { versions: number; plans: number; records: number; alone: number }
  return Math.abs(pairs.versions - 2 * pairs.plans) + Math.abs(pairs.records - pairs.plans) + pairs.alone
}

test(
  `${rounds} kills in the middle of writes lose no acknowledged write and leave no half plan`,
  async () => {
    const path = join(temporaryFolder(), 'store.db')
    let total = 0
    for (let round = 0; round < rounds; round++) {
      const acknowledged = await killedWriter(path, round, 100 + ((round * 137) % 400))
      total += acknowledged.length
      expect(halfPlans(path)).toBe(0)
      const { store } = await openTestStore({ now: Date.now() }, path)
      try {
        for (const one of acknowledged) {
          const version = await store.version(one.type, one.id, one.versionId)
          expect(version).toMatchObject({ seq: one.seq, deleted: one.deleted })
        }
      } finally {
        await store[Symbol.asyncDispose]()
      }
      expect(deepCheck(path)).toEqual([])
    }
    expect(total).toBeGreaterThan(rounds * 10)
  },
  rounds * 20_000,
)
