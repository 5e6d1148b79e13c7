/**
 * Histories of an instance, a type and everything.
 * @see storage-and-search.md 2
 */
import { describe, expect, test } from '@jest/globals'
import { type AccessFilter, seesAll } from '../../src/base/access-filter.ts'
import { deadlineIn } from '../../src/base/deadline.ts'
import type { HistoryOptions, HistoryPage, Store, StoredVersion } from '../../src/storage/port.ts'
import { newVersion, planOf } from '../support/versions.ts'
import { closing, create, held, idsOf, next, type Open, valueOf } from './contract-store.ts'

export const historyContract = (name: string, open: Open): void => {
  describe(`${name}: history`, () => {
    const opened = closing(open)
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
}
