/** What consent offers, says and gives back. @see auth.md 7.2, 14, 17 (T16) */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { boxesOf, type ConsentChoices, consentChoices, tickedScopes } from '../../../src/auth/pages/consent-groups.ts'
import { scopeWords } from '../../../src/auth/pages/scope-words.ts'
import { sayIn } from '../../../src/auth/pages/texts.ts'
import { isWithin } from '../../../src/auth/scopes/narrow.ts'
import { parseScopes, type ResourceScope, type SmartScope } from '../../../src/auth/scopes/scope.ts'
import { supportedScopes } from '../../../src/auth/scopes/supported-scopes.ts'
import { testDefinitions } from '../../support/definitions.ts'

const rules = { definitions: testDefinitions(), granularParams: new Set(['date']) }
const read = (text: string): readonly SmartScope[] => parseScopes(text, rules).scopes
const words = (language: 'id' | 'en') => ({ say: sayIn(language), language })
const choices = (text: string, language: 'id' | 'en' = 'en'): ConsentChoices => consentChoices(read(text), words(language))
const all = (asked: ConsentChoices): ReadonlySet<string> => new Set(boxesOf(asked).map(({ id }) => id))
const first = (asked: ConsentChoices): ReadonlySet<string> => new Set(boxesOf(asked).flatMap(({ id, ticked }) => (ticked ? [id] : [])))

const category = 'http://terminology.hl7.org/CodeSystem/observation-category'
const condition = 'http://terminology.hl7.org/CodeSystem/condition-category'
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'

describe('a scope in words', () => {
  const rows: readonly (readonly [scope: string, id: string, en: string, long: string, technical?: true])[] = [
    [
      'patient/Observation.rs',
      'Melihat hasil pemeriksaan dan pengukuran',
      'See findings and measurements',
      'Open and search findings and measurements of the chosen patient.',
    ],
    [
      `patient/Observation.rs?category=${category}|laboratory`,
      'Melihat hasil laboratorium',
      'See laboratory results',
      'Open and search laboratory results of the chosen patient.',
    ],
    [
      `user/Observation.rs?category=${category}|vital-signs`,
      'Melihat tanda vital (tekanan darah, suhu, berat)',
      'See vital signs (blood pressure, temperature, weight)',
      'Open and search vital signs (blood pressure, temperature, weight) that you may open yourself.',
    ],
    [
      'patient/Condition.cruds',
      'Melihat diagnosis dan masalah kesehatan; Menambah dan mengubah diagnosis dan masalah kesehatan',
      'See diagnoses and health problems; Add and change diagnoses and health problems',
      'Open and search diagnoses and health problems of the chosen patient. Add, change and delete diagnoses and health problems of the chosen patient.',
    ],
    ['patient/Immunization.c', 'Menambah imunisasi', 'Add immunizations', 'Add immunizations of the chosen patient.'],
    ['patient/Encounter.r', 'Melihat kunjungan', 'See visits', 'Open visits of the chosen patient, without searching.'],
    ['patient/*.read', 'Melihat semua data kesehatan', 'See all health data', 'Open and search all health data of the chosen patient.'],
    [
      'patient/Observation.rs?status=final',
      'Melihat hasil pemeriksaan dan pengukuran dengan status = final',
      'See findings and measurements with status = final',
      'Open and search findings and measurements with status = final of the chosen patient.',
      true,
    ],
    [
      `patient/Condition.rs?_security=${actCode}|PSY`,
      'Melihat diagnosis dan masalah kesehatan yang dilindungi khusus (kesehatan jiwa)',
      'See specially protected diagnoses and health problems (mental health)',
      'Open and search specially protected diagnoses and health problems (mental health) of the chosen patient.',
    ],
  ]
  for (const [text, id, en, long, technical = false] of rows)
    test(text, () => {
      const [scope] = read(text) as readonly ResourceScope[]
      if (scope === undefined) throw new Error('no scope')
      expect(scopeWords(scope, words('id')).short).toBe(id)
      expect(scopeWords(scope, words('en'))).toMatchObject({ short: en, long, technical })
    })

  test('none of those that are offered by name is technical', () => {
    const offered = read(supportedScopes(['Observation', 'Condition', 'Patient'], () => 'cruds').join(' ')).filter(
      scope => scope.kind === 'resource',
    )
    expect(offered.length).toBeGreaterThan(20)
    for (const scope of offered) expect(scopeWords(scope, words('id'))).toMatchObject({ technical: false })
  })
})

