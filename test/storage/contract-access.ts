/**
 * What a principal may see: every word of an access filter, wherever an engine is given one; the relations and labels that they ask for.
 * @see storage-and-search.md 14, auth.md 4.1, 5.2 and 12.4
 */
import { describe, expect, test } from '@jest/globals'
import { type AccessFilter, type PatientsFilter, type RelationKind, seesAll } from '../../src/base/access-filter.ts'
import type { Node, Query } from '../../src/search/tree.ts'
import type { LoadedVersion, NewVersion, Relation, Snapshot, Store, StoredVersion } from '../../src/storage/port.ts'
import { byIdentifier, newVersion, planOf, type Wanted } from '../support/versions.ts'
import { closing, create, held, next, nothing, type Open, type TestClock, valueOf } from './contract-store.ts'

const dayMs = 86_400_000

const care = (of: string, patient: string, more: Partial<Relation> = {}): Relation => ({ from: 'care', of, patient, ...more })
const patients = (from: RelationKind, of: readonly string[], confirmed?: true): PatientsFilter => ({
  op: 'patients',
  from,
  of,
  ...(confirmed === undefined ? {} : { confirmed }),
})
const careOf = (...of: readonly string[]): PatientsFilter => patients('care', of)
const not = (of: AccessFilter): AccessFilter => ({ op: 'not', of })
const and = (...of: readonly AccessFilter[]): AccessFilter => ({ op: 'and', of })
const or = (...of: readonly AccessFilter[]): AccessFilter => ({ op: 'or', of })
const labels = (max: 'U' | 'L' | 'M' | 'N' | 'R' | 'V', ...allowed: readonly string[]): AccessFilter => ({ op: 'labels', max, allowed })
const idsOf = (rows: readonly { readonly id: string }[]): string[] => [...new Set(rows.map(({ id }) => id))].toSorted()
/** Without regard to order. */
const inOrder = (relations: readonly Relation[]): string[] =>
  relations.map(({ from, of, patient, since, until, self }) => JSON.stringify([from, of, patient, since, until, self])).toSorted()

const subjectOf = (type: string) => ({ type, code: 'subject', kind: 'reference' }) as const
const everyOf = (type: string, where: Node = { op: 'all' }): Query => ({ parts: [{ type, where }], sort: [] })
const asOf = (snapshot: Snapshot | undefined): { readonly snapshot?: Snapshot } => (snapshot === undefined ? {} : { snapshot })

/** Instances that a search finds, page by page, and that are counted to the same number. */
const found = async (store: Store, access: AccessFilter, query = everyOf('Observation'), snapshot?: Snapshot): Promise<string[]> => {
  const rows: StoredVersion[] = []
  for (let more = true; more; ) {
    const last = rows.at(-1) as (StoredVersion & { readonly position: { readonly values: []; readonly seq: number } }) | undefined
    const at = last === undefined ? {} : { position: last.position }
    const page = valueOf(await store.search(query, { access, count: 3, ...asOf(snapshot), ...at }))
    rows.push(...page.rows)
    more = page.more
  }
  expect(valueOf(await store.count(query, { access, ...asOf(snapshot) }))).toEqual({ count: rows.length, reached: false, exact: true })
  return idsOf(rows)
}

const inHistory = async (store: Store, scope: object, access: AccessFilter): Promise<string[]> =>
  idsOf(valueOf(await store.history(scope, { limit: 1_000, access })).rows)

/** Observations by name; each refers to the Device and is referred to by the DiagnosticReport of its name. */
const observations: readonly Omit<Wanted, 'type'>[] = [
  { id: 'a', patients: ['a'], confidentiality: 3 },
  { id: 'ab', patients: ['a', 'b'], confidentiality: 3, organizations: ['org1'] },
  { id: 'b', patients: ['b'], confidentiality: 3, authors: ['Practitioner/dr1'] },
  { id: 'c', patients: ['c'], confidentiality: 3 },
  { id: 'free', patients: [], confidentiality: 3 },
  { id: 'hiv', patients: ['b'], confidentiality: 4, sensitivities: ['HIV', 'PSY'] },
  { id: 'low', patients: ['c'], confidentiality: 1 },
  { id: 'psy', patients: ['a'], confidentiality: 3, sensitivities: ['PSY'] },
  { id: 'r', patients: ['a'], confidentiality: 4 },
  { id: 'u', patients: [], confidentiality: 0 },
  { id: 'v', patients: ['d'], confidentiality: 5 },
]
const everything = observations.map(({ id }) => id)

