/** SMART scopes, v1 and v2. @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html */
import { describe, expect, test } from '@jest/globals'
import { parseScope, parseScopes, renderScope, renderScopes, scopeBytesMax } from '../../../src/auth/scopes/scope.ts'
import { testDefinitions } from '../../support/definitions.ts'

const rules = { definitions: testDefinitions() }
const category = 'http://terminology.hl7.org/CodeSystem/observation-category'

describe('a scope that holds water', () => {
  const rows: readonly (readonly [
    text: string,
    level: string,
    type: string,
    letters: string,
    params?: Readonly<Record<string, string>>,
  ])[] = [
    ['patient/Patient.r', 'patient', 'Patient', 'r'],
    ['patient/*.rs', 'patient', '*', 'rs'],
    ['user/*.cruds', 'user', '*', 'cruds'],
    ['system/Observation.cu', 'system', 'Observation', 'cu'],
    ['user/AuditEvent.rs', 'user', 'AuditEvent', 'rs'],
    ['patient/Observation.read', 'patient', 'Observation', 'rs'],
    ['user/Observation.write', 'user', 'Observation', 'cud'],
    ['system/*.*', 'system', '*', 'cruds'],
    ['patient/*.read', 'patient', '*', 'rs'],
    [`patient/Observation.rs?category=${category}|laboratory`, 'patient', 'Observation', 'rs', { category: `${category}|laboratory` }],
    [
      `patient/Observation.rs?category=${encodeURIComponent(`${category}|laboratory`)}`,
      'patient',
      'Observation',
      'rs',
      { category: `${category}|laboratory` },
    ],
    ['patient/Observation.rs?category=laboratory,vital-signs', 'patient', 'Observation', 'rs', { category: 'laboratory,vital-signs' }],
    [
      'patient/Observation.rs?category=laboratory&status=final',
      'patient',
      'Observation',
      'rs',
      { category: 'laboratory', status: 'final' },
    ],
    ['user/Encounter.s?class=AMB', 'user', 'Encounter', 's', { class: 'AMB' }],
    ['user/*.rs?_tag=http://example.org|x', 'user', '*', 'rs', { _tag: 'http://example.org|x' }],
    // decoded once: what is left of a second encoding is the value
    ['user/Observation.r?code=a%2525', 'user', 'Observation', 'r', { code: 'a%25' }],
    ['user/Observation.r?code=a%5C%2Cb', 'user', 'Observation', 'r', { code: 'a\\,b' }],
  ]
  for (const [text, level, type, letters, params = {}] of rows) {
    test(`${text} is read and given back as it was written`, () => {
      const scope = parseScope(text, rules)
      expect(scope).toMatchObject({ kind: 'resource', level, type, letters })
      expect(scope?.kind === 'resource' && Object.fromEntries(scope.params.map(({ code, value }) => [code, value]))).toEqual(params)
      expect(scope && renderScope(scope)).toBe(text)
    })
  }

  for (const text of [
    'openid',
    'fhirUser',
    'profile',
    'offline_access',
    'online_access',
    'launch',
    'launch/patient',
    'launch/encounter',
    'launch/imagingstudy?role=http://example.org/role',
    '__admin',
    '__launch.create',
    'https://example.org/scopes/x',
    'urn:example:scope',
  ]) {
    test(`${text} stands for itself`, () => {
      expect(parseScope(text, rules)).toEqual({ kind: 'plain', text })
    })
  }
})

