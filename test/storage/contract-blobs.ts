/**
 * Blobs: large bytes in parts, nobody's until a plan adopts them.
 * @see storage-and-search.md 17
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Store } from '../../src/storage/port.ts'
import { newVersion, planOf } from '../support/versions.ts'
import { closing, create, held, nothing, type Open, valueOf } from './contract-store.ts'

const MiB = 1024 * 1024

/** Bytes that tell their place, made once. */
const placed = Uint8Array.from({ length: 6 * MiB }, (_, at) => (at * 31 + Math.floor(at / MiB) * 7) % 251)
const bytesOf = (size: number): Uint8Array => placed.subarray(0, size)

const inChunks = function* (bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const collected = async (chunks: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> => {
  const all: Uint8Array[] = []
  for await (const chunk of chunks ?? []) all.push(chunk)
  return Buffer.concat(all)
}
const readWhole = async (store: Store, id: string): Promise<Buffer | undefined> => {
  const found = await store.blobs.read(id)
  return found === undefined ? undefined : collected(found.bytes)
}

export const blobsContract = (name: string, open: Open): void => {
  describe(`${name}: blobs`, () => {
    const opened = closing(open)
    const written = async (store: Store, size: number): Promise<string> =>
      valueOf(await store.blobs.write(inChunks(bytesOf(size), 100_000))).id

    for (const size of [0, 1, MiB - 1, MiB, MiB + 1, 5 * MiB + 123]) {
      test(`${size} bytes come back as they went in`, async () => {
        const { store, reopen } = await opened()
        const info = valueOf(await store.blobs.write(inChunks(bytesOf(size), 70_000)))
        expect(info.size).toBe(size)
        await held(store, { ...nothing, blobs: [{ id: info.id }] })
        const again = await reopen()
        const found = await again.blobs.read(info.id)
        expect(found?.size).toBe(size)
        expect((await collected(found?.bytes)).equals(bytesOf(size))).toBe(true)
      })
    }

    test('any range is the bytes from its start up to its end', async () => {
      const { store } = await opened()
      const size = 3 * MiB + 5
      const bytes = Buffer.from(bytesOf(size))
      const id = await written(store, size)
      const edge = fc.constantFrom(0, 1, MiB - 1, MiB, MiB + 1, 2 * MiB, 3 * MiB, size - 1, size, size + 10)
      await fc.assert(
        fc.asyncProperty(edge, edge, async (start, end) => {
          const found = await store.blobs.read(id, { start, end })
          expect((await collected(found?.bytes)).equals(bytes.subarray(start, Math.max(start, end)))).toBe(true)
        }),
        { numRuns: 25 },
      )
      expect((await collected((await store.blobs.read(id, { start: size - 3 }))?.bytes)).equals(bytes.subarray(size - 3))).toBe(true)
    })

    test('a source larger than memory should hold goes through in pieces', async () => {
      const { store } = await opened()
      const chunk = new Uint8Array(256 * 1024).fill(7)
      let underWay = 0
      let most = 0
      const source = async function* () {
        for (let n = 0; n < 100; n++) {
          underWay = store.statistics().queued
          most = Math.max(most, underWay)
          yield chunk
        }
      }
      const info = valueOf(await store.blobs.write(source()))
      expect(info.size).toBe(25 * MiB)
      expect(most).toBeLessThanOrEqual(3)
      let size = 0
      for await (const part of (await store.blobs.read(info.id))?.bytes ?? []) {
        expect(part.length).toBeLessThanOrEqual(MiB)
        size += part.length
      }
      expect(size).toBe(info.size)
    })

    test('what its source throws is thrown, and nothing is left to read', async () => {
      const { store } = await opened()
      const source = function* () {
        yield bytesOf(2 * MiB)
        throw new Error('the line was cut')
      }
      await expect(store.blobs.write(source())).rejects.toThrow('the line was cut')
      expect(valueOf(await store.commit({ ...nothing, blobs: [{ id: '1' }] }))).toEqual({ held: false, blob: '1' })
    })

    test('a plan adopts a blob with its version, once', async () => {
      const { store } = await opened()
      const id = await written(store, 10)
      const owner = { type: 'Binary', id: 'b' }
      const done = await held(store, { ...planOf([newVersion({ ...owner })]), blobs: [{ id, owner }] })
      expect(await store.blobs.of(done.versions[0]?.seq ?? 0)).toEqual([{ id, size: 10 }])
      const again = { ...planOf([newVersion({ type: 'Binary', id: 'c' })]), blobs: [{ id, owner: { type: 'Binary', id: 'c' } }] }
      expect(valueOf(await store.commit(again))).toEqual({ held: false, blob: id })
      expect(await store.newest('Binary', 'c')).toBeUndefined()
    })

    test('a plan that does not hold adopts nothing', async () => {
      const { store } = await opened()
      await create(store, { id: 'a' })
      const id = await written(store, 10)
      expect(
        valueOf(await store.commit({ ...planOf([newVersion({ id: 'a' })]), blobs: [{ id, owner: { type: 'Patient', id: 'a' } }] })).held,
      ).toBe(false)
      expect((await held(store, { ...nothing, blobs: [{ id }] })).held).toBe(true)
    })

    test('a blob that is not there holds no plan, whatever its id', async () => {
      const { store } = await opened()
      for (const id of ['999', 'nonsense', '', '-1', '1e3'])
        expect(valueOf(await store.commit({ ...planOf([newVersion({ id: 'a' })]), blobs: [{ id }] })).held).toBe(false)
      expect(await store.blobs.read('nonsense')).toBeUndefined()
      expect((await store.blobs.remove('nonsense')).ok).toBe(true)
    })

    test('a removed blob can be read no more, not even to the end', async () => {
      const { store } = await opened()
      const id = await written(store, 3 * MiB)
      await held(store, { ...nothing, blobs: [{ id }] })
      const found = await store.blobs.read(id)
      const bytes = found?.bytes[Symbol.asyncIterator]()
      expect((await bytes?.next())?.done).toBe(false)
      expect((await store.blobs.remove(id)).ok).toBe(true)
      await expect(bytes?.next()).rejects.toThrow('removed')
      expect(await readWhole(store, id)).toBeUndefined()
      expect((await store.blobs.remove(id)).ok).toBe(true)
    })

    test('what nobody adopted for a day is removed, what was adopted stays', async () => {
      const { store, clock } = await opened()
      const orphan = await written(store, 2 * MiB)
      const kept = await written(store, 2 * MiB)
      await held(store, { ...nothing, blobs: [{ id: kept }] })
      clock.now += 23 * 3_600_000
      await create(store, { id: 'a' })
      expect((await readWhole(store, orphan))?.length).toBe(2 * MiB)
      clock.now += 2 * 3_600_000
      for (const id of ['b', 'c', 'd']) await create(store, { id })
      expect(await readWhole(store, orphan)).toBeUndefined()
      expect((await readWhole(store, kept))?.length).toBe(2 * MiB)
    })
  })
}
