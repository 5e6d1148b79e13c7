/**
 * A primary killed under load, and a node of ours killed in the middle of its transactions: nothing acknowledged is lost, nothing is half done, and work
 * goes on. One round of each; SIMPUL_TEST_LONG=1 makes it more (storage-and-search.md 4 and 20.6).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { seesAll } from '../../src/base/access-filter.ts'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import { deepCheck } from '../../src/storage/mongodb/check.ts'
import { openMongoStore } from '../../src/storage/mongodb/store.ts'
import type { NewVersion, Store, StoredVersion, WritePlan } from '../../src/storage/port.ts'
import { mongodbAddress, mongodbThere } from '../support/mongodb-address.ts'
import { type ReplicaSet, startReplicaSet } from '../support/replica-set.ts'
import { byIdentifier, newVersion, noneWith, planOf } from '../support/versions.ts'

const rounds = process.env.SIMPUL_TEST_LONG === '1' ? 10 : 1
const clientsOfNode = 6
const root = resolve(import.meta.dirname, '../..')
const about = mongodbThere ? describe : describe.skip

const open = (address: string): Promise<Store> =>
  openMongoStore({ address, definitions: {} as Definitions, clock: Date.now, cursorMinutes: 1, records: [pairRecords] })

/** As test/support/crash-writer.ts keeps them. */
const pairRecords = { name: 'pairs', key: 'name', ordered: true } as const

type Acknowledged = Pick<StoredVersion, 'type' | 'id' | 'versionId' | 'seq' | 'deleted'>

/** Everything the clients were told, and when they were told of a failure. */
class Journal {
  readonly acknowledged: Acknowledged[] = []
  /** Instances that hold an identifier which only one may have. */
  readonly winners = new Map<string, string[]>()
  readonly failures: { readonly at: number; readonly what: string }[] = []
  readonly wrong: string[] = []
  /** Plans acknowledged, by client. */
  readonly done: number[] = []
}

/** A client: creates, updates, creates on condition, reads and searches in turn, each time with what it was told before. */
const client = async (store: Store, number: number, name: string, journal: Journal, isOver: () => boolean): Promise<void> => {
  let last: StoredVersion | undefined
  const write = async (version: NewVersion, plan: WritePlan = planOf([version])): Promise<boolean> => {
    const done = await attempt(journal, 'commit', () => store.commit(plan))
    if (done?.ok === false) journal.failures.push({ at: performance.now(), what: done.failure.kind })
    if (done?.ok !== true || !done.value.held) return false
    journal.done[number] = (journal.done[number] ?? 0) + 1
    const { type, id, versionId, method } = version
    journal.acknowledged.push({ type, id, versionId, seq: done.value.versions[0]?.seq ?? 0, deleted: method === 'DELETE' })
    return true
  }
  for (let step = 0; !isOver(); step++) {
    const id = `${name}-${number}-${step}`
    const identifiers = [id]
    if (!(await write(newVersion({ id, identifiers })))) continue
    last = await attempt(journal, 'read', () => store.newest('Patient', id))
    if (last === undefined) continue
    if (last.versionId !== 1) journal.wrong.push(`${id} was read as ${last.versionId}`)
    const next = newVersion({ id, versionId: 2, identifiers, ...(step % 5 === 0 ? { method: 'DELETE' as const } : {}) })
    const updated = await write(next, planOf([next], [last]))
    const found = await attempt(journal, 'search', () => store.search(byIdentifier(id), { access: seesAll, count: 5 }))
    if (updated && found?.ok === true && found.value.rows.length !== (step % 5 === 0 ? 0 : 1))
      journal.wrong.push(`${id} was not found as it was written`)
    // All clients of all nodes want the same one.
    const shared = `${name}-shared-${step}`
    const wanted = newVersion({ type: 'Organization', id: `${shared}-${number}`, identifiers: [shared] })
    if (await write(wanted, { ...planOf([wanted]), guards: [{ ...noneWith(shared), query: byIdentifier(shared, 'Organization') }] }))
      journal.winners.set(shared, [...(journal.winners.get(shared) ?? []), wanted.id])
  }
}

const attempt = async <T>(journal: Journal, what: string, work: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await work()
  } catch (error) {
    journal.failures.push({ at: performance.now(), what: `${what}: ${Error.isError(error) ? error.message : 'unknown'}` })
    return undefined
  }
}

const until = async (isSo: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  for (const endsAt = performance.now() + 90_000; performance.now() < endsAt; await sleep(50)) if (await isSo()) return
  throw new Error(`It never came about that ${what}`)
}

const allAreThere = async (store: Store, acknowledged: readonly Acknowledged[]): Promise<void> => {
  const blocks = Array.from({ length: Math.ceil(acknowledged.length / 50) }, (_, at) => acknowledged.slice(at * 50, at * 50 + 50))
  for (const block of blocks) {
    const found = await Promise.all(block.map(one => store.version(one.type, one.id, one.versionId)))
    expect(found.map(one => one && { type: one.type, id: one.id, versionId: one.versionId, seq: one.seq, deleted: one.deleted })).toEqual(
      block,
    )
  }
}

