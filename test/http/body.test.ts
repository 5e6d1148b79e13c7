/** rest-api.md 3 and 5: compression, sizes and time of bodies, over real sockets. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ok } from '../../src/base/outcome.ts'
import type { Body } from '../../src/interactions/request.ts'
import { startHttp, type TestServer } from '../support/http-server.ts'

const KiB = 1024
const MiB = 1024 * KiB
const fhir = { 'content-type': 'application/fhir+json' }

let server: TestServer
let seen: Body | undefined

/** With as much time for a body as ever: what is asked of this one is what arrives, and how large, on a machine however busy. */
beforeAll(async () => {
  server = await startHttp({
    limits: { resourceBytesMax: 4 * MiB, bundleBytesMax: 64 * MiB },
    perform: async request => {
      seen = request.body
      return ok({ status: 204 })
    },
  })
})

afterAll(() => server[Symbol.asyncDispose]())

const kindOf = (text: string): string => JSON.parse(text.slice(text.indexOf('{'))).issue[0].details.coding[0].code

const bytesSeen = (): string => Buffer.from(seen !== undefined && 'bytes' in seen ? seen.bytes : []).toString('utf8')

describe('a body arrives as it was before compression', () => {
  const text = JSON.stringify({ resourceType: 'Patient', name: [{ family: 'Ś😀'.repeat(500) }] })
  const encodings = {
    identity: Buffer.from(text),
    gzip: gzipSync(text),
    'x-gzip': gzipSync(text),
    deflate: deflateSync(text),
    br: brotliCompressSync(text),
    zstd: zstdCompressSync(text),
  }
  for (const [encoding, body] of Object.entries(encodings)) {
    test(encoding, async () => {
      expect(
        (await server.send({ method: 'POST', path: '/fhir/Patient', headers: { ...fhir, 'content-encoding': encoding }, body })).status,
      ).toBe(204)
      expect(bytesSeen()).toBe(text)
    })
  }

  test('deflate without its frame', async () => {
    await server.send({
      method: 'POST',
      path: '/fhir/Patient',
      headers: { ...fhir, 'content-encoding': 'deflate' },
      body: deflateRawSync(text),
    })
    expect(bytesSeen()).toBe(text)
  })

  test('in many chunks', async () => {
    const socket = connect(server.port, '127.0.0.1')
    socket.write(
      'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
    )
    for (const part of ['{"resource', 'Type":"Pat', 'ient"}']) {
      socket.write(`a\r\n${part.padEnd(10)}\r\n`)
      await pause(20)
    }
    socket.write('0\r\n\r\n')
    await new Promise(resolve => socket.resume().once('close', resolve))
    expect(bytesSeen().trim()).toBe('{"resourceType":"Patient"}')
  })
})

describe('a body beyond its bounds', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [what: string, path: string, headers: Record<string, string>, body: () => Uint8Array, kind: string, status: number])[] = [
    ['one byte too many',            '/Patient', fhir,                                   () => Buffer.alloc(4 * MiB + 1, 0x20),              'body-too-large',   413],
    ['too large, chunked',           '/Patient', { ...fhir, 'transfer-encoding': 'chunked' }, () => Buffer.alloc(5 * MiB, 0x20),             'body-too-large',   413],
    ['too large when decompressed',  '/Patient', { ...fhir, 'content-encoding': 'zstd' },  () => zstdCompressSync(randomText(5 * MiB)),      'body-too-large',   413],
    ['a gzip bomb',                  '/',        { ...fhir, 'content-encoding': 'gzip' }, () => gzipSync(Buffer.alloc(50 * MiB)),            'expands-too-much', 413],
    ['a zstd bomb',                  '/',        { ...fhir, 'content-encoding': 'zstd' }, () => zstdCompressSync(Buffer.alloc(50 * MiB)),    'expands-too-much', 413],
    ['a brotli bomb',                '/',        { ...fhir, 'content-encoding': 'br' },  () => brotliCompressSync(Buffer.alloc(20 * MiB)),   'expands-too-much', 413],
    ['half of a gzip',               '/Patient', { ...fhir, 'content-encoding': 'gzip' }, () => gzipSync(randomText(10 * KiB)).subarray(0, 3000), 'bad-compression', 400],
    ['gzip that is text',            '/Patient', { ...fhir, 'content-encoding': 'gzip' }, () => Buffer.from('{}'),                           'bad-compression',  400],
  ]
  for (const [what, path, headers, body, kind, status] of rows) {
    test(`${what} gets ${status} ${kind}`, async () => {
      const received = await server.send({ method: 'POST', path: `/fhir${path}`, headers, body: body() })
      expect([received.status, kindOf(received.text)]).toEqual([status, kind])
    })
  }

  test('one that fits to the byte is taken', async () => {
    expect((await server.send({ method: 'POST', path: '/fhir/Patient', headers: fhir, body: Buffer.alloc(4 * MiB, 0x20) })).status).toBe(
      204,
    )
  })

  test('the limit is told before the body is sent when the client waits for 100', async () => {
    const answer = await server.sendBytes(
      'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).not.toContain('100 Continue')
  })
})

