/**
 * States held still, walks over everything, counts and closing.
 * @see storage-and-search.md 2 and 3
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { seesAll } from '../../src/base/access-filter.ts'
import type { Snapshot, Store, StoredVersion } from '../../src/storage/port.ts'
import { byIdentifier, newVersion, planOf } from '../support/versions.ts'
import { closing, create, held, idsOf, next, type Open, valueOf } from './contract-store.ts'

export const readsContract = (name: string, open: Open): void => {
  describe(`${name}: snapshots`, () => {
    const opened = closing(open)
    const found = async (store: Store, code: string, options: object = {}) =>
      valueOf(await store.search(byIdentifier(code), { access: seesAll, count: 100, ...options })).rows.map(
        row => `${row.id}/${row.versionId}`,
      )

    test('a search at a snapshot stays what it was, whatever is written', async () => {
      const { store } = await opened()
      const kept = await create(store, { id: 'kept', identifiers: ['x'] })
      const changed = await create(store, { id: 'changed', identifiers: ['x'] })
      const gone = await create(store, { id: 'gone', identifiers: ['x'] })
      const snapshot = await store.snapshot()
      await next(store, changed, { identifiers: ['y'] })
      await next(store, gone, { method: 'DELETE' })
      await create(store, { id: 'new', identifiers: ['x'] })
      await next(store, kept, { identifiers: ['x'] })
      expect(await found(store, 'x', { snapshot })).toEqual(['gone/1', 'changed/1', 'kept/1'])
      expect(await found(store, 'x')).toEqual(['kept/2', 'new/1'])
      expect(await found(store, 'y', { snapshot })).toEqual([])
    })

    test('a snapshot stays through many writes and sweeps', async () => {
      const { store } = await opened()
      let newest = await create(store, { id: 'a', identifiers: ['x'] })
      const snapshot = await store.snapshot()
      for (let n = 0; n < 300; n++) newest = await next(store, newest, { identifiers: ['x'] })
      expect(await found(store, 'x', { snapshot })).toEqual(['a/1'])
      expect(await found(store, 'x')).toEqual(['a/301'])
    })

    test('a snapshot outlives a restart', async () => {
      const { store, reopen } = await opened()
      const a = await create(store, { id: 'a', identifiers: ['x'] })
      const snapshot = await store.snapshot()
      await next(store, a, { identifiers: ['y'] })
      const again = await reopen()
      for (let n = 0; n < 5; n++) await create(again, { id: `n${n}` })
      expect(await found(again, 'x', { snapshot })).toEqual(['a/1'])
    })

    test('a snapshot whose time is over fails expired-cursor once its entries are gone', async () => {
      const { store, clock } = await opened()
      const a = await create(store, { id: 'a', identifiers: ['x'] })
      const snapshot = await store.snapshot()
      await next(store, a)
      clock.now += 2 * 3_600_000
      await store.snapshot()
      await create(store, { id: 'b' })
      await create(store, { id: 'c' })
      const outcome = await store.search(byIdentifier('x'), { access: seesAll, count: 10, snapshot })
      expect(!outcome.ok && outcome.failure.kind).toBe('expired-cursor')
    })

    test('a page of a new state says which, and further pages read from it', async () => {
      const { store } = await opened()
      for (const id of ['a', 'b', 'c']) await create(store, { id, identifiers: ['x'] })
      const first = valueOf(await store.search(byIdentifier('x'), { access: seesAll, count: 2, snapshot: 'new' }))
      expect({ ids: first.rows.map(({ id }) => id), more: first.more }).toEqual({ ids: ['c', 'b'], more: true })
      await create(store, { id: 'd', identifiers: ['x'] })
      const { snapshot } = first
      expect(await found(store, 'x', { snapshot })).toEqual(['c/1', 'b/1', 'a/1'])
      expect(await found(store, 'x', { snapshot, position: first.rows.at(-1)?.position })).toEqual(['a/1'])
      expect(valueOf(await store.search(byIdentifier('x'), { access: seesAll, count: 2, snapshot: snapshot as Snapshot })).snapshot).toBe(
        undefined,
      )
    })

    test('a first page tells the total when it is asked to and that is cheap', async () => {
      const { store } = await opened()
      for (const id of ['a', 'b', 'c']) await create(store, { id, identifiers: ['x'] })
      const total = async (options: object) =>
        valueOf(await store.search(byIdentifier('x'), { access: seesAll, count: 2, snapshot: 'new', ...options })).total
      expect(await total({})).toBe(undefined)
      expect(await total({ total: true })).toBe(3)
      expect(await total({ total: true, count: 3 })).toBe(3)
      expect(await total({ total: true, access: { op: 'ids', ids: ['a', 'c'] } })).toBe(2)
    })

    test('a token that is none of its own fails expired-cursor', async () => {
      const { store } = await opened()
      const outcome = await store.search(byIdentifier('x'), { access: seesAll, count: 10, snapshot: { token: 'nonsense', at: 0 } })
      expect(!outcome.ok && outcome.failure.kind).toBe('expired-cursor')
    })
  })

  describe(`${name}: walk, counts, health`, () => {
    const opened = closing(open)
    const walked = async (store: Store, options: { type?: string; upTo: number; after?: number }) => {
      const rows: StoredVersion[] = []
      for await (const block of store.walk(options)) rows.push(...block)
      return rows
    }

    test('walks every live instance as it was at a seq, by seq', async () => {
      const { store } = await opened()
      const a = await create(store, { id: 'a' })
      const b = await create(store, { id: 'b' })
      const c = await create(store, { type: 'Observation', id: 'c' })
      const gone = await next(store, await create(store, { id: 'gone' }), { method: 'DELETE' })
      const upTo = gone.seq
      await next(store, a)
      await next(store, b, { method: 'DELETE' })
      await create(store, { id: 'later' })
      expect(await walked(store, { upTo })).toEqual([a, b, c])
      expect(await walked(store, { upTo, type: 'Patient' })).toEqual([a, b])
      expect(await walked(store, { upTo, after: a.seq })).toEqual([b, c])
      expect(await walked(store, { upTo, type: 'Encounter' })).toEqual([])
      expect(idsOf(await walked(store, { upTo: Number.MAX_SAFE_INTEGER }))).toEqual(['c/1', 'a/2', 'later/1'])
    })

    test('walks in blocks, while others write', async () => {
      const { store } = await opened()
      const done = await held(store, planOf(Array.from({ length: 1200 }, (_, n) => newVersion({ id: `p${n}` }))))
      const upTo = done.versions.at(-1)?.seq ?? 0
      const seen: string[] = []
      let blocks = 0
      for await (const block of store.walk({ upTo })) {
        blocks++
        seen.push(...block.map(one => one.id))
        const victim = (await store.newest('Patient', `p${1199 - blocks}`)) as StoredVersion
        await next(store, victim, { method: 'DELETE' })
      }
      expect(seen).toEqual(Array.from({ length: 1200 }, (_, n) => `p${n}`))
      expect(blocks).toBeGreaterThan(1)
    })

    test('counts live instances per type exactly, after any writes', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.constantFrom('Patient', 'Observation'), fc.constantFrom('1', '2', '3'), fc.boolean()), { maxLength: 25 }),
          async steps => {
            const { store } = await opened()
            const live = new Set<string>()
            for (const [type, id, remove] of steps) {
              const before = await store.newest(type, id)
              if (remove && (before === undefined || before.deleted)) continue
              await held(
                store,
                planOf(
                  [
                    newVersion({
                      type,
                      id,
                      versionId: (before?.versionId ?? 0) + 1,
                      method: remove ? 'DELETE' : 'PUT',
                      ...(id === '1' ? { family: 'A' } : {}),
                    }),
                  ],
                  before ? [before] : [],
                ),
              )
              if (remove) live.delete(`${type}/${id}`)
              else live.add(`${type}/${id}`)
            }
            const expected: Record<string, number> = {}
            for (const key of live) expected[key.split('/')[0] ?? ''] = (expected[key.split('/')[0] ?? ''] ?? 0) + 1
            expect(await store.counts()).toEqual(expected)
          },
        ),
        { numRuns: 6 },
      )
    })

    test('says how it does', async () => {
      const { store } = await opened()
      const health = await store.health()
      expect(health.ok).toBe(true)
      expect(health.ms).toBeGreaterThanOrEqual(0)
      expect(health.schema).toBeGreaterThanOrEqual(1)
      await create(store, { id: 'a' })
      expect(store.statistics()).toMatchObject({ plans: 1, versions: 1, queued: 0 })
    })

    test('may be closed twice', async () => {
      const { store } = await opened()
      await store[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    })

    test('a version without values, and a deletion beside others, are written as such', async () => {
      const { store } = await opened()
      const a = await create(store, { id: 'a', identifiers: ['x'] })
      const { values, ...bare } = newVersion({ id: 'bare', identifiers: ['x'] })
      const deletion = newVersion({ id: 'a', versionId: 2, method: 'DELETE', patients: ['a', 'a'] })
      const gone = values === undefined ? deletion : { ...deletion, values }
      await held(store, planOf([bare, gone, newVersion({ id: 'b', identifiers: ['x'] })], [a]))
      expect(valueOf(await store.search(byIdentifier('x'), { access: seesAll, count: 10 })).rows.map(row => row.id)).toEqual(['b'])
      expect(await store.counts()).toEqual({ Patient: 2 })
      expect((await store.newest('Patient', 'a'))?.deleted).toBe(true)
    })

    test('closing waits for what was asked before', async () => {
      const { store, reopen } = await opened()
      const asked = Array.from({ length: 200 }, (_, n) => store.commit(planOf([newVersion({ id: `p${n}` })])))
      const again = await reopen()
      const done = await Promise.all(asked)
      expect(done.every(one => valueOf(one).held)).toBe(true)
      expect(await again.counts()).toEqual({ Patient: 200 })
    })
  })
}
