/**
 * Plans: all or nothing, on what was expected.
 * @see storage-and-search.md 4
 */
import { describe, expect, test } from '@jest/globals'
import { seesAll } from '../../src/base/access-filter.ts'
import type { NewVersion, StoredVersion, WritePlan } from '../../src/storage/port.ts'
import { byIdentifier, newVersion, noneWith, planOf } from '../support/versions.ts'
import { closing, create, held, next, type Open, valueOf } from './contract-store.ts'

export const commitContract = (name: string, open: Open): void => {
  describe(`${name}: commit`, () => {
    const opened = closing(open)
    test('writes all of a plan or nothing', async () => {
      const { store } = await opened()
      const a = await create(store, { id: 'a' })
      const plan = planOf([newVersion({ id: 'b' }), newVersion({ id: 'a', versionId: 2 })], [{ ...a, seq: a.seq - 1 }])
      expect(valueOf(await store.commit(plan))).toEqual({ held: false })
      expect(await store.newest('Patient', 'b')).toBeUndefined()
      expect((await store.newest('Patient', 'a'))?.versionId).toBe(1)
    })

    test('an expectation of none fails when there is one, a deletion included', async () => {
      const { store } = await opened()
      const a = await create(store, { id: 'a' })
      expect(valueOf(await store.commit(planOf([newVersion({ id: 'a' })])))).toEqual({ held: false })
      await next(store, a, { method: 'DELETE' })
      expect(valueOf(await store.commit(planOf([newVersion({ id: 'a' })])))).toEqual({ held: false })
    })

    test('an expectation may name an instance that the plan does not write', async () => {
      const { store } = await opened()
      const a = await create(store, { id: 'a' })
      const plan = (seq: number | 'none') => ({ ...planOf([newVersion({ id: 'b' })]), expects: [{ type: 'Patient', id: 'a', seq }] })
      expect(valueOf(await store.commit(plan('none'))).held).toBe(false)
      expect(valueOf(await store.commit(plan(a.seq))).held).toBe(true)
    })

    test('refuses a version number that does not follow, whatever is expected', async () => {
      const { store } = await opened()
      const plan = { expects: [], guards: [], versions: [newVersion({ id: 'a', versionId: 2 })] }
      expect(valueOf(await store.commit(plan)).held).toBe(false)
    })

    test('of many updates of one version exactly one holds', async () => {
      const { store } = await opened()
      const a = await create(store, { id: 'a' })
      const done = await Promise.all(Array.from({ length: 30 }, () => store.commit(planOf([newVersion({ id: 'a', versionId: 2 })], [a]))))
      expect(done.filter(one => valueOf(one).held).length).toBe(1)
      expect((await store.newest('Patient', 'a'))?.versionId).toBe(2)
    })

    test('a deleted instance continues its numbers when it is revived', async () => {
      const { store } = await opened()
      const gone = await next(store, await create(store, { id: 'a' }), { method: 'DELETE' })
      expect(gone).toMatchObject({ versionId: 2, deleted: true, method: 'DELETE' })
      expect(await next(store, gone)).toMatchObject({ versionId: 3, deleted: false })
    })

    test('an empty plan holds', async () => {
      const { store } = await opened()
      expect(await held(store, planOf([]))).toEqual({ held: true, versions: [], counters: [] })
    })

    test('a plan of thousands of versions is written whole, and small ones go on beside it', async () => {
      const { store } = await opened()
      const large = store.commit(
        planOf(Array.from({ length: 3000 }, (_, n) => newVersion({ type: 'Observation', id: `o${n}`, subject: 'Patient/p' }))),
      )
      const small = await Promise.all(Array.from({ length: 20 }, (_, n) => store.commit(planOf([newVersion({ id: `p${n}` })]))))
      expect(small.every(one => valueOf(one).held)).toBe(true)
      expect(valueOf(await large).held).toBe(true)
      expect(await store.counts()).toEqual({ Observation: 3000, Patient: 20 })
    })

    test('what was acknowledged is there after reopening', async () => {
      const { store, reopen } = await opened()
      const a = await create(store, { id: 'a', identifiers: ['i1'] })
      const again = await reopen()
      expect(await again.newest('Patient', 'a')).toEqual(a)
      expect(valueOf(await again.search(byIdentifier('i1'), { access: seesAll, count: 10 })).rows.map(row => row.id)).toEqual(['a'])
      expect(await next(again, a)).toMatchObject({ versionId: 2 })
    })

    test('tells writers to come again when more waits than may wait', async () => {
      const { store } = await opened()
      const done = await Promise.all(
        Array.from({ length: 10_050 }, (_, n) =>
          store.commit({ expects: [{ type: 'Patient', id: `${n}`, seq: 1 }], guards: [], versions: [] }),
        ),
      )
      const refused = done.filter(one => !one.ok)
      expect(refused.length).toBeGreaterThanOrEqual(1)
      expect(refused.every(one => !one.ok && one.failure.kind === 'overloaded')).toBe(true)
      expect((await create(store, { id: 'a' })).versionId).toBe(1)
    })
  })

  describe(`${name}: guards`, () => {
    const opened = closing(open)
    const guarded = (version: NewVersion, identifier: string, found: number | 'none' = 'none'): WritePlan => ({
      ...planOf([version]),
      guards: [{ ...noneWith(identifier), found }],
    })

    test('of 100 equal conditional creates at once exactly one holds', async () => {
      const { store } = await opened()
      const done = await Promise.all(
        Array.from({ length: 100 }, (_, n) => store.commit(guarded(newVersion({ id: `p${n}`, identifiers: ['nik'] }), 'nik'))),
      )
      expect(done.filter(one => valueOf(one).held).length).toBe(1)
      expect(await store.counts()).toEqual({ Patient: 1 })
    })

    test('a guard that found one holds while that very version is the one match', async () => {
      const { store } = await opened()
      const match = await create(store, { id: 'match', identifiers: ['nik'] })
      expect(valueOf(await store.commit(guarded(newVersion({ id: 'a' }), 'nik', match.seq))).held).toBe(true)
      const changed = await next(store, match, { identifiers: ['nik'] })
      expect(valueOf(await store.commit(guarded(newVersion({ id: 'b' }), 'nik', match.seq))).held).toBe(false)
      await create(store, { id: 'second', identifiers: ['nik'] })
      expect(valueOf(await store.commit(guarded(newVersion({ id: 'b' }), 'nik', changed.seq))).held).toBe(false)
    })

    test('a match that was changed or deleted no longer counts', async () => {
      const { store } = await opened()
      const changed = await create(store, { id: 'changed', identifiers: ['one'] })
      const gone = await create(store, { id: 'gone', identifiers: ['two'] })
      await next(store, changed, { identifiers: ['other'] })
      await next(store, gone, { method: 'DELETE' })
      expect(valueOf(await store.commit(guarded(newVersion({ id: 'a' }), 'one'))).held).toBe(true)
      expect(valueOf(await store.commit(guarded(newVersion({ id: 'b' }), 'two'))).held).toBe(true)
    })

    test('a guard sees what plans before it wrote, in the same group too', async () => {
      const { store } = await opened()
      const [first, second, third] = await Promise.all([
        store.commit(planOf([newVersion({ id: 'a', identifiers: ['nik'] })])),
        store.commit(guarded(newVersion({ id: 'b', identifiers: ['nik'] }), 'nik')),
        store.commit(guarded(newVersion({ id: 'c', identifiers: ['other'] }), 'other')),
      ])
      expect([first, second, third].map(one => valueOf(one).held)).toEqual([true, false, true])
    })
  })

  describe(`${name}: counters, unique keys, references`, () => {
    const opened = closing(open)
    const withCounter = (id: string, limit?: number): WritePlan => ({
      ...planOf([newVersion({ id })]),
      counters: [{ key: 'queue', ...(limit === undefined ? {} : { limit }) }],
    })

    test('counters of plans have no gaps and no repeats', async () => {
      const { store } = await opened()
      const done = await Promise.all(Array.from({ length: 50 }, (_, n) => held(store, withCounter(`p${n}`))))
      expect(done.map(one => one.counters[0]).toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual(Array.from({ length: 50 }, (_, n) => n + 1))
    })

    test('a plan that does not hold advances no counter', async () => {
      const { store } = await opened()
      await held(store, withCounter('a'))
      expect(valueOf(await store.commit(withCounter('a'))).held).toBe(false)
      expect((await held(store, withCounter('b'))).counters).toEqual([2])
    })

    test('a counter at its limit refuses the plan and is named', async () => {
      const { store } = await opened()
      await held(store, withCounter('a', 2))
      await held(store, withCounter('b', 2))
      expect(valueOf(await store.commit(withCounter('c', 2)))).toEqual({ held: false, full: 'queue' })
      expect(await store.newest('Patient', 'c')).toBeUndefined()
    })

    test('one plan may advance several counters, and one twice', async () => {
      const { store } = await opened()
      const plan = { ...planOf([]), counters: [{ key: 'a' }, { key: 'b' }, { key: 'a' }] }
      expect((await held(store, plan)).counters).toEqual([1, 1, 2])
    })

    test('nextNumber never repeats, across restarts too', async () => {
      const { store, reopen } = await opened()
      const numbers = await Promise.all(Array.from({ length: 20 }, () => store.nextNumber('mrn')))
      const again = await reopen()
      numbers.push(await again.nextNumber('mrn'))
      expect(new Set(numbers).size).toBe(21)
      expect(Math.max(...numbers)).toBe(numbers.at(-1))
      expect(await again.nextNumber('other')).toBe(1)
    })

    const withKey = (id: string, key: string): WritePlan => ({ ...planOf([newVersion({ id })]), unique: [{ key, owner: `Patient/${id}` }] })

    test('a unique key has one owner', async () => {
      const { store } = await opened()
      const done = await Promise.all(['a', 'b', 'c'].map(id => store.commit(withKey(id, 'k'))))
      expect(done.map(one => valueOf(one).held)).toEqual([true, false, false])
      expect(valueOf(await store.commit(withKey('d', 'k')))).toEqual({ held: false, taken: 'k' })
      expect(await store.newest('Patient', 'd')).toBeUndefined()
    })

    test('the owner may take its key again, and a deleted owner lets it go', async () => {
      const { store } = await opened()
      await held(store, withKey('a', 'k'))
      const a = (await store.newest('Patient', 'a')) as StoredVersion
      await held(store, { ...planOf([newVersion({ id: 'a', versionId: 2 })], [a]), unique: [{ key: 'k', owner: 'Patient/a' }] })
      await next(store, (await store.newest('Patient', 'a')) as StoredVersion, { method: 'DELETE' })
      expect(valueOf(await store.commit(withKey('b', 'k'))).held).toBe(true)
    })

    test('targets that must exist are looked for in the store and in the plan', async () => {
      const { store } = await opened()
      const gone = await create(store, { id: 'gone' })
      await create(store, { id: 'there' })
      await next(store, gone, { method: 'DELETE' })
      const exists = ['there', 'gone', 'never', 'new'].map(id => ({ type: 'Patient', id }))
      const plan = { ...planOf([newVersion({ id: 'new' })]), exists }
      expect(valueOf(await store.commit(plan))).toEqual({ held: false, missing: [exists[1], exists[2]] })
      expect(valueOf(await store.commit({ ...plan, exists: [exists[0], exists[3]].filter(one => one !== undefined) })).held).toBe(true)
    })

    test('an instance that others refer to is kept, and at most five of them are named', async () => {
      const { store } = await opened()
      const patient = await create(store, { id: 'p' })
      await held(store, planOf(Array.from({ length: 7 }, (_, n) => newVersion({ type: 'Observation', id: `o${n}`, subject: 'Patient/p' }))))
      const deletion = {
        ...planOf([newVersion({ id: 'p', versionId: 2, method: 'DELETE' })], [patient]),
        unreferenced: [{ type: 'Patient', id: 'p' }],
      }
      const refused = valueOf(await store.commit(deletion))
      expect(refused.held).toBe(false)
      expect(!refused.held && refused.referrers?.length).toBe(5)
      expect(!refused.held && refused.referrers?.every(one => one.type === 'Observation' && /^o\d$/.test(one.id))).toBe(true)
    })

    test('referrers in the plan, deleted ones and former ones do not keep it', async () => {
      const { store } = await opened()
      const patient = await create(store, { id: 'p', subject: 'Patient/p' })
      const inside = await create(store, { type: 'Observation', id: 'inside', subject: 'Patient/p' })
      await next(store, await create(store, { type: 'Observation', id: 'gone', subject: 'Patient/p' }), { method: 'DELETE' })
      await next(store, await create(store, { type: 'Observation', id: 'moved', subject: 'Patient/p' }), { subject: 'Patient/q' })
      const deletions = [
        newVersion({ id: 'p', versionId: 2, method: 'DELETE' }),
        newVersion({ type: 'Observation', id: 'inside', versionId: 2, method: 'DELETE' }),
      ]
      const plan = { ...planOf(deletions, [patient, inside]), unreferenced: [{ type: 'Patient', id: 'p' }] }
      expect(valueOf(await store.commit(plan)).held).toBe(true)
    })

    test('references gives the local targets of versions, by parameter', async () => {
      const { store } = await opened()
      const one = await create(store, { type: 'Observation', id: 'o1', subject: 'Patient/p' })
      const two = await create(store, { type: 'Observation', id: 'o2', subject: 'Group/g' })
      expect(await store.references([two.seq, one.seq], 'Observation', 'subject')).toEqual([
        { seq: two.seq, target: { type: 'Group', id: 'g' } },
        { seq: one.seq, target: { type: 'Patient', id: 'p' } },
      ])
      expect(await store.references([one.seq], 'Observation', 'performer')).toEqual([])
      expect(await store.references([], 'Observation', 'subject')).toEqual([])
    })
  })
}
