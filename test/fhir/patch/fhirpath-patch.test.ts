import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { defaultLimits } from '../../../src/base/limits.ts'
import { parseJson, stringify } from '../../../src/fhir/model/json.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { applyFhirPathPatch } from '../../../src/fhir/patch/fhirpath-patch.ts'
import { testDefinitions } from '../../support/definitions.ts'
import { testData } from '../../support/test-data.ts'

/** @see https://hl7.org/fhir/R4/fhirpatch.html */
const definitions = testDefinitions()
const apply = (resource: Resource, patch: unknown) => applyFhirPathPatch(resource, patch, defaultLimits, definitions)

const folder = testData('fhir-test-cases')
if (folder !== undefined) {
  describe('the FHIRPath Patch cases of the FHIR test cases', () => {
    const { cases }: { cases: { name: string; input: Resource; diff: unknown; output?: Resource; error?: string }[] } = JSON.parse(
      readFileSync(join(folder, 'patch/fhirpath-patch.json'), 'utf8'),
    )
    for (const { name, input, diff, output, error } of cases) {
      test(name, () => {
        const result = apply(input, diff)
        if (error !== undefined) expect(result.ok).toBe(false)
        else expect(result).toEqual({ ok: true, value: output })
      })
    }
  })
}

type Parts = Record<string, unknown>

/** `{ type: 'delete', path: 'x' }` as the parameter of one operation; keys with a data type are `name:Type`. */
const operation = (parts: Parts) => ({
  name: 'operation',
  part: Object.entries(parts).map(([key, value]) => {
    const [name, suffix] = key.split(':') as [string, string | undefined]
    if (suffix === 'part') return { name, part: value }
    if (suffix === 'resource') return { name, resource: value }
    const own = { type: 'Code', path: 'String', name: 'String' }[name] ?? (typeof value === 'number' ? 'Integer' : 'String')
    return { name, [`value${suffix ?? own}`]: value }
  }),
})
const parameters = (...operations: Parts[]) => ({ resourceType: 'Parameters', parameter: operations.map(operation) })

const patient: Resource = {
  resourceType: 'Patient',
  id: 'p',
  meta: { versionId: '3', tag: [{ code: 't' }] },
  contained: [{ resourceType: 'Observation', id: 'o', valueQuantity: { value: 1 } }],
  name: [
    { use: 'official', family: 'Wati', given: ['Siti', 'Nur'], _given: [null, { id: 'n' }] },
    { use: 'nickname', given: ['Nur'] },
  ],
  birthDate: '1990-01-01',
  _birthDate: { extension: [{ url: 'http://example.org/t', valueTime: '10:00:00' }] },
  deceasedBoolean: false,
}
const [official, nickname] = patient.name as [object, object]

