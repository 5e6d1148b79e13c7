/**
 * Relations and labels in the file: an old store brought up, what the deep check knows of them, and which way a filter is answered.
 * @see storage-and-search.md 5, 10 and 14
 */
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test } from '@jest/globals'
import { type AccessFilter, seesAll } from '../../src/base/access-filter.ts'
import type { Node, Query } from '../../src/search/tree.ts'
import type { Relation, Store, StoredVersion } from '../../src/storage/port.ts'
import { deepCheck } from '../../src/storage/sqlite/check.ts'
import { writeStates } from '../support/searched-states.ts'
import { openTestStore } from '../support/sqlite-store.ts'
import { newVersion, planOf } from '../support/versions.ts'
import { create, held, next, valueOf } from './contract-store.ts'

const closing: Store[] = []
const opened = async () => {
  const one = await openTestStore()
  closing.push(one.store)
  return one
}
const close = async (store: Store): Promise<void> => {
  closing.splice(closing.indexOf(store), 1)
  await store[Symbol.asyncDispose]()
}
afterEach(async () => {
  for (const store of closing.splice(0)) await store[Symbol.asyncDispose]()
})

const inFile = (path: string, sql: string): void => {
  using db = new DatabaseSync(path)
  db.exec(sql)
}
const labels: AccessFilter = { op: 'labels', max: 'N', allowed: [] }
const patientless: AccessFilter = { op: 'patientless' }
const careOf = (of: string): AccessFilter => ({ op: 'patients', from: 'care', of: [of] })
const observations: Query = { parts: [{ type: 'Observation', where: { op: 'all' } }], sort: [] }
const named = (code: string): Node => ({
  op: 'token',
  param: { type: 'Observation', code: 'identifier', kind: 'token' },
  system: 'urn:test',
  code,
})
const idsOf = (rows: readonly { readonly id: string }[]): string[] => [...new Set(rows.map(({ id }) => id))].toSorted()

/** Takes back what steps 4 and 5 made: the file is that of the release before them. */
const before4 = `DELETE FROM migration WHERE number >= 4;
  ALTER TABLE pat DROP COLUMN sieve; ALTER TABLE dat DROP COLUMN sieve;
  DROP TABLE served; DROP TABLE relation; DROP TABLE nobody; DROP TABLE sensitivity; DROP TABLE label`

describe('an old store', () => {
  /** With the label in the text, as resources have it. */
  const restricted = (id: string, code: string) => {
    const version = newVersion({
      type: 'Observation',
      id,
      confidentiality: 'ULMNRV'.indexOf(code),
      patients: ['a'],
      identifiers: ['old'],
      filler: '@',
    })
    const security = ['v3-ActCode|PSY', 'v3-Confidentiality|U', `v3-Confidentiality|${code}`].map(one => {
      const [system, code] = one.split('|')
      return { system: `http://terminology.hl7.org/CodeSystem/${system}`, code }
    })
    const text = new TextDecoder().decode(version.text).replace('"},"note"', `","security":${JSON.stringify(security)}},"note"`)
    return { ...version, text: new TextEncoder().encode(text) }
  }

  test('is labelled as its versions were, deletions as what they deleted', async () => {
    const { store, reopen, path } = await opened()
    await held(store, planOf(['N', 'R', 'V', 'L'].flatMap(code => [restricted(`live${code}`, code), restricted(`gone${code}`, code)])))
    await create(store, { type: 'Observation', id: 'nobody', confidentiality: 3 })
    for (const code of ['N', 'R', 'V', 'L']) {
      const before = (await store.newest('Observation', `gone${code}`)) as StoredVersion
      await next(store, before, { method: 'DELETE', confidentiality: 3 })
    }
    await close(store)
    inFile(path, before4)
    const again = await reopen()
    closing.push(again)
    expect(idsOf(valueOf(await again.search(observations, { access: labels, count: 20 })).rows)).toEqual(['liveL', 'liveN', 'nobody'])
    expect(idsOf(valueOf(await again.history({ type: 'Observation' }, { access: labels, limit: 50 })).rows)).toEqual([
      'goneL',
      'goneN',
      'liveL',
      'liveN',
      'nobody',
    ])
    expect(idsOf(valueOf(await again.search(observations, { access: patientless, count: 20 })).rows)).toEqual(['nobody'])
    // What tokens the old versions have, their entries do not say.
    const identified: Query = { ...observations, parts: [{ type: 'Observation', where: named('old') }] }
    const ofPatient: AccessFilter = { op: 'patient', id: 'a' }
    expect(idsOf(valueOf(await again.search(identified, { access: ofPatient, count: 20 })).rows)).toEqual([
      'liveL',
      'liveN',
      'liveR',
      'liveV',
    ])
    await close(again)
    expect(deepCheck(path)).toEqual([])
  })
})

