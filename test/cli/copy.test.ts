/**
 * A whole store moved to the other engine and back: nothing lost, nothing changed, gone on with where it was cut, refused where it does not belong.
 * @see docs/operate/copy.md
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { defaultLimits } from '../../src/base/limits.ts'
import { copyStore } from '../../src/cli/copy.ts'
import { copyRecords, isMark } from '../../src/cli/copy-admission.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import type { Query } from '../../src/search/tree.ts'
import type { Beside, RecordDefinition, Relation, Store, StoredVersion } from '../../src/storage/port.ts'
import { openSqliteReading } from '../../src/storage/sqlite/store.ts'
import { StoreUnusable } from '../../src/storage/unusable.ts'
import { bundle, entry, say } from '../interactions/speak.ts'
import { type TestEngine, testEngines } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { Dice } from '../support/random-search.ts'
import { knownOf, loadAll, realVersions } from '../support/real-versions.ts'
import { openTestStore, temporaryFolder } from '../support/sqlite-store.ts'
import { StoreSearches } from '../support/store-searches.ts'
import { testData } from '../support/test-data.ts'
import { newVersion, planOf } from '../support/versions.ts'

const jobs: RecordDefinition = { name: 'jobs', key: 'id', unique: { by_slot: ['slot'] } }
const records = [copyRecords, jobs]
const start = Date.UTC(2026, 10, 21, 8)
const other = (testEngines.find(({ name }) => name === 'mongodb') ?? testEngines[0]) as TestEngine
const [sqlite] = testEngines as readonly [TestEngine]

const open: Disposables = []
type Disposables = AsyncDisposable[]
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
})

/** A store with everything above it. The clock stands still: what is said depends on the store alone. */
const opened = async (engine: TestEngine): Promise<TestParts> => {
  const withRecords: TestEngine = { ...engine, open: options => engine.open({ ...options, records }) }
  const parts = await testParts({ engine: withRecords, clock: () => start })
  open.push(parts)
  return parts
}

const listening = () => {
  const out: string[] = []
  const err: string[] = []
  const terminal: Terminal = { json: false, out: line => out.push(line), err: line => err.push(line) }
  return { terminal, out, err }
}

const copy = (
  from: TestParts,
  to: TestParts,
  { source = from.store, target = to.store, terminal = listening().terminal } = {},
): Promise<number> => copyStore({ source, target, from: 'sqlite:here', index: from.index, limits: defaultLimits }, terminal, () => start)

const collected = async <T>(blocks: AsyncIterable<readonly T[]>): Promise<T[]> => {
  const all: T[] = []
  for await (const block of blocks) all.push(...block)
  return all
}
const versionsIn = ({ store }: TestParts): Promise<StoredVersion[]> => collected(store.versions({ upTo: Number.MAX_SAFE_INTEGER }))
const besideIn = async ({ store }: TestParts): Promise<Beside[]> => (await collected(store.beside())).filter(row => !isMark(row))

/** A store whose method gives out after so many calls. */
const failingAfter = (store: Store, member: 'load' | 'loadBeside', calls: number): Store => {
  let left = calls
  return new Proxy(store, {
    get: (target, name) => {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== member) return value.bind(target)
      return (...args: unknown[]) => (left-- > 0 ? value.apply(target, args) : Promise.reject(new Error('the plug was pulled')))
    },
  })
}