describe('applies', () => {
  // biome-ignore format: a table
  const rows: [name: string, operations: Parts[], changed: object][] = [
    ['add to a list that is absent', [{ type: 'add', path: 'Patient', name: 'telecom', 'value:ContactPoint': { value: '1' } }], { telecom: [{ value: '1' }] }],
    ['add of a code sent as string', [{ type: 'add', path: 'Patient', name: 'gender', value: 'female' }], { gender: 'female' }],
    ['add to a list of primitives', [{ type: 'add', path: 'Patient.name[1]', name: 'given', value: 'B' }], { name: [official, { ...nickname, given: ['Nur', 'B'] }] }],
    ['add of an extension to a primitive', [{ type: 'add', path: 'Patient.name[1].given[0]', name: 'extension', 'value:Extension': { url: 'x' } }], { name: [official, { ...nickname, _given: [{ extension: [{ url: 'x' }] }] }] }],
    ['add of a choice by its element', [{ type: 'add', path: 'Patient', name: 'multipleBirth', 'value:Integer': 2 }], { multipleBirthInteger: 2 }],
    ['add of a contained resource', [{ type: 'add', path: 'Patient', name: 'contained', 'value:resource': { resourceType: 'Group', id: 'g' } }], { contained: [patient.contained, { resourceType: 'Group', id: 'g' }].flat() }],
    ['replace of a choice by another type', [{ type: 'replace', path: 'Patient.deceased', 'value:DateTime': '2020' }], { deceasedBoolean: undefined, deceasedDateTime: '2020' }],
    ['replace in a contained resource', [{ type: 'replace', path: 'Patient.contained[0].value', 'value:String': 'x' }], { contained: [{ resourceType: 'Observation', id: 'o', valueString: 'x' }] }],
    ['replace found by a criterion', [{ type: 'replace', path: "Patient.name.where(use = 'official').family", value: 'Sari' }], { name: [{ ...official, family: 'Sari' }, nickname] }],
    ['delete of a primitive with its extensions', [{ type: 'delete', path: 'Patient.birthDate' }], { birthDate: undefined, _birthDate: undefined }],
    ['delete from a list of primitives keeps the halves together', [{ type: 'delete', path: 'Patient.name[0].given[0]' }], { name: [{ ...official, given: ['Nur'], _given: [{ id: 'n' }] }, nickname] }],
    ['delete of the last part of an element removes it', [{ type: 'delete', path: 'Patient.contained[0].value.value' }], { contained: [{ resourceType: 'Observation', id: 'o' }] }],
    ['delete of an extension of a primitive', [{ type: 'delete', path: "Patient.birthDate.extension('http://example.org/t')" }], { _birthDate: undefined }],
    ['delete of nothing', [{ type: 'delete', path: 'Patient.gender' }], {}],
    ['insert in the middle', [{ type: 'insert', path: 'Patient.name[0].given', index: 1, value: 'B' }], { name: [{ ...official, given: ['Siti', 'B', 'Nur'], _given: [null, null, { id: 'n' }] }, nickname] }],
    ['insert at the end', [{ type: 'insert', path: 'Patient.name', index: 2, 'value:HumanName': { text: 'x' } }], { name: [official, nickname, { text: 'x' }] }],
    ['insert into an absent list', [{ type: 'insert', path: 'Patient.address', index: 0, 'value:Address': { city: 'Solo' } }], { address: [{ city: 'Solo' }] }],
    ['move', [{ type: 'move', path: 'Patient.name[0].given', source: 0, destination: 1 }], { name: [{ ...official, given: ['Nur', 'Siti'], _given: [{ id: 'n' }, null] }, nickname] }],
    ['parts of parts', [{ type: 'add', path: 'Patient', name: 'contact', 'value:part': [{ name: 'name', part: [{ name: 'given', valueString: 'A' }, { name: 'given', valueString: 'B' }] }, { name: 'gender', valueCode: 'male' }] }], { contact: [{ name: { given: ['A', 'B'] }, gender: 'male' }] }],
    ['one operation on the result of another', [{ type: 'add', path: 'Patient', name: 'telecom', 'value:ContactPoint': { value: '1' } }, { type: 'add', path: 'Patient.telecom[0]', name: 'use', value: 'home' }], { telecom: [{ value: '1', use: 'home' }] }],
    ['a tag may go', [{ type: 'delete', path: 'Patient.meta.tag[0]' }], { meta: { versionId: '3' } }],
  ]
  for (const [name, operations, changed] of rows) {
    test(name, () => {
      const before = structuredClone(patient)
      expect(apply(patient, parameters(...operations))).toEqual({ ok: true, value: JSON.parse(JSON.stringify({ ...patient, ...changed })) })
      expect(patient).toEqual(before)
    })
  }

  test('numbers keep their digits', () => {
    const parsed = parseJson(Buffer.from('{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.10}}'), {
      depthMax: 100,
    })
    const value = parsed.ok ? (parsed.value as Resource) : patient
    const patch = parseJson(
      Buffer.from(
        stringify(parameters({ type: 'add', path: 'Observation', name: 'component', 'value:part': [] })).replace(
          '"part":[]',
          '"part":[{"name":"value","valueQuantity":{"value":2.50}}]',
        ),
      ),
      { depthMax: 100 },
    )
    const result = apply(value, patch.ok ? patch.value : undefined)
    expect(result.ok && stringify(result.value)).toBe(
      '{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.10},"component":[{"valueQuantity":{"value":2.50}}]}',
    )
  })
})

