/** The promise of `nodes/shared.ts`, held by one process and over Redis alike. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { shareInProcess } from '../../src/nodes/in-process.ts'
import { shareOverRedis } from '../../src/nodes/redis.ts'
import type { Shared, SharedState } from '../../src/nodes/shared.ts'
import { type RedisServer, redisIsLeftOut, startRedis, until } from '../support/redis-server.ts'

let server: RedisServer | undefined
beforeAll(async () => {
  if (!redisIsLeftOut) server = await startRedis()
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const overRedis = async (): Promise<Shared> => {
  const shared = shareOverRedis({ url: (server as RedisServer).url, commandMs: 10_000 })
  await until(() => shared.state().name === 'ok', 'Redis is reached')
  return shared
}

const reached = (): SharedState => ({ name: 'ok', ms: expect.any(Number) as unknown as number })

const ways: readonly (readonly [string, () => Promise<Shared>, Shared['state']])[] = [
  ['in one process', async () => shareInProcess(), () => ({ name: 'not-configured' })],
  ...(redisIsLeftOut ? [] : [['over Redis', overRedis, reached] as const]),
]

describe.each(ways)('shared %s', (_, open, state) => {
  test('counts down to the limit and refuses what is beyond', async () => {
    await using shared = await open()
    const count = shared.counter({ name: 'down', most: 3, windowSeconds: 60 })
    const uses = [await count('a'), await count('a'), await count('a'), await count('a'), await count('a')]
    expect(uses.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ])
    for (const { resetMs } of uses) {
      expect(resetMs).toBeGreaterThan(50_000)
      expect(resetMs).toBeLessThanOrEqual(60_000)
    }
  })

  test('counts keys and limits apart', async () => {
    await using shared = await open()
    const read = shared.counter({ name: 'apart-read', most: 1, windowSeconds: 60 })
    const write = shared.counter({ name: 'apart-write', most: 1, windowSeconds: 60 })
    const uses = [await read('a'), await read('b'), await write('a'), await read('a')]
    expect(uses.map(({ allowed }) => allowed)).toEqual([true, true, true, false])
  })

  test('counts those who come at once one by one', async () => {
    await using shared = await open()
    const count = shared.counter({ name: 'at-once', most: 10, windowSeconds: 60 })
    const uses = await Promise.all(Array.from({ length: 50 }, () => count('a')))
    expect(uses.filter(({ allowed }) => allowed).length).toBe(10)
  })

  test('begins anew when the window is over', async () => {
    await using shared = await open()
    const count = shared.counter({ name: 'anew', most: 1, windowSeconds: 1 })
    expect((await count('a')).allowed).toBe(true)
    expect((await count('a')).allowed).toBe(false)
    await until(async () => (await count('a')).allowed, 'the window is over')
  })

  test('takes any text as a key', async () => {
    await using shared = await open()
    const count = shared.counter({ name: 'any-text', most: 1, windowSeconds: 60 })
    for (const key of ['', ' ', '::1', 'a:b', '__proto__', '💊', 'x'.repeat(10_000)]) {
      expect((await count(key)).allowed).toBe(true)
      expect((await count(key)).allowed).toBe(false)
    }
  })

  test('wakes those who listen to the topic, as often as they listen, and nobody who left', async () => {
    await using shared = await open()
    const heard: string[] = []
    const stop = shared.onWake('jobs', () => heard.push('first'))
    const again = (): void => void heard.push('again')
    shared.onWake('jobs', again)
    shared.onWake('jobs', again)
    shared.onWake('cache', () => heard.push('cache'))
    // Over Redis, whoever begins to listen is called once: something may have been sent before.
    await until(async () => {
      heard.length = 0
      await new Promise(resolve => setTimeout(resolve, 50))
      return heard.length === 0
    }, 'nothing comes by itself')
    shared.wake('jobs')
    expect(heard).toEqual(['first', 'again', 'again'])
    stop()
    shared.wake('jobs')
    expect(heard).toEqual(['first', 'again', 'again', 'again', 'again'])
  })

  test('takes words as topics and nothing that could hold data', async () => {
    await using shared = await open()
    for (const topic of ['', 'Patient/1', 'Jobs', 'a b', 'x'.repeat(65), '1'])
      expect(() => shared.wake(topic)).toThrow('A topic is a word of small letters, digits and hyphens')
  })

  test('says its state', async () => {
    await using shared = await open()
    expect(shared.state()).toEqual(state())
  })
})
