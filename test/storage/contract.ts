/**
 * What `storage/port.ts` promises, sentence by sentence, for any engine. New behaviour enters here first.
 * @see storage-and-search.md 2 to 4
 */
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { seesAll, type AccessFilter } from '../../src/base/access-filter.ts'
import { deadlineIn } from '../../src/base/deadline.ts'
import type { Outcome } from '../../src/base/outcome.ts'
import { msOfSeq } from '../../src/storage/sequence.ts'
import type {
  Committed,
  HistoryOptions,
  HistoryPage,
  NewVersion,
  Snapshot,
  Store,
  StoredVersion,
  WritePlan,
} from '../../src/storage/port.ts'
import { byIdentifier, newVersion, noneWith, planOf, type Wanted } from '../support/versions.ts'

/** The clock of a store under test; tests move it. */
export type TestClock = { now: number }
/** A new, empty store. `reopen` closes it and opens the same data again. */
export type Opened = { readonly store: Store; reopen(): Promise<Store>; readonly clock: TestClock }

type Held = Extract<Committed, { held: true }>

const valueOf = <T>(outcome: Outcome<T>): T => {
  if (!outcome.ok) throw new Error(`failed: ${outcome.failure.kind}`)
  return outcome.value
}
const held = async (store: Store, plan: WritePlan): Promise<Held> => {
  const done = valueOf(await store.commit(plan))
  if (!done.held) throw new Error(`not held: ${JSON.stringify(done)}`)
  return done
}
const textOf = (version: { readonly text: Uint8Array } | undefined): string => new TextDecoder().decode(version?.text)
const instant = (ms: number): string => new Date(ms).toISOString().replace('Z', '+00:00')
const idsOf = (rows: readonly { readonly id: string; readonly versionId: number }[]): string[] =>
  rows.map(row => `${row.id}/${row.versionId}`)

