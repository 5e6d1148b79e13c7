/** How far an import came: nothing behind the mark may still be open, whatever the order in which lines end. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Mark } from '../../src/cli/import-mark.ts'

test('the mark is the last line with nothing open before it, and reaches the end when all have ended', () => {
  const order = fc.shuffledSubarray([1, 2, 4, 5, 7, 8, 9, 12], { minLength: 8 })
  fc.assert(
    fc.property(order, ending => {
      const lines = ending.toSorted((a, b) => a - b)
      const mark = new Mark(0)
      for (const line of lines) mark.begin(line)
      const ended = new Set<number>()
      for (const line of ending) {
        mark.end(line)
        ended.add(line)
        const firstOpen = lines.findIndex(one => !ended.has(one))
        expect(mark.settled).toBe(firstOpen === -1 ? lines.at(-1) : (lines[firstOpen - 1] ?? 0))
      }
    }),
  )
})

test('a line that begins later does not move the mark past one that is open', () => {
  const mark = new Mark(-1)
  mark.begin(1)
  mark.begin(2)
  mark.end(2)
  mark.begin(3)
  mark.end(3)
  expect(mark.settled).toBe(-1)
  mark.end(1)
  expect(mark.settled).toBe(3)
})
