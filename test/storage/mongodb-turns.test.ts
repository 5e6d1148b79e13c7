/** Parts of MongoDB's writer that are plain values: which plans may go together, which are next, and which numbers they get (storage-and-search.md 3, 4). */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Lanes } from '../../src/storage/mongodb/lanes.ts'
import { keysOf } from '../../src/storage/mongodb/plan-keys.ts'
import { SequenceSource } from '../../src/storage/mongodb/sequence-source.ts'
import { type Keys, type Mode, Turnstile } from '../../src/storage/mongodb/turnstile.ts'
import { firstSeqOf, msOfSeq } from '../../src/storage/sequence.ts'
import { newVersion, noneWith, planOf } from '../support/versions.ts'

describe('sequence numbers of several lanes', () => {
  test('never repeat, never fall, keep their slot, and follow what they supersede by a millisecond, whatever the clock says', () => {
    const step = fc.record({
      move: fc.integer({ min: -10_000, max: 10_000 }),
      slot: fc.integer({ min: 0, max: 63 }),
      count: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constant(5_000)),
      supersedes: fc.boolean(),
      close: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        let now = Date.UTC(2026, 10, 21)
        const source = new SequenceSource(() => now, firstSeqOf(now))
        let last = source.last
        for (const { move, slot, count, supersedes, close } of steps) {
          now += move
          if (close) {
            const bound = source.close()
            expect(bound).toBeGreaterThan(last)
            expect(msOfSeq(bound)).toBeGreaterThanOrEqual(now)
            last = Math.max(last, bound - 1)
          }
          const taken = source.take(slot, count, supersedes ? last : 0)
          expect(taken.length).toBe(count)
          for (const seq of taken) {
            if (seq <= last || Math.floor(seq / 64) % 64 !== slot) throw new Error(`${seq} after ${last}`)
            if (supersedes && seq === taken[0]) expect(msOfSeq(seq)).toBeGreaterThan(msOfSeq(last))
            last = seq
          }
          if (count > 0) expect(msOfSeq(taken[0] as number)).toBeGreaterThanOrEqual(now)
        }
      }),
    )
  })

  test('of 5,000 versions lie in 79 milliseconds', () => {
    const now = Date.UTC(2026, 10, 21)
    const taken = new SequenceSource(() => now).take(3, 5_000, 0)
    expect(msOfSeq(taken.at(-1) as number) - now).toBe(78)
    expect(new Set(taken).size).toBe(5_000)
  })

  test('go on above what others gave', () => {
    const source = new SequenceSource(() => 0)
    source.rise(firstSeqOf(Date.UTC(2027, 0, 1)) + 5)
    source.rise(7)
    expect(source.take(0, 1, 0)[0]).toBeGreaterThan(firstSeqOf(Date.UTC(2027, 0, 1)) + 5)
  })
})

describe('the turnstile', () => {
  type Item = { readonly name: string }
  const keys = (list: Readonly<Record<string, Mode>>): Keys => new Map(Object.entries(list))

  test('lets those pass together that share nothing, only ask, or only write', () => {
    const ready: string[] = []
    const turnstile = new Turnstile<Item>(({ name }) => ready.push(name))
    const add = (name: string, list: Readonly<Record<string, Mode>>): Item => {
      const item = { name }
      turnstile.add(item, keys(list))
      return item
    }
    const first = add('first', { a: 'own', k: 'asks' })
    const second = add('second', { b: 'own', k: 'asks' })
    add('writer', { c: 'own', k: 'writes' })
    add('other writer', { k: 'writes' })
    add('same instance', { a: 'own' })
    add('late', { k: 'asks' })
    expect(ready).toEqual(['first', 'second'])
    turnstile.done(first)
    expect(ready).toEqual(['first', 'second', 'same instance'])
    turnstile.done(second)
    expect(ready).toEqual(['first', 'second', 'same instance', 'writer', 'other writer'])
  })

  test('lets ten thousand pass one by one, in order, while more come', () => {
    const order: number[] = []
    const waiting: { readonly at: number }[] = []
    const turnstile = new Turnstile<{ readonly at: number }>(item => {
      order.push(item.at)
      waiting.push(item)
    })
    for (let at = 0; at < 10_000; at++) {
      turnstile.add({ at }, keys({ a: 'own' }))
      if (at % 2 === 1) turnstile.done(waiting.shift() as { at: number })
    }
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) turnstile.done(item)
    expect(order).toEqual(Array.from({ length: 10_000 }, (_, at) => at))
  })

  test('never lets two pass that may not meet, and in the end everyone, those who share a key in the order they came', () => {
    const mode = fc.constantFrom<Mode>('own', 'asks', 'writes')
    const asked = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), mode, { maxKeys: 3 })
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 40 }), fc.infiniteStream(fc.nat()), (list, choices) => {
        const passing: { readonly at: number; readonly keys: Keys }[] = []
        const order: number[] = []
        const turnstile = new Turnstile<{ readonly at: number; readonly keys: Keys }>(item => {
          for (const other of passing)
            for (const [key, one] of item.keys) {
              const its = other.keys.get(key)
              if (its !== undefined && (its !== one || its === 'own')) throw new Error(`${other.at} and ${item.at} meet at ${key}`)
            }
          passing.push(item)
          order.push(item.at)
        })
        const leave = (): void => {
          const [item] = passing.splice((choices.next().value as number) % passing.length, 1)
          if (item !== undefined) turnstile.done(item)
        }
        for (const [at, one] of list.entries()) {
          turnstile.add({ at, keys: keys(one) }, keys(one))
          if (passing.length > 3) leave()
        }
        while (passing.length > 0) leave()
        expect(order.toSorted((a, b) => a - b)).toEqual(list.map((_, at) => at))
        for (const key of ['a', 'b', 'c', 'd']) {
          const owners = order.filter(at => list[at]?.[key] === 'own')
          expect(owners).toEqual(owners.toSorted((a, b) => a - b))
        }
      }),
    )
  })
})