/** What resources say of relations; `now` is that of the store's clock. */
const sources = (now: number): readonly Wanted[] => [
  { type: 'Encounter', id: 'e1', patients: ['a'], relations: [care('dr1', 'a'), { from: 'facility', of: 'org1', patient: 'a' }] },
  { type: 'Encounter', id: 'e2', patients: ['b'], relations: [care('dr1', 'b', { self: true }), care('dr2', 'b')] },
  { type: 'Encounter', id: 'e3', patients: ['c'], relations: [care('dr2', 'c', { until: now }), care('dr3', 'c', { since: now + 1 })] },
  { type: 'CareTeam', id: 't1', patients: ['d'], relations: [care('dr4', 'd', { since: now, until: now + 1 })] },
  { type: 'CareTeam', id: 't2', patients: ['d'], relations: [care('dr4', 'a', { self: true }), care('dr4', 'a')] },
  { type: 'ServiceRequest', id: 's1', patients: ['c'], relations: [{ from: 'queue', of: 'lab', patient: 'c' }] },
  { type: 'Group', id: 'g1', relations: ['a', 'd', 'nobody'].map(patient => ({ from: 'group', of: 'g1', patient })) },
  { type: 'Consent', id: 'c1', patients: ['b'], relations: [{ from: 'closed', of: 'org1 TREAT', patient: 'b' }] },
  { type: 'Consent', id: 'c2', patients: ['d'], relations: [{ from: 'permitted', of: 'org1 TREAT', patient: 'd' }] },
]

const words: readonly (readonly [AccessFilter, readonly string[]])[] = [
  [seesAll, everything],
  [{ op: 'none' }, []],
  [{ op: 'ids', ids: ['a', 'u', 'nobody'] }, ['a', 'u']],
  [{ op: 'patient', id: 'a' }, ['a', 'ab', 'psy', 'r']],
  [{ op: 'patient', id: 'a', only: true }, ['a', 'psy', 'r']],
  [{ op: 'patient', id: 'nobody', only: true }, []],
  [{ op: 'patientless' }, ['free', 'u']],
  [{ op: 'author', ref: 'Practitioner/dr1' }, ['b']],
  [{ op: 'owner', organizations: ['org1', 'org2'] }, ['ab']],
  [labels('N'), ['a', 'ab', 'b', 'c', 'free', 'low', 'u']],
  [labels('V'), ['a', 'ab', 'b', 'c', 'free', 'low', 'r', 'u', 'v']],
  [labels('R', 'PSY'), ['a', 'ab', 'b', 'c', 'free', 'low', 'psy', 'r', 'u']],
  [labels('N', 'PSY', 'HIV', 'unheard of'), ['a', 'ab', 'b', 'c', 'free', 'low', 'psy', 'u']],
  [labels('V', 'PSY', 'HIV'), everything],
  [labels('M'), ['low', 'u']],
  [labels('U', 'PSY'), ['u']],
  [careOf('dr1'), ['a', 'ab', 'b', 'hiv', 'psy', 'r']],
  [patients('care', ['dr1'], true), ['a', 'ab', 'psy', 'r']],
  [patients('care', ['dr4'], true), ['a', 'ab', 'psy', 'r', 'v']],
  [careOf('dr2'), ['ab', 'b', 'hiv']],
  [careOf('dr3'), []],
  [careOf('dr4'), ['a', 'ab', 'psy', 'r', 'v']],
  [careOf(), []],
  [careOf('nobody'), []],
  [careOf('nobody', 'dr2', 'dr4'), ['a', 'ab', 'b', 'hiv', 'psy', 'r', 'v']],
  [careOf(...Array.from({ length: 40 }, (_, n) => `dr${n + 2}`)), ['a', 'ab', 'b', 'hiv', 'psy', 'r', 'v']],
  [patients('facility', ['org1']), ['a', 'ab', 'psy', 'r']],
  [patients('facility', ['dr1']), []],
  [patients('queue', ['lab']), ['c', 'low']],
  [patients('group', ['g1']), ['a', 'ab', 'psy', 'r', 'v']],
  [patients('closed', ['org1 TREAT']), ['ab', 'b', 'hiv']],
  [patients('permitted', ['org1 TREAT']), ['v']],
  [not({ op: 'patient', id: 'a', only: true }), everything.filter(id => !['a', 'psy', 'r'].includes(id))],
  [not({ op: 'patientless' }), everything.filter(id => !['free', 'u'].includes(id))],
  [not(labels('N')), ['hiv', 'psy', 'r', 'v']],
  [not(labels('M')), everything.filter(id => !['low', 'u'].includes(id))],
  [not(careOf('dr1')), ['c', 'free', 'low', 'u', 'v']],
  [not(careOf()), everything],
  [and(careOf('dr1'), labels('N')), ['a', 'ab', 'b']],
  [and(careOf('dr1'), careOf('dr2')), ['ab', 'b', 'hiv']],
  [
    and(or(careOf('dr1'), { op: 'patientless' }), or(labels('N'), and(labels('R'), patients('care', ['dr1'], true)))),
    ['a', 'ab', 'b', 'free', 'r', 'u'],
  ],
  [and(careOf('dr1'), not(patients('closed', ['org1 TREAT']))), ['a', 'psy', 'r']],
  [or(careOf('dr2'), { op: 'ids', ids: ['v'] }), ['ab', 'b', 'hiv', 'v']],
  [
    or({ op: 'patient', id: 'c', only: true }, { op: 'patientless' }, { op: 'owner', organizations: ['org1'] }),
    ['ab', 'c', 'free', 'low', 'u'],
  ],
  [and(), everything],
  [or(), []],
]

