/** Counting what fails. @see auth.md 2.3 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createSpraying, failuresAMinute, namesAMinute } from '../../src/auth/lockout/spraying.ts'
import { charge, failed, failuresMax, forgiven, lockMs, type Tally, takenBack, windowMs } from '../../src/auth/lockout/tally.ts'

const now = 1_000_000_000
const key = 'account:a'

/** The tally after so many attempts failed, one after the other. */
const afterFailures = (count: number, at = now, before?: Tally): Tally | undefined => {
  let tally = before
  for (let n = 0; n < count; n++) {
    const charged = charge(tally, key, `${at}-${n}`, at)
    if (charged.is !== 'charged') throw new Error(charged.is)
    tally = failed(charged.tally, key, `${at}-${n}`, at).tally
  }
  return tally
}

describe('failures', () => {
  test('four leave an account open, the fifth locks it for 30 minutes', () => {
    const four = afterFailures(4)
    expect(charge(four, key, 'x', now)).toMatchObject({ is: 'charged', failures: 4 })
    const five = afterFailures(5)
    expect(charge(five, key, 'x', now)).toEqual({ is: 'locked', until: now + lockMs })
    expect(charge(five, key, 'x', now + lockMs - 1).is).toBe('locked')
    expect(charge(five, key, 'x', now + lockMs)).toMatchObject({ is: 'charged', failures: 0 })
  })

  test('older than 30 minutes do not count', () => {
    const four = afterFailures(4)
    expect(charge(four, key, 'x', now + windowMs)).toMatchObject({ is: 'charged', failures: 0 })
  })

  test('are forgiven by a success, and not by a password that is only the first half', () => {
    const charged = charge(afterFailures(4), key, 'x', now)
    if (charged.is !== 'charged') throw new Error(charged.is)
    expect(forgiven(charged.tally, key, 'x', now)).toBeUndefined()
    expect(takenBack(charged.tally, key, 'x', now)?.failures.length).toBe(4)
  })

  test('count only once, also where the attempt took too long', () => {
    const charged = charge(undefined, key, 'x', now)
    if (charged.is !== 'charged') throw new Error(charged.is)
    const late = failed(charged.tally, key, 'x', now + 61_000)
    expect(late.tally.failures).toEqual([now])
  })

  test('of attempts that died with their process lock as others do', () => {
    let tally: Tally | undefined
    for (let n = 0; n < failuresMax; n++) {
      const charged = charge(tally, key, `${n}`, now)
      if (charged.is !== 'charged') throw new Error(charged.is)
      tally = charged.tally
    }
    expect(charge(tally, key, 'x', now).is).toBe('busy')
    expect(charge(tally, key, 'x', now + 61_000)).toEqual({ is: 'locked', until: now + windowMs })
    expect(charge(tally, key, 'x', now + windowMs).is).toBe('charged')
  })

  test('whatever happens in whatever order, no more than five are ever checked before a lock', () => {
    const event = fc.record({ what: fc.constantFrom('try', 'fail'), which: fc.nat(20), wait: fc.nat(5_000) })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), events => {
        let tally: Tally | undefined
        let at = now
        const open: string[] = []
        let admitted = 0
        for (const [n, { what, which, wait }] of events.entries()) {
          at += wait
          if (what === 'try') {
            const charged = charge(tally, key, `${n}`, at)
            if (charged.is !== 'charged') continue
            admitted++
            tally = charged.tally
            open.push(`${n}`)
          } else if (open.length > 0) tally = failed(tally, key, open.splice(which % open.length, 1)[0] as string, at).tally
        }
        // 80 steps of at most 5 s end before anything is forgotten.
        expect(admitted).toBeLessThanOrEqual(failuresMax)
      }),
    )
  })
})

describe('spraying', () => {
  const watched = () => {
    const clock = { now }
    const waits: number[] = []
    const spraying = createSpraying(
      () => clock.now,
      async ms => void waits.push(ms),
    )
    return { clock, waits, spraying }
  }

  test('is told once when it begins, slows down more the more there is, and is over a minute later', async () => {
    const { clock, waits, spraying } = watched()
    const told = Array.from({ length: failuresAMinute + 30 }, (_, n) => spraying.failed(`name-${n % (namesAMinute + 1)}`))
    expect(told.flatMap((one, n) => (one ? [n] : []))).toEqual([failuresAMinute])
    await spraying.slowDown()
    for (let n = 0; n < 5_000; n++) spraying.failed(`name-${n}`)
    await spraying.slowDown()
    clock.now += 60_000
    await spraying.slowDown()
    expect(waits).toEqual([1_500, 5_000])
    expect(Array.from({ length: failuresAMinute + 1 }, (_, n) => spraying.failed(`name-${n}`)).at(-1)).toBe(true)
  })

  for (const [what, failures, names] of [
    ['failures over few names', 500, namesAMinute],
    ['few failures over many names', failuresAMinute, failuresAMinute],
  ] as const)
    test(`is not what ${what} are`, async () => {
      const { waits, spraying } = watched()
      expect(Array.from({ length: failures }, (_, n) => spraying.failed(`name-${n % names}`)).some(Boolean)).toBe(false)
      await spraying.slowDown()
      expect(waits).toEqual([])
    })
})
