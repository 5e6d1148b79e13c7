/**
 * The whole of a store, to be moved: every version, and all rows beside them, into another store of whatever engine.
 * @see docs/operate/copy.md
 */
import { describe, expect, test } from '@jest/globals'
import { besideOrder } from '../../src/storage/beside-order.ts'
import type { Beside, LoadedBeside, RecordDefinition, Store, StoredVersion } from '../../src/storage/port.ts'
import { newVersion, planOf } from '../support/versions.ts'
import { closing, create, held, idsOf, next, nothing, type Open, valueOf } from './contract-store.ts'

type Job = { readonly id: string; readonly state: string; readonly slot?: number; readonly until?: number }
const jobs = { name: 'jobs', key: 'id', indexes: { by_state: ['state'] }, unique: { by_slot: ['slot'] }, expires: 'until' } as const
const log = { name: 'log', key: 'id', appendOnly: true, ordered: true } as const
const definitions: readonly RecordDefinition[] = [jobs, log]

const MiB = 1024 * 1024
const collected = async <T>(blocks: AsyncIterable<readonly T[]>): Promise<T[]> => {
  const all: T[] = []
  for await (const block of blocks) all.push(...block)
  return all
}

/** Blobs too, part by part. */
const loadAll = async (from: Store, to: Store): Promise<void> => {
  for (const row of await collected(from.beside())) {
    if (row.kind === 'blob') {
      let n = 0
      for await (const bytes of (await from.blobs.read(row.key))?.bytes ?? [])
        valueOf(await to.loadBeside([{ kind: 'part', key: row.key, n: n++, bytes }]))
    }
    valueOf(await to.loadBeside([row]))
  }
}