const loaded = (seq: number, wanted: Wanted): LoadedVersion => {
  const { lastUpdatedOffset: _, ...version }: NewVersion = newVersion(wanted)
  return { ...version, seq }
}
const seqAt = (ms: number): number => (ms - Date.UTC(2024, 0, 1)) * 4096

export const accessContract = (name: string, open: Open): void => {
  const opened = closing(open)

  /** The observations with what refers to them, then the sources of relations. */
  const filled = async (): Promise<{ readonly store: Store; readonly clock: TestClock }> => {
    const { store, clock } = await opened()
    await held(
      store,
      planOf(
        observations.flatMap(wanted => [
          newVersion({ ...wanted, type: 'Observation', subject: `Device/${wanted.id}`, identifiers: [wanted.id], birthdate: dayMs }),
          newVersion({ type: 'Device', id: wanted.id }),
          newVersion({ type: 'DiagnosticReport', id: wanted.id, subject: `Observation/${wanted.id}` }),
        ]),
      ),
    )
    await held(store, planOf(sources(clock.now).map(newVersion)))
    return { store, clock }
  }
  const observation = async (store: Store, id: string): Promise<StoredVersion> => (await store.newest('Observation', id)) as StoredVersion

  describe(`${name}: an access filter`, () => {
    test('lets through what it says: searches, counts and pages', async () => {
      const { store } = await filled()
      const sort = [{ code: 'birthdate', kind: 'date', descending: true }] as const
      for (const [access, expected] of words) {
        const sorted = { ...everyOf('Observation'), sort }
        expect({ access, ids: await found(store, access) }).toEqual({ access, ids: expected })
        expect({ access, ids: await found(store, access, sorted) }).toEqual({ access, ids: expected })
        expect({ access, ids: await found(store, seesAll, everyOf('Observation', { op: 'access', filter: access })) }).toEqual({
          access,
          ids: expected,
        })
      }
    })

    test('the same beside other conditions', async () => {
      const { store } = await filled()
      for (const [access, expected] of words)
        for (const code of ['a', 'hiv', 'u'])
          expect({ access, code, ids: await found(store, access, byIdentifier(code, 'Observation')) }).toEqual({
            access,
            code,
            ids: expected.filter(id => id === code),
          })
    })

    test('the same in chains and reverse chains', async () => {
      const { store } = await filled()
      for (const [access, expected] of words) {
        const of = { type: 'Observation', where: { op: 'access', filter: access } } as const
        const chain = everyOf('DiagnosticReport', { op: 'chain', param: subjectOf('DiagnosticReport'), of: [of] })
        const reverse = everyOf('Device', { op: 'reverse', param: subjectOf('Observation'), of })
        expect({ access, chain: await found(store, seesAll, chain) }).toEqual({ access, chain: expected })
        expect({ access, reverse: await found(store, seesAll, reverse) }).toEqual({ access, reverse: expected })
      }
    })

    test('the same in histories of a type, of everything and of an instance', async () => {
      const { store } = await filled()
      for (const [access, expected] of words) {
        expect({ access, ids: await inHistory(store, { type: 'Observation' }, access) }).toEqual({ access, ids: expected })
        const all = valueOf(await store.history({}, { limit: 1_000, access })).rows.filter(({ type }) => type === 'Observation')
        expect({ access, ids: idsOf(all) }).toEqual({ access, ids: expected })
        for (const id of ['ab', 'free', 'hiv'])
          expect({ access, ids: await inHistory(store, { type: 'Observation', id }, access) }).toEqual({
            access,
            ids: expected.filter(one => one === id),
          })
      }
    })

    test('the same in the guards of a plan', async () => {
      const { store } = await filled()
      for (const [access, expected] of words) {
        const { seq } = await observation(store, 'hiv')
        const guard = { query: byIdentifier('hiv', 'Observation'), access }
        const seen = expected.includes('hiv')
        expect({ access, held: valueOf(await store.commit({ ...nothing, guards: [{ ...guard, found: 'none' }] })).held }).toEqual({
          access,
          held: !seen,
        })
        expect({ access, held: valueOf(await store.commit({ ...nothing, guards: [{ ...guard, found: seq }] })).held }).toEqual({
          access,
          held: seen,
        })
      }
    })

    test('the same from a snapshot', async () => {
      const { store } = await filled()
      const snapshot = await store.snapshot()
      await create(store, { type: 'Observation', id: 'late', patients: ['a'] })
      const before = await observation(store, 'u')
      await next(store, before, { confidentiality: 0 })
      for (const [access, expected] of words)
        expect({ access, ids: await found(store, access, everyOf('Observation'), snapshot) }).toEqual({ access, ids: expected })
    })

    test('which opens more than the words it is made of could is no way around them', async () => {
      const { store } = await filled()
      for (const [access, expected] of words)
        expect({ access, ids: await found(store, not(not(access))) }).toEqual({ access, ids: expected })
    })

    test('the words that are said otherwise let nothing through by themselves, nor behind a not', async () => {
      const { store } = await filled()
      const unsaid: readonly AccessFilter[] = [
        { op: 'param', code: 'identifier', values: ['a'] },
        { op: 'consent', recipients: ['org1'], purposes: ['TREAT'], mode: 'exact' },
      ]
      for (const access of unsaid.flatMap(filter => [filter, not(filter)])) {
        const searched = (async () => valueOf(await store.search(everyOf('Observation'), { access, count: 10 })).rows)()
        const listed = (async () => valueOf(await store.history({ type: 'Observation' }, { access, limit: 10 })).rows)()
        expect([await searched.catch(() => []), await listed.catch(() => [])]).toEqual([[], []])
      }
    })
  })

  describe(`${name}: labels and patients of a state`, () => {
    const changes: readonly (readonly [what: string, id: string, access: AccessFilter, after: Partial<Wanted>])[] = [
      ['a raised label', 'a', labels('N'), { patients: ['a'], confidentiality: 4 }],
      ['a sensitivity', 'a', labels('R'), { patients: ['a'], confidentiality: 3, sensitivities: ['SEX'] }],
      ['another patient', 'a', { op: 'patient', id: 'a' }, { patients: ['b'] }],
      ['one patient more', 'a', { op: 'patient', id: 'a', only: true }, { patients: ['a', 'b'] }],
      ['a patient at all', 'free', { op: 'patientless' }, { patients: ['a'] }],
      ['a patient out of relation', 'a', careOf('dr1'), { patients: ['c'] }],
      ['another owner', 'ab', { op: 'owner', organizations: ['org1'] }, { patients: ['a', 'b'], organizations: ['org2'] }],
      ['another author', 'b', { op: 'author', ref: 'Practitioner/dr1' }, { patients: ['b'], authors: ['Practitioner/dr2'] }],
    ]
    for (const [what, id, access, after] of changes)
      test(`${what} closes all versions at once, also those seen through a snapshot; what is taken back opens them`, async () => {
        const { store } = await filled()
        const first = await observation(store, id)
        const snapshot = await store.snapshot()
        const second = await next(store, first, after)
        expect(await found(store, access)).not.toContain(id)
        expect(await found(store, access, everyOf('Observation'), snapshot)).not.toContain(id)
        expect(await inHistory(store, { type: 'Observation' }, access)).not.toContain(id)
        expect(valueOf(await store.history({ type: 'Observation', id }, { access, limit: 10, snapshot })).rows).toEqual([])
        const { id: _, ...before } = observations.find(one => one.id === id) as Wanted
        await next(store, second, before)
        expect(await found(store, access)).toContain(id)
        expect(await found(store, access, everyOf('Observation'), snapshot)).toContain(id)
        expect(valueOf(await store.history({ type: 'Observation', id }, { access, limit: 10 })).rows.length).toBe(3)
      })

    test('a lowered label opens the versions from then on, not those that a snapshot holds', async () => {
      const { store } = await filled()
      const snapshot = await store.snapshot()
      await next(store, await observation(store, 'r'), { patients: ['a'], confidentiality: 3 })
      expect(await found(store, labels('N'))).toContain('r')
      expect(await found(store, labels('N'), everyOf('Observation'), snapshot)).not.toContain('r')
    })

    test('a deletion has those that it was written with', async () => {
      const { store } = await filled()
      for (const id of ['a', 'ab', 'free', 'hiv', 'low', 'r', 'v']) {
        const { id: _, ...state } = observations.find(one => one.id === id) as Wanted
        await next(store, await observation(store, id), { ...state, method: 'DELETE' })
      }
      for (const [access, expected] of words) {
        expect({ access, ids: await inHistory(store, { type: 'Observation' }, access) }).toEqual({ access, ids: expected })
        expect({ access, ids: await inHistory(store, { type: 'Observation', id: 'hiv' }, access) }).toEqual({
          access,
          ids: expected.filter(id => id === 'hiv'),
        })
      }
      await next(store, await observation(store, 'hiv'), { patients: ['c'], confidentiality: 3 })
      expect(await inHistory(store, { type: 'Observation', id: 'hiv' }, labels('N'))).toEqual(['hiv'])
      expect(await inHistory(store, { type: 'Observation', id: 'hiv' }, { op: 'patient', id: 'b' })).toEqual([])
      expect(await found(store, labels('N'))).toContain('hiv')
    })

    test('a deletion closes what a snapshot holds to whom it closes its history', async () => {
      const { store } = await filled()
      const snapshot = await store.snapshot()
      await next(store, await observation(store, 'a'), { method: 'DELETE', patients: ['a'], confidentiality: 4 })
      await next(store, await observation(store, 'c'), { method: 'DELETE', patients: ['c'], confidentiality: 3 })
      const seen = await found(store, labels('N'), everyOf('Observation'), snapshot)
      expect([seen.includes('a'), seen.includes('c')]).toEqual([false, true])
    })

    test('what was erased leaves nothing behind for who comes after it', async () => {
      const { store } = await filled()
      valueOf(
        await store.remove([
          { type: 'Observation', id: 'hiv' },
          { type: 'Observation', id: 'r' },
        ]),
      )
      await create(store, { type: 'Observation', id: 'hiv', patients: ['c'], confidentiality: 3 })
      expect(await found(store, labels('N'))).toContain('hiv')
      expect(await found(store, seesAll)).not.toContain('r')
    })
  })

  describe(`${name}: relations`, () => {
    const standsIn = (store: Store, patient: string, ...filters: readonly PatientsFilter[]): Promise<readonly boolean[]> =>
      store.related(filters.map(({ op: _, ...filter }) => ({ ...filter, patient })))

    test('many questions at once get the answers of the filter, in their order', async () => {
      const { store } = await filled()
      const filters = words.flatMap(([filter]) => (filter.op === 'patients' ? [filter] : []))
      for (const id of ['a', 'b', 'c', 'd', 'nobody', 'unheard of']) await create(store, { type: 'Basic', id, patients: [id] })
      for (const patient of ['a', 'b', 'c', 'd', 'nobody', 'unheard of']) {
        const expected: boolean[] = []
        for (const access of filters) expected.push((await found(store, access, everyOf('Basic'))).includes(patient))
        expect({ patient, related: await standsIn(store, patient, ...filters) }).toEqual({ patient, related: expected })
      }
      expect(await store.related([])).toEqual([])
    })

    test('what the newest versions say comes back as it was written', async () => {
      const { store, clock } = await filled()
      const wanted = sources(clock.now)
      const keys = [...wanted.map(({ type = '', id }) => ({ type, id })), { type: 'Observation', id: 'a' }, { type: 'Nothing', id: 'x' }]
      const said = await store.relationsOf([...keys, ...keys.slice(0, 1)])
      const expected = [...wanted.map(({ relations = [] }) => relations), [], [], wanted[0]?.relations ?? []]
      expect(said.map(inOrder)).toEqual(expected.map(inOrder))
      expect(await store.relationsOf([])).toEqual([])
    })

    test('begin and end by the clock of the store', async () => {
      const { store, clock } = await opened()
      const start = clock.now
      const span = { since: start + 1_000, until: start + 2_000 }
      await create(store, {
        type: 'Encounter',
        id: 'e',
        patients: ['a'],
        relations: [care('dr', 'a', span), care('old', 'a', { since: -5, until: 0 })],
      })
      await create(store, { type: 'Observation', id: 'o', patients: ['a'], identifiers: ['x'] })
      const at = async (ms: number) => {
        clock.now = start + ms
        const guard = { query: byIdentifier('x', 'Observation'), access: careOf('dr'), found: 'none' } as const
        const seen = [
          (await found(store, careOf('dr'))).includes('o'),
          (await inHistory(store, { type: 'Observation' }, careOf('dr'))).includes('o'),
          (await standsIn(store, 'a', careOf('dr')))[0],
          !valueOf(await store.commit({ ...nothing, guards: [guard] })).held,
        ]
        expect(new Set(seen).size).toBe(1)
        expect(await standsIn(store, 'a', careOf('old'))).toEqual([false])
        return seen[0]
      }
      expect([await at(0), await at(999), await at(1_000), await at(1_999), await at(2_000)]).toEqual([false, false, true, true, false])
      const [kept = []] = await store.relationsOf([{ type: 'Encounter', id: 'e' }])
      expect(inOrder(kept)).toEqual(inOrder([care('dr', 'a', span), care('old', 'a', { since: -5, until: 0 })]))
    })

    test('end for who follows a snapshot too', async () => {
      const { store, clock } = await filled()
      const snapshot = await store.snapshot()
      expect(await found(store, careOf('dr4'), everyOf('Observation'), snapshot)).toContain('v')
      clock.now += 1
      expect(await found(store, careOf('dr4'), everyOf('Observation'), snapshot)).not.toContain('v')
      const e1 = (await store.newest('Encounter', 'e1')) as StoredVersion
      await next(store, e1, { patients: ['a'] })
      expect(await found(store, patients('care', ['dr1'], true), everyOf('Observation'), snapshot)).toEqual([])
    })

    test('an update replaces all that its source said, and nothing of others', async () => {
      const { store } = await opened()
      const e = await create(store, { type: 'Encounter', id: 'e', relations: [care('dr1', 'a'), care('dr1', 'b'), care('dr2', 'a')] })
      await create(store, { type: 'Encounter', id: 'f', relations: [care('dr1', 'a')] })
      const second = await next(store, e, { relations: [care('dr1', 'c'), care('dr3', 'a')] })
      const asked = async () => [
        await standsIn(store, 'a', careOf('dr1'), careOf('dr2'), careOf('dr3')),
        await standsIn(store, 'b', careOf('dr1')),
        await standsIn(store, 'c', careOf('dr1')),
      ]
      expect(await asked()).toEqual([[true, false, true], [false], [true]])
      const third = await next(store, second)
      expect(await asked()).toEqual([[true, false, false], [false], [false]])
      expect(await store.relationsOf([third])).toEqual([[]])
    })

    test('one that several sources or rows say stands until the last of them is gone', async () => {
      const { store } = await opened()
      const twice = [care('dr', 'a'), care('dr', 'a'), care('dr', 'a', { self: true })]
      const e = await create(store, { type: 'Encounter', id: 'e', relations: twice })
      const f = await create(store, { type: 'Encounter', id: 'f', relations: [care('dr', 'a', { self: true })] })
      expect(await standsIn(store, 'a', careOf('dr'), patients('care', ['dr'], true))).toEqual([true, true])
      await next(store, e, { method: 'DELETE' })
      expect(await standsIn(store, 'a', careOf('dr'), patients('care', ['dr'], true))).toEqual([true, false])
      await next(store, f, { method: 'DELETE' })
      expect(await standsIn(store, 'a', careOf('dr'))).toEqual([false])
    })

    test('a deletion drops them, whatever it says itself, and a new beginning brings them back', async () => {
      const { store, reopen } = await opened()
      const e = await create(store, { type: 'Encounter', id: 'e', relations: [care('dr', 'a')] })
      const deleted = await next(store, e, { method: 'DELETE', relations: [care('dr', 'a')] })
      expect(await standsIn(store, 'a', careOf('dr'))).toEqual([false])
      expect(await store.relationsOf([e])).toEqual([[]])
      await next(store, deleted, { relations: [care('dr', 'a')] })
      const again = await reopen()
      expect(await standsIn(again, 'a', careOf('dr'))).toEqual([true])
    })

    test('a plan that does not hold writes none', async () => {
      const { store } = await opened()
      const e = await create(store, { type: 'Encounter', id: 'e', relations: [care('dr', 'a')] })
      const version = newVersion({ type: 'Encounter', id: 'e', versionId: 2, relations: [care('dr', 'b')] })
      expect(valueOf(await store.commit({ ...nothing, versions: [version], expects: [{ ...e, seq: 'none' }] })).held).toBe(false)
      expect([await standsIn(store, 'a', careOf('dr')), await standsIn(store, 'b', careOf('dr'))]).toEqual([[true], [false]])
    })

    test('are of their patient, not of another type with the same id', async () => {
      const { store } = await opened()
      await create(store, { type: 'Practitioner', id: 'a', relations: [care('dr', 'a')] })
      await create(store, { type: 'Observation', id: 'o', patients: ['a'] })
      expect(await found(store, careOf('dr'))).toEqual(['o'])
      expect(await found(store, careOf('dr'), everyOf('Practitioner'))).toEqual([])
    })

    test('whatever stands in the words', async () => {
      const { store } = await opened()
      const of = ["'; drop table relation; --", 'é\u{1f600}', '', '%', 'a b|c', '$where', 'x'.repeat(256)]
      await create(store, { type: 'Encounter', id: 'e', relations: of.map(one => care(one, 'a')) })
      await create(store, { type: 'Observation', id: 'o', patients: ['a'], sensitivities: of })
      for (const one of of) {
        expect({ one, ids: await found(store, careOf(one)) }).toEqual({ one, ids: ['o'] })
        expect({ one, related: await standsIn(store, 'a', careOf(one), patients('queue', [one])) }).toEqual({ one, related: [true, false] })
        expect({ one, ids: await found(store, labels('V', one)) }).toEqual({ one, ids: [] })
      }
      expect(await found(store, labels('V', ...of))).toEqual(['o'])
    })

    test('ten thousand of one source are kept; more, or longer words, are refused as mistakes', async () => {
      const { store } = await opened()
      const many = Array.from({ length: 10_000 }, (_, n) => care('dr', `p${n}`))
      const bad: readonly (readonly Relation[])[] = [
        [...many, care('dr', 'more')],
        [care('é'.repeat(129), 'a')],
        [care('dr', 'a', { since: 0.5 })],
        [care('dr', 'a', { until: Number.NaN })],
      ]
      for (const relations of bad)
        await expect((async () => store.commit(planOf([newVersion({ id: 'bad', relations })])))()).rejects.toThrow(RangeError)
      await create(store, { type: 'Group', id: 'g', relations: many })
      expect((await store.relationsOf([{ type: 'Group', id: 'g' }]))[0]?.length).toBe(10_000)
      await create(store, { type: 'Observation', id: 'o', patients: ['p9999'] })
      expect(await found(store, careOf('dr'))).toEqual(['o'])
      expect(await store.newest('Patient', 'bad')).toBeUndefined()
    })

    test('who is told twice in a list is asked once', async () => {
      const { store } = await filled()
      expect(await found(store, careOf('dr1', 'dr1', 'dr2'))).toEqual(['a', 'ab', 'b', 'hiv', 'psy', 'r'])
    })
  })

  describe(`${name}: pages of a relation`, () => {
    const count = 40
    const sorts: readonly Query['sort'][] = [
      [],
      [{ code: '_lastUpdated', kind: 'date', descending: false }],
      [{ code: '_id', kind: 'token', descending: false }],
      ...[true, false].map(descending => [{ code: 'birthdate', kind: 'date', descending } as const]),
    ]

    /** More patients than are looked up beforehand; every second one of the first hundred has something, and of those behind them one in forty. */
    const crowd = async (store: Store, ms: number): Promise<readonly string[]> => {
      const relations = Array.from({ length: 1_200 }, (_, n) => n)
        .filter(n => n % 2 === 0 && (n < 100 || n % 40 === 0))
        .map(n => care('few', `p${n}`))
      const all = Array.from({ length: 1_200 }, (_, n) =>
        care('many', n % 2 === 0 && (n < 100 || n % 40 === 0) ? `p${n}` : `elsewhere${n}`),
      )
      const versions = Array.from({ length: 1_200 }, (_, n) =>
        loaded(seqAt(ms) + n, { type: 'Observation', id: `o${n}`, patients: [`p${n}`], birthdate: ((n * 7) % 1_200) * dayMs }),
      )
      for (let from = 0; from < versions.length; from += 400)
        expect(valueOf(await store.load(versions.slice(from, from + 400))).held).toBe(true)
      await held(store, planOf([newVersion({ type: 'Group', id: 'g', relations: [...relations, ...all] })]))
      return relations.map(({ patient }) => patient.replace('p', 'o')).toSorted()
    }

    test('are full until the last, whatever part of all it opens, in every order and from either end', async () => {
      const { store, clock } = await opened()
      const open = await crowd(store, clock.now)
      for (const access of [careOf('many'), careOf('few'), and(careOf('many'), not(patients('closed', ['nobody'])))])
        for (const sort of sorts)
          for (const backward of [false, true]) {
            const pages: number[] = []
            const ids: string[] = []
            for (let at: object = {}, more = true; more; ) {
              const page = valueOf(await store.search({ ...everyOf('Observation'), sort }, { access, count, backward, ...at }))
              ids.push(...page.rows.map(({ id }) => id))
              pages.push(page.rows.length)
              at = { position: (backward ? page.rows.at(0) : page.rows.at(-1))?.position }
              more = page.more
            }
            expect(ids.toSorted()).toEqual(open)
            expect(pages.slice(0, -1)).toEqual(pages.slice(0, -1).map(() => count))
          }
    })
  })

  describe(`${name}: relations and labels of versions that come and go whole`, () => {
    const encounter = (versionId: number, wanted: Partial<Wanted> = {}): Wanted => ({ type: 'Encounter', id: 'e', versionId, ...wanted })

    test('load keeps what the newest version of each says', async () => {
      const { store, clock } = await opened()
      const at = seqAt(clock.now)
      const versions = [
        loaded(at, encounter(1, { relations: [care('dr1', 'a')], sensitivities: ['PSY'] })),
        loaded(at + 1, { type: 'Observation', id: 'o', patients: ['a'], confidentiality: 4, sensitivities: ['PSY'] }),
        loaded(at + 2, encounter(2, { relations: [care('dr2', 'a')] })),
        loaded(at + 3, { type: 'CareTeam', id: 't', relations: [care('dr3', 'a')] }),
        loaded(at + 4, { type: 'CareTeam', id: 't', versionId: 2, method: 'DELETE' }),
      ]
      expect(valueOf(await store.load(versions.slice(0, 3)))).toEqual({ held: true })
      expect(valueOf(await store.load(versions.slice(3)))).toEqual({ held: true })
      const asked = ['dr1', 'dr2', 'dr3'].map(of => ({ from: 'care', of: [of], patient: 'a' }) as const)
      expect(await store.related(asked)).toEqual([false, true, false])
      expect(
        await store.relationsOf([
          { type: 'Encounter', id: 'e' },
          { type: 'CareTeam', id: 't' },
        ]),
      ).toEqual([[care('dr2', 'a')], []])
      expect([await found(store, careOf('dr2')), await found(store, labels('R')), await found(store, labels('R', 'PSY'))]).toEqual([
        ['o'],
        [],
        ['o'],
      ])
      expect(await found(store, labels('N'), everyOf('Encounter'))).toEqual(['e'])
      expect(valueOf(await store.load([loaded(at + 5, encounter(3))]))).toEqual({ held: true })
      expect(await store.related(asked)).toEqual([false, false, false])
    })

    test('remove takes them with the instance, not with a former version', async () => {
      const { store } = await opened()
      const e = await create(store, encounter(1, { relations: [care('dr', 'a')], sensitivities: ['PSY'] }))
      await next(store, e, { relations: [care('dr', 'a')], confidentiality: 4 })
      const asked = [{ from: 'care', of: ['dr'], patient: 'a' }] as const
      valueOf(await store.remove([{ ...e, versionId: 1 }]))
      expect([await store.related(asked), await found(store, labels('N'), everyOf('Encounter'))]).toEqual([[true], []])
      valueOf(await store.remove([{ type: 'Encounter', id: 'e' }]))
      expect([await store.related(asked), await store.relationsOf([e])]).toEqual([[false], [[]]])
      await create(store, encounter(1, { relations: [care('dr', 'b')], confidentiality: 3 }))
      expect([await store.related(asked), await found(store, labels('N'), everyOf('Encounter'))]).toEqual([[false], ['e']])
    })
  })
}