describe('the file', () => {
  test('holds exactly the labels and relations of its versions, after any writes and sweeps', async () => {
    const { store, clock, path } = await opened()
    await writeStates(store, clock)
    clock.now += 3_600_000
    await create(store, { id: 'later' })
    await close(store)
    expect(deepCheck(path)).toEqual([])
  })

  test('has no row for what is normal', async () => {
    const { store, path } = await opened()
    const normal = Array.from({ length: 20 }, (_, n) =>
      newVersion({ type: 'Observation', id: `o${n}`, patients: ['a'], confidentiality: 3 }),
    )
    await held(store, planOf(normal))
    await close(store)
    using db = new DatabaseSync(path)
    for (const table of ['label', 'relation', 'nobody', 'served', 'sensitivity'])
      expect(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()).toEqual({ n: 0 })
  })

  test('keeps the rows of relations that a new version says again, and writes the others', async () => {
    const { store, reopen, path } = await opened()
    const member = (patient: string, more: Partial<Relation> = {}): Relation => ({ from: 'group', of: 'g', patient, ...more })
    const first = await create(store, { id: 'a', relations: [member('a'), member('b'), member('c', { until: 9 })] })
    await close(store)
    inFile(
      path,
      `CREATE TABLE touched(n INTEGER);
       CREATE TRIGGER said AFTER INSERT ON relation BEGIN INSERT INTO touched VALUES (new.n); END;
       CREATE TRIGGER unsaid AFTER DELETE ON relation BEGIN INSERT INTO touched VALUES (-1 - old.n); END`,
    )
    const again = await reopen()
    closing.push(again)
    const same = await next(again, first, { relations: [member('a'), member('b'), member('c', { until: 9 })] })
    await next(again, same, { relations: [member('a'), member('d'), member('c', { until: 10 })] })
    expect(await again.relationsOf([{ type: first.type, id: 'a' }])).toEqual([[member('a'), member('d'), member('c', { until: 10 })]])
    await close(again)
    using db = new DatabaseSync(path)
    const touched = db
      .prepare('SELECT n FROM touched ORDER BY n')
      .all()
      .map(({ n }) => n)
    expect(touched).toEqual([-3, -2, 1, 2])
  })

  const damages: readonly (readonly [what: string, sql: string, finding: RegExp])[] = [
    ['a lost label', 'DELETE FROM label WHERE w = 4', /other than the confidentiality/],
    ['a label too many', 'INSERT INTO label(seq, w) SELECT seq, 5 FROM live', /other than the confidentiality/],
    ['a label of nothing', 'INSERT INTO label(seq, w) VALUES (7, 6)', /neither indexed nor a deletion/],
    ['a lost sensitivity', 'DELETE FROM sensitivity', /unknown sensitivity/],
    ['a relation of a deleted source', 'UPDATE instance SET state = 2 WHERE iid IN (SELECT iid FROM relation)', /that nothing live says/],
    ['a relation to nobody', 'DELETE FROM served', /of nobody known/],
    ['a sieve that lost a token', 'UPDATE pat SET sieve = sieve & 16777215', /other tokens than it has/],
    ['a version that lost its patient', 'DELETE FROM pat', /about neither/],
    ['a version about nobody too', 'INSERT INTO nobody(t, seq) SELECT t, seq FROM pat', /about nobody that is about somebody/],
  ]
  for (const [what, sql, finding] of damages)
    test(`the deep check finds ${what}`, async () => {
      const { store, path } = await opened()
      await create(store, {
        id: 'a',
        patients: ['a'],
        identifiers: ['a'],
        confidentiality: 4,
        sensitivities: ['PSY'],
        relations: [{ from: 'care', of: 'dr', patient: 'a' }],
      })
      await close(store)
      expect(deepCheck(path)).toEqual([])
      inFile(path, sql)
      expect(deepCheck(path).some(line => finding.test(line))).toBe(true)
    })
})

