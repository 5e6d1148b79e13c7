/** Security labels: what they say, who may lower them, and which rules set them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { type LabelRules, labelled, readLabelRules } from '../../../src/auth/labels/label-rules.ts'
import { joinLabels, type Labels, labelsOf, lowersLabels } from '../../../src/auth/labels/labels.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'

const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const icd10 = 'http://hl7.org/fhir/sid/icd-10'

/** `R+PSY+HIV`. */
const text = ({ confidentiality: level, sensitivities }: Labels): string => [level, ...sensitivities].join('+')
const labels = (written: string): Labels => {
  const [level = 'N', ...sensitivities] = written.split('+')
  return { confidentiality: level as Labels['confidentiality'], sensitivities }
}

describe('the labels of a resource', () => {
  const rows: readonly (readonly [what: string, security: unknown, labels: string])[] = [
    ['none', undefined, 'N'],
    ['no list', 'R', 'N'],
    ['one level', [{ system: confidentiality, code: 'R' }], 'R'],
    [
      'the highest of several',
      [
        { system: confidentiality, code: 'L' },
        { system: confidentiality, code: 'V' },
        { system: confidentiality, code: 'R' },
      ],
      'V',
    ],
    ['below normal', [{ system: confidentiality, code: 'U' }], 'U'],
    [
      'sensitivities',
      [
        { system: actCode, code: 'PSY' },
        { system: actCode, code: 'HIV' },
        { system: actCode, code: 'PSY' },
      ],
      'N+HIV+PSY',
    ],
    ['a matter in the old system', [{ system: confidentiality, code: 'HIV' }], 'N+HIV'],
    ['a level that is not known', [{ system: confidentiality, code: 'X' }], 'V'],
    ['a name that objects have by nature', [{ system: confidentiality, code: 'constructor' }], 'V'],
    ['labels of other systems', [{ system: 'http://example.org', code: 'R' }, { code: 'V' }, null, 7], 'N'],
  ]
  for (const [what, security, wanted] of rows) {
    test(`${what}: ${wanted}`, () => {
      expect(text(labelsOf({ meta: { security } } as Resource))).toBe(wanted)
    })
  }

  test('of several are the highest and all', () => {
    expect(text(joinLabels([labels('N+PSY'), labels('R'), labels('L+HIV')]))).toBe('R+HIV+PSY')
    expect(text(joinLabels([]))).toBe('N')
  })
})

describe('lowering', () => {
  const rows: readonly (readonly [before: string, after: string, lowers: boolean])[] = [
    ['N', 'R', false],
    ['R', 'V', false],
    ['R', 'N', true],
    ['V', 'R', true],
    ['N', 'U', false],
    ['R+PSY', 'R', true],
    ['R', 'R+PSY', false],
    ['N+PSY', 'V+HIV', true],
  ]
  for (const [before, after, lowers] of rows) {
    test(`${before} to ${after}: ${lowers}`, () => {
      expect(lowersLabels(labels(before), labels(after))).toBe(lowers)
    })
  }
})

const read = (json: unknown): LabelRules => {
  const outcome = readLabelRules(json)
  if (!outcome.ok) throw new Error(outcome.problems.join('\n'))
  return outcome.rules
}
const shipped = read(JSON.parse(readFileSync(join(import.meta.dirname, '../../../src/auth/labels/labels.json'), 'utf8')))

