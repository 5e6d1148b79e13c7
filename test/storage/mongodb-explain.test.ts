/**
 * What searches cost on MongoDB, as the server itself explains it: questions of every kind about real records walk an index that was made for
 * them, and look at few more documents than they give.
 * @see storage-and-search.md 6, 11 and 20.7
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type AccessFilter, type PatientsFilter, seesAll } from '../../src/base/access-filter.ts'
import { parseSearch } from '../../src/search/parse.ts'
import type { Query } from '../../src/search/tree.ts'
import type { LoadedVersion, Position, Relation } from '../../src/storage/port.ts'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { loadAll, realVersions } from '../support/real-versions.ts'
import { testData } from '../support/test-data.ts'
import { newVersion, planOf } from '../support/versions.ts'

const bundles = 25
const pageSize = 20
/** Documents that may be looked at for each one given; where few or none are given, for each that a page could hold. */
const examinedMax = 20

const folder = testData('synthea')
const mongodb = testEngines.find(({ name }) => name === 'mongodb')
const about = folder === undefined || mongodb === undefined ? describe.skip : describe

const loinc = 'http://loinc.org'

/** `{patient}`, `{identifier}`, `{family}`, `{practitioner}` and `{ids}` are those of somebody in the records. */
const urls: readonly string[] = [
  // types, ids and time
  'Patient',
  'Observation?_lastUpdated=gt2026-01-06',
  'Observation?_lastUpdated=lt2026-01-06&_sort=_lastUpdated',
  'Encounter?_id={ids}',
  'Observation?_sort=_id',
  '?_type=Patient,Practitioner,Organization',
  '?_type=Patient,Encounter&_sort=-_lastUpdated',
  // tokens
  'Patient?identifier={identifier}',
  'Patient?identifier=http://hospital.smarthealthit.org|{identifier}',
  'Patient?identifier=http://hospital.smarthealthit.org|',
  'Patient?gender=male',
  'Observation?status:not=final',
  'Observation?code=8302-2,29463-7,8867-4',
  `Observation?code=${loinc}|8302-2,${loinc}|29463-7&status=final`,
  'Observation?code:not=8302-2',
  'Encounter?class=AMB&status=finished',
  'Observation?code=1-0,2-0,3-0,4-0,5-0,6-0,7-0,8-0,9-0,8302-2',
  // texts and uris
  'Patient?family={family}',
  'Patient?family:exact={family}',
  'Patient?name:contains={family}',
  'Patient?address-city=boston,lowell,worcester,springfield,cambridge,quincy,lynn,newton,salem,revere',
  // references and compartments
  'Observation?subject=Patient/{patient}',
  'Observation?patient={patient}&category=laboratory',
  `Observation?patient={patient}&code=${loinc}|8302-2`,
  'Encounter?participant=Practitioner/{practitioner}',
  // dates, numbers and quantities
  'Observation?date=2018',
  'Observation?date=ge2018-01-01&date=lt2018-04-01',
  'Patient?birthdate=lt1960',
  'Observation?value-quantity=gt150',
  `Observation?code-value-quantity=${loinc}|8302-2$gt170`,
  // missing values
  'Patient?organization:missing=true',
  'Patient?death-date:missing=true',
  'Observation?value-quantity:missing=true',
  'Observation?value-concept:missing=false',
  // chains both ways
  'Observation?subject:Patient.identifier={identifier}',
  `Observation?subject:Patient.family={family}&code=${loinc}|8302-2`,
  'Observation?subject:Patient.gender=female',
  'Observation?subject:Patient.gender=female&_sort=-date',
  'Encounter?participant:Practitioner.identifier:missing=false',
  'DiagnosticReport?result.patient.identifier={identifier}',
  `Patient?_has:Observation:patient:code=${loinc}|8302-2`,
  'Patient?_has:Condition:patient:clinical-status=active&gender=male',
  // orders
  'Patient?_sort=birthdate',
  'Patient?_sort=-birthdate',
  'Patient?_sort=family,given',
  'Patient?_sort=-death-date,family',
  'Observation?_sort=-date',
  'Observation?_sort=patient',
  'Observation?category=laboratory&_sort=code',
  'Observation?category=laboratory&_sort=-value-quantity',
  'Encounter?class=AMB&_sort=date',
  'Condition?clinical-status=active&_sort=-onset-date',
  `Observation?code=${loinc}|8302-2&_sort=-date`,
]

type Command = { readonly told: string; readonly examined: number; readonly rows: number }