describe('words that nobody is served by', () => {
  const kept: AccessFilter = { op: 'not', of: { op: 'patients', from: 'closed', of: ['x', 'y'] } }
  test('are known once somebody is, also where they keep something out', async () => {
    const { store } = await opened()
    await create(store, { type: 'Observation', id: 'o', patients: ['a'] })
    const seen = async (access: AccessFilter): Promise<string[]> =>
      idsOf(valueOf(await store.search(observations, { access, count: 5 })).rows)
    expect([await seen(careOf('dr')), await seen(kept)]).toEqual([[], ['o']])
    await create(store, { type: 'Encounter', id: 'e', relations: [{ from: 'care', of: 'dr', patient: 'a' }] })
    expect([await seen(careOf('dr')), await seen(kept)]).toEqual([['o'], ['o']])
    await create(store, { type: 'Consent', id: 'c', relations: [{ from: 'closed', of: 'y', patient: 'a' }] })
    expect([await seen(careOf('dr')), await seen(kept)]).toEqual([['o'], []])
  })
})

describe('the way of a filter', () => {
  /** 40 patients with 50 Observations each; a doctor has two of them, a facility all, among 17,000. */
  const filled = async (): Promise<Store> => {
    const { store } = await opened()
    const about = (n: number): string => `p${n % 40}`
    await held(
      store,
      planOf(
        Array.from({ length: 2_000 }, (_, n) =>
          newVersion({ type: 'Observation', id: `o${n}`, patients: [about(n)], confidentiality: 3, identifiers: [`c${n % 2}`] }),
        ),
      ),
    )
    const facility = Array.from({ length: 17_000 }, (_, n): Relation => ({ from: 'facility', of: 'hospital', patient: `p${n}` }))
    const doctor = ['p1', 'p2'].map((patient): Relation => ({ from: 'care', of: 'dr', patient }))
    await held(
      store,
      planOf([
        newVersion({ type: 'Group', id: 'g1', relations: facility.slice(0, 9_000) }),
        newVersion({ type: 'Group', id: 'g2', relations: [...facility.slice(9_000), ...doctor] }),
      ]),
    )
    return store
  }
  const wayOf = async (store: Store, access: AccessFilter): Promise<string> => {
    const lines = valueOf(await store.explain(observations, { access, count: 50 }))
    return lines.filter(line => /^ {2}(driver|probe)/.test(line)).join(', ')
  }

  test('few patients drive, many are asked of each candidate, and labels are', async () => {
    const store = await filled()
    const hospital: AccessFilter = { op: 'patients', from: 'facility', of: ['hospital'] }
    expect((await wayOf(store, careOf('dr'))).trim()).toBe('driver access access')
    expect((await wayOf(store, hospital)).trim()).toMatch(/^driver type by seq, +probe access access$/)
    expect((await wayOf(store, labels)).trim()).toMatch(/^driver type by seq, +probe access access$/)
    expect((await wayOf(store, patientless)).trim()).toBe('driver access access')
    for (const [access, rows] of [
      [careOf('dr'), 50],
      [hospital, 50],
      [labels, 50],
      [patientless, 0],
      [seesAll, 50],
    ] as const)
      expect(valueOf(await store.search(observations, { access, count: 50 })).rows.length).toBe(rows)
    expect(valueOf(await store.count(observations, { access: careOf('dr') })).count).toBe(100)
  })
})