export const besideContract = (name: string, open: Open): void => {
  describe(`${name}: every version`, () => {
    const opened = closing(open)

    test('by seq, superseded ones and deletions too, between two seqs', async () => {
      const { store } = await opened()
      const a = await create(store, { id: 'a' })
      const o = await create(store, { type: 'Observation', id: 'o' })
      const a2 = await next(store, a)
      const o2 = await next(store, o, { method: 'DELETE' })
      const all = await collected(store.versions({ upTo: Number.MAX_SAFE_INTEGER }))
      expect(all).toEqual([a, o, a2, o2])
      expect(await collected(store.versions({ upTo: a2.seq, after: a.seq }))).toEqual([o, a2])
      expect(await collected(store.versions({ upTo: a.seq - 1 }))).toEqual([])
    })

    test('in blocks, while others write', async () => {
      const { store } = await opened()
      const done = await held(store, planOf(Array.from({ length: 1200 }, (_, n) => newVersion({ id: `p${n}` }))))
      const upTo = done.versions.at(-1)?.seq ?? 0
      const seen: StoredVersion[] = []
      let blocks = 0
      for await (const block of store.versions({ upTo })) {
        blocks++
        seen.push(...block)
        await next(store, (await store.newest('Patient', `p${1199 - blocks}`)) as StoredVersion, { method: 'DELETE' })
      }
      expect(idsOf(seen)).toEqual(Array.from({ length: 1200 }, (_, n) => `p${n}/1`))
      expect(blocks).toBeGreaterThan(1)
    })
  })

  describe(`${name}: what lies beside`, () => {
    const opened = closing(open)

    /** Some of everything. */
    const filled = async () => {
      const { store, clock } = await opened(definitions)
      const owner = { type: 'Binary', id: 'b' }
      const owned = valueOf(await store.blobs.write([new Uint8Array(MiB + 5).fill(7)])).id
      const free = valueOf(await store.blobs.write([new TextEncoder().encode('free')])).id
      const empty = valueOf(await store.blobs.write([])).id
      await store.blobs.write([new Uint8Array(3)])
      const done = await held(store, {
        ...planOf([newVersion(owner), newVersion({ id: 'u' })]),
        once: 'import 1',
        unique: [{ key: 'number 1', owner: 'Patient/u' }],
        counters: [{ key: 'queue' }, { key: 'queue' }, { key: 'é' }],
        records: [{ record: 'jobs', put: { id: 'é', state: 'waiting', slot: 1, more: { list: [1.5, null, 'x'] } } }],
        blobs: [{ id: owned, owner }, { id: free }, { id: empty }],
      })
      await held(store, {
        ...nothing,
        records: [
          { record: 'jobs', put: { id: 'b', state: 'waiting', slot: 2 } },
          { record: 'jobs', put: { id: 'over', state: 'waiting', until: clock.now - 1 } },
          { record: 'log', put: { id: '1', text: 'kept' } },
        ],
      })
      valueOf(await store.records<Job>(jobs).take('key', 1, 60_000))
      return { store, clock, owned, free, empty, seq: done.versions[0]?.seq ?? 0 }
    }

    test('is told row by row, in one order; what expired or was adopted by nobody is not', async () => {
      const { store, owned, free, empty, seq } = await filled()
      const rows = await collected(store.beside())
      expect(rows.toSorted(besideOrder)).toEqual(rows)
      expect(rows.map(({ kind, key }) => [kind, key])).toEqual([
        ...[owned, free, empty].toSorted().map(id => ['blob', id]),
        ['counter', 'queue'],
        ['counter', 'é'],
        ['once', 'import 1'],
        ['record', 'b'],
        ['record', 'é'],
        ['record', '1'],
        ['unique', 'number 1'],
      ])
      expect(rows).toContainEqual({ kind: 'blob', key: owned, size: MiB + 5, owner: seq })
      expect(rows).toContainEqual({ kind: 'blob', key: free, size: 4, owner: 0 })
      expect(rows).toContainEqual({ kind: 'counter', key: 'queue', value: 2 })
      expect(rows).toContainEqual({ kind: 'unique', key: 'number 1', owner: 'Patient/u' })
      const job = rows.find((row): row is Extract<Beside, { kind: 'record' }> => row.kind === 'record' && row.key === 'é')
      expect(job).toMatchObject({ record: 'jobs', times: 0, lease: 0, leasedUntil: 0 })
      expect(job?.text).toBe('{"id":"é","state":"waiting","slot":1,"more":{"list":[1.5,null,"x"]}}')
      expect(job?.revision).toBe((await store.records<Job>(jobs).get('é'))?.revision)
    })

    test('is the same in the store it is loaded into, however often, and after a restart', async () => {
      const { store } = await filled()
      const { store: copy, reopen } = await opened(definitions)
      await loadAll(store, copy)
      await loadAll(store, copy)
      const rows = await collected(store.beside())
      expect(await collected(copy.beside())).toEqual(rows)
      const again = await reopen(definitions)
      expect(await collected(again.beside())).toEqual(rows)
    })

    test('means the same there', async () => {
      const { store, clock, owned, seq } = await filled()
      const { store: copy, clock: copyClock } = await opened(definitions)
      copyClock.now = clock.now
      const versions = await collected(store.versions({ upTo: Number.MAX_SAFE_INTEGER }))
      const access = { patients: [], organizations: [], authors: [], confidentiality: 2 }
      const values = newVersion({ id: 'x' }).values
      expect(valueOf(await copy.load(versions.map(one => ({ ...one, ...access, ...(values === undefined ? {} : { values }) })))).held).toBe(
        true,
      )
      await loadAll(store, copy)
      expect(valueOf(await copy.commit({ ...nothing, once: 'import 1' }))).toEqual({ held: false, taken: 'import 1' })
      const other = { ...planOf([newVersion({ id: 'other' })]), unique: [{ key: 'number 1', owner: 'Patient/other' }] }
      expect(valueOf(await copy.commit(other))).toMatchObject({ held: false, taken: 'number 1' })
      expect(await copy.nextNumber('queue')).toBe(3)
      expect(await copy.blobs.of(seq)).toEqual([{ id: owned, size: MiB + 5 }])
      const bytes: Uint8Array[] = []
      for await (const part of (await copy.blobs.read(owned))?.bytes ?? []) bytes.push(part)
      expect(Buffer.concat(bytes).equals(Buffer.alloc(MiB + 5, 7))).toBe(true)
      const kept = copy.records<Job>(jobs)
      expect(valueOf(await kept.take('key', 5, 1_000)).map(({ key, times }) => [key, times])).toEqual([['é', 1]])
      copyClock.now += 60_001
      expect(valueOf(await kept.take('key', 5, 1_000)).map(({ key, times }) => [key, times])).toEqual([
        ['b', 2],
        ['é', 2],
      ])
    })

    test('revisions given later lie beyond those loaded, though the clock is behind', async () => {
      const { store, clock } = await filled()
      const { store: copy, clock: behind } = await opened(definitions)
      await loadAll(store, copy)
      behind.now = clock.now - 3_600_000
      const before = (await copy.records<Job>(jobs).get('é'))?.revision ?? 0
      const put = valueOf(await copy.records<Job>(jobs).put({ id: 'é', state: 'done' }, before))
      expect(put.held && put.revision > before).toBe(true)
    })

    test('rows that are gone are removed, of every kind', async () => {
      const { store, owned } = await filled()
      const rows = await collected(store.beside())
      const gone: LoadedBeside[] = rows.map(row => ({
        kind: row.kind,
        key: row.key,
        ...(row.kind === 'record' ? { record: row.record } : {}),
        gone: true,
      }))
      valueOf(await store.loadBeside(gone))
      expect(await collected(store.beside())).toEqual([])
      expect(await store.blobs.read(owned)).toBeUndefined()
      valueOf(await store.loadBeside(gone))
      expect(valueOf(await store.commit({ ...nothing, once: 'import 1' })).held).toBe(true)
      expect(await store.nextNumber('queue')).toBe(1)
    })

    test('records may change places in a unique index', async () => {
      const { store } = await filled()
      const { store: copy } = await opened(definitions)
      await loadAll(store, copy)
      const kept = store.records<Job>(jobs)
      await kept.put({ id: 'b', state: 'moving' })
      await kept.put({ id: 'é', state: 'waiting', slot: 2 })
      await kept.put({ id: 'b', state: 'waiting', slot: 1 })
      await loadAll(store, copy)
      expect(await collected(copy.beside())).toEqual(await collected(store.beside()))
    })

    test('a blob without all of its parts is not there', async () => {
      const { store } = await opened(definitions)
      valueOf(await store.loadBeside([{ kind: 'part', key: 'half', n: 0, bytes: new Uint8Array(10) }]))
      expect(await store.blobs.read('half')).toBeUndefined()
      await expect(store.loadBeside([{ kind: 'blob', key: 'half', size: 11, owner: 0 }])).rejects.toThrow('lacks parts')
      expect(await store.blobs.read('half')).toBeUndefined()
      valueOf(await store.loadBeside([{ kind: 'part', key: 'half', n: 0, bytes: new Uint8Array(12) }]))
      valueOf(await store.loadBeside([{ kind: 'blob', key: 'half', size: 12, owner: 0 }]))
      expect((await store.blobs.read('half'))?.size).toBe(12)
    })

    test('ids of blobs from elsewhere never become those of new ones', async () => {
      const { store } = await opened(definitions)
      for (const key of ['7', 'a-b', '9'])
        valueOf(
          await store.loadBeside([
            { kind: 'part', key, n: 0, bytes: new TextEncoder().encode(key) },
            { kind: 'blob', key, size: key.length, owner: 0 },
          ]),
        )
      const ids = new Set(['7', 'a-b', '9'])
      for (let n = 0; n < 12; n++) {
        const { id } = valueOf(await store.blobs.write([new Uint8Array(20)]))
        expect(ids.has(id)).toBe(false)
        ids.add(id)
      }
      for (const key of ['7', 'a-b', '9']) expect((await store.blobs.read(key))?.size).toBe(key.length)
      await store.blobs.remove('7')
      expect(await store.blobs.read('7')).toBeUndefined()
      expect((await store.blobs.read('9'))?.size).toBe(1)
    })

    test('many rows come in blocks', async () => {
      const { store } = await opened(definitions)
      const rows = Array.from({ length: 2_300 }, (_, n) => ({ kind: 'once', key: `k${String(n).padStart(5, '0')}` }) as const)
      for (let n = 0; n < rows.length; n += 1_000) valueOf(await store.loadBeside(rows.slice(n, n + 1_000)))
      expect(await collected(store.beside())).toEqual(rows)
    })
  })
}
