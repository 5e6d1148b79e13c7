/** Counting in memory is bounded, whoever asks. */
import { expect, test } from '@jest/globals'
import { memoryCounter } from '../../src/nodes/memory-counter.ts'

test('addresses without number share one count once 50,000 have their own', async () => {
  const count = memoryCounter({ name: 'many', most: 1, windowSeconds: 60 })
  for (let n = 0; n < 50_000; n++) await count(`address ${n}`)
  expect((await count('one more')).allowed).toBe(true)
  expect((await count('and another')).allowed).toBe(false)
  // Who was counted before still is, by himself.
  expect((await count('address 7')).allowed).toBe(false)
})