/** Histories of every shape, and some of everything beside. */
const fill = async (parts: TestParts): Promise<void> => {
  const patient = (id: string, family: string) => ({
    resourceType: 'Patient',
    id,
    name: [{ family }],
    managingOrganization: { reference: 'Organization/o' },
  })
  await say(parts, 'PUT', 'Organization/o', { body: { resourceType: 'Organization', id: 'o', name: 'Puskesmas' } })
  for (let n = 0; n < 40; n++) await say(parts, 'PUT', `Patient/p${n}`, { body: patient(`p${n}`, `F${n}`) })
  for (let n = 0; n < 40; n += 2) await say(parts, 'PUT', `Patient/p${n}`, { body: patient(`p${n}`, `G${n}`) })
  for (let n = 0; n < 40; n += 5) await say(parts, 'DELETE', `Patient/p${n}`)
  await say(parts, 'PUT', 'Patient/p5', { body: patient('p5', 'Returned') })
  const observation = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/p1' },
    valueQuantity: { value: 5.4 },
  }
  await say(parts, 'POST', '', {
    body: bundle(
      'transaction',
      Array.from({ length: 5 }, () => entry('POST', 'Observation', observation)),
    ),
  })
  const { store } = parts
  const blob = await store.blobs.write([new Uint8Array(6_500_000).fill(3)])
  const owner = { type: 'Binary', id: 'b' }
  await store.commit({
    ...planOf([newVersion(owner)]),
    once: 'import-1',
    unique: [{ key: 'number-1', owner: 'Patient/p1' }],
    counters: [{ key: 'queue' }],
    records: [{ record: 'jobs', put: { id: 'j', slot: 1 } }],
    blobs: blob.ok ? [{ id: blob.value.id, owner }] : [],
  })
}

