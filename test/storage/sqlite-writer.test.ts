/** Parts of the writer thread that are plain values: which plans are next, and which numbers they get (storage-and-search.md 3 and 4). */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { firstSeqOf, msOfSeq } from '../../src/storage/sequence.ts'
import { Lanes } from '../../src/storage/sqlite/lanes.ts'
import { SequenceSource } from '../../src/storage/sqlite/sequence-source.ts'

const plan = (id: number, versions = 1) => ({
  id,
  versions,
  weight: versions,
  tape: [],
  at: 0,
  texts: new Uint8Array(),
  guards: [],
  guardsAt: 0,
  errands: [],
})
const idsOf = (group: readonly { readonly id: number }[]) => group.map(one => one.id)

describe('lanes', () => {
  test('give at most 64 plans in the order they came', () => {
    const lanes = new Lanes()
    for (let id = 0; id < 100; id++) lanes.add(plan(id))
    expect(idsOf(lanes.next(0))).toEqual(Array.from({ length: 64 }, (_, id) => id))
    expect(lanes.next(0).length).toBe(36)
    expect(lanes.isEmpty).toBe(true)
    expect(lanes.next(0)).toEqual([])
  })

  test('give at most 2,000 versions, and a first plan whatever its size', () => {
    const lanes = new Lanes()
    for (let id = 0; id < 6; id++) lanes.add(plan(id, 450))
    expect(idsOf(lanes.next(0))).toEqual([0, 1, 2, 3])
  })

  test('let small plans overtake large ones, but a large one has its turn every 250 ms', () => {
    const lanes = new Lanes()
    for (let id = 0; id < 300; id++) lanes.add(plan(id))
    for (let id = 1000; id < 1003; id++) lanes.add(plan(id, 5000))
    const firsts = [1000, 1010, 1249, 1250, 1251, 1400, 1500].map(now => idsOf(lanes.next(now))[0])
    expect(firsts).toEqual([1000, 0, 64, 1001, 128, 192, 1002])
  })

  test('give a large one alone at once when nothing else waits', () => {
    const lanes = new Lanes()
    lanes.add(plan(1, 501))
    lanes.add(plan(2, 501))
    expect(idsOf(lanes.next(0))).toEqual([1])
    expect(idsOf(lanes.next(1))).toEqual([2])
  })
})

describe('sequence numbers', () => {
  test('never repeat, never fall, and follow what they supersede by a millisecond, whatever the clock says', () => {
    const steps = fc.array(
      fc.tuple(fc.integer({ min: -10_000, max: 10_000 }), fc.integer({ min: 0, max: 9_000 }), fc.boolean(), fc.boolean()),
    )
    fc.assert(
      fc.property(steps, moves => {
        let now = Date.UTC(2026, 10, 21)
        const source = new SequenceSource(firstSeqOf(now))
        let last = source.last
        let horizon = 0
        for (const [move, count, supersedes, close] of moves) {
          now += move
          source.tell(now)
          if (close) horizon = source.close()
          const first = source.take(count, supersedes ? last : 0)
          expect(first).toBeGreaterThan(last)
          expect(msOfSeq(first)).toBeGreaterThan(horizon)
          expect(msOfSeq(first)).toBeGreaterThanOrEqual(now)
          if (supersedes) expect(msOfSeq(first)).toBeGreaterThan(msOfSeq(last))
          last = Math.max(last, first + count - 1)
        }
      }),
    )
  })
})