describe('what may be ticked', () => {
  const rows: readonly (readonly [name: string, asked: string, ticked: readonly string[]])[] = [
    [
      'everything comes back as it was asked for',
      'openid launch/patient offline_access patient/Observation.cruds patient/Condition.read',
      ['patient/Observation.cruds', 'patient/Condition.read', 'openid', 'launch/patient', 'offline_access'],
    ],
    ['a wildcard stays one', 'patient/*.rs', ['patient/*.rs']],
    [
      'special rights and protected data are not ticked',
      `__admin patient/Condition.rs patient/Condition.rs?_security=${actCode}|PSY`,
      ['patient/Condition.rs'],
    ],
    ['labels without words are protected as well', 'patient/Condition.rs?_security=x|unheard-of', []],
  ]
  for (const [name, asked, expected] of rows)
    test(name, () => {
      const offered = choices(asked)
      expect(tickedScopes(offered, first(offered))).toEqual(expected)
    })

  test('seeing and changing are two boxes, and a wildcard may become kinds', () => {
    const offered = choices('patient/Observation.cruds')
    const [see, change] = boxesOf(offered)
    expect([see?.short, change?.short]).toEqual(['See findings and measurements', 'Add and change findings and measurements'])
    expect(tickedScopes(offered, new Set([see?.id ?? '']))).toEqual(['patient/Observation.rs'])
    expect(tickedScopes(offered, new Set([change?.id ?? '']))).toEqual(['patient/Observation.cud'])
    const wild = choices('patient/*.rs')
    const kinds = wild.data[0]?.instead ?? []
    const medicines = kinds.find(({ short }) => short === 'Medicines')
    expect(tickedScopes(wild, new Set([medicines?.id ?? '']))).toContain('patient/MedicationRequest.rs')
    expect(tickedScopes(wild, all(wild))).toEqual(['patient/*.rs'])
  })

  const whole: readonly (readonly [name: string, asked: string])[] = [
    ['A.3 15: the standalone launch, v2', 'launch/patient openid fhirUser offline_access patient/*.rs'],
    ['A.3 15: the standalone launch, v1', 'launch/patient openid fhirUser offline_access patient/*.read'],
    [
      'A.3 15: types one by one',
      `launch/patient openid fhirUser offline_access ${testDefinitions()
        .resourceTypes.slice(0, 28)
        .map(type => `patient/${type}.rs`)
        .join(' ')}`,
    ],
    [
      'A.9 42: the first set of granular scopes',
      `patient/Condition.rs?category=${condition}|encounter-diagnosis patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern patient/Observation.rs?category=${category}|laboratory patient/Observation.rs?category=${category}|social-history`,
    ],
    [
      'A.9 42: the second set of granular scopes',
      `patient/Condition.rs?category=${condition}|problem-list-item patient/Observation.rs?category=${category}|vital-signs patient/Observation.rs?category=${category}|survey patient/Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh`,
    ],
  ]
  for (const [name, asked] of whole)
    test(`${name} comes back as it was asked for when nothing is unticked`, () => {
      const offered = choices(asked)
      expect([...tickedScopes(offered, first(offered))].toSorted()).toEqual(asked.split(' ').toSorted())
      expect(boxesOf(offered).filter(({ technical }) => technical)).toEqual([])
    })

  test('a name that is no box allows nothing', () =>
    expect(tickedScopes(choices('patient/*.rs'), new Set(['box99', 'patient/*.cruds', '']))).toEqual([]))

  test('T16, A.3 22: whatever is ticked is within what was asked for, and all ticked is all of it', () => {
    const pool = [
      'openid',
      'fhirUser',
      'launch/patient',
      'offline_access',
      '__admin',
      'patient/*.rs',
      'patient/*.cruds',
      'user/*.read',
      'patient/*.rs?_tag=a',
      'patient/Observation.rs',
      'user/Observation.cud',
      `patient/Observation.rs?category=${category}|laboratory`,
      `patient/Observation.c?category=${category}|laboratory`,
      'patient/Condition.write',
      'patient/Medication.r',
      'patient/MedicationRequest.cruds',
      'system/Patient.s',
      'patient/AuditEvent.rs',
      `patient/Condition.rs?_security=${actCode}|PSY`,
      'patient/Observation.rs?date=ge2020',
    ]
    fc.assert(
      fc.property(
        fc.subarray(pool),
        fc.infiniteStream(fc.boolean()),
        fc.constantFrom('id' as const, 'en' as const),
        (asked, coins, language) => {
          const scopes = read(asked.join(' '))
          const offered = consentChoices(scopes, words(language))
          const some = new Set([...all(offered)].filter(() => coins.next().value === true))
          const back = read(tickedScopes(offered, some).join(' '))
          expect(isWithin(back, scopes)).toBe(true)
          expect(isWithin(scopes, read(tickedScopes(offered, all(offered)).join(' ')))).toBe(true)
        },
      ),
    )
  })
})
