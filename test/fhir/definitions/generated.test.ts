import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { correct } from '../../../scripts/definitions/correct.ts'
import { changeElements, dropElements, dropStructures, dropTerminology } from '../../../scripts/definitions/corrections.ts'
import { type Published, readPublished } from '../../../scripts/definitions/package.ts'
import { buildDefinitions } from '../../../scripts/definitions-build.ts'

/** The committed files are what `npm run definitions:build` makes, and the build notices when the package changes. */

const folder = join(import.meta.dirname, '../../../src/fhir/definitions/generated')
const committed = (name: string): string => readFileSync(join(folder, name), 'utf8')

describe('the generated definitions', () => {
  const built = buildDefinitions()
  for (const name of Object.keys(built)) {
    // Compared as a truth value: a difference of half a megabyte helps nobody.
    test(`${name} is rebuilt byte for byte`, () => expect(built[name] === committed(name)).toBe(true))
  }

  const budgets = [
    ['model.json', 1_000_000],
    ['search-parameters.json', 600_000],
  ] as const
  for (const [name, bytesMax] of budgets) {
    test(`${name} stays within ${bytesMax} bytes`, () => expect(Buffer.byteLength(committed(name))).toBeLessThanOrEqual(bytesMax))
  }

  test('hold nothing of Medplum or of R5', () => {
    for (const name of Object.keys(built)) expect(committed(name)).not.toMatch(/medplum|"SubscriptionStatus"|5\.0\.0/i)
  })
})

describe('a correction that finds nothing to correct stops the build', () => {
  const whole = readPublished()
  const corrected = [...Object.keys(dropElements), ...changeElements.map(({ path }) => path.split('.')[0] ?? ''), ...dropStructures]
  const needed = new Set([...corrected, 'Appointment', 'RiskAssessment', 'Timing', 'Questionnaire'])
  const few: Published = {
    ...whole,
    structures: new Map([...whole.structures].filter(([id]) => needed.has(id))),
    valueSets: new Map([...whole.valueSets].filter(([url]) => url === dropTerminology.valueSet)),
    codeSystems: new Map([...whole.codeSystems].filter(([url]) => url === dropTerminology.codeSystem)),
  }
  let published: Published
  beforeEach(() => {
    published = structuredClone(few)
  })

  const elementsOf = (type: string) => published.structures.get(type)?.snapshot.element ?? []
  const rows: readonly (readonly [string, () => void, RegExp])[] = [
    ['a dropped element is gone', () => elementsOf('Binary').splice(-1), /Binary\.url/],
    [
      'an element already is as R4 has it',
      () => Object.assign(elementsOf('Bundle').find(e => e.path.endsWith('outcome')) ?? {}, { type: [{ code: 'Resource' }] }),
      /Bundle\.entry\.response\.outcome/,
    ],
    ['a dropped search parameter is gone', () => published.searchParameters.delete('DetectedIssue-status'), /DetectedIssue-status/],
    ['a dropped type is gone', () => published.structures.delete('SubscriptionStatus'), /SubscriptionStatus/],
    [
      'targets changed',
      () => Object.assign(published.searchParameters.get('clinical-patient') ?? {}, { target: ['Group'] }),
      /clinical-patient/,
    ],
    [
      'an invariant was repaired',
      () => {
        for (const c of elementsOf('Questionnaire').flatMap(e => e.constraint ?? [])) if (c.key === 'que-7') c.expression = 'true'
      },
      /que-7/,
    ],
    [
      'a repair that we keep was lost',
      () => {
        for (const c of elementsOf('Timing').flatMap(e => e.constraint ?? [])) if (c.key === 'tim-9') c.expression = 'true'
      },
      /tim-9/,
    ],
    [
      'an expression uses `as`',
      () =>
        Object.assign(published.searchParameters.get('Patient-name') ?? published.searchParameters.get('Patient-active') ?? {}, {
          expression: '(Patient.deceased as boolean)',
        }),
      /without `as`/,
    ],
  ]
  for (const [when, change, message] of rows) {
    test(when, () => {
      change()
      expect(() => correct(published)).toThrow(message)
    })
  }

  test('and a second run over corrected definitions', () => {
    correct(published)
    expect(() => correct(published)).toThrow(/no longer has/)
  })
})