describe('simpul copy', () => {
  test('moves all versions and what lies beside them, there and back', async () => {
    const [first, there, back] = [await opened(sqlite), await opened(other), await opened(sqlite)]
    await fill(first)
    const { terminal, out, err } = listening()
    expect(await copy(first, there, { terminal })).toBe(0)
    expect(await copy(there, back)).toBe(0)
    expect(await versionsIn(back)).toEqual(await versionsIn(first))
    expect(await besideIn(back)).toEqual(await besideIn(first))
    expect(await besideIn(there)).toEqual(await besideIn(first))
    expect(await back.store.counts()).toEqual(await first.store.counts())
    expect(out.find(line => line.startsWith('Patient'))).toMatch(/^Patient +69 versions {2}33 live {2}sha256 [0-9a-f]{16} {2}same$/)
    expect(err.at(-1)).toBe('The copy is whole: counts and digests of both stores are equal.')
  })

  test('takes along labels and relations, what no resource says of them included', async () => {
    const [first, there, back] = [await opened(sqlite), await opened(other), await opened(sqlite)]
    const security = [
      { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' },
      { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' },
    ]
    const observation = { resourceType: 'Observation', meta: { security }, status: 'final', code: { text: 'x' } }
    for (const id of ['o1', 'o2'])
      await say(first, 'PUT', `Observation/${id}`, { body: { ...observation, id, subject: { reference: `Patient/${id}` } } })
    await say(first, 'DELETE', 'Observation/o2')
    const doctor = { from: 'care', of: 'dr', patient: 'o1' } as const
    const said: readonly Relation[] = [
      { ...doctor, self: true, since: start - 1, until: start + 1 },
      { from: 'closed', of: 'anybody', patient: 'o1' },
    ]
    // Relations that were known when they were written: the resource says nothing of them.
    await first.store.commit(planOf([newVersion({ type: 'Encounter', id: 'e', relations: said })]))
    await first.store.commit(planOf([newVersion({ type: 'Encounter', id: 'f', relations: said })]))
    const [f] = await first.store.newestMany([{ type: 'Encounter', id: 'f' }])
    await first.store.commit(planOf([newVersion({ type: 'Encounter', id: 'f', versionId: 2, method: 'DELETE' })], f ? [f] : []))

    expect(await copy(first, there)).toBe(0)
    expect(await copy(there, back)).toBe(0)
    for (const { store } of [there, back]) {
      const keys = ['e', 'f'].map(id => ({ type: 'Encounter', id }))
      const [ofE, ofF] = await store.relationsOf(keys)
      expect(new Set(ofE)).toEqual(new Set(said))
      expect(ofF).toEqual([])
      expect(
        await store.related([
          { ...doctor, of: ['dr'] },
          { ...doctor, of: ['dr'], confirmed: true },
        ]),
      ).toEqual([true, false])
      const seen = async (max: 'N' | 'R', ...allowed: string[]) => {
        const query: Query = { parts: [{ type: 'Observation', where: { op: 'all' } }], sort: [] }
        const access = { op: 'labels', max, allowed } as const
        const page = await store.search(query, { access, count: 10 })
        const listed = await store.history({ type: 'Observation' }, { access, limit: 10 })
        return [page.ok && page.value.rows.length, listed.ok && listed.value.rows.length]
      }
      expect([await seen('N', 'PSY'), await seen('R'), await seen('R', 'PSY')]).toEqual([
        [0, 0],
        [0, 0],
        [1, 3],
      ])
    }
  })

  test('run again it takes along relations that changed since', async () => {
    const [first, there] = [await opened(sqlite), await opened(other)]
    const row = (of: string): Relation => ({ from: 'queue', of, patient: 'p', self: true })
    await first.store.commit(planOf([newVersion({ type: 'Encounter', id: 'e', relations: [row('one')] })]))
    expect(await copy(first, there)).toBe(0)
    const [e] = await first.store.newestMany([{ type: 'Encounter', id: 'e' }])
    await first.store.commit(planOf([newVersion({ type: 'Encounter', id: 'e', versionId: 2, relations: [row('two')] })], e ? [e] : []))
    expect(await copy(first, there)).toBe(0)
    expect(await there.store.relationsOf([{ type: 'Encounter', id: 'e' }])).toEqual([[row('two')]])
  })

  test('goes on where it was cut, among versions and beside them', async () => {
    const [first, there] = [await opened(sqlite), await opened(other)]
    await fill(first)
    await first.store.commit(planOf(Array.from({ length: 1200 }, (_, n) => newVersion({ type: 'Device', id: `d${n}` }))))
    await expect(copy(first, there, { target: failingAfter(there.store, 'load', 1) })).rejects.toThrow('plug')
    const some = (await versionsIn(there)).length
    expect(some).toBeGreaterThan(0)
    expect(some).toBeLessThan((await versionsIn(first)).length)
    await expect(copy(first, there, { target: failingAfter(there.store, 'loadBeside', 1) })).rejects.toThrow('plug')
    expect(await copy(first, there)).toBe(0)
    expect(await versionsIn(there)).toEqual(await versionsIn(first))
    expect(await besideIn(there)).toEqual(await besideIn(first))
  })

  test('run again it takes along what came, changed and went since', async () => {
    const [first, there] = [await opened(sqlite), await opened(other)]
    await fill(first)
    expect(await copy(first, there)).toBe(0)
    await say(first, 'PUT', 'Patient/p1', { body: { resourceType: 'Patient', id: 'p1', gender: 'female' } })
    await say(first, 'DELETE', 'Patient/p3')
    const jobsIn = first.store.records<{ id: string; slot: number }>(jobs)
    await jobsIn.put({ id: 'j', slot: 2 })
    await jobsIn.put({ id: 'k', slot: 1 })
    await first.store.nextNumber('queue')
    expect(await copy(first, there)).toBe(0)
    expect(await versionsIn(there)).toEqual(await versionsIn(first))
    expect(await besideIn(there)).toEqual(await besideIn(first))
    await jobsIn.delete('k')
    expect(await copy(first, there)).toBe(0)
    expect(await besideIn(there)).toEqual(await besideIn(first))
    expect(
      (await say(there, 'GET', 'Patient?gender=female')).body.entry.map((one: { resource: { id: string } }) => one.resource.id),
    ).toEqual(['p1'])
  })

  const refused = async (copying: Promise<number>, why: string): Promise<void> => {
    const error: unknown = await copying.then(
      code => code,
      thrown => thrown,
    )
    expect(error).toBeInstanceOf(StoreUnusable)
    expect((error as StoreUnusable).why).toBe('refused')
    expect((error as StoreUnusable).message).toContain(why)
  }

  test('refuses a target with anything of its own, whatever it is', async () => {
    const first = await opened(sqlite)
    await fill(first)
    const own = await opened(other)
    await say(own, 'PUT', 'Patient/x', { body: { resourceType: 'Patient', id: 'x' } })
    await refused(copy(first, own), 'is not empty')
    const counted = await opened(sqlite)
    await counted.store.nextNumber('queue')
    await refused(copy(first, counted), 'is not empty')
  })

  test('refuses a copy of another store, and a copy that was written to', async () => {
    const [first, second, there] = [await opened(sqlite), await opened(sqlite), await opened(other)]
    await fill(first)
    await say(second, 'PUT', 'Patient/y', { body: { resourceType: 'Patient', id: 'y' } })
    expect(await copy(first, there)).toBe(0)
    await refused(copy(second, there), 'copy of another store')
    await first.store.remove([{ type: 'Patient', id: 'p2' }])
    await say(first, 'PUT', 'Patient/p2', { body: { resourceType: 'Patient', id: 'p2' } })
    await refused(copy(first, there), 'does not take version 1 of an instance of Patient')
    await say(there, 'PUT', 'Patient/p1', { body: { resourceType: 'Patient', id: 'p1' } })
    await refused(copy(first, there), 'holds what the source does not')
  })

  test('finds what is different, and says in which type', async () => {
    const [first, there] = [await opened(sqlite), await opened(other)]
    await fill(first)
    const { terminal, out, err } = listening()
    // One version less, as if it had been lost on the way.
    const lossy = new Proxy(there.store, {
      get: (target, name) => {
        const value = Reflect.get(target, name)
        if (name !== 'load') return typeof value === 'function' ? value.bind(target) : value
        return (versions: readonly { type: string }[]) => target.load(versions.filter(({ type }) => type !== 'Binary') as never)
      },
    })
    const copying = copyStore(
      { source: first.store, target: lossy, from: 'x', index: first.index, limits: defaultLimits },
      terminal,
      () => start,
    )
    expect(await copying).toBe(1)
    expect(out.find(line => line.startsWith('Binary'))).toContain('DIFFERENT')
    expect(err.some(line => line.startsWith('Binary is not the same: 1 versions, 1 live in the source, 0 and 0 in the target'))).toBe(true)
  })

  test('a file that is served is only read, and copied again takes along what was written meanwhile', async () => {
    const { store, clock, path } = await openTestStore(undefined, undefined, undefined, records)
    open.push(store)
    const write = async (id: string) => {
      clock.now += 1
      await store.commit({ ...planOf([newVersion({ id })]), once: `made ${id}` })
    }
    for (let n = 0; n < 700; n++) await write(`p${n}`)
    const source = await openSqliteReading({ path, clock: () => clock.now, records })
    open.push(source)
    const there = await opened(other)
    let written = 0
    let done = false
    const serving = (async () => {
      while (!done) await write(`q${written++}`)
    })()
    const first = await copy(there, there, { source }).finally(() => {
      done = true
    })
    await serving
    expect([0, 2]).toContain(first)
    expect(await copy(there, there, { source })).toBe(0)
    expect(await versionsIn(there)).toEqual(await collected(store.versions({ upTo: Number.MAX_SAFE_INTEGER })))
    expect(await there.store.counts()).toEqual({ Patient: 700 + written })
    const denied = await source.commit({ ...planOf([newVersion({ id: 'x' })]) })
    expect(denied.ok ? 'written' : denied.failure.kind).toBe('no-store')
    await expect(openSqliteReading({ path: `${path}.not`, clock: () => clock.now })).rejects.toThrow('There is no store')
  })

  test('an empty store is copied too', async () => {
    const [first, there] = [await opened(sqlite), await opened(other)]
    expect(await copy(first, there)).toBe(0)
    await fill(first)
    expect(await copy(first, there)).toBe(0)
    expect(await versionsIn(there)).toEqual(await versionsIn(first))
  })
})

const synthea = testData('synthea')
const requestsMade = process.env.SIMPUL_TEST_LONG === '1' ? 1000 : 200
const whenThere = synthea === undefined ? describe.skip : describe
whenThere('a store that came back', () => {
  // biome-ignore lint/suspicious/noExplicitAny: answers of all kinds
  type Any = any
  /**
   * Ids and instants of Bundles, and seals of links, are those of the answer and not of the store. A total nobody insisted on is told when it
   * costs nothing, and what it costs depends on what the store did lately.
   */
  const shown = (url: string, { status, kind, body }: { status: number; kind?: string; body?: Any }) => {
    if (body?.resourceType !== 'Bundle') return { url, status, kind, body }
    const counted = /_total=accurate|_summary=count/.test(url)
    const links = body.link?.map(({ relation }: Any) => relation).filter((relation: string) => counted || relation !== 'last')
    return { url, status, entry: body.entry, links, ...(counted ? { total: body.total } : {}) }
  }

  test(`answers ${requestsMade} requests as it did before`, async () => {
    const [first, there, back] = [await opened(sqlite), await opened(other), await opened(sqlite)]
    const versions = realVersions(synthea as string, undefined, 4, first)
    await loadAll(first.store, versions)
    const dice = new Dice(7)
    const names = versions.map(({ type, id }) => `${type}/${id}`)
    for (let n = 0; n < 150; n++) {
      const name = dice.of(names)
      if (dice.chance(0.3)) await say(first, 'DELETE', name)
      else {
        const { status, body } = await say(first, 'GET', name)
        if (status === 200) await say(first, 'PUT', name, { body: { ...body, language: dice.of(['id', 'en', 'su']) } })
      }
    }
    expect(await copy(first, there)).toBe(0)
    expect(await copy(there, back)).toBe(0)

    const searches = new StoreSearches(first.definitions, versions.flatMap(knownOf))
    const requests = Array.from({ length: requestsMade }, (_, n) => {
      const name = dice.of(names)
      if (n % 2 === 0) return searches.next(dice)
      return dice.of([
        name,
        `${name}/_history`,
        `${name}/_history/${dice.of([1, 2, 3])}`,
        `${name.split('/')[0]}/_history?_count=30`,
        '_history?_count=50',
      ])
    })
    const statuses = new Map<number, number>()
    for (const url of requests) {
      const before = await say(first, 'GET', url)
      expect(shown(url, await say(back, 'GET', url))).toEqual(shown(url, before))
      statuses.set(before.status, (statuses.get(before.status) ?? 0) + 1)
    }
    expect(statuses.get(200)).toBeGreaterThan(requestsMade / 2)
  }, 240_000)
})

describe('simpul copy as a shell sees it', () => {
  const folder = temporaryFolder()
  const program = join(import.meta.dirname, '../../bin/simpul.js')
  const started = (...argv: readonly string[]) => {
    const child = spawn(process.execPath, [program, 'copy', ...argv], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', SIMPUL_AUTH: 'off', SIMPUL_DATA_DIR: join(folder, 'data') },
    })
    let err = ''
    child.stderr.on('data', part => {
      err += part
    })
    child.stdout.resume()
    return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, err })) }
  }
  const from = 'sqlite:from.db'

  test('killed at any moment it goes on, until the copy is whole', async () => {
    const { store } = await openTestStore(undefined, join(folder, 'from.db'), undefined, [])
    await store.commit(planOf(Array.from({ length: 3000 }, (_, n) => newVersion({ id: `p${n}`, filler: 'x'.repeat(500) }))))
    await store[Symbol.asyncDispose]()
    for (const ms of [300, 600, 900, 1200]) {
      const { child, ended } = started('--from', from, '--to', 'sqlite:to.db')
      const kill = setTimeout(() => child.kill('SIGKILL'), ms)
      await ended
      clearTimeout(kill)
    }
    const { code, err } = await started('--from', from, '--to', 'sqlite:to.db').ended
    expect(err).toContain('The copy is whole')
    expect(code).toBe(0)
  })

  const refusals: readonly (readonly [argv: readonly string[], code: number, says: string])[] = [
    [['--from', from], 64, "required option '--to"],
    [['--from', from, '--to', 'to.db'], 64, 'An address is'],
    [['--from', from, '--to', 'sqlite:./from.db'], 3, 'one and the same store'],
    [['--from', 'sqlite:not-there.db', '--to', 'sqlite:new.db'], 3, 'There is no store'],
    [['--from', from, '--to', 'mongodb://127.0.0.1:1/simpul?serverSelectionTimeoutMS=300'], 5, 'No MongoDB answers'],
  ]
  for (const [argv, code, says] of refusals)
    test(`${argv.join(' ')} exits ${code}`, async () => {
      const ended = await started(...argv).ended
      expect(ended.err).toContain(says)
      expect(ended.code).toBe(code)
    })
})
