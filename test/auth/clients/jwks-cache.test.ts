import { generateKeyPairSync } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { freshnessOf } from '../../../src/auth/clients/cache-control.ts'
import { createJwksCache } from '../../../src/auth/clients/jwks-cache.ts'
import { readKeySet } from '../../../src/auth/clients/key-set.ts'
import { createOutgoing } from '../../../src/auth/outgoing/outgoing.ts'

/** Keys that clients publish. @see auth.md 10.1, annex A.7 37 */

const publicJwk = (kid: string | undefined, options: { readonly bits?: number } = {}) => {
  const { publicKey } =
    options.bits === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-384' })
      : generateKeyPairSync('rsa', { modulusLength: options.bits })
  return { ...publicKey.export({ format: 'jwk' }), ...(kid === undefined ? {} : { kid }) }
}
const one = publicJwk('one')
const other = publicJwk('other')

let server: Server | undefined
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise(done => (server === undefined ? done(undefined) : server.close(done)))
  server = undefined
})

/** A cache before a real server, and a clock that the test moves. */
const cacheBefore = async (answer: (res: ServerResponse, req: IncomingMessage) => void) => {
  const clock = { now: 1_000_000 }
  let fetches = 0
  server = createServer((req, res) => {
    fetches += 1
    answer(res, req)
  })
  await new Promise<void>(done => server?.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  const cache = createJwksCache({ outgoing: createOutgoing({ loopback: true }), clock: () => clock.now })
  return { cache, url, clock, fetches: () => fetches }
}

const sent = (res: ServerResponse, keys: readonly object[], cacheControl?: string): void => {
  if (cacheControl !== undefined) res.setHeader('cache-control', cacheControl)
  res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }))
}
const kidsOf = (found: unknown): unknown =>
  typeof found === 'string' ? found : (found as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)

describe('Cache-Control', () => {
  const day = 86_400
  for (const [header, age, fresh, stale] of [
    [undefined, undefined, 0, day],
    ['max-age=60', undefined, 60, day],
    ['max-age=60', '45', 15, day],
    ['max-age=60', '90', 0, day],
    ['Max-Age=60, PUBLIC', undefined, 60, day],
    ['max-age="60"', undefined, 60, day],
    ['max-age=600, max-age=60', undefined, 60, day],
    ['max-age=999999999', undefined, day, day],
    ['max-age=abc', undefined, 0, day],
    ['max-age=-1', undefined, 0, day],
    ['no-store, max-age=60', undefined, 0, 0],
    ['no-cache, max-age=60', undefined, 0, 0],
    ['max-age=60, must-revalidate', undefined, 60, 0],
    ['max-age=60, stale-if-error=10', undefined, 60, 10],
  ] as const)
    test(`${header ?? 'none'}${age === undefined ? '' : ` at the age of ${age}`}: fresh ${fresh} s, stale ${stale} s`, () =>
      expect(freshnessOf(header, age)).toEqual({ freshSeconds: fresh, staleSeconds: stale }))
})

describe('a key set', () => {
  const rows: readonly (readonly [string, unknown, boolean])[] = [
    ['of one key', { keys: [one] }, true],
    ['of two keys', { keys: [one, other] }, true],
    ['with an RSA key of 2048 bits', { keys: [publicJwk('rsa', { bits: 2048 })] }, true],
    ['with an RSA key of 1024 bits', { keys: [publicJwk('rsa', { bits: 1024 })] }, false],
    ['with one kid twice', { keys: [one, { ...other, kid: 'one' }] }, false],
    ['with a key without kid', { keys: [one, publicJwk(undefined)] }, false],
    ['with a private key', { keys: [{ ...one, d: 'AAAA' }] }, false],
    ['with a symmetric key', { keys: [{ kty: 'oct', kid: 'k', k: 'AAAA' }] }, false],
    ['with a point that is not on its curve', { keys: [{ ...one, x: other.x }] }, false],
    ['without keys', { keys: [] }, false],
    ['that is a list', [one], false],
    ['of 51 keys', { keys: Array.from({ length: 51 }, (_, index) => ({ ...one, kid: String(index) })) }, false],
  ]
  for (const [what, json, good] of rows)
    test(`${what} is ${good ? 'taken' : 'refused'}`, () => expect(readKeySet(json) !== undefined).toBe(good))
})