describe('refuses', () => {
  // biome-ignore format: a table
  const rows: [name: string, patch: unknown, kind: string][] = [
    ['an array', [], 'patch-document'],
    ['another resource', { resourceType: 'Patient' }, 'patch-document'],
    ['a parameter that is no operation', { resourceType: 'Parameters', parameter: [{ name: 'x', part: [] }] }, 'patch-document'],
    ['an unknown type', parameters({ type: 'toString', path: 'Patient' }), 'patch-document'],
    ['a part of another operation', parameters({ type: 'delete', path: 'Patient.name', index: 1 }), 'patch-document'],
    ['a part twice', { resourceType: 'Parameters', parameter: [{ name: 'operation', part: [{ name: 'path', valueString: 'a' }, { name: 'path', valueString: 'b' }] }] }, 'patch-document'],
    ['a negative index', parameters({ type: 'insert', path: 'Patient.name', index: -1, 'value:HumanName': {} }), 'patch-document'],
    ['1,001 operations', parameters(...Array.from({ length: 1001 }, () => ({ type: 'delete', path: 'Patient.name' }))), 'patch-document'],
    ['a path that is no FHIRPath', parameters({ type: 'delete', path: 'Patient..name' }), 'bad-fhirpath'],
    ['a path too long', parameters({ type: 'delete', path: `Patient${'.name'.repeat(300)}` }), 'bad-fhirpath'],
    ['delete of several', parameters({ type: 'delete', path: 'Patient.name' }), 'patch-failed'],
    ['delete of the resource', parameters({ type: 'delete', path: 'Patient' }), 'patch-failed'],
    ['add to nothing', parameters({ type: 'add', path: 'Patient.contact', name: 'gender', value: 'male' }), 'patch-failed'],
    ['add of what is there', parameters({ type: 'add', path: 'Patient', name: 'birthDate', 'value:Date': '1991' }), 'patch-failed'],
    ['add of another choice beside one', parameters({ type: 'add', path: 'Patient', name: 'deceased', 'value:DateTime': '1991' }), 'patch-failed'],
    ['add of an unknown element', parameters({ type: 'add', path: 'Patient', name: 'hobby', value: 'x' }), 'patch-failed'],
    ['add of a wrong data type', parameters({ type: 'add', path: 'Patient', name: 'name', 'value:Address': {} }), 'patch-failed'],
    ['a text for a boolean', parameters({ type: 'add', path: 'Patient', name: 'active', value: 'true' }), 'patch-failed'],
    ['an element that does not repeat given twice', parameters({ type: 'add', path: 'Patient', name: 'contact', 'value:part': [{ name: 'gender', valueCode: 'male' }, { name: 'gender', valueCode: 'male' }] }), 'patch-failed'],
    ['insert behind the end', parameters({ type: 'insert', path: 'Patient.name', index: 3, 'value:HumanName': { text: 'x' } }), 'patch-failed'],
    ['insert into part of a list', parameters({ type: 'insert', path: 'Patient.name[0]', index: 0, 'value:HumanName': { text: 'x' } }), 'patch-failed'],
    ['insert over several lists', parameters({ type: 'insert', path: 'Patient.name.given', index: 0, value: 'x' }), 'patch-failed'],
    ['move from behind the end', parameters({ type: 'move', path: 'Patient.name', source: 2, destination: 0 }), 'patch-failed'],
    ['move of what does not repeat', parameters({ type: 'move', path: 'Patient.birthDate', source: 0, destination: 0 }), 'patch-failed'],
    ['a path to a value that stands nowhere', parameters({ type: 'delete', path: 'Patient.name.count()' }), 'patch-failed'],
    ['an unknown variable', parameters({ type: 'delete', path: '%secrets' }), 'patch-failed'],
    ['__proto__', parameters({ type: 'add', path: 'Patient', name: '__proto__', 'value:HumanName': { polluted: 1 } }), 'patch-failed'],
    ['constructor', parameters({ type: 'add', path: 'Patient', name: 'constructor', value: 'x' }), 'patch-failed'],
    ['the id', parameters({ type: 'replace', path: 'Patient.id', value: 'q' }), 'patch-protected'],
    ['the version', parameters({ type: 'replace', path: 'Patient.meta.versionId', 'value:Id': '9' }), 'patch-protected'],
    ['the instant', parameters({ type: 'add', path: 'Patient.meta', name: 'lastUpdated', 'value:Instant': '2020-01-01T00:00:00Z' }), 'patch-protected'],
    ['meta as a whole', parameters({ type: 'delete', path: 'Patient.meta' }), 'patch-protected'],
    ['a repeat() that never ends', parameters({ type: 'delete', path: '(1).repeat($this + 1)' }), 'too-costly'],
    ['a regular expression that never ends', parameters({ type: 'delete', path: `'${'a'.repeat(60)}'.matches('^(a+)+b')` }), 'too-costly'],
    ['more different paths than anyone needs', parameters(...Array.from({ length: 100 }, (_, at) => ({ type: 'delete', path: `Patient.name[${at}]${'.where(true)'.repeat(30)}` }))), 'too-costly'],
  ]
  for (const [name, patch, kind] of rows) {
    test(`${name} with ${kind}`, () => {
      expect(apply(patient, patch)).toMatchObject({ ok: false, failure: { kind } })
      expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    })
  }

  test('trace() prints nothing', () => {
    expect(apply(patient, parameters({ type: 'delete', path: "Patient.name[1].trace('x')" })).ok).toBe(true)
  })
})