export const storeContract = (name: string, open: () => Promise<Opened>): void => {
  const openStores: Store[] = []
  const opened = async (): Promise<Opened> => {
    const one = await open()
    openStores.push(one.store)
    const reopen = async () => {
      const again = await one.reopen()
      openStores.splice(openStores.indexOf(one.store), 1, again)
      return again
    }
    return { ...one, reopen }
  }
  afterEach(async () => {
    for (const store of openStores.splice(0)) await store[Symbol.asyncDispose]()
  })

  const create = async (store: Store, wanted: Wanted): Promise<StoredVersion> => {
    await held(store, planOf([newVersion(wanted)]))
    return (await store.newest(wanted.type ?? 'Patient', wanted.id)) as StoredVersion
  }
  const next = async (store: Store, before: StoredVersion, wanted: Omit<Wanted, 'id'> = {}): Promise<StoredVersion> => {
    const version = newVersion({ ...wanted, type: before.type, id: before.id, versionId: before.versionId + 1 })
    await held(store, planOf([version], [before]))
    return (await store.newest(before.type, before.id)) as StoredVersion
  }

  describe(`${name}: single versions`, () => {
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

  describe(`${name}: commit`, () => {
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

  describe(`${name}: snapshots`, () => {
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

  describe(`${name}: history`, () => {
    const all: Pick<HistoryOptions, 'limit' | 'access'> = { limit: 100, access: seesAll }
    const page = async (store: Store, scope: object, options: Partial<HistoryOptions> = {}): Promise<HistoryPage> =>
      valueOf(await store.history(scope, { ...all, ...options }))

    /** a/1 o/1 b/1 a/2 a/3(deleted) b/2, one second apart from `start`. */
    const filled = async () => {
      const { store, clock, reopen } = await opened()
      const start = clock.now
      const tick = () => (clock.now += 1_000)
      const a = await create(store, { id: 'a', patients: ['a'], organizations: ['org1'], authors: ['Practitioner/1'] })
      tick()
      await create(store, { type: 'Observation', id: 'o', patients: ['a'], organizations: ['org2'] })
      tick()
      const b = await create(store, { id: 'b', patients: ['b'], organizations: ['org2'] })
      tick()
      const a2 = await next(store, a, { patients: ['a'], organizations: ['org1'] })
      tick()
      await next(store, a2, { method: 'DELETE', patients: ['a'], organizations: ['org1'], authors: ['Practitioner/1'] })
      tick()
      await next(store, b, { patients: ['b'], organizations: ['org2'] })
      return { store, clock, start, reopen }
    }

    test('gives the versions of an instance, newest first, with their number', async () => {
      const { store } = await filled()
      const { rows, more, total } = await page(store, { type: 'Patient', id: 'a' })
      expect(idsOf(rows)).toEqual(['a/3', 'a/2', 'a/1'])
      expect(rows.map(row => row.deleted)).toEqual([true, false, false])
      expect([more, total]).toEqual([false, 3])
    })

    const scopes: readonly (readonly [string, object, readonly string[]])[] = [
      ['a type', { type: 'Patient' }, ['b/2', 'a/3', 'a/2', 'b/1', 'a/1']],
      ['another type', { type: 'Observation' }, ['o/1']],
      ['several types', { types: ['Observation', 'Patient'] }, ['b/2', 'a/3', 'a/2', 'b/1', 'o/1', 'a/1']],
      ['everything', {}, ['b/2', 'a/3', 'a/2', 'b/1', 'o/1', 'a/1']],
      ['an unknown type', { type: 'Encounter' }, []],
      ['an unknown instance', { type: 'Patient', id: 'x' }, []],
      ['no types', { types: [] }, []],
    ]
    test('covers what its scope says, by seq', async () => {
      const { store } = await filled()
      for (const [, scope, expected] of scopes) {
        expect(idsOf((await page(store, scope)).rows)).toEqual(expected)
        expect(idsOf((await page(store, scope, { oldestFirst: true })).rows)).toEqual(expected.toReversed())
      }
    })

    test('pages forward and backward without gap or repeat', async () => {
      const { store } = await filled()
      for (const scope of [{}, { type: 'Patient' }, { types: ['Observation', 'Patient'] }, { type: 'Patient', id: 'a' }]) {
        for (const oldestFirst of [false, true]) {
          const expected = idsOf((await page(store, scope, { oldestFirst })).rows)
          const seen: StoredVersion[] = []
          for (let more = true; more; ) {
            const position = seen.at(-1)?.seq
            const next = await page(store, scope, { oldestFirst, limit: 2, ...(position === undefined ? {} : { position }) })
            seen.push(...next.rows)
            more = next.more
          }
          expect(idsOf(seen)).toEqual(expected)
          const back = await page(store, scope, { oldestFirst, limit: 2, backward: true, position: seen[2]?.seq ?? 0 })
          expect(idsOf(back.rows)).toEqual(expected.slice(0, 2))
          expect(back.more).toBe(false)
        }
      }
    })

    test('since takes versions from that instant on', async () => {
      const { store, start } = await filled()
      expect(idsOf((await page(store, {}, { since: start + 3_000 })).rows)).toEqual(['b/2', 'a/3', 'a/2'])
      expect(idsOf((await page(store, {}, { since: start + 3_001 })).rows)).toEqual(['b/2', 'a/3'])
      expect((await page(store, {}, { since: start + 1e9 })).rows).toEqual([])
      expect((await page(store, {}, { since: -8.64e15 })).rows.length).toBe(6)
      expect((await page(store, {}, { since: 8.64e15 })).rows).toEqual([])
    })

    test('current takes versions that were current at some moment of the range', async () => {
      const { store, start } = await filled()
      expect(idsOf((await page(store, { type: 'Patient' }, { current: { lo: start + 2_500, hi: start + 2_501 } })).rows)).toEqual([
        'b/1',
        'a/1',
      ])
      expect(idsOf((await page(store, { type: 'Patient' }, { current: { lo: start + 2_500, hi: start + 3_500 } })).rows)).toEqual([
        'a/2',
        'b/1',
        'a/1',
      ])
      expect(idsOf((await page(store, { type: 'Patient' }, { current: { lo: start + 3_000, hi: start + 3_001 } })).rows)).toEqual([
        'a/2',
        'b/1',
      ])
      expect((await page(store, {}, { current: { lo: start - 2, hi: start } })).rows).toEqual([])
    })

    test('a snapshot holds its pages still', async () => {
      const { store, clock } = await filled()
      const before = idsOf((await page(store, {})).rows)
      const snapshot = await store.snapshot()
      await create(store, { id: 'late' })
      await next(store, (await store.newest('Patient', 'b')) as StoredVersion)
      expect(idsOf((await page(store, {}, { snapshot })).rows)).toEqual(before)
      expect((await page(store, { type: 'Patient', id: 'b' }, { snapshot })).total).toBe(2)
      expect(
        idsOf(
          (await page(store, { type: 'Patient', id: 'b' }, { snapshot, current: { lo: clock.now + 5_000, hi: clock.now + 6_000 } })).rows,
        ),
      ).toEqual(['b/2'])
    })

    const filters: readonly (readonly [string, AccessFilter, readonly string[]])[] = [
      ['none', { op: 'none' }, []],
      ['ids', { op: 'ids', ids: ['b', 'o'] }, ['b/2', 'b/1', 'o/1']],
      ['patient', { op: 'patient', id: 'a' }, ['a/3', 'a/2', 'o/1', 'a/1']],
      ['owner', { op: 'owner', organizations: ['org2', 'org3'] }, ['b/2', 'b/1', 'o/1']],
      ['author', { op: 'author', ref: 'Practitioner/1' }, ['a/3', 'a/2', 'a/1']],
      ['not', { op: 'not', of: { op: 'patient', id: 'a' } }, ['b/2', 'b/1']],
      [
        'and',
        {
          op: 'and',
          of: [
            { op: 'patient', id: 'a' },
            { op: 'owner', organizations: ['org2'] },
          ],
        },
        ['o/1'],
      ],
      [
        'or',
        {
          op: 'or',
          of: [
            { op: 'ids', ids: ['o'] },
            { op: 'patient', id: 'b' },
          ],
        },
        ['b/2', 'b/1', 'o/1'],
      ],
      ['and of nothing', { op: 'and', of: [] }, ['b/2', 'a/3', 'a/2', 'b/1', 'o/1', 'a/1']],
      ['or of nothing', { op: 'or', of: [] }, []],
    ]
    test('shows what the newest version lets the access filter see', async () => {
      const { store } = await filled()
      for (const [, access, expected] of filters) {
        expect(idsOf((await page(store, {}, { access })).rows)).toEqual(expected)
        expect((await page(store, {}, { access, limit: 1 })).more).toBe(expected.length > 1)
      }
    })

    test('keeps its deadline when the filter lets hardly anything through', async () => {
      const { store } = await opened()
      await held(store, planOf(Array.from({ length: 1500 }, (_, n) => newVersion({ id: `p${n}` }))))
      const outcome = await store.history({}, { ...all, access: { op: 'ids', ids: ['p0'] }, deadline: deadlineIn(0) })
      expect(!outcome.ok && outcome.failure.kind).toBe('too-costly')
    })
  })

  describe(`${name}: walk, counts, health`, () => {
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