describe('keys of plans', () => {
  const patient = (id: string, identifier: string) => newVersion({ id, identifiers: [identifier] })
  const meet = (a: Keys, b: Keys): boolean => [...a].some(([key, mode]) => b.has(key) && (mode === 'own' || b.get(key) !== mode))
  const create = (id: string, identifier: string) => planOf([patient(id, identifier)])
  const unlessThere = (id: string, identifier: string) => ({ ...create(id, identifier), guards: [noneWith(identifier)] })
  const asking = (id: string, identifier: string) => ({
    ...planOf([newVersion({ type: 'Encounter', id })]),
    guards: [noneWith(identifier)],
  })
  const needing = (id: string, target: string) => ({
    ...planOf([newVersion({ type: 'Encounter', id })]),
    exists: [{ type: 'Patient', id: target }],
  })
  const byName = {
    ...planOf([]),
    guards: [{ ...noneWith('x'), query: { parts: [{ type: 'Patient', where: { op: 'all' } as const }], sort: [] } }],
  }

  const rows = [
    ['creates of different instances', create('a', 'x'), create('b', 'x'), false],
    ['writes of one instance', create('a', 'x'), create('a', 'y'), true],
    ['a plan and the write of what must exist for it', needing('a', 'p'), create('p', 'x'), true],
    ['two plans for which the same must exist', needing('a', 'p'), needing('b', 'p'), false],
    ['creates of the same identifier unless it is there', unlessThere('a', 'x'), unlessThere('b', 'x'), true],
    ['creates of other identifiers unless they are there', unlessThere('a', 'x'), unlessThere('b', 'y'), false],
    ['a plain create and who asks for its identifier', create('a', 'x'), asking('b', 'x'), true],
    ['two who ask for the same', asking('a', 'x'), asking('b', 'x'), false],
    ['criteria without identifier and any write of the type', byName, create('a', 'x'), true],
    ['criteria without identifier and a write of another type', byName, planOf([newVersion({ type: 'Encounter', id: 'e' })]), false],
    ['one counter', { ...planOf([]), counters: [{ key: 'n' }] }, { ...planOf([]), counters: [{ key: 'n' }] }, true],
    [
      'one unique key',
      { ...planOf([]), unique: [{ key: 'n', owner: 'Patient/1' }] },
      { ...planOf([]), unique: [{ key: 'n', owner: 'Patient/2' }] },
      true,
    ],
    [
      'a counter and a unique key of one name',
      { ...planOf([]), counters: [{ key: 'n' }] },
      { ...planOf([]), unique: [{ key: 'n', owner: 'Patient/1' }] },
      false,
    ],
    ['one key that is used once', { ...planOf([]), once: 'n' }, { ...planOf([]), once: 'n' }, true],
    ['one blob', { ...planOf([]), blobs: [{ id: '1' }] }, { ...planOf([]), blobs: [{ id: '1' }] }, true],
  ] as const
  for (const [name, a, b, expected] of rows)
    test(`${name} ${expected ? 'are never under way together' : 'may be'}`, () => expect(meet(keysOf(a, []), keysOf(b, []))).toBe(expected))
})

describe('lanes', () => {
  const plan = (id: number, weight = 1, alone = false) => ({ id, weight, alone })
  const idsOf = (group: readonly { readonly id: number }[]) => group.map(one => one.id)

  test('give at most 64 plans or 2,000 versions, and a first plan whatever its size', () => {
    const lanes = new Lanes<ReturnType<typeof plan>>()
    for (let id = 0; id < 70; id++) lanes.add(plan(id))
    expect([lanes.next(0).length, lanes.next(0).length]).toEqual([64, 6])
    for (let id = 0; id < 6; id++) lanes.add(plan(id, 450))
    expect(idsOf(lanes.next(0))).toEqual([0, 1, 2, 3])
  })

  test('share what waits among the lanes that are free, by its weight', () => {
    const lanes = new Lanes<ReturnType<typeof plan>>()
    const shares = (count: number, weight: number, free: number): number[] => {
      for (let id = 0; id < count; id++) lanes.add(plan(id, weight))
      const lengths: number[] = []
      for (let left = free; !lanes.isEmpty; left = Math.max(1, left - 1)) lengths.push(lanes.next(0, true, left).length)
      return lengths
    }
    expect([shares(8, 1, 3), shares(60, 1, 3), shares(4, 290, 3), shares(300, 1, 2)]).toEqual([
      [8],
      [20, 20, 20],
      [1, 1, 2],
      [64, 64, 64, 64, 44],
    ])
  })

  test('let small plans overtake large ones, but a large one has its turn every 250 ms unless too many are under way', () => {
    const lanes = new Lanes<ReturnType<typeof plan>>()
    for (let id = 0; id < 400; id++) lanes.add(plan(id))
    for (let id = 1000; id < 1004; id++) lanes.add(plan(id, 5000))
    lanes.add(plan(2000, 1, true))
    const firsts = [1000, 1010, 1249, 1250, 1251].map(now => idsOf(lanes.next(now))[0])
    expect(firsts).toEqual([1000, 0, 64, 1001, 128])
    expect(idsOf(lanes.next(1600, false))[0]).toBe(192)
    expect(idsOf(lanes.next(1600))[0]).toBe(1002)
    for (const _ of [1, 2, 3]) lanes.next(1600, false)
    expect([idsOf(lanes.next(1601, false)), idsOf(lanes.next(1601)), idsOf(lanes.next(1602))]).toEqual([[], [1003], [2000]])
    expect(lanes.isEmpty).toBe(true)
  })
})
