/** Relations are remembered while nobody writes: never beyond the moment that one begins or ends, never beyond a write of anybody. */
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Relation, Store } from '../../src/storage/port.ts'
import { openTestStore } from '../support/sqlite-store.ts'
import { newVersion, planOf } from '../support/versions.ts'
import { create, held, next } from './contract-store.ts'

const closing: Store[] = []
afterEach(async () => {
  for (const store of closing.splice(0)) await store[Symbol.asyncDispose]()
})
const opened = async () => {
  const one = await openTestStore()
  closing.push(one.store)
  return one
}

const hourMs = 3_600_000
const care = (of: string, more: Partial<Relation> = {}): Relation => ({ from: 'care', of, patient: 'a', ...more })
const standsFor = async (store: Store, ...of: readonly string[]): Promise<boolean | undefined> =>
  (await store.related([{ from: 'care', of, patient: 'a' }]))[0]

describe('a relation that was asked for a moment ago', () => {
  test('begins and ends on its millisecond', async () => {
    const { store, clock } = await openedWith(now => [care('dr', { since: now + hourMs, until: now + 2 * hourMs })])
    const begins = clock.now + hourMs
    const moments = [begins - 1, begins, begins + hourMs - 1, begins + hourMs, begins, begins - 1]
    const seen: (boolean | undefined)[] = []
    for (const moment of moments)
      for (const _ of ['asked', 'remembered']) {
        clock.now = moment
        seen.push(await standsFor(store, 'dr'))
      }
    expect(seen).toEqual([false, false, true, true, true, true, false, false, true, true, false, false])
  })

  test('goes on by another row when its own ends', async () => {
    const { store, clock } = await openedWith(now => [care('dr', { until: now + hourMs }), care('dr', { until: now + 2 * hourMs })])
    const started = clock.now
    const seen: (boolean | undefined)[] = []
    for (const hours of [0, 0, 1, 1, 2, 2]) {
      clock.now = started + hours * hourMs
      seen.push(await standsFor(store, 'dr'))
    }
    expect(seen).toEqual([true, true, true, true, false, false])
  })

  test('is gone with the write that withdraws it, and back with the one that gives it again', async () => {
    const { store } = await opened()
    let encounter = await create(store, { type: 'Encounter', id: 'e', relations: [care('dr')] })
    for (let round = 0; round < 5; round++) {
      expect([await standsFor(store, 'dr'), await standsFor(store, 'dr')]).toEqual([true, true])
      encounter = await next(store, encounter, {})
      expect([await standsFor(store, 'dr'), await standsFor(store, 'dr')]).toEqual([false, false])
      encounter = await next(store, encounter, { relations: [care('dr')] })
    }
  })

  test('is asked for anew where only some of those who are asked about are remembered, and told apart from one that is confirmed', async () => {
    const { store } = await openedWith(() => [care('dr', { self: true })])
    expect([await standsFor(store, 'other'), await standsFor(store, 'other', 'dr'), await standsFor(store, 'other', 'dr')]).toEqual([
      false,
      true,
      true,
    ])
    const confirmed = { from: 'care', of: ['dr'], patient: 'a', confirmed: true } as const
    expect(await store.related([confirmed, { ...confirmed, of: ['other'] }])).toEqual([false, false])
    expect([await store.related([confirmed]), await standsFor(store, 'dr')]).toEqual([[false], true])
  })

  test('of a patient nobody heard of stands once he is written about', async () => {
    const { store } = await opened()
    expect([await standsFor(store, 'dr'), await standsFor(store, 'dr')]).toEqual([false, false])
    await held(store, planOf([newVersion({ type: 'Encounter', id: 'e', relations: [care('dr')] })]))
    expect(await standsFor(store, 'dr')).toBe(true)
  })
})

const openedWith = async (relations: (now: number) => readonly Relation[]) => {
  const one = await opened()
  await create(one.store, { type: 'Encounter', id: 'e', relations: relations(one.clock.now) })
  return one
}
