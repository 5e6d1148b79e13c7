/**
 * What a version is as documents of MongoDB: index entries that mean the same as SQLite's rows, the resource for people, the text byte for byte.
 * @see storage-and-search.md 6 and 7
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BSON } from 'mongodb'
import { createIndexer } from '../../src/search/index-values.ts'
import { compareUtf8 } from '../../src/search/normal-form.ts'
import type { IndexValues, SortValue } from '../../src/search/values.ts'
import { sortText } from '../../src/storage/mongodb/entries.ts'
import { resourceForPeople } from '../../src/storage/mongodb/people.ts'
import { repeatsBy } from '../../src/storage/mongodb/repeats.ts'
import { indexEntries, shapePlace } from '../../src/storage/mongodb/values.ts'
import { loadedDocumentsOf, pastDocumentsOf } from '../../src/storage/mongodb/version-documents.ts'
import type { LoadedVersion } from '../../src/storage/port.ts'
import { testDefinitions } from '../support/definitions.ts'

const none: IndexValues = { tokens: [], strings: [], dates: [], numbers: [], references: [], composites: [], sort: [], shape: [] }
const words = { systemNumber: (uri: string) => uri.length, shapeNumber: () => 17 } as unknown as Parameters<typeof indexEntries>[3] // the two that are asked
const version = (values: Partial<IndexValues>) => ({
  type: 'Observation',
  values: { ...none, ...values },
  patients: ['p'],
  organizations: ['o'],
  authors: ['Practitioner/1'],
  confidentiality: 3,
})
const entriesOf = (values: Partial<IndexValues>) => indexEntries(version(values), 99, 17, words)

describe('index entries', () => {
  test('of everything a version has', () => {
    const entries = entriesOf({
      tokens: [
        { param: 'code', system: 'urn:a', code: '1', mark: 3 },
        { param: 'code', system: '', code: '1', mark: 0 },
        { param: 'subject:identifier', system: 'urn:a', code: 'x', mark: 0 },
      ],
      strings: [
        { param: 'family', value: 'santoso', exact: '', mark: 1 },
        { param: 'family', value: 'budi', exact: 'Budi', mark: 2 },
      ],
      dates: [{ param: 'date', lo: 0, hi: 1000, mark: 3 }],
      numbers: [{ param: 'value-quantity', unit: '=g', lo: 1, hi: 2, mark: 3 }],
      references: [
        { param: 'subject', type: 'Patient', id: 'p' },
        { param: 'patient', type: 'Patient', id: 'p' },
        { param: '*', type: 'Device', id: 'd' },
      ],
      composites: [
        { param: 'code-value-quantity', key: '1$=g', range: { lo: 1, hi: 2 } },
        { param: 'code-value-string', key: '1', text: 'heavy' },
        { param: 'code-value-concept', key: '1$2' },
      ],
    })
    expect(entries).toEqual({
      tk: [
        '*',
        'shape#17',
        'code|5|1',
        'code=1',
        'code#p|5|1',
        'code|0|1',
        'code#p|0|1',
        'subject:identifier|5|x',
        'subject:identifier=x',
        'subject>Patient/p',
        '>Patient/p',
        'patient>Patient/p',
        '*>Device/d',
        '>Device/d',
        'patient#p',
        'owner#o',
        'author#Practitioner/1',
      ],
      st: ['family~santoso', 'family~budi\0Budi', 'code-value-string$1\0heavy', 'code-value-concept$1$2\0'],
      dt: [{ p: 'date', l: new Date(0), h: new Date(1000) }],
      nq: [
        { p: 'value-quantity', u: '=g', l: 1, h: 2 },
        { p: 'code-value-quantity$', u: '1$=g', l: 1, h: 2 },
      ],
    })
    expect(entries.tk[shapePlace]).toBe('shape#17')
  })

  test('have a code beside each patient it is about, and no other token', () => {
    const tokens = ['code', 'category'].map(param => ({ param, system: 'urn:s', code: 'c|1', mark: 3 }) as const)
    const ofPatients = (...patients: readonly string[]): readonly string[] =>
      indexEntries({ ...version({ tokens }), patients }, 99, 17, words).tk.filter(entry => /^(code|category)#/.test(entry))
    expect(ofPatients('p', 'q.1')).toEqual(['code#p|5|c|1', 'code#q.1|5|c|1'])
    expect(ofPatients()).toEqual([])
  })

  test('say of access only what is not usual', () => {
    const tk = (more: Partial<LoadedVersion>): readonly string[] =>
      indexEntries({ ...version({}), organizations: [], authors: [], ...more }, 99, 17, words).tk.slice(shapePlace + 1)
    expect(tk({})).toEqual(['patient#p'])
    expect(tk({ patients: ['p', 'q'] })).toEqual(['patient#p', 'patient#q'])
    expect(tk({ patients: [] })).toEqual(['nobody#'])
    expect(tk({ confidentiality: 4, sensitivities: ['PSY', 'HIV', 'PSY'] })).toEqual(['patient#p', 'conf#4', 'sens#PSY', 'sens#HIV'])
    expect(tk({ confidentiality: 0 })).toEqual(['patient#p', 'conf#0'])
  })

  test('have one sort text where a parameter has one value, and the least and the greatest where it has several', () => {
    const sort: SortValue[] = [
      { param: 'one', least: 'b' },
      { param: 'two.values', least: 1, greatest: 2 },
    ]
    const { so, sd } = entriesOf({ sort })
    expect(so).toEqual({ one: sortText('b', 99), 'two．values+': sortText(1, 99) })
    expect(sd).toEqual({ 'two．values': sortText(2, 99) })
    expect(entriesOf({ sort: sort.slice(0, 1) }).sd).toBeUndefined()
  })

  test('keep the order of any two texts, NUL and the character behind it included', () => {
    const text = fc.string({ unit: fc.constantFrom('\0', '\u0001', '\u0002', 'a', 'é', '\uffff', '😀'), maxLength: 5 })
    const sorted = (least: string, seq: number): string =>
      indexEntries(version({ sort: [{ param: 's', least }] }), seq, 1, words).so?.s ?? ''
    fc.assert(
      fc.property(text, fc.nat(), text, fc.nat(), (a, s, b, t) => {
        const order = a === b ? Math.sign(s - t) : Math.sign(compareUtf8(a, b))
        expect(Math.sign(compareUtf8(sorted(a, s), sorted(b, t)))).toBe(order)
      }),
    )
  })

  test('leave out a composite that no search can ask for, because its key holds NUL', () => {
    const { st, nq } = entriesOf({
      composites: [
        { param: 'c', key: 'a\0b', text: 'x' },
        { param: 'c', key: 'a\0b', range: { lo: 1, hi: 1 } },
      ],
    })
    expect([st, nq]).toEqual([undefined, undefined])
  })
})

describe('whether a parameter repeats', () => {
  const repeats = repeatsBy(testDefinitions())
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['Patient', 'birthdate', false],
    ['Patient', 'gender', false],
    ['Patient', 'organization', false],
    ['Observation', 'date', false],
    ['Observation', 'status', false],
    ['Observation', 'subject', false],
    ['Patient', '_source', false],
    ['Patient', 'name', true],
    ['Patient', 'identifier', true],
    ['Patient', 'phone', true],
    ['Patient', 'death-date', true],
    ['Observation', 'code', true],
    ['Observation', 'patient', true],
    ['Observation', 'value-quantity', true],
    ['Patient', '_tag', true],
    ['Patient', 'unknown', true],
  ]
  for (const [type, code, expected] of rows)
    test(`${type}.${code}: ${expected ? 'it may' : 'it does not'}`, () => expect(repeats(type, code)).toBe(expected))

  test('is in doubt without definitions', () => expect(repeatsBy(undefined)('Patient', 'birthdate')).toBe(true))

  test('what is held to be single has one sort value in every resource that has one at all', () => {
    const index = createIndexer(testDefinitions(), { base: 'http://localhost/fhir', zone: 'Asia/Jakarta' })
    const patient = {
      resourceType: 'Patient',
      birthDate: '1990-02',
      gender: 'female',
      managingOrganization: { reference: 'Organization/1/_history/2', identifier: { system: 'urn:a', value: 'b' } },
    }
    for (const { param, least, greatest = least } of index(patient as never).sort)
      if (!repeats('Patient', param)) expect(greatest).toBe(least)
  })
})

describe('the resource for people', () => {
  const nested = (levels: number): string => `${'{"a":['.repeat(levels / 2)}1${']}'.repeat(levels / 2)}`
  const head = '"resourceType":"Basic","id":"1","meta":{"versionId":"1"}'
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['what resources are like', `{${head},"code":{"text":"x"},"n":[1,1.5,1e300,null,true]}`, true],
    ['names that mean something to MongoDB', `{${head},"$set":1,"a.b":2,"":3,"__proto__":{"$ref":1,"$id":2},"$numberLong":"5"}`, true],
    ['NUL in a value', `{${head},"code":"a\\u0000b"}`, true],
    ['NUL in a name', `{${head},"deep":[{"a\\u0000b":1}]}`, false],
    ['a name that the driver takes for its own', `{${head},"deep":[{"_bsontype":"ObjectId"}]}`, false],
    ['as many levels as requests may have', `{${head},"deep":${nested(96)}}`, true],
    ['too many levels', `{${head},"deep":${nested(176)}}`, false],
  ]
  for (const [name, text, whole] of rows)
    test(`${name}: ${whole ? 'all of it' : 'only its head'}`, () => {
      const { resource, partial } = resourceForPeople(text, text.length, 1_000_000)
      expect(partial).toBe(whole ? undefined : true)
      if (!whole) expect(resource).toEqual({ resourceType: 'Basic', id: '1', meta: { versionId: '1' } })
      else expect(JSON.parse(JSON.stringify(BSON.deserialize(BSON.serialize({ resource })).resource))).toEqual(JSON.parse(text))
    })

  test('is only its head where BSON is much larger than JSON', () => {
    const text = `{${head},"list":[${'1,'.repeat(50_000)}1]}`
    expect(resourceForPeople(text, text.length, 300_000).partial).toBe(true)
    expect(resourceForPeople(text, text.length, 900_000).partial).toBe(undefined)
  })

  test('has no large meta where it is only its head', () => {
    const text = `{"resourceType":"Basic","id":"1","meta":{"versionId":"1","lastUpdated":"x","tag":[${'{"code":"tag"},'.repeat(10_000)}{}]}}`
    expect(resourceForPeople(text, text.length, 0).resource).toEqual({
      resourceType: 'Basic',
      id: '1',
      meta: { versionId: '1', lastUpdated: 'x' },
    })
  })
})

describe('documents of a version', () => {
  const MiB = 1024 * 1024
  const loaded = (text: string, values: Partial<IndexValues> = {}): LoadedVersion => ({
    ...version(values),
    id: '1',
    versionId: 2,
    method: 'PUT',
    confidentiality: 3,
    seq: 4096,
    text: new TextEncoder().encode(text),
  })
  const sized = (bytes: number, filler: string): string =>
    `{"resourceType":"Observation","id":"1","meta":{"versionId":"2"},"note":"${filler.repeat(bytes / filler.length)}"}`

  test('keep the text in the document up to 4 MiB, and beyond in parts that break no character', () => {
    const small = loadedDocumentsOf(loaded(sized(3 * MiB, 'a')), words)
    expect(small?.newest.text?.length).toBeGreaterThan(3 * MiB)
    expect([small?.newest.parts, small?.newest.partial, small?.parts]).toEqual([undefined, undefined, []])
    const text = sized(3 * MiB, 'é漢')
    const large = loadedDocumentsOf(loaded(text), words)
    expect(large?.newest).toMatchObject({ parts: 2, partial: true, resource: { resourceType: 'Observation', id: '1' } })
    expect(large?.newest.text).toBeUndefined()
    expect(large?.parts.map(({ _id }) => _id)).toEqual(['Observation/1/2#0', 'Observation/1/2#1'])
    expect(large?.parts.map(part => part.text).join('')).toBe(text)
    expect(large?.parts.every(part => Buffer.byteLength(part.text) <= 4 * MiB)).toBe(true)
    expect(pastDocumentsOf(loaded(text), 8192).past).toMatchObject({ _id: '1/2', parts: 2 })
  })

  test('are never larger than 15 MiB, whatever the resource holds', () => {
    const texts = [sized(3.9 * MiB, 'a'), sized(3.9 * MiB, '\\n'), `{"resourceType":"Observation","list":[${'1,'.repeat(1.9 * MiB)}1]}`]
    const tokens = Array.from({ length: 40_000 }, (_, n) => ({
      param: 'code',
      system: '',
      code: `${n}`.padStart(100, 'x'),
      mark: 0 as const,
    }))
    for (const text of texts)
      for (const values of [{}, { tokens }]) {
        const documents = loadedDocumentsOf(loaded(text, values), words)
        expect(BSON.calculateObjectSize(documents?.newest as object)).toBeLessThan(15 * MiB)
      }
  })

  test('are refused where the entries alone would be larger', () => {
    const strings = Array.from({ length: 60_000 }, (_, n) => ({
      param: 'name',
      value: `${n}`.padStart(255, 'x'),
      exact: '',
      mark: 0 as const,
    }))
    expect(loadedDocumentsOf(loaded('{}', { strings }), words)).toBeUndefined()
  })

  test('of a deletion have no entries, no text and no shape', () => {
    const documents = loadedDocumentsOf({ ...loaded(''), method: 'DELETE' }, words)
    expect(documents).toMatchObject({ shape: 0, parts: [], newest: { deleted: true, method: 'DELETE', patients: ['p'] } })
    expect(Object.keys(documents?.newest ?? {})).not.toContain('ix')
  })
})
