/** Two nodes and a real Redis that stops, hangs, fills up and comes back. Nobody ever waits for it, and nothing in it is worth keeping. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { shareOverRedis } from '../../src/nodes/redis.ts'
import type { LinkTurn } from '../../src/nodes/redis-link.ts'
import type { Shared } from '../../src/nodes/shared.ts'
import { freePort } from '../support/free-port.ts'
import { redisIsLeftOut, startRedis, until } from '../support/redis-server.ts'

const aMinute = 60
const ok = async (...nodes: readonly Shared[]): Promise<void> =>
  until(() => nodes.every(node => node.state().name === 'ok'), 'all nodes reach Redis')
const fallback = async (...nodes: readonly Shared[]): Promise<void> =>
  until(() => nodes.every(node => node.state().name === 'fallback'), 'all nodes miss Redis')

const withRedis = redisIsLeftOut ? describe.skip : describe

withRedis('two nodes', () => {
  test('share one count', async () => {
    await using server = await startRedis()
    await using one = shareOverRedis({ url: server.url })
    await using two = shareOverRedis({ url: server.url })
    await ok(one, two)
    const limit = { name: 'shared', most: 10, windowSeconds: aMinute }
    const [first, second] = [one.counter(limit), two.counter(limit)]
    const uses = await Promise.all(Array.from({ length: 30 }, (_, n) => (n % 2 === 0 ? first : second)('198.51.100.7')))
    expect(uses.filter(({ allowed }) => allowed).length).toBe(10)
  })

  test('count each for itself while Redis is away, and together again when it is back', async () => {
    await using server = await startRedis()
    const turns: LinkTurn[] = []
    await using one = shareOverRedis({ url: server.url, turned: turn => turns.push(turn) })
    await using two = shareOverRedis({ url: server.url })
    await ok(one, two)
    const limit = { name: 'away', most: 4, windowSeconds: aMinute }
    const [first, second] = [one.counter(limit), two.counter(limit)]
    expect([(await first('a')).remaining, (await second('a')).remaining]).toEqual([3, 2])

    await server.kill()
    // The very next uses are counted, although nobody has heard of the end yet.
    const alone = await Promise.all([first('a'), first('a'), first('a'), first('a'), first('a')])
    expect(alone.filter(({ allowed }) => allowed).length).toBe(4)
    expect((await second('a')).remaining).toBe(3)
    await fallback(one, two)

    await server.start()
    await ok(one, two)
    expect([(await first('b')).remaining, (await second('b')).remaining]).toEqual([3, 2])
    expect(turns.map(({ state }) => state)).toEqual(['ok', 'fallback', 'ok'])
    expect(turns.every(({ lastedMs }) => lastedMs >= 0)).toBe(true)
  })

  test('wait for no Redis that hangs', async () => {
    await using server = await startRedis()
    await using node = shareOverRedis({ url: server.url })
    await ok(node)
    const count = node.counter({ name: 'hangs', most: 1000, windowSeconds: aMinute })
    await count('a')
    server.hold()
    expect((await Promise.all(Array.from({ length: 20 }, () => count('a')))).every(({ allowed }) => allowed)).toBe(true)
    expect(node.state()).toEqual({ name: 'fallback' })
    server.resume()
    await ok(node)
    const [before, after] = [await count('b'), await count('b')]
    expect(before.remaining - after.remaining).toBe(1)
  })

  test('take a Redis that cannot write for one that is away', async () => {
    await using server = await startRedis()
    const turns: LinkTurn[] = []
    await using node = shareOverRedis({ url: server.url, turned: turn => turns.push(turn) })
    await ok(node)
    await server.watch().config('SET', 'maxmemory', '1')
    const count = node.counter({ name: 'full', most: 2, windowSeconds: aMinute })
    const uses = [await count('a'), await count('a'), await count('a')]
    expect(uses.map(({ allowed }) => allowed)).toEqual([true, true, false])
    await fallback(node)
    await sleep(1500) // a probe later it is still so
    // Older servers say it within a sentence about the script.
    expect(turns).toMatchObject([{ state: 'ok' }, { state: 'fallback', code: expect.stringMatching(/^(OOM|ERR)$/) }])
  })

  test('wake each other, and each itself once', async () => {
    await using server = await startRedis()
    await using one = shareOverRedis({ url: server.url })
    await using two = shareOverRedis({ url: server.url })
    await ok(one, two)
    const heard = { one: 0, two: 0 }
    one.onWake('jobs', () => void heard.one++)
    two.onWake('jobs', () => void heard.two++)
    const watcher = server.watch()
    await until(async () => {
      const [, listening] = (await watcher.pubsub('NUMSUB', 'simpul:wake:jobs')) as [string, number]
      return Number(listening) === 2
    }, 'both listen')
    await until(() => heard.one > 0 && heard.two > 0, 'both were called when they began')
    const before = { ...heard }
    one.wake('jobs')
    await until(() => heard.two > before.two, 'the other node hears')
    expect(heard).toEqual({ one: before.one + 1, two: before.two + 1 })
  })

  test('count together although they may not speak, and wake each other when they may', async () => {
    await using server = await startRedis()
    const watcher = server.watch()
    await watcher.call('ACL', 'SETUSER', 'default', '-publish', '-subscribe')
    const turns: LinkTurn[] = []
    await using one = shareOverRedis({ url: server.url, turned: turn => turns.push(turn) })
    await using two = shareOverRedis({ url: server.url })
    await ok(one, two)
    let heard = 0
    two.onWake('jobs', () => void heard++)
    one.wake('jobs')
    await sleep(300)
    expect([heard, turns.map(({ state }) => state)]).toEqual([0, ['ok']])
    await watcher.call('ACL', 'SETUSER', 'default', '+@all')
    await until(() => heard > 0, 'the other node listens, and is called for what it missed')
  })

  test('hear after an interruption that they may have missed something', async () => {
    await using server = await startRedis()
    await using one = shareOverRedis({ url: server.url })
    await using two = shareOverRedis({ url: server.url })
    await ok(one, two)
    let heard = 0
    two.onWake('jobs', () => void heard++)
    await until(() => heard > 0, 'the other node listens')
    await server.kill()
    await fallback(one, two)
    heard = 0
    one.wake('jobs')
    await server.start()
    await until(() => heard > 0, 'the other node was called')
  })
})

withRedis('an account of Redis', () => {
  /** As docs/operate/redis.md gives it. */
  const rights = /`user simpul on >a-password ([^`]*)`/.exec(
    readFileSync(resolve(import.meta.dirname, '../../docs/operate/redis.md'), 'utf8'),
  )?.[1] as string

  test('that may do only what the page says is enough', async () => {
    await using server = await startRedis()
    await server.watch().call('ACL', 'SETUSER', 'simpul', 'on', '>a-password', ...rights.split(' '))
    await server.watch().call('ACL', 'SETUSER', 'default', 'resetkeys', '-@all')
    const url = `redis://simpul:a-password@127.0.0.1:${server.port}/2`
    await using one = shareOverRedis({ url })
    await using two = shareOverRedis({ url })
    await ok(one, two)
    const limit = { name: 'account', most: 3, windowSeconds: aMinute }
    expect([(await one.counter(limit)('a')).remaining, (await two.counter(limit)('a')).remaining]).toEqual([2, 1])
    let heard = 0
    two.onWake('jobs', () => void heard++)
    await until(() => heard > 0, 'the other node listens')
    heard = 0
    one.wake('jobs')
    await until(() => heard > 0, 'the other node hears')
  })

  test('with another password is as good as none, and nobody learns the one that was tried', async () => {
    await using server = await startRedis()
    await server.watch().config('SET', 'requirepass', 'the-right-one')
    const turns: LinkTurn[] = []
    await using node = shareOverRedis({ url: `redis://:the-wrong-one@127.0.0.1:${server.port}`, turned: turn => turns.push(turn) })
    await until(() => turns.length > 0, 'the state is told')
    await sleep(500)
    expect(turns).toEqual([{ state: 'fallback', lastedMs: expect.any(Number), code: 'WRONGPASS' }])
    expect((await node.counter({ name: 'refused', most: 1, windowSeconds: aMinute })('a')).allowed).toBe(true)
  })
})

