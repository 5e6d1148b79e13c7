/**
 * Records: documents of rooms, beside resources and in their transactions.
 * @see storage-and-search.md 17
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { RecordDefinition, Records, RecordWrite, Store, TakenRecord } from '../../src/storage/port.ts'
import { newVersion, planOf } from '../support/versions.ts'
import { closing, held, nothing, type Open, valueOf } from './contract-store.ts'

type Job = {
  readonly id: string
  readonly queue?: string
  readonly due?: number
  readonly note?: string
  readonly who?: { readonly name: string }
}
type Account = { readonly login: string; readonly email?: string; readonly ends?: number }

const jobs: RecordDefinition = { name: 'jobs', key: 'id', indexes: { due: ['queue', 'due'], name: ['who.name'] } }
const accounts: RecordDefinition = { name: 'accounts', key: 'login', unique: { email: ['email'] }, expires: 'ends' }
const audit: RecordDefinition = { name: 'audit_log', key: 'id', appendOnly: true, ordered: true }
const all = [jobs, accounts, audit]

const jobsOf = (store: Store): Records<Job> => store.records<Job>(jobs)
const keysOf = (rows: readonly { readonly key: string }[]): string[] => rows.map(row => row.key)
const put = (record: string, value: object, expected?: number | 'none'): RecordWrite => ({
  record,
  put: value,
  ...(expected === undefined ? {} : { expected }),
})

export const recordsContract = (name: string, open: Open): void => {
  describe(`${name}: records`, () => {
    const opened = closing(records => open(records ?? all))
    const queued = async (store: Store, count: number, queue = 'mail'): Promise<void> => {
      await held(store, {
        ...nothing,
        records: Array.from({ length: count }, (_, n) => put('jobs', { id: `${queue}${String(n).padStart(4, '0')}`, queue, due: n })),
      })
    }
    const taken = async (store: Store, n: number, leaseMs = 1000): Promise<readonly TakenRecord<Job>[]> =>
      valueOf(await jobsOf(store).take('due', n, leaseMs))

    test('a record is what was put last, with a revision of its own', async () => {
      const { store } = await opened()
      const records = jobsOf(store)
      expect(await records.get('a')).toBeUndefined()
      const first = valueOf(await records.put({ id: 'a', note: 'satu "é" 漢 😀 \u0000' }))
      const read = await records.get('a')
      expect(read).toEqual({ key: 'a', value: { id: 'a', note: 'satu "é" 漢 😀 \u0000' }, revision: first.held && first.revision })
      const second = valueOf(await records.put({ id: 'a', queue: 'mail' }))
      expect(second.held && first.held && second.revision > first.revision).toBe(true)
      expect((await records.get('a'))?.value).toEqual({ id: 'a', queue: 'mail' })
    })

    test('a document comes back as its JSON says, whatever stands in it', async () => {
      const { store } = await opened()
      const records = store.records<{ id: string }>(jobs)
      const documents: readonly object[] = [
        { $set: { a: 1 }, $ref: 'x', $id: 'y', 'a.b': 1, '': 2, 'n\u0000': 3 },
        { _bsontype: 'ObjectId', _id: { _bsontype: 'Long' }, toBSON: 1 },
        { lone: '\ud800', high: '\u{10ffff}', nul: '\u0000' },
        { numbers: [0, -1.5, 2 ** 31, 2 ** 53, 2 ** 60, 1e300, 5e-324], none: null, yes: true, no: false, lists: [[], [[]], {}] },
        { '10': 'b', '9': 'a', z: 1, a: 2 },
        { many: Array.from({ length: 400_000 }, () => 1) },
        { deep: JSON.parse('[{"a":'.repeat(150) + '1' + '}]'.repeat(150)) as unknown },
      ]
      for (const [n, document] of documents.entries()) await records.put({ ...document, id: `${n}`, queue: 'mail', due: n } as never)
      for (const [n, document] of documents.entries()) {
        const value = (await records.get(`${n}`))?.value
        expect(JSON.stringify(value)).toBe(JSON.stringify({ ...document, id: `${n}`, queue: 'mail', due: n }))
      }
      expect(keysOf((await jobsOf(store).range('due', { limit: 10, from: ['mail'] })).rows)).toEqual(documents.map((_, n) => `${n}`))
    })

    test('a put holds only on the revision it expects', async () => {
      const { store } = await opened()
      const records = jobsOf(store)
      expect(valueOf(await records.put({ id: 'a' }, 1)).held).toBe(false)
      const first = valueOf(await records.put({ id: 'a' }, 'none'))
      expect(valueOf(await records.put({ id: 'a', note: 'x' }, 'none')).held).toBe(false)
      const revision = first.held ? first.revision : 0
      expect(valueOf(await records.put({ id: 'a', note: 'y' }, revision)).held).toBe(true)
      expect(valueOf(await records.put({ id: 'a', note: 'z' }, revision)).held).toBe(false)
      expect((await records.get('a'))?.value.note).toBe('y')
    })

    test('of many puts on one revision exactly one holds', async () => {
      const { store } = await opened()
      const records = jobsOf(store)
      const done = await Promise.all(Array.from({ length: 30 }, (_, n) => records.put({ id: 'a', note: `${n}` }, 'none')))
      expect(done.filter(one => valueOf(one).held).length).toBe(1)
    })

    test('a deleted record is gone, and its revision never comes again', async () => {
      const { store, reopen } = await opened()
      const first = valueOf(await jobsOf(store).put({ id: 'a' }))
      const revision = first.held ? first.revision : 0
      expect(valueOf(await jobsOf(store).delete('a', revision + 1)).held).toBe(false)
      expect(valueOf(await jobsOf(store).delete('a', revision)).held).toBe(true)
      expect(await jobsOf(store).get('a')).toBeUndefined()
      expect(valueOf(await jobsOf(store).delete('a')).held).toBe(true)
      const again = await reopen()
      const second = valueOf(await jobsOf(again).put({ id: 'a' }, 'none'))
      expect(second.held && second.revision > revision).toBe(true)
    })

    test('records are there after reopening', async () => {
      const { store, reopen } = await opened()
      await queued(store, 3)
      const again = await reopen()
      expect((await jobsOf(again).range('due', { limit: 10 })).rows.length).toBe(3)
    })

    test('records of a plan stand and fall with it', async () => {
      const { store } = await opened()
      const plan = { ...planOf([newVersion({ id: 'p' })]), records: [put('jobs', { id: 'a' }), put('audit_log', { id: 'e1' })] }
      const done = await held(store, plan)
      expect(done.revision).toBe(done.versions[0]?.seq)
      expect((await jobsOf(store).get('a'))?.revision).toBe(done.revision)
      expect(valueOf(await store.commit({ ...plan, records: [put('jobs', { id: 'b' })] }))).toEqual({ held: false })
      expect(await jobsOf(store).get('b')).toBeUndefined()
      const refused = valueOf(
        await store.commit({ ...planOf([newVersion({ id: 'q' })]), records: [put('jobs', { id: 'c' }), put('jobs', { id: 'a' }, 'none')] }),
      )
      expect(refused).toEqual({ held: false, record: { record: 'jobs', key: 'a' } })
      expect(await jobsOf(store).get('c')).toBeUndefined()
      expect(await store.newest('Patient', 'q')).toBeUndefined()
    })

    test('writes of a plan see those before them', async () => {
      const { store } = await opened()
      await held(store, {
        ...nothing,
        records: [
          put('accounts', { login: 'a', email: 'x' }),
          { record: 'accounts', delete: 'a' },
          put('accounts', { login: 'b', email: 'x' }, 'none'),
        ],
      })
      expect(await store.records<Account>(accounts).get('a')).toBeUndefined()
      expect((await store.records<Account>(accounts).get('b'))?.value.email).toBe('x')
    })

    test('a unique index lets each value in once, and those without it as often as they come', async () => {
      const { store } = await opened()
      const records = store.records<Account>(accounts)
      expect(valueOf(await records.put({ login: 'a', email: 'x' })).held).toBe(true)
      expect(valueOf(await records.put({ login: 'b', email: 'x' }))).toEqual({ held: false, unique: 'email' })
      expect(valueOf(await records.put({ login: 'a', email: 'x' })).held).toBe(true)
      expect(valueOf(await records.put({ login: 'c' })).held && valueOf(await records.put({ login: 'd' })).held).toBe(true)
      await records.put({ login: 'a', email: 'y' })
      expect(valueOf(await records.put({ login: 'b', email: 'x' })).held).toBe(true)
      expect(keysOf((await records.range('email', { limit: 10 })).rows)).toEqual(['b', 'a'])
    })

    test('a range is in the order of its index: numbers before text, text by its bytes, equal ones by key', async () => {
      const { store } = await opened()
      const dues: readonly (readonly [string, string, number])[] = [
        ['e', 'b', 1],
        ['d', 'a', 10],
        ['c', 'a', 2],
        ['b', 'a', 2],
        ['a', 'B', 3],
        ['f', 'é', -1.5],
      ]
      await held(store, { ...nothing, records: dues.map(([id, queue, due]) => put('jobs', { id, queue, due })) })
      await jobsOf(store).put({ id: 'without', queue: 'a' })
      expect(keysOf((await jobsOf(store).range('due', { limit: 10 })).rows)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
      expect(keysOf((await jobsOf(store).range('due', { limit: 10, descending: true })).rows)).toEqual(['f', 'e', 'd', 'c', 'b', 'a'])
      expect(keysOf((await jobsOf(store).range('due', { limit: 10, from: ['a', 2], to: ['a', 2] })).rows)).toEqual(['b', 'c'])
      expect(keysOf((await jobsOf(store).range('due', { limit: 10, from: ['a'], to: ['a'] })).rows)).toEqual(['b', 'c', 'd'])
      expect(keysOf((await jobsOf(store).range('key', { limit: 3, from: ['e'] })).rows)).toEqual(['e', 'f', 'without'])
    })

    test('pages of a range have neither gap nor repeat, in both directions, whatever is in it', async () => {
      const row = fc.record({ queue: fc.constantFrom('a', 'b', 'c'), due: fc.integer({ min: 0, max: 3 }) })
      await fc.assert(
        fc.asyncProperty(
          fc.array(row, { maxLength: 25 }),
          fc.integer({ min: 1, max: 7 }),
          fc.boolean(),
          async (rows, limit, descending) => {
            const { store } = await opened()
            const values = rows.map((one, n) => ({ id: String.fromCharCode(97 + n), ...one }))
            await held(store, { ...nothing, records: values.map(value => put('jobs', value)) })
            const bounds = { from: ['a', 1], to: ['b'] }
            const expected = values
              .filter(({ queue, due }) => queue === 'b' || (queue === 'a' && due >= 1))
              .toSorted((x, y) => (`${x.queue}${x.due}${x.id}` < `${y.queue}${y.due}${y.id}` ? -1 : 1) * (descending ? -1 : 1))
            const seen: string[] = []
            for (let after: readonly (string | number)[] | undefined, more = true; more; ) {
              const page = await jobsOf(store).range('due', { ...bounds, limit, descending, ...(after === undefined ? {} : { after }) })
              expect(page.rows.length).toBeLessThanOrEqual(limit)
              seen.push(...keysOf(page.rows))
              after = page.rows.at(-1)?.position
              more = page.more
            }
            expect(seen).toEqual(expected.map(({ id }) => id))
          },
        ),
        { numRuns: 12 },
      )
    })

    test('bounds that leave nothing between them, or hold any characters, are bounds all the same', async () => {
      const { store } = await opened()
      await held(store, {
        ...nothing,
        records: ['a', 'a\u0001', 'b', '\u{ffff}', '\u{10000}'].map((queue, due) => put('jobs', { id: `${due}`, queue, due })),
      })
      const found = async (bounds: object) => keysOf((await jobsOf(store).range('due', { limit: 9, ...bounds })).rows).join('')
      expect(await found({ from: ['b'], to: ['a'] })).toBe('')
      expect(await found({ from: ['a', 1], to: ['a', 0], descending: true })).toBe('')
      expect(await found({ from: ['a', 0, '0'], to: ['a', 0, '0'] })).toBe('0')
      expect(await found({ from: ['a\u0000'], to: ['b'] })).toBe('12')
      expect(await found({ from: [0], to: [9] })).toBe('')
      expect(await found({ from: ['\u{e000}'] })).toBe('34')
      expect(await found({ to: ['a', 'x'] })).toBe('0')
      expect(await found({ from: ['b'], after: ['b', 2, '2'] })).toBe('34')
      await expect(found({ from: ['a', 1, '1', 'more'] })).rejects.toThrow('has 3 values')
      await expect(found({ after: ['a'] })).rejects.toThrow('has 3 values')
    })

    test('a member within a member can be looked up', async () => {
      const { store } = await opened()
      await jobsOf(store).put({ id: 'a', who: { name: 'Budi' } })
      expect(keysOf((await jobsOf(store).range('name', { from: ['Budi'], to: ['Budi'], limit: 5 })).rows)).toEqual(['a'])
    })

    test('ordered records come by the plans that wrote them, and up to the horizon no more appear', async () => {
      const { store } = await opened()
      const events = store.records<{ id: string }>(audit)
      for (const id of ['c', 'a']) await events.put({ id })
      await held(store, { ...planOf([newVersion({ id: 'p' })]), records: ['z', 'b'].map(id => put('audit_log', { id })) })
      const page = await events.range('seq', { limit: 10 })
      expect(keysOf(page.rows)).toEqual(['c', 'a', 'b', 'z'])
      await store.horizon()
      await events.put({ id: '0' })
      expect(keysOf((await events.range('seq', { limit: 10, after: page.rows.at(-1)?.position ?? [] })).rows)).toEqual(['0'])
    })

    test('append-only records are never changed, and deleted by retention alone', async () => {
      const { store } = await opened()
      const events = store.records<{ id: string; what?: string }>(audit)
      await events.put({ id: 'a' })
      expect(valueOf(await events.put({ id: 'a', what: 'other' })).held).toBe(false)
      await expect(events.delete('a')).rejects.toThrow('append-only')
      expect((await events.get('a'))?.value).toEqual({ id: 'a' })
      await held(store, { ...nothing, records: [{ record: 'audit_log', delete: 'a', retention: true }] })
      expect(await events.get('a')).toBeUndefined()
    })

    test('a record whose time is over is as if it were not there', async () => {
      const { store, clock } = await opened()
      const records = store.records<Account>(accounts)
      await records.put({ login: 'a', email: 'x', ends: clock.now + 1000 })
      await records.put({ login: 'kept', email: 'y' })
      expect(valueOf(await records.put({ login: 'a' }, 'none')).held).toBe(false)
      clock.now += 1000
      expect(await records.get('a')).toBeUndefined()
      expect(keysOf((await records.range('email', { limit: 10 })).rows)).toEqual(['kept'])
      expect(valueOf(await records.put({ login: 'b', email: 'x', ends: clock.now + 1000 })).held).toBe(true)
      expect(valueOf(await records.put({ login: 'a' }, 'none')).held).toBe(true)
    })

    test('of those that take at once nobody is given what another has', async () => {
      const { store } = await opened()
      await queued(store, 50)
      const rounds = await Promise.all(Array.from({ length: 8 }, () => taken(store, 8)))
      const given = keysOf(rounds.flat())
      expect(given.length).toBe(50)
      expect(new Set(given).size).toBe(50)
      expect(keysOf(rounds[0] ?? [])).toEqual(Array.from({ length: 8 }, (_, n) => `mail000${n}`))
    })

    test('takes in the order of the index, within bounds', async () => {
      const { store } = await opened()
      await queued(store, 5, 'mail')
      await queued(store, 5, 'hl7')
      expect(keysOf(valueOf(await jobsOf(store).take('due', 10, 1000, { from: ['mail'], to: ['mail', 2] })))).toEqual([
        'mail0000',
        'mail0001',
        'mail0002',
      ])
    })

    test('large documents are read and handed out in fewer at a time, and all of them in the end', async () => {
      const { store } = await opened()
      for (let n = 0; n < 5; n++) await jobsOf(store).put({ id: `${n}`, queue: 'mail', due: n, note: 'x'.repeat(3_500_000) })
      const page = await jobsOf(store).range('due', { limit: 5 })
      expect([page.rows.length, page.more]).toEqual([3, true])
      expect(keysOf((await jobsOf(store).range('due', { limit: 5, after: page.rows.at(-1)?.position ?? [] })).rows)).toEqual(['3', '4'])
      expect([keysOf(await taken(store, 5)), keysOf(await taken(store, 5)), await taken(store, 5)]).toEqual([
        ['0', '1', '2'],
        ['3', '4'],
        [],
      ])
    })

    test('a lease that ended lets others take, and the first holder can no longer act', async () => {
      const { store, clock } = await opened()
      await queued(store, 1)
      const [first] = await taken(store, 1, 1000)
      expect(first?.times).toBe(1)
      expect(await taken(store, 1)).toEqual([])
      clock.now += 1000
      const [second] = await taken(store, 1, 1000)
      expect(second?.times).toBe(2)
      if (first === undefined || second === undefined) throw new Error('nothing was taken')
      expect(second.lease).toBeGreaterThan(first.lease)
      expect(valueOf(await jobsOf(store).finish(first)).held).toBe(false)
      expect(valueOf(await jobsOf(store).renew(first, 1000)).held).toBe(false)
      expect(valueOf(await jobsOf(store).release(first, { id: first.key, note: 'late' })).held).toBe(false)
      expect(valueOf(await jobsOf(store).finish(second)).held).toBe(true)
      expect(await jobsOf(store).get(second.key)).toBeUndefined()
    })

    test('a lease can be renewed, also when it ended and nobody else took it', async () => {
      const { store, clock } = await opened()
      await queued(store, 1)
      const [one] = await taken(store, 1, 1000)
      if (one === undefined) throw new Error('nothing was taken')
      clock.now += 2000
      expect(valueOf(await jobsOf(store).renew(one, 5000)).held).toBe(true)
      clock.now += 2000
      expect(await taken(store, 1)).toEqual([])
    })

    test('released, a record may be taken by others at once, with its new value', async () => {
      const { store } = await opened()
      await queued(store, 2)
      const [first, second] = await taken(store, 2)
      if (first === undefined || second === undefined) throw new Error('nothing was taken')
      await jobsOf(store).release(first)
      await jobsOf(store).release(second, { ...second.value, due: -1, note: 'again' })
      expect(valueOf(await jobsOf(store).finish(second)).held).toBe(false)
      const again = await taken(store, 2)
      expect(again.map(one => [one.key, one.value.note, one.times])).toEqual([
        ['mail0001', 'again', 2],
        ['mail0000', undefined, 2],
      ])
    })

    test('what a lease is for can be done in a plan, and only while it is held', async () => {
      const { store, clock } = await opened()
      await queued(store, 1)
      const [old] = await taken(store, 1, 1000)
      clock.now += 1000
      const [now] = await taken(store, 1, 1000)
      const done = (lease = 0) => ({ ...planOf([newVersion({ id: 'p' })]), records: [{ record: 'jobs', delete: 'mail0000', lease }] })
      expect(valueOf(await store.commit(done(old?.lease)))).toEqual({ held: false, record: { record: 'jobs', key: 'mail0000' } })
      expect(await store.newest('Patient', 'p')).toBeUndefined()
      expect(valueOf(await store.commit(done(now?.lease))).held).toBe(true)
      expect(await jobsOf(store).get('mail0000')).toBeUndefined()
    })

    test('a put by somebody else leaves the lease as it is', async () => {
      const { store } = await opened()
      await queued(store, 1)
      const [one] = await taken(store, 1)
      await jobsOf(store).put({ id: 'mail0000', queue: 'mail', due: 0, note: 'seen' })
      expect(await taken(store, 1)).toEqual([])
      expect(one !== undefined && valueOf(await jobsOf(store).finish(one)).held).toBe(true)
    })

    test('a definition may come later, and one that is there may gain and lose indexes', async () => {
      const { store, reopen } = await opened([{ name: 'jobs', key: 'id', indexes: { old: ['note'] } }])
      await store.records<Job>({ name: 'jobs', key: 'id' }).put({ id: 'a', queue: 'mail', due: 3, note: 'n' })
      const again = await reopen(all)
      expect(keysOf((await jobsOf(again).range('due', { limit: 5 })).rows)).toEqual(['a'])
      await expect(jobsOf(again).range('old', { limit: 5 })).rejects.toThrow('no index old')
      expect(valueOf(await again.records<Account>(accounts).put({ login: 'b' })).held).toBe(true)
    })

    const refusals: readonly (readonly [string, RecordDefinition, string])[] = [
      ['another key', { ...jobs, key: 'note' }, 'The records jobs are known by id, not by note'],
      ['no longer append-only', { name: 'audit_log', key: 'id' }, 'The records audit_log are append-only, and stay so'],
      [
        'a unique index that is not',
        { ...jobs, unique: { one: ['queue'] } },
        'The records jobs have equal values in what is now the unique index one',
      ],
      ['a bad name', { name: 'Jobs; drop', key: 'id' }, 'have a name that is not'],
      ['a bad member', { name: 'x', key: "id')" }, 'have a member that is not a path'],
      ['append-only and expiring', { name: 'x', key: 'id', appendOnly: true, expires: 'at' }, 'cannot be append-only and expire'],
    ]
    for (const [what, definition, message] of refusals) {
      test(`does not open with a definition it cannot agree with: ${what}`, async () => {
        const { store, reopen } = await opened()
        await queued(store, 2)
        await expect(reopen([definition])).rejects.toThrow(message)
      })
    }

    const mistakes: readonly (readonly [string, RecordWrite, string])[] = [
      ['an unknown definition', put('others', { id: 'a' }), 'without the records others'],
      ['no key', put('jobs', { queue: 'a' }), 'The key id'],
      ['a key that is no text', put('jobs', { id: 7 }), 'The key id'],
      ['an indexed member that is an object', put('jobs', { id: 'a', queue: {} }), 'The member queue'],
      ['an indexed member that is a boolean', put('jobs', { id: 'a', due: true }), 'The member due'],
      ['an indexed text that is too long', put('jobs', { id: 'a', queue: 'é'.repeat(513) }), 'The member queue'],
      ['an indexed text that is no Unicode', put('jobs', { id: 'a', queue: '\ud800' }), 'The member queue'],
      ['a whole number beyond 2^53', put('jobs', { id: 'a', due: 2 ** 60 }), 'The member due'],
      ['an indexed member within a list', put('jobs', { id: 'a', who: [{ name: 'x' }] }), 'The member who.name'],
      ['a key with U+0000', put('jobs', { id: 'a\u0000' }), 'The key id'],
      ['too large a document', put('jobs', { id: 'a', note: 'x'.repeat(4 * 1024 * 1024) }), 'larger than'],
    ]
    for (const [what, write, message] of mistakes) {
      test(`throws for a mistake of the owner: ${what}`, async () => {
        const { store } = await opened()
        await expect(store.commit({ ...nothing, records: [write] })).rejects.toThrow(message)
      })
    }
  })
}
