/**
 * Versions with seqs of their own come in, versions go out as if they had never been, and keys are taken once and for all.
 * @see storage-and-search.md 2
 */
import { describe, expect, test } from '@jest/globals'
import { seesAll } from '../../src/base/access-filter.ts'
import type { LoadedVersion, Store, StoredVersion } from '../../src/storage/port.ts'
import { byIdentifier, newVersion, planOf, type Wanted } from '../support/versions.ts'
import { closing, create, held, idsOf, next, nothing, type Open, valueOf } from './contract-store.ts'

const found = async (store: Store, code: string, options: object = {}): Promise<string[]> =>
  idsOf(valueOf(await store.search(byIdentifier(code), { access: seesAll, count: 100, ...options })).rows)
const historyOf = async (store: Store, scope: object = {}): Promise<readonly StoredVersion[]> =>
  valueOf(await store.history(scope, { limit: 100, access: seesAll, oldestFirst: true })).rows

export const loadContract = (name: string, open: Open): void => {
  describe(`${name}: load`, () => {
    const opened = closing(open)
    /** A stored version as another store would take it in. */
    const asLoaded = (stored: StoredVersion, wanted: Partial<Wanted> = {}): LoadedVersion => {
      const { lastUpdatedOffset: _, ...version } = newVersion({
        ...wanted,
        type: stored.type,
        id: stored.id,
        versionId: stored.versionId,
        method: stored.method,
      })
      return { ...version, text: stored.text, seq: stored.seq }
    }
    const filled = async (store: Store): Promise<readonly LoadedVersion[]> => {
      const a = await create(store, { id: 'a', identifiers: ['x'] })
      await create(store, { type: 'Observation', id: 'o', subject: 'Patient/a' })
      await next(store, a, { identifiers: ['y'] })
      const b = await create(store, { id: 'b', identifiers: ['x'] })
      await next(store, b, { method: 'DELETE' })
      const wanted: Readonly<Record<string, Partial<Wanted>>> = {
        'a/1': { identifiers: ['x'] },
        'a/2': { identifiers: ['y'] },
        'b/1': { identifiers: ['x'] },
      }
      return (await historyOf(store)).map(one => asLoaded(one, wanted[`${one.id}/${one.versionId}`] ?? {}))
    }

    test('a copy has the histories, seqs and counts of its original, and is found the same', async () => {
      const { store } = await opened()
      const versions = await filled(store)
      const { store: copy } = await opened()
      expect(valueOf(await copy.load(versions))).toEqual({ held: true })
      expect(await historyOf(copy)).toEqual(await historyOf(store))
      expect(await copy.counts()).toEqual(await store.counts())
      expect([await found(copy, 'x'), await found(copy, 'y')]).toEqual([[], ['a/2']])
      expect(await copy.newest('Patient', 'a')).toEqual(await store.newest('Patient', 'a'))
    })

    test('goes on block after block, and after a restart', async () => {
      const { store } = await opened()
      const versions = await filled(store)
      const { store: copy, reopen } = await opened()
      expect(valueOf(await copy.load(versions.slice(0, 2))).held).toBe(true)
      const again = await reopen()
      for (const version of versions.slice(2)) expect(valueOf(await again.load([version])).held).toBe(true)
      expect(await historyOf(again)).toEqual(await historyOf(store))
      expect(await found(again, 'x')).toEqual([])
    })

    test('what is written later comes after what was loaded, though the clock is behind', async () => {
      const { store, clock } = await opened()
      const versions = await filled(store)
      const { store: copy, clock: behind } = await opened()
      behind.now = clock.now - 3_600_000
      await copy.load(versions)
      const later = await create(copy, { id: 'later' })
      expect(later.seq).toBeGreaterThan(versions.at(-1)?.seq ?? 0)
      expect((await next(copy, (await copy.newest('Patient', 'a')) as StoredVersion)).versionId).toBe(3)
    })

    test('refuses, naming it, a version that does not follow, and then writes nothing', async () => {
      const { store } = await opened()
      const versions = await filled(store)
      const refused = async (list: readonly LoadedVersion[]) => {
        const { store: copy } = await opened()
        expect(valueOf(await copy.load(list)).held).toBe(false)
        expect(await copy.counts()).toEqual({})
      }
      await refused(versions.toReversed())
      await refused([...versions, ...versions.slice(0, 1)])
      expect(valueOf(await store.load(versions.slice(0, 1)))).toEqual({ held: false, refused: { type: 'Patient', id: 'a', versionId: 1 } })
      const later = { ...(versions[0] as LoadedVersion), seq: (versions.at(-1)?.seq ?? 0) + 4096 }
      expect(valueOf(await store.load([later])).held).toBe(false)
      expect(valueOf(await store.load([])).held).toBe(true)
    })

    test('snapshots from before a load have expired', async () => {
      const { store } = await opened()
      const versions = await filled(store)
      const { store: copy } = await opened()
      const snapshot = await copy.snapshot()
      await copy.load(versions)
      const outcome = await copy.search(byIdentifier('x'), { access: seesAll, count: 10, snapshot })
      expect(!outcome.ok && outcome.failure.kind).toBe('expired-cursor')
      expect(await found(copy, 'y', { snapshot: await copy.snapshot() })).toEqual(['a/2'])
    })
  })

  describe(`${name}: remove`, () => {
    const opened = closing(open)

    test('a purged instance is answered like one that never was', async () => {
      const { store } = await opened()
      const a = await create(store, {
        id: 'a',
        identifiers: ['x'],
        family: 'Budi',
        weight: 5,
        birthdate: 0,
        patients: ['a'],
        organizations: ['o'],
        authors: ['Practitioner/1'],
      })
      await next(store, a, { identifiers: ['x'] })
      await create(store, { id: 'b', identifiers: ['x'] })
      expect(valueOf(await store.remove([{ type: 'Patient', id: 'a' }]))).toEqual({ held: true, versions: 2 })
      expect(await store.newest('Patient', 'a')).toBeUndefined()
      expect(await store.version('Patient', 'a', 1)).toBeUndefined()
      expect(await store.newestMany([{ type: 'Patient', id: 'a' }])).toEqual([undefined])
      const never = await store.history({ type: 'Patient', id: 'never' }, { limit: 10, access: seesAll })
      expect(await store.history({ type: 'Patient', id: 'a' }, { limit: 10, access: seesAll })).toEqual(never)
      expect(await found(store, 'x')).toEqual(['b/1'])
      expect(await store.counts()).toEqual({ Patient: 1 })
      expect(idsOf(await historyOf(store))).toEqual(['b/1'])
    })

    test('it is gone from snapshots and walks too', async () => {
      const { store } = await opened()
      const a = await create(store, { id: 'a', identifiers: ['x'] })
      await create(store, { id: 'b', identifiers: ['x'] })
      const snapshot = await store.snapshot()
      await next(store, a, { identifiers: ['x'] })
      await store.remove([{ type: 'Patient', id: 'a' }])
      expect(await found(store, 'x', { snapshot })).toEqual(['b/1'])
      const walked: string[] = []
      for await (const block of store.walk({ upTo: Number.MAX_SAFE_INTEGER })) walked.push(...idsOf(block))
      expect(walked).toEqual(['b/1'])
    })

    test('a purged id may be used anew, from version 1', async () => {
      const { store } = await opened()
      const before = await create(store, { id: 'a' })
      await store.remove([{ type: 'Patient', id: 'a' }])
      const after = await create(store, { id: 'a', identifiers: ['new'] })
      expect(after.versionId).toBe(1)
      expect(after.seq).toBeGreaterThan(before.seq)
      expect(await found(store, 'new')).toEqual(['a/1'])
    })

    test('seqs never run back, though the newest of the store was erased', async () => {
      const { store, clock, reopen } = await opened()
      const first = await create(store, { id: 'a' })
      const a = await next(store, first)
      await store.remove([{ type: 'Patient', id: 'a' }])
      expect(Number((await store.snapshot()).token)).toBeGreaterThanOrEqual(0)
      clock.now -= 60_000
      const again = await reopen()
      expect((await create(again, { id: 'b' })).seq).toBeGreaterThan(a.seq)
      expect(await found(again, 'none', { snapshot: await again.snapshot() })).toEqual([])
    })

    test('single versions go and leave a gap; the newest goes only with its instance', async () => {
      const { store } = await opened()
      let a = await create(store, { id: 'a', identifiers: ['x'] })
      const snapshot = await store.snapshot()
      for (let n = 0; n < 3; n++) a = await next(store, a, { identifiers: ['x'] })
      const key = { type: 'Patient', id: 'a' }
      expect(valueOf(await store.remove([1, 3].map(versionId => ({ ...key, versionId }))))).toEqual({ held: true, versions: 2 })
      expect(idsOf(await historyOf(store, key))).toEqual(['a/2', 'a/4'])
      expect(await found(store, 'x', { snapshot })).toEqual([])
      expect(await found(store, 'x')).toEqual(['a/4'])
      expect(
        valueOf(
          await store.remove([
            { ...key, versionId: 2 },
            { ...key, versionId: 4 },
          ]),
        ),
      ).toEqual({ held: false, refused: key })
      expect(idsOf(await historyOf(store, key))).toEqual(['a/2', 'a/4'])
      expect(await next(store, a)).toMatchObject({ versionId: 5 })
    })

    test('what is not there counts as erased', async () => {
      const { store } = await opened()
      await create(store, { type: 'Observation', id: 'o', subject: 'Patient/referred' })
      const keys = [
        { type: 'Patient', id: 'never' },
        { type: 'Encounter', id: 'x' },
        { type: 'Patient', id: 'referred' },
        { type: 'Observation', id: 'o', versionId: 9 },
      ]
      expect(valueOf(await store.remove(keys))).toEqual({ held: true, versions: 0 })
      expect(valueOf(await store.remove([]))).toEqual({ held: true, versions: 0 })
      expect(await store.counts()).toEqual({ Observation: 1 })
    })

    test('deletions, long histories and many instances go too', async () => {
      const { store } = await opened()
      let long = await create(store, { id: 'long', identifiers: ['x'] })
      for (let n = 0; n < 20; n++)
        long = await next(store, long, { identifiers: ['x'], ...(n === 19 ? { method: 'DELETE' as const } : {}) })
      await held(store, planOf(Array.from({ length: 1100 }, (_, n) => newVersion({ id: `p${n}`, identifiers: ['x'] }))))
      const keys = ['long', ...Array.from({ length: 1099 }, (_, n) => `p${n}`)].map(id => ({ type: 'Patient', id }))
      expect(valueOf(await store.remove(keys))).toEqual({ held: true, versions: 1120 })
      expect(await store.counts()).toEqual({ Patient: 1 })
      expect(await found(store, 'x')).toEqual(['p1099/1'])
    })

    test('a version takes its blobs along, and an instance its unique keys', async () => {
      const { store } = await opened()
      const owner = { type: 'Binary', id: 'b' }
      const { id } = valueOf(await store.blobs.write([new Uint8Array(3_000_000)]))
      const done = await held(store, {
        ...planOf([newVersion({ ...owner })]),
        blobs: [{ id, owner }],
        unique: [{ key: 'k', owner: 'Binary/b' }],
      })
      await store.remove([owner])
      expect(await store.blobs.read(id)).toBeUndefined()
      expect(await store.blobs.of(done.versions[0]?.seq ?? 0)).toEqual([])
      expect(valueOf(await store.commit({ ...planOf([newVersion({ id: 'c' })]), unique: [{ key: 'k', owner: 'Patient/c' }] })).held).toBe(
        true,
      )
    })
  })

  describe(`${name}: once`, () => {
    const opened = closing(open)

    test('a key is taken by the first plan that holds under it, for ever', async () => {
      const { store, reopen } = await opened()
      const plan = (id: string) => ({ ...planOf([newVersion({ id })]), once: 'k' })
      const done = await Promise.all(['a', 'b', 'c'].map(id => store.commit(plan(id))))
      expect(done.map(one => valueOf(one).held)).toEqual([true, false, false])
      await next(store, (await store.newest('Patient', 'a')) as StoredVersion, { method: 'DELETE' })
      expect(valueOf(await store.commit(plan('d')))).toEqual({ held: false, taken: 'k' })
      await store.remove([{ type: 'Patient', id: 'a' }])
      const again = await reopen()
      expect(valueOf(await again.commit(plan('d')))).toEqual({ held: false, taken: 'k' })
      expect(await again.newest('Patient', 'd')).toBeUndefined()
    })

    test('a plan may be nothing but its key', async () => {
      const { store } = await opened()
      expect(valueOf(await store.commit({ ...nothing, once: 'k' })).held).toBe(true)
      expect(valueOf(await store.commit({ ...nothing, once: 'k' }))).toEqual({ held: false, taken: 'k' })
    })

    test('a plan that does not hold leaves its key free, and a taken key is named before all else', async () => {
      const { store } = await opened()
      await create(store, { id: 'a' })
      const lost = { ...planOf([newVersion({ id: 'a' })]), once: 'k' }
      expect(valueOf(await store.commit(lost))).toEqual({ held: false })
      expect(valueOf(await store.commit({ ...nothing, once: 'k' })).held).toBe(true)
      expect(valueOf(await store.commit(lost))).toEqual({ held: false, taken: 'k' })
    })

    test('it is another matter than a unique key of the same name', async () => {
      const { store } = await opened()
      await held(store, { ...planOf([newVersion({ id: 'a' })]), unique: [{ key: 'k', owner: 'Patient/a' }] })
      expect(valueOf(await store.commit({ ...nothing, once: 'k' })).held).toBe(true)
    })
  })
}