describe('labelling by rules', () => {
  const coded = (code: string, meta?: object): Resource =>
    ({ resourceType: 'Condition', ...(meta && { meta }), code: { coding: [{ system: icd10, code }] } }) as Resource

  const rows: readonly (readonly [code: string, labels: string])[] = [
    ['B20', 'R+HIV'],
    ['B20.1', 'R+HIV'],
    ['F10.2', 'R+ETHUD'],
    ['F32.1', 'R+PSY'],
    ['T74.2', 'R+SDV'],
    ['J45.9', 'N'],
    ['b20', 'N'],
  ]
  for (const [code, wanted] of rows) {
    test(`${code}: ${wanted}`, () => {
      expect(text(labelsOf(labelled(coded(code), shipped)))).toBe(wanted)
    })
  }

  test('keeps higher labels and other codings, and leaves one level', () => {
    const other = { system: 'http://example.org', code: 'x' }
    expect(labelled(coded('B20', { security: [{ system: confidentiality, code: 'L' }, other] }), shipped).meta?.security).toEqual([
      other,
      { system: confidentiality, code: 'R' },
      { system: actCode, code: 'HIV' },
    ])
    expect(text(labelsOf(labelled(coded('B20', { security: [{ system: confidentiality, code: 'V' }] }), shipped)))).toBe('V+HIV')
  })

  test('hands back the very resource when there is nothing to add', () => {
    const plain = coded('J45.9')
    const done = labelled(coded('B20'), shipped)
    expect(labelled(plain, shipped)).toBe(plain)
    expect(labelled(done, shipped)).toBe(done)
  })

  test('finds codes wherever they stand, contained resources included, but not in labels', () => {
    const deep: Resource = {
      resourceType: 'Encounter',
      contained: [{ resourceType: 'Condition', code: { coding: [{ system: icd10, code: 'B24' }] } }],
    }
    expect(text(labelsOf(labelled(deep, shipped)))).toBe('R+HIV')
    const tagged = { resourceType: 'Basic', meta: { tag: [{ system: icd10, code: 'B24' }] } } as Resource
    expect(labelled(tagged, shipped)).toBe(tagged)
  })

  test('goes by organization, class and value set, and in doubt labels', () => {
    const rules = read({
      version: '1',
      rules: [
        { name: 'clinic', confidentiality: 'R', sensitivities: ['PSY'], organizations: ['jiwa'] },
        { name: 'vip', confidentiality: 'V', classes: ['http://example.org|VIP'] },
        { name: 'set', confidentiality: 'R', sensitivities: ['SEX'], valueSets: ['http://example.org/set'] },
      ],
    })
    const memberOf = (_set: string, { code }: { code: string }): boolean => code === 'in'
    const condition = (code: string): Resource => ({ resourceType: 'Condition', code: { coding: [{ system: 's', code }] } })
    expect(text(labelsOf(labelled({ resourceType: 'Encounter' }, rules, { organizations: ['jiwa'] })))).toBe('R+PSY')
    expect(
      text(labelsOf(labelled({ resourceType: 'Encounter', class: { system: 'http://example.org', code: 'VIP' } }, rules, { memberOf }))),
    ).toBe('V')
    expect(
      text(labelsOf(labelled({ resourceType: 'Basic', class: { system: 'http://example.org', code: 'VIP' } }, rules, { memberOf }))),
    ).toBe('N')
    expect(text(labelsOf(labelled(condition('in'), rules, { memberOf })))).toBe('R+SEX')
    expect(text(labelsOf(labelled(condition('out'), rules, { memberOf })))).toBe('N')
    expect(text(labelsOf(labelled(condition('out'), rules)))).toBe('R+SEX')
  })
})

describe('rules that are refused', () => {
  const rows: readonly (readonly [json: unknown, problem: string])[] = [
    [7, 'labels is not an object'],
    [{ rules: [] }, 'labels.version is missing'],
    [{ version: '1' }, 'labels.rules is a list'],
    [{ version: '1', rules: [{ name: 'x', confidentiality: 'R' }] }, 'labels.rules[0] says of nothing that it is labelled'],
    [
      { version: '1', rules: [{ name: 'x', confidentiality: 'X', codes: ['a|b'] }] },
      'labels.rules[0].confidentiality is one of U, L, M, N, R, V',
    ],
    [{ version: '1', rules: [{ name: 'x', confidentiality: 'R', codes: ['b'] }] }, 'labels.rules[0].codes are system|code'],
    [{ version: '1', rules: [{ confidentiality: 'R', codes: ['a|b'] }] }, 'labels.rules[0].name is missing'],
    [{ version: '1', rules: [{ name: 'x', confidentiality: 'R', code: ['a|b'] }] }, 'labels.rules[0].code is not known'],
    [
      { version: '1', rules: [{ name: 'x', confidentiality: 'R', sensitivities: 'PSY', codes: ['a|b'] }] },
      'labels.rules[0].sensitivities is a list of codes',
    ],
  ]
  for (const [json, problem] of rows) {
    test(problem, () => {
      const outcome = readLabelRules(json)
      expect(outcome.ok ? [] : outcome.problems).toContain(problem)
    })
  }
})
