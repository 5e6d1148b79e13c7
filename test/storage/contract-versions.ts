/**
 * Single versions, and the numbers that order all of them.
 * @see storage-and-search.md 2 and 3
 */
import { describe, expect, test } from '@jest/globals'
import { msOfSeq } from '../../src/storage/sequence.ts'
import { newVersion, planOf } from '../support/versions.ts'
import { closing, create, held, instant, next, type Open, textOf } from './contract-store.ts'

export const versionsContract = (name: string, open: Open): void => {
  describe(`${name}: single versions`, () => {
    const opened = closing(open)
    test('newest knows nothing of what was never written', async () => {
      const { store } = await opened()
      expect(await store.newest('Patient', 'a')).toBeUndefined()
      expect(await store.version('Patient', 'a', 1)).toBeUndefined()
    })

    test('newest gives the bytes as accepted, with the instant where the placeholder stood', async () => {
      const { store, clock } = await opened()
      const version = newVersion({ id: 'a', filler: 'Siti Nurhaliza é 漢 😀' })
      const before = textOf(version)
      const done = await held(store, planOf([version]))
      const read = await store.newest('Patient', 'a')
      expect(textOf(read)).toBe(before.replace('0000-00-00T00:00:00.000+00:00', instant(clock.now)))
      expect(read).toMatchObject({
        type: 'Patient',
        id: 'a',
        versionId: 1,
        method: 'POST',
        deleted: false,
        lastUpdated: clock.now,
        seq: done.versions[0]?.seq,
      })
      expect(done.versions[0]?.lastUpdated).toBe(clock.now)
    })

    test('commit writes the instant into the very bytes of the caller', async () => {
      const { store } = await opened()
      const version = newVersion({ id: 'a' })
      await held(store, planOf([version]))
      expect(textOf(version)).toBe(textOf(await store.newest('Patient', 'a')))
    })

    test('sees every write acknowledged before the call', async () => {
      const { store } = await opened()
      let newest = await create(store, { id: 'a' })
      for (let n = 2; n <= 20; n++) newest = await next(store, newest)
      expect(newest.versionId).toBe(20)
    })

    test('version gives that very version, deletions included', async () => {
      const { store } = await opened()
      const first = await create(store, { id: 'a' })
      const second = await next(store, first, { method: 'DELETE' })
      const third = await next(store, second)
      expect(await store.version('Patient', 'a', 1)).toEqual(first)
      expect(await store.version('Patient', 'a', 2)).toMatchObject({ deleted: true, method: 'DELETE', versionId: 2 })
      expect((await store.version('Patient', 'a', 2))?.text.length).toBe(0)
      expect(await store.version('Patient', 'a', 3)).toEqual(third)
      expect(await store.version('Patient', 'a', 4)).toBeUndefined()
      expect(await store.version('Observation', 'a', 1)).toBeUndefined()
    })

    test('newestMany answers in the order of the keys, undefined where nothing is', async () => {
      const { store } = await opened()
      await create(store, { id: 'a' })
      await create(store, { id: 'b' })
      const keys = ['b', 'x', 'a', 'b'].map(id => ({ type: 'Patient', id }))
      expect((await store.newestMany(keys)).map(one => one?.id)).toEqual(['b', undefined, 'a', 'b'])
    })

    test('newestMany at a snapshot gives what was current then', async () => {
      const { store } = await opened()
      const a = await create(store, { id: 'a' })
      const gone = await create(store, { id: 'gone' })
      const snapshot = await store.snapshot()
      await next(store, a)
      await next(store, gone, { method: 'DELETE' })
      await create(store, { id: 'later' })
      const keys = ['a', 'gone', 'later'].map(id => ({ type: 'Patient', id }))
      expect((await store.newestMany(keys, snapshot)).map(one => one && [one.versionId, one.deleted])).toEqual([
        [1, false],
        [1, false],
        undefined,
      ])
      expect((await store.newestMany(keys)).map(one => one && [one.versionId, one.deleted])).toEqual([
        [2, false],
        [2, true],
        [1, false],
      ])
    })

    test('ids of different types and letter cases are different instances', async () => {
      const { store } = await opened()
      await create(store, { id: 'abc' })
      await create(store, { id: 'ABC' })
      await create(store, { type: 'Observation', id: 'abc' })
      expect((await store.newest('Patient', 'ABC'))?.id).toBe('ABC')
      expect((await store.newest('Observation', 'abc'))?.type).toBe('Observation')
      expect(await store.counts()).toEqual({ Patient: 2, Observation: 1 })
    })
  })

  describe(`${name}: sequence`, () => {
    const opened = closing(open)
    test('lastUpdated is the millisecond of seq', async () => {
      const { store } = await opened()
      const { seq, lastUpdated } = await create(store, { id: 'a' })
      expect(msOfSeq(seq)).toBe(lastUpdated)
    })

    test('seqs rise in the order of acknowledgement, within a plan in its order', async () => {
      const { store } = await opened()
      const one = await held(store, planOf(['a', 'b', 'c'].map(id => newVersion({ id }))))
      const two = await held(store, planOf(['d', 'e'].map(id => newVersion({ id }))))
      const seqs = [...one.versions, ...two.versions].map(version => version.seq)
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
      expect(new Set(seqs).size).toBe(5)
    })

    test('no instance has two versions in one millisecond, though the clock stands still', async () => {
      const { store } = await opened()
      let newest = await create(store, { id: 'a' })
      for (let n = 0; n < 5; n++) {
        const { lastUpdated } = newest
        newest = await next(store, newest)
        expect(newest.lastUpdated).toBeGreaterThan(lastUpdated)
      }
    })

    test('a clock that runs back turns back neither seq nor lastUpdated', async () => {
      const { store, clock } = await opened()
      const before = await create(store, { id: 'a' })
      clock.now -= 3_600_000
      const other = await create(store, { id: 'b' })
      const after = await next(store, before)
      expect(other.seq).toBeGreaterThan(before.seq)
      expect(other.lastUpdated).toBeGreaterThanOrEqual(before.lastUpdated)
      expect(after.lastUpdated).toBeGreaterThan(before.lastUpdated)
    })

    test('nor does a clock that ran back while the store was closed', async () => {
      const { store, clock, reopen } = await opened()
      const before = await create(store, { id: 'a' })
      clock.now -= 3_600_000
      const again = await reopen()
      expect((await create(again, { id: 'b' })).seq).toBeGreaterThan(before.seq)
    })

    test('the horizon covers what was acknowledged, and nothing appears at or before it any more', async () => {
      const { store, clock } = await opened()
      const before = await create(store, { id: 'a' })
      const horizon = await store.horizon()
      expect(horizon).toBeGreaterThanOrEqual(before.lastUpdated)
      expect((await create(store, { id: 'b' })).lastUpdated).toBeGreaterThan(horizon)
      clock.now += 1_000
      expect(await store.horizon()).toBeGreaterThanOrEqual(clock.now - 1)
    })

    test('the horizon holds across a restart with a clock that ran back', async () => {
      const { store, clock, reopen } = await opened()
      const horizon = await store.horizon()
      clock.now -= 60_000
      const again = await reopen()
      expect((await create(again, { id: 'a' })).lastUpdated).toBeGreaterThan(horizon)
      expect(store).not.toBe(again)
    })
  })
}
