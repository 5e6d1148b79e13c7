/**
 * One SQLite file for several processes: the whole contract through a pipe to the writer, and what several readers see of each other
 * (storage-and-search.md 3 to 5). Processes of their own are in workers.test.ts.
 */
import { duplexPair } from 'node:stream'
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { seesAll } from '../../src/base/access-filter.ts'
import type { Store, StoredVersion } from '../../src/storage/port.ts'
import { deepCheck } from '../../src/storage/sqlite/check.ts'
import { readFrames, writeFrame } from '../../src/storage/sqlite/frames.ts'
import { openHost, openSharedStore } from '../support/sqlite-shared.ts'
import { byIdentifier, newVersion, planOf } from '../support/versions.ts'
import { storeContract } from './contract.ts'
import { create, held, next, textOf, valueOf } from './contract-store.ts'

storeContract('sqlite, shared', openSharedStore)

const closing: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of closing.splice(0).toReversed()) await one[Symbol.asyncDispose]()
})

const opened = async (readers: number) => {
  const { host, open, clock, path } = await openHost()
  closing.push(host)
  const stores: Store[] = []
  const pipes = []
  for (let n = 0; n < readers; n++) {
    const { store, pipe } = await open()
    closing.push(store)
    stores.push(store)
    pipes.push(pipe)
  }
  return { host, stores: stores as [Store, Store, ...Store[]], pipes, clock, path }
}

describe('several readers of one file', () => {
  test('see what another one was acknowledged, at once and also what they remember', async () => {
    const { stores } = await opened(3)
    let version = await create(stores[0], { id: 'a', identifiers: ['1'] })
    for (let n = 0; n < 60; n++) {
      const [writer, reader] = [stores[n % 3] as Store, stores[(n + 1) % 3] as Store]
      expect((await reader.newest('Patient', 'a'))?.versionId).toBe(version.versionId)
      version = await next(writer, version, { identifiers: [`${n}`] })
      for (const store of stores) expect((await store.newest('Patient', 'a'))?.versionId).toBe(version.versionId)
      const found = valueOf(await reader.search(byIdentifier(`${n}`), { access: seesAll, count: 5, snapshot: 'new' }))
      expect(found.rows.map(({ versionId }) => versionId)).toEqual([version.versionId])
    }
  })

  test('race for the same instance with one winner', async () => {
    const { stores } = await opened(3)
    for (let n = 0; n < 30; n++) {
      const outcomes = await Promise.all(stores.map(store => store.commit(planOf([newVersion({ id: `r${n}` })]))))
      expect(outcomes.filter(one => one.ok && one.value.held).length).toBe(1)
    }
  })

  test('race with the same criteria with one winner', async () => {
    const { stores } = await opened(2)
    for (let n = 0; n < 30; n++) {
      const guards = [{ query: byIdentifier(`${n}`), access: seesAll, found: 'none' as const }]
      const outcomes = await Promise.all(
        stores.map((store, of) => store.commit({ ...planOf([newVersion({ id: `g${n}-${of}`, identifiers: [`${n}`] })]), guards })),
      )
      expect(outcomes.filter(one => one.ok && one.value.held).length).toBe(1)
    }
  })

  test('read the pages of each other while a third one writes', async () => {
    const { stores } = await opened(3)
    const versions: StoredVersion[] = []
    for (let n = 0; n < 9; n++) versions.push(await create(stores[0], { id: `p${n}`, identifiers: ['x'] }))
    const access = seesAll
    const first = valueOf(await stores[0].search(byIdentifier('x'), { access, count: 3, snapshot: 'new' }))
    const seen = first.rows.map(({ id }) => id)
    let last = first.rows.at(-1)
    for (let n = 0; seen.length < 9; n++) {
      await next(stores[2] as Store, versions[n] as StoredVersion, { identifiers: ['y'] })
      const reader = stores[(n + 1) % 2] as Store
      const snapshot = first.snapshot
      if (snapshot === undefined || last === undefined) throw new Error('A first page has a state and rows')
      const page = valueOf(await reader.search(byIdentifier('x'), { access, count: 3, snapshot, position: last.position }))
      seen.push(...page.rows.map(({ id }) => id))
      last = page.rows.at(-1)
    }
    expect(seen).toEqual(Array.from({ length: 9 }, (_, n) => `p${8 - n}`))
  })

  test('keep what ended as long as a page may be read, and not longer', async () => {
    const { stores, clock } = await opened(2)
    const before = await create(stores[0], { id: 'a', identifiers: ['old'] })
    clock.now += 60_000
    const { snapshot } = valueOf(await stores[1].search(byIdentifier('old'), { access: seesAll, count: 5, snapshot: 'new' }))
    if (snapshot === undefined) throw new Error('There is no state')
    clock.now += 60_000
    await next(stores[0], before, { identifiers: ['new'] })
    const found = async () => stores[0].search(byIdentifier('old'), { access: seesAll, count: 5, snapshot })
    clock.now += 59 * 60_000
    await create(stores[0], { id: 'b' })
    expect(valueOf(await found()).rows.map(({ id }) => id)).toEqual(['a'])
    clock.now += 2 * 60_000
    await create(stores[0], { id: 'c' })
    expect(await found()).toMatchObject({ ok: false, failure: { kind: 'expired-cursor' } })
    expect(stores[0].statistics().deadEntries).toBe(0)
  })

  test('count what they sent: together all that was written', async () => {
    const { stores } = await opened(2)
    await Promise.all(
      stores.flatMap((store, of) => Array.from({ length: 20 }, (_, n) => held(store, planOf([newVersion({ id: `c${of}-${n}` })])))),
    )
    const sum = (figure: 'plans' | 'versions' | 'commits') => stores.reduce((total, store) => total + store.statistics()[figure], 0)
    expect([sum('plans'), sum('versions')]).toEqual([40, 40])
    expect(sum('commits')).toBeGreaterThan(0)
    expect(sum('commits')).toBeLessThanOrEqual(40)
  })
})