describe('a slow or broken client', () => {
  const head = 'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n'

  let impatient: TestServer
  beforeAll(async () => {
    impatient = await startHttp({ limits: { bodyIdleMs: 200, bodyMs: 600 }, perform: async () => ok({ status: 204 }) })
  })
  afterAll(() => impatient[Symbol.asyncDispose]())

  test('that stops in the middle gets 408, and the connection closes', async () => {
    const answer = await impatient.sendBytes(`${head}{"resource`)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(kindOf(answer)).toBe('slow-body')
    expect(answer).toContain('Connection: close')
  })

  test('that trickles gets 408 although it never stops', async () => {
    const socket = connect(impatient.port, '127.0.0.1')
    let answer = ''
    socket.on('data', chunk => (answer += chunk.toString()))
    socket.on('error', () => {})
    socket.write(head)
    for (let sent = 0; sent < 30 && answer === ''; sent++) {
      socket.write(' ')
      await pause(50)
    }
    socket.destroy()
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('that leaves in the middle does no harm', async () => {
    const socket = connect(impatient.port, '127.0.0.1')
    socket.write(`${head}{"resource`)
    await pause(50)
    socket.destroy()
    await pause(50)
    expect((await impatient.send({ path: '/fhir/Patient/1' })).status).toBe(204)
    expect(impatient.lines.filter(({ event }) => event === 'bug')).toEqual([])
  })

  test('that leaves during the work aborts the signal of the deadline', async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<boolean>()
    await using slow = await startHttp({
      perform: (_request, { deadline }) =>
        new Promise(answer => {
          deadline.signal?.addEventListener('abort', () => {
            resolve(true)
            answer(ok({ status: 204 }))
          })
        }),
    })
    const socket = connect(slow.port, '127.0.0.1')
    socket.write('GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\n\r\n')
    await pause(50)
    socket.destroy()
    expect(await aborted).toBe(true)
  })
})

describe('all bodies together', () => {
  test('hold no more memory than they may; who comes too late is told to come again, and there is room when one leaves', async () => {
    await using small = await startHttp({ limits: { bodiesBytesMax: 3 * MiB } })
    const half = async (): Promise<Socket> => {
      const socket = connect(small.port, '127.0.0.1')
      socket.write(`POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Type: application/fhir+json\r\nContent-Length: ${2 * MiB}\r\n\r\n`)
      socket.write(Buffer.alloc(MiB + 1024, 0x20))
      await pause(100)
      return socket
    }
    const holding = [await half(), await half()]
    const whole = {
      method: 'POST',
      path: '/fhir/Patient',
      headers: { 'content-type': 'application/fhir+json' },
      body: Buffer.alloc(MiB + 1024, 0x20),
    }
    const refused = await small.send(whole)
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])
    expect(JSON.parse(refused.text)).toMatchObject({ issue: [{ code: 'transient', details: { coding: [{ code: 'overloaded' }] } }] })
    for (const socket of holding) socket.destroy()
    await pause(100)
    expect((await small.send(whole)).status).toBe(200)
  })

  test('give their room back when they are answered: many that succeed, one after the other, are never too many', async () => {
    await using small = await startHttp({ limits: { bodiesBytesMax: 3 * MiB } })
    for (let n = 0; n < 5; n++) {
      const body = Buffer.alloc(MiB, 0x20)
      const sent = { method: 'POST', path: '/fhir/Patient', headers: { 'content-type': 'application/fhir+json' }, body }
      expect((await small.send(sent)).status).toBe(200)
    }
  })
})

/** Text that compresses, but not by a factor of a hundred. */
function randomText(length: number): Buffer {
  return Buffer.from(randomBytes(length / 2).toString('hex'))
}
