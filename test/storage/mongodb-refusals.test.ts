/**
 * Servers that cannot keep the promise are refused at the start, with the one command that mends it; what a user may not do is told, not tripped over.
 * @see storage-and-search.md 6
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import { glanceAt } from '../../src/storage/mongodb/check.ts'
import { openDatabase } from '../../src/storage/mongodb/database.ts'
import { steps } from '../../src/storage/mongodb/layout.ts'
import { migrationsAt } from '../../src/storage/mongodb/migrate.ts'
import { openMongoStore } from '../../src/storage/mongodb/store.ts'
import { freePort } from '../support/free-port.ts'
import { mongodbThere } from '../support/mongodb-address.ts'
import { startReplicaSet } from '../support/replica-set.ts'
import { findMongod } from '../support/servers.ts'
import { create, next } from './contract-store.ts'

const clock = () => Date.UTC(2026, 10, 21, 8)
const running: { readonly child: ChildProcess; readonly folder: string }[] = []
afterEach(async () => {
  for (const { child, folder } of running.splice(0)) {
    const ended = once(child, 'exit')
    child.stdin?.end()
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
})

/** The shell ends the server when its own input ends, which it does with this process, however that ends. */
const untilInputEnds = '"$0" "$@" > /dev/null 2>&1 & cat > /dev/null; kill -9 $!; wait'

/** A mongod of the test's own, small. */
const startMongod = async (argv: (folder: string) => readonly string[]): Promise<number> => {
  const { path } = await findMongod()
  const folder = mkdtempSync(join(tmpdir(), 'simpul-mongod-'))
  const port = await freePort()
  const small = ['--wiredTigerCacheSizeGB', '0.25', '--oplogSize', '16', '--setParameter', 'diagnosticDataCollectionEnabled=false']
  const server = ['--port', `${port}`, '--bind_ip', '127.0.0.1', '--dbpath', folder, ...small, ...argv(folder)]
  const child = spawn('/bin/sh', ['-c', untilInputEnds, path, ...server], { stdio: ['pipe', 'ignore', 'ignore'] })
  running.push({ child, folder })
  return port
}

const errorOf = (address: string): Promise<unknown> =>
  openDatabase({ address, clock, cursorMinutes: 60 }).then(
    database => database.close(),
    (error: unknown) => error,
  )