describe('without a Redis', () => {
  test('a node starts, counts, wakes itself and ends', async () => {
    const turns: LinkTurn[] = []
    await using node = shareOverRedis({
      url: `redis://simpul:a-password@127.0.0.1:${await freePort()}`,
      turned: turn => turns.push(turn),
    })
    const count = node.counter({ name: 'never', most: 1, windowSeconds: aMinute })
    expect([(await count('a')).allowed, (await count('a')).allowed]).toEqual([true, false])
    let heard = 0
    node.onWake('jobs', () => void heard++)
    node.wake('jobs')
    expect(heard).toBe(1)
    await until(() => turns.length > 0, 'the state is told')
    expect(turns).toEqual([{ state: 'fallback', lastedMs: expect.any(Number), code: 'ECONNREFUSED' }])
    expect(JSON.stringify(turns)).not.toContain('a-password')
  })
})

withRedis('Redis', () => {
  test('holds counts that end by themselves, under keys that name nobody, and messages that say nothing', async () => {
    await using server = await startRedis()
    await using one = shareOverRedis({ url: server.url })
    await using two = shareOverRedis({ url: server.url })
    await ok(one, two)
    const watcher = server.watch()
    const listener = server.watch()
    const messages: string[] = []
    listener.on('pmessage', (_: string, channel: string, message: string) => messages.push(`${channel} ${message}`))
    await listener.psubscribe('*')
    const marks = ['198.51.100.7', '2001:db8::7', 'Budi Santoso', 'http://simpul.example/fhir/Patient?name=budi', 'eyJhbGciOi']
    for (const node of [one, two]) {
      const count = node.counter({ name: 'read', most: 2, windowSeconds: aMinute })
      for (const mark of marks) await count(mark)
      node.wake('jobs')
    }
    await until(() => messages.length >= 2, 'both messages came')
    const keys = await watcher.keys('*')
    expect(keys.length).toBeGreaterThanOrEqual(marks.length)
    for (const key of keys) {
      expect(key).toMatch(/^simpul:(rate:read:[\w-]{22}|probe:[0-9a-f-]{36})$/)
      expect(await watcher.get(key)).toMatch(/^\d+$/)
      expect(await watcher.ttl(key)).toBeGreaterThan(0)
    }
    for (const message of messages) expect(message).toMatch(/^simpul:wake:jobs [0-9a-f-]{36}$/)
  })
})