describe('a reader that is cut off', () => {
  test('fails no-store what it had asked, and none of it is half done; the others go on', async () => {
    const { stores, pipes, path } = await opened(2)
    const pair = (n: number) => [newVersion({ id: `a${n}` }), newVersion({ id: `b${n}` })]
    const plans = Array.from({ length: 300 }, (_, n) => stores[0].commit(planOf(pair(n))))
    await stores[1].commit(planOf([newVersion({ id: 'meanwhile' })]))
    pipes[0]?.destroy()
    const outcomes = await Promise.all(plans)
    expect(outcomes.filter(one => !one.ok).every(one => !one.ok && one.failure.kind === 'no-store')).toBe(true)
    expect((await stores[0].health()).ok).toBe(false)
    expect((await stores[1].health()).ok).toBe(true)
    await create(stores[1], { id: 'after' })
    for (let n = 0; n < 300; n++) {
      const [a, b] = await stores[1].newestMany([{ type: 'Patient', id: `a${n}` }, { type: 'Patient', id: `b${n}` }]) // biome-ignore format: a pair
      expect(a === undefined).toBe(b === undefined)
      if (outcomes[n]?.ok) expect(a).toBeDefined()
    }
    for (const one of closing.splice(0).toReversed()) await one[Symbol.asyncDispose]()
    expect(deepCheck(path)).toEqual([])
  })

  test('by the end of the writer goes on reading, and says that it is ill', async () => {
    const { host, stores } = await opened(2)
    await create(stores[0], { id: 'a' })
    await host[Symbol.asyncDispose]()
    await host.ended
    expect(await stores[1].commit(planOf([newVersion({ id: 'b' })]))).toMatchObject({ ok: false, failure: { kind: 'no-store' } })
    expect(textOf(await stores[1].newest('Patient', 'a'))).toContain('"id":"a"')
    expect((await stores[1].health()).ok).toBe(false)
    await expect(stores[1].horizon()).rejects.toThrow('The writer has ended')
  })
})

describe('frames', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 })

  test('arrive whole and in order, however the pipe cuts them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 8 }), fc.integer({ min: 1, max: 9 }), async (messages, piece) => {
        const sent: Buffer[] = []
        const [source, sink] = duplexPair()
        sink.on('data', (chunk: Buffer) => sent.push(chunk))
        for (const message of messages) writeFrame(source, message)
        await new Promise(resolve => setImmediate(resolve))
        const all = Buffer.concat(sent)
        const [cut, target] = duplexPair()
        const heard: Uint8Array[] = []
        readFrames(target, message => heard.push(message))
        for (let at = 0; at < all.length; at += piece) cut.write(all.subarray(at, at + piece))
        await new Promise(resolve => setImmediate(resolve))
        expect(heard.map(one => [...one])).toEqual(messages.map(one => [...one]))
      }),
      { numRuns: 60 },
    )
  })

  test('of an impossible length end the pipe', async () => {
    const [here, there] = duplexPair()
    const broken = new Promise(resolve => there.once('error', resolve))
    readFrames(there, () => undefined)
    here.write(Buffer.from([255, 255, 255, 255]))
    expect(await broken).toMatchObject({ message: 'What came through the pipe is no message' })
  })
})