const whereMongodb = mongodbThere ? describe : describe.skip
whereMongodb('a mongod that cannot keep the promise', () => {
  test('stands alone: refused, whether a set was asked for or not', async () => {
    const port = await startMongod(() => [])
    for (const options of ['', '?replicaSet=rs0&serverSelectionTimeoutMS=2000'])
      expect(await errorOf(`mongodb://127.0.0.1:${port}/simpul${options}`)).toMatchObject({
        why: 'refused',
        message: expect.stringMatching(/stands alone and has no transactions\. Start it with --replSet rs0 .*rs\.initiate\(\)/),
      })
  }, 60_000)

  test('waits for its set: refused with the command, used when that was given', async () => {
    const port = await startMongod(() => ['--replSet', 'rs0'])
    const address = `mongodb://127.0.0.1:${port}/simpul?serverSelectionTimeoutMS=3000`
    expect(await errorOf(address)).toMatchObject({ why: 'refused', message: expect.stringContaining('mongosh --eval "rs.initiate()"') })
    const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`)
    await client.db('admin').command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: `127.0.0.1:${port}` }] } })
    await client.close()
    let error = await errorOf(address)
    // The set elects its first primary.
    for (let tries = 0; error !== undefined && tries < 20; tries++) error = await errorOf(address)
    expect(error).toBeUndefined()
  }, 60_000)

  test('lets the user do no more than readWrite: everything works, page links live as long as the database keeps snapshots', async () => {
    const port = await startMongod(folder => {
      const key = join(folder, 'key')
      writeFileSync(key, 'c2ltcHVsLXRlc3Qta2V5', { mode: 0o600 })
      return ['--replSet', 'rs0', '--keyFile', key]
    })
    const direct = { directConnection: true }
    const first = new MongoClient(`mongodb://127.0.0.1:${port}/`, direct)
    await first.db('admin').command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: `127.0.0.1:${port}` }] } })
    while (!(await first.db('admin').command({ hello: 1 })).isWritablePrimary) await new Promise(again => setTimeout(again, 50))
    await first.db('admin').command({ createUser: 'root', pwd: 'root', roles: ['root'] })
    await first.close()
    await using root = new MongoClient(`mongodb://root:root@127.0.0.1:${port}/?authSource=admin`, direct)
    await root.db('simpul').command({ createUser: 'app', pwd: 'p@ss', roles: ['readWrite'] })
    await root.db('simpul').command({ createUser: 'reader', pwd: 'p', roles: [] })
    await root.db('simpul').command({ createUser: 'analyst', pwd: 'p', roles: ['read'] })
    await root.db('admin').command({ createUser: 'host', pwd: 'p', roles: ['hostManager', { role: 'readWrite', db: 'simpul' }] })

    const place = `127.0.0.1:${port}/simpul?replicaSet=rs0`
    expect(await errorOf(`mongodb://${place}`)).toMatchObject({ why: 'access' })
    expect(await errorOf(`mongodb://app:wrong@${place}`)).toMatchObject({
      why: 'access',
      message: expect.stringContaining('correct user, password'),
    })
    expect(await errorOf(`mongodb://reader:p@${place}`)).toMatchObject({
      why: 'access',
      message: expect.stringContaining('grant it the role readWrite'),
    })

    const address = `mongodb://app:p%40ss@${place}`
    const told = {
      why: 'access',
      message: expect.stringMatching(/^The user of [^ ]+ may not read and write the database: grant it the role readWrite/),
    }
    const analyst = `mongodb://analyst:p@${place}`
    const mayNot = async (): Promise<void> => {
      await expect(openMongoStore({ address: analyst, definitions: {} as Definitions, clock })).rejects.toMatchObject(told)
    }
    await mayNot()
    await using migrations = await migrationsAt(analyst)
    expect(await migrations.status()).toMatchObject(steps.map(() => ({ state: 'pending' })))
    await expect(migrations.up()).rejects.toMatchObject(told)
    const database = await openDatabase({ address, clock, cursorMinutes: 60 })
    expect([database.snapshotMs, database.warnings]).toEqual([300_000, [expect.stringContaining('minSnapshotHistoryWindowInSeconds=3600')]])
    await database.close()
    expect((await glanceAt(address, 60)).warnings).toEqual([expect.stringContaining('Page links work for 300 s instead of 3600 s')])
    await using store = await openMongoStore({ address, definitions: {} as Definitions, clock })
    await mayNot()
    const made = await create(store, { id: 'a', identifiers: ['1'] })
    await next(store, made, { identifiers: ['2'] })
    await store.remove([{ type: 'Patient', id: 'a' }])

    const granted = await openDatabase({ address: `mongodb://host:p@${place}&authSource=admin`, clock, cursorMinutes: 60 })
    expect([granted.snapshotMs, granted.warnings]).toEqual([3_600_000, []])
    await granted.close()
  }, 90_000)

  test('a member that forgot how long to keep snapshots is asked again when it is back, a second member too', async () => {
    await using set = await startReplicaSet(2)
    const primary = await set.primary()
    const database = await openDatabase({ address: set.address('simpul'), clock, cursorMinutes: 45 })
    try {
      const kept = async (port: number) => {
        await using member = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, { serverSelectionTimeoutMS: 1000 })
        const answer = await member.db('admin').command({ getParameter: 1, minSnapshotHistoryWindowInSeconds: 1 })
        return answer.minSnapshotHistoryWindowInSeconds as number
      }
      const asked = async (port: number): Promise<void> => {
        while ((await kept(port).catch(() => 0)) !== 2700) await new Promise(again => setTimeout(again, 100))
      }
      expect([await kept(primary), database.snapshotMs]).toEqual([2700, 2_700_000])
      const [, other] = database.client.options.hosts.map(({ port }) => port).toSorted(port => (port === primary ? -1 : 1))
      await asked(other as number)
      await set.kill(other as number)
      await set.start(other as number)
      await set.whole()
      await asked(other as number)
      expect([database.snapshotMs, database.warnings]).toEqual([2_700_000, []])
    } finally {
      await database.close()
    }
  }, 90_000)
})