describe('what is no scope, and therefore grants nothing', () => {
  const rows: readonly (readonly [text: string, why: string])[] = [
    ['patient/Patient.sr', 'letters out of order'],
    ['patient/Patient.rr', 'a letter twice'],
    ['patient/Patient.rx', 'an unknown letter'],
    ['patient/Patient.', 'no letter'],
    ['patient/Patient', 'no letters'],
    ['patient/.rs', 'no type'],
    ['patient/Pasien.rs', 'an unknown type'],
    ['patient/patient.rs', 'a type in small letters'],
    ['patient/Resource.rs', 'an abstract type'],
    ['Patient/Patient.rs', 'an unknown level'],
    ['group/Patient.rs', 'an unknown level'],
    ['patient/Patient.read.rs', 'two rights'],
    ['patient/Patient.Read', 'a word of v1 misspelled'],
    ['patient/Observation.read?category=laboratory', 'a condition on a word of v1'],
    ['patient/Observation.rs?', 'an empty condition'],
    ['patient/Observation.rs?category', 'a parameter without value'],
    ['patient/Observation.rs?category=', 'an empty value'],
    ['patient/Observation.rs?category=laboratory,', 'an empty alternative'],
    ['patient/Observation.rs?category=laboratory&', 'a parameter without name'],
    ['patient/Observation.rs?category:not=laboratory', 'a modifier'],
    ['patient/Observation.rs?subject.name=budi', 'a chain'],
    ['patient/Observation.rs?_has:Provenance:target:agent=x', 'a reverse chain'],
    ['patient/Observation.rs?_filter=code%20eq%20x', 'a filter expression'],
    ['patient/Observation.rs?_include=Observation:subject', 'an include'],
    ['patient/Observation.rs?value-quantity=5', 'a quantity'],
    ['patient/Observation.rs?date=2024', 'a parameter that is not offered'],
    ['patient/Patient.rs?category=x', 'a parameter that the type has not'],
    ['patient/*.rs?category=laboratory', 'a parameter that not all types have'],
    ['patient/Observation.rs?category=%zz', 'a bad encoding'],
    ['patient/Observation.rs?category=%00', 'a control character'],
    ['patient/Observation.rs?category=%ff', 'bytes that are no text'],
    ['patient/Observation.rs?category=a|b|c', 'a token of three parts'],
    ['patient/Observation.rs?category=|', 'a token without system and code'],
    ['patient/Observation.rs?category=a%5C', 'an escape that escapes nothing'],
    [`patient/Observation.rs?category=${'x'.repeat(513)}`, 'a value over 512 characters'],
    ['launch/', 'a context without type'],
    ['launch/Patient', 'a context in capitals'],
    ['launch/house', 'a context of no type'],
    ['launch/patient?role=', 'a role that is no URI'],
    ['launch/patient?need=1', 'a context with something else'],
    ['admin', 'an unknown word'],
    ['__', 'an own scope without name'],
    ['__ad min', 'a blank'],
    ['patient/Observation.rs?category=a"b', 'a character that scopes cannot have'],
    ['patient/Observation.rs?category=a\\,b', 'a backslash that was not encoded'],
    ['https://', 'an address of nothing'],
    ['', 'nothing'],
  ]
  for (const [text, why] of rows) {
    test(`${why}: ${text.slice(0, 60)}`, () => {
      expect(parseScope(text, rules)).toBeUndefined()
    })
  }

  test('a client may be allowed further parameters by name', () => {
    const granularParams = new Set(['date', 'subject', 'value-quantity'])
    expect(parseScope('user/Observation.rs?date=ge2024-01', { ...rules, granularParams })).toBeDefined()
    expect(parseScope('user/Observation.rs?subject=Patient/1', { ...rules, granularParams })).toBeDefined()
    expect(parseScope('user/Observation.rs?date=soon', { ...rules, granularParams })).toBeUndefined()
    expect(parseScope('user/Observation.rs?value-quantity=5', { ...rules, granularParams })).toBeUndefined()
  })
})

describe('a list of scopes', () => {
  test('keeps the good ones in their order, each once, and counts the others', () => {
    const { scopes, dropped } = parseScopes('openid  patient/*.rs nonsense openid patient/Patient.sr launch', rules)
    expect(renderScopes(scopes)).toBe('openid patient/*.rs launch')
    expect(dropped).toBe(2)
  })

  test('over 200 scopes or 8 KiB gives nothing', () => {
    const many = Array.from({ length: 201 }, (_, index) => `__x${index}`).join(' ')
    expect(parseScopes(many, rules).scopes).toEqual([])
    expect(parseScopes(many.replace('__x0 ', ''), rules).scopes).toHaveLength(200)
    expect(parseScopes(`openid __${'x'.repeat(scopeBytesMax)}`, rules).scopes).toEqual([])
  })

  test('spells a v1 scope by its letters once the words no longer say the same', () => {
    const scope = parseScope('patient/Observation.*', rules)
    expect(scope?.kind === 'resource' && [renderScope({ ...scope, letters: 'rs' }), renderScope({ ...scope, letters: 'r' })]).toEqual([
      'patient/Observation.read',
      'patient/Observation.r',
    ])
  })
})