/** What the clients of all nodes were told while the primary was killed, another one was elected, and it came back. */
const killedUnderLoad = async (set: ReplicaSet, nodes: readonly Store[], name: string): Promise<Journal> => {
  const journal = new Journal()
  let over = false
  const clients = nodes.flatMap((store, node) =>
    Array.from({ length: clientsOfNode }, (_, n) => client(store, node * clientsOfNode + n, name, journal, () => over)),
  )
  const allDid = (more: number) => {
    const before = clients.map((_, n) => journal.done[n] ?? 0)
    return until(() => before.every((count, n) => (journal.done[n] ?? 0) >= count + more), `each client wrote ${more} times more`)
  }
  try {
    await allDid(10)
    const primary = await set.primary()
    const killedAt = performance.now()
    await set.kill(primary)
    await set.primary()
    await allDid(1)
    const electedAt = performance.now()
    await allDid(10)
    await set.start(primary)
    await set.whole()
    await allDid(10)
    expect(journal.failures.filter(({ at }) => at < killedAt || at > electedAt)).toEqual([])
  } finally {
    over = true
    await Promise.all(clients)
  }
  return journal
}

about('an election', () => {
  test(
    'under load loses no acknowledged write; nothing fails but while there is no primary, and all clients go on',
    async () => {
      await using set = await startReplicaSet(3)
      for (let round = 0; round < rounds; round++) {
        const address = set.address(`elections${round}`)
        {
          await using one = await open(address)
          await using other = await open(address)
          const journal = await killedUnderLoad(set, [one, other], `r${round}`)
          expect(journal.wrong).toEqual([])
          expect([...journal.winners.values()].filter(({ length }) => length !== 1)).toEqual([])
          for (const store of [one, other]) await allAreThere(store, journal.acknowledged)
        }
        expect(await deepCheck(address)).toEqual([])
      }
    },
    120_000 * rounds,
  )
})

/** Lets the child write until so much was acknowledged, kills it, and returns what it said was acknowledged (complete lines only). */
const killedWriter = async (address: string, round: number, linesMin: number): Promise<readonly Acknowledged[]> => {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(root, 'test/support/crash-writer.ts'), address, String(round)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.split('\n').length > linesMin) child.kill('SIGKILL')
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
const halfPlans = async (address: string): Promise<number> => {
  const mongo = await new MongoClient(address).connect()
  try {
    const db = mongo.db()
    const firstOf = (type: string): Promise<readonly string[]> =>
      Promise.all([
        db.collection(type).distinct('_id', { versionId: 1 }),
        db.collection(`${type}.history`).distinct('id', { versionId: 1 }),
      ]).then(lists =>
        lists
          .flat()
          .map(id => String(id).slice(0, -2))
          .toSorted(),
      )
    const [patients, observations] = await Promise.all([firstOf('Patient'), firstOf('Observation')])
    expect(patients).toEqual(observations)
    const records = (await db.collection('simpul.records.pairs').distinct('_id')).map(String).toSorted()
    expect(records).toEqual(patients)
    const counter = await db.collection<{ _id: string; value: number }>('simpul.counters').findOne({ _id: 'plans' })
    return patients.length - (counter?.value ?? 0)
  } finally {
    await mongo.close()
  }
}

about('a node that is killed', () => {
  test(
    'in the middle of its transactions leaves nothing half done, keeps nobody waiting, and its slots are given to others',
    async () => {
      const address = mongodbAddress('killed')
      const store = await open(address)
      const mongo = await new MongoClient(address).connect()
      try {
        for (let round = 0; round < rounds; round++) {
          const acknowledged = await killedWriter(address, round, 60 + ((round * 37) % 100))
          const killedAt = Date.now()
          // The number that all of its plans took: a transaction that nobody will end may hold it.
          const own = newVersion({ type: 'Organization', id: `after-${round}` })
          expect(await store.commit({ ...planOf([own]), counters: [{ key: 'plans' }] })).toMatchObject({ ok: true, value: { held: true } })
          await until(async () => (await store.horizon()) > killedAt, 'the horizon passes the moment of its death')
          expect(await halfPlans(address)).toBe(-1 - round)
          await allAreThere(store, acknowledged)
          const held = await mongo
            .db()
            .collection('simpul.slots')
            .find({ writer: { $exists: true } })
            .toArray()
          expect(new Set(held.map(({ writer }) => writer)).size).toBe(1)
        }
        const after = await open(address)
        await after[Symbol.asyncDispose]()
        expect(await deepCheck(address)).toEqual([])
      } finally {
        await store[Symbol.asyncDispose]()
        await mongo.db().dropDatabase()
        await mongo.close()
      }
    },
    120_000 * rounds,
  )
})