about('what searches cost on MongoDB', () => {
  let parts: TestParts
  const named = new Map<string, string>()

  beforeAll(async () => {
    parts = await testParts(mongodb ? { engine: mongodb } : {})
    const versions = realVersions(folder as string, undefined, bundles, parts)
    await loadAll(parts.store, versions)
    name(versions)
  }, 300_000)
  afterAll(() => parts[Symbol.asyncDispose]())

  const name = (versions: readonly LoadedVersion[]): void => {
    const of = (wanted: string) => versions.filter(({ type }) => type === wanted)
    const patient = of('Patient').find(one => JSON.parse(Buffer.from(one.text).toString()).identifier?.length > 1) as LoadedVersion
    const resource = JSON.parse(Buffer.from(patient.text).toString())
    named.set('patient', patient.id)
    named.set('identifier', resource.identifier[1].value)
    named.set('family', resource.name[0].family)
    named.set('practitioner', of('Practitioner')[0]?.id ?? '')
    named.set(
      'ids',
      of('Encounter')
        .slice(0, 5)
        .map(({ id }) => id)
        .join(),
    )
  }

  const queryOf = (template: string): Query => {
    const [type = '', text = ''] = template.replace(/\{(\w+)\}/g, (_, what) => named.get(what) ?? '').split('?')
    const parsed = parseSearch({
      types: type === '' ? parts.definitions.resourceTypes : [type],
      parameters: [...new URLSearchParams(text)].map(([parameter, value]) => ({ name: parameter, value })),
      handling: 'strict',
      definitions: parts.definitions,
      limits: parts.limits,
      settings: parts.settings,
      now: parts.clock(),
    })
    if (!parsed.ok) throw new Error(`${template}: ${parsed.failure.kind}`)
    return parsed.value.query
  }

  const explained = async (query: Query, options: { access?: AccessFilter; position?: Position } = {}): Promise<readonly string[]> => {
    const lines = await parts.store.explain(query, { access: seesAll, count: pageSize, ...options })
    if (!lines.ok) throw new Error(lines.failure.kind)
    return lines.value
  }

  const commandsIn = (lines: readonly string[]): readonly Command[] =>
    lines.flatMap((line, at) => {
      const [, examined, rows] = /documents examined (\d+), rows (\d+)/.exec(line) ?? []
      return examined === undefined
        ? []
        : { told: lines.slice(Math.max(0, at - 3), at + 1).join('\n'), examined: Number(examined), rows: Number(rows) }
    })

  const check = (lines: readonly string[]): readonly Command[] => {
    expect(lines.filter(line => line.includes('COLLSCAN'))).toEqual([])
    const commands = commandsIn(lines)
    expect(commands.filter(({ examined, rows }) => examined > examinedMax * Math.max(rows, pageSize))).toEqual([])
    return commands
  }

  for (const url of urls)
    test(url, async () => {
      check(await explained(queryOf(url)))
    })

  test('all of them together look at few more documents than they give', async () => {
    let examined = 0
    let rows = 0
    for (const url of urls)
      for (const command of commandsIn(await explained(queryOf(url)))) {
        examined += command.examined
        rows += command.rows
      }
    expect(urls.length).toBeGreaterThanOrEqual(40)
    expect(examined).toBeLessThan(4 * rows)
  })

  test('further pages begin where the last one ended', async () => {
    for (const url of [
      'Observation',
      'Observation?_sort=-date',
      'Observation?_sort=code,-date',
      'Observation?category=laboratory&_sort=_id',
    ]) {
      const query = queryOf(url)
      const page = await parts.store.search(query, { access: seesAll, count: 100 })
      const position = page.ok ? page.value.rows.at(-1)?.position : undefined
      const commands = check(await explained(query, position ? { position } : {}))
      expect({ url, few: commands.every(({ examined }) => examined <= 10 * pageSize) }).toEqual({ url, few: true })
    }
  })

  test('what somebody may see bounds the walk', async () => {
    const access: AccessFilter = { op: 'patient', id: named.get('patient') ?? '' }
    for (const url of ['Observation', 'Observation?status=final', 'Observation?_sort=-date'])
      check(await explained(queryOf(url), { access }))
  })

  describe('for who stands in relation to some patients', () => {
    const inCare: PatientsFilter = { op: 'patients', from: 'care', of: ['doctor'] }
    const ofFacility: PatientsFilter = { op: 'patients', from: 'facility', of: ['hospital'] }
    const closed: PatientsFilter = { op: 'patients', from: 'closed', of: ['hospital'] }
    const normal = { op: 'labels', max: 'N', allowed: [] } as const
    const cleared = { op: 'labels', max: 'R', allowed: ['PSY', 'HIV'] } as const
    const accesses: readonly (readonly [what: string, access: AccessFilter])[] = [
      ['a clearance', normal],
      ['few patients', inCare],
      ['few patients by confirmed rows, and a clearance', { op: 'and', of: [{ ...inCare, confirmed: true }, normal] }],
      ['more patients than are looked up', ofFacility],
      ['no patient, or one of many', { op: 'or', of: [{ op: 'patientless' }, ofFacility] }],
      [
        'what a doctor sees',
        {
          op: 'and',
          of: [
            { op: 'or', of: [ofFacility, inCare] },
            { op: 'or', of: [normal, { op: 'and', of: [cleared, { ...inCare, confirmed: true }] }] },
            { op: 'not', of: closed },
          ],
        },
      ],
    ]

    beforeAll(async () => {
      const page = await parts.store.search(queryOf('Patient'), { access: seesAll, count: 1_000 })
      const patients = page.ok ? page.value.rows.map(({ id }) => id) : []
      const others = Array.from({ length: 1_100 }, (_, n) => `elsewhere-${n}`)
      const relations: readonly Relation[] = [
        ...patients.slice(0, 8).map(patient => ({ from: 'care', of: 'doctor', patient }) as const),
        ...[...patients, ...others].map(patient => ({ from: 'facility', of: 'hospital', patient }) as const),
      ]
      const done = await parts.store.commit(planOf([newVersion({ type: 'Group', id: 'relations', relations })]))
      if (!done.ok || !done.value.held) throw new Error('Nothing was written')
    })

    for (const [what, access] of accesses)
      test(`${what}: no collection is walked, relations are read from their index alone, and little else is looked at`, async () => {
        for (const url of [
          'Observation',
          'Observation?category=laboratory',
          'Observation?status=final&_sort=-date',
          'Encounter?class=AMB',
        ]) {
          const commands = check(await explained(queryOf(url), { access }))
          const relations = commands.filter(({ told }) => told.includes('DISTINCT_SCAN'))
          expect(relations.filter(({ examined }) => examined > 0)).toEqual([])
        }
      })

    test('a code of few patients: nothing else of theirs is looked at, and what is found is what all of theirs holds', async () => {
      const url = `Observation?code=${loinc}|8302-2`
      const access: AccessFilter = { op: 'and', of: [inCare, normal] }
      const all = await parts.store.search(queryOf('Observation'), { access: inCare, count: 10_000 })
      const codes = (text: Uint8Array): readonly { code: string }[] => JSON.parse(Buffer.from(text).toString()).code.coding
      const expected = all.ok ? all.value.rows.filter(({ text }) => codes(text).some(({ code }) => code === '8302-2')) : []
      expect(expected.length).toBeGreaterThan(0)
      for (const template of [url, `${url}&_sort=-date`, `${url}&_sort=_id`]) {
        const found = await parts.store.search(queryOf(template), { access, count: 10_000 })
        expect(found.ok && found.value.rows.map(({ id }) => id).toSorted()).toEqual(expected.map(({ id }) => id).toSorted())
      }
      const commands = commandsIn(await explained(queryOf(`${url}&_sort=-date`), { access })).filter(({ told }) =>
        told.includes('Observation'),
      )
      expect(commands.map(({ examined }) => examined).filter(examined => examined > expected.length)).toEqual([])
    })

    test('a page of a large relation asks its candidates, once for all of them', async () => {
      const access = accesses.at(-1)?.[1] ?? seesAll
      const query = queryOf('Observation')
      await parts.store.search(query, { access, count: pageSize })
      const lines = await explained(query, { access })
      const of = (collection: string) => lines.filter(line => line.includes(` ${collection}, index`))
      // Confirmed rows count for who is labelled, and nobody is.
      expect(of('simpul.relations').length).toBe(1)
      expect(of('Observation').length).toBeLessThanOrEqual(2)
    })

    test('a count is that of all that pages give', async () => {
      for (const [, access] of accesses) {
        const counted = await parts.store.count(queryOf('Encounter'), { access })
        const page = await parts.store.search(queryOf('Encounter'), { access, count: 10_000 })
        expect(counted.ok && page.ok && counted.value.count === page.value.rows.length).toBe(true)
      }
    })
  })
})