describe('keys by URL', () => {
  test('A.7 37: a rotated key works at once under no-store', async () => {
    let keys = [one]
    const { cache, url, fetches } = await cacheBefore(res => sent(res, keys, 'no-store'))
    expect(kidsOf(await cache.keysAt(url))).toEqual(['one'])
    keys = [other]
    expect(kidsOf(await cache.keysAt(url))).toEqual(['other'])
    expect(fetches()).toBe(2)
  })

  test('A.7 37: within max-age they are asked for once, and after it again', async () => {
    const { cache, url, clock, fetches } = await cacheBefore(res => sent(res, [one], 'max-age=60'))
    await cache.keysAt(url)
    clock.now += 59_999
    await cache.keysAt(url)
    expect(fetches()).toBe(1)
    clock.now += 1
    await cache.keysAt(url)
    expect(fetches()).toBe(2)
  })

  test('A.7 37: a key that the remembered set does not have is asked for before max-age, every 10 seconds at most', async () => {
    let keys = [one]
    const { cache, url, clock, fetches } = await cacheBefore(res => sent(res, keys, 'max-age=3600'))
    await cache.keysAt(url, 'one')
    keys = [one, other]
    expect(kidsOf(await cache.keysAt(url, 'other'))).toEqual(['one'])
    clock.now += 10_000
    expect(kidsOf(await cache.keysAt(url, 'one'))).toEqual(['one'])
    expect(fetches()).toBe(1)
    expect(kidsOf(await cache.keysAt(url, 'other'))).toEqual(['one', 'other'])
    for (let n = 0; n < 5; n++) await cache.keysAt(url, 'none')
    expect(fetches()).toBe(2)
  })

  test('one fetch is under way at most, and all who wait get its answer', async () => {
    const { cache, url, fetches } = await cacheBefore(res => void setTimeout(() => sent(res, [one], 'no-store'), 20))
    const found = await Promise.all(Array.from({ length: 20 }, () => cache.keysAt(url)))
    expect(found.map(kidsOf)).toEqual(Array.from({ length: 20 }, () => ['one']))
    expect(fetches()).toBe(1)
  })

  const failing = async (cacheControl: string | undefined) => {
    let away = false
    const all = await cacheBefore(res => (away ? void res.writeHead(500).end() : sent(res, [one], cacheControl)))
    await all.cache.keysAt(all.url)
    away = true
    return all
  }

  test('while their source is away the last ones go on for 60 seconds', async () => {
    const { cache, url, clock } = await failing('max-age=10')
    clock.now += 30_000
    expect(kidsOf(await cache.keysAt(url))).toEqual(['one'])
    clock.now += 59_999
    expect(kidsOf(await cache.keysAt(url))).toEqual(['one'])
    clock.now += 1
    expect(await cache.keysAt(url)).toBe('keys-unreachable')
    expect(await cache.keysAt(url)).toBe('keys-unreachable')
  })

  for (const [header, ms] of [
    ['no-store', 0],
    ['max-age=10, must-revalidate', 10_000],
    ['max-age=10, stale-if-error=5', 15_000],
  ] as const)
    test(`never longer than ${header} allows`, async () => {
      const { cache, url, clock } = await failing(header)
      clock.now += ms
      expect(await cache.keysAt(url)).toBe('keys-unreachable')
    })

  const refused: readonly (readonly [string, (res: ServerResponse) => void, string])[] = [
    ['is no JSON', res => void res.end('<html>'), 'keys-malformed'],
    ['has one kid twice', res => sent(res, [one, { ...other, kid: 'one' }]), 'keys-malformed'],
    ['is larger than 64 KiB', res => void res.end(`"${'x'.repeat(65_536)}"`), 'keys-unreachable'],
    ['answers 404', res => void res.writeHead(404).end(), 'keys-unreachable'],
    ['redirects', res => void res.writeHead(302, { location: '/other' }).end(), 'keys-unreachable'],
  ]
  for (const [what, answer, why] of refused)
    test(`a source that ${what} gives none`, async () => {
      const { cache, url } = await cacheBefore(answer)
      expect(await cache.keysAt(url)).toBe(why)
    })

  test('a set that became malformed is not stood in for by the one before', async () => {
    let keys: readonly object[] = [one]
    const { cache, url } = await cacheBefore(res => sent(res, keys))
    await cache.keysAt(url)
    keys = []
    expect(await cache.keysAt(url)).toBe('keys-malformed')
    expect(kidsOf(await cache.keysAt(url))).toBe('keys-malformed')
  })

  test('an address inside the house is not gone to', async () => {
    const cache = createJwksCache({ outgoing: createOutgoing(), clock: () => 0 })
    expect(await cache.keysAt('https://192.168.0.1/jwks')).toBe('keys-refused')
  })
})
