import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { readElementLine, writeElementLine } from '../../../src/fhir/definitions/element-line.ts'
import type { GeneratedModel } from '../../../src/fhir/definitions/generated-form.ts'

const model = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../src/fhir/definitions/generated/model.json'), 'utf8'),
) as GeneratedModel

describe('the line of an element', () => {
  test('says all that is known of it', () => {
    expect(
      readElementLine(
        'a.b[x] 1..* Reference(Patient,Group)|Quantity{SimpleQuantity}|code modifier summary required=http://x/v|1 !k-1 !k-2',
      ),
    ).toEqual({
      steps: ['a', 'b[x]'],
      min: 1,
      max: Number.POSITIVE_INFINITY,
      types: [{ code: 'Reference', targets: ['Patient', 'Group'] }, { code: 'Quantity', profiles: ['SimpleQuantity'] }, { code: 'code' }],
      binding: { strength: 'required', valueSet: 'http://x/v|1' },
      modifier: true,
      summary: true,
      invariants: ['k-1', 'k-2'],
    })
  })

  test('names the element whose children it shares', () => {
    expect(readElementLine('item.item 0..* @Questionnaire.item')).toMatchObject({ types: [], contentReference: 'Questionnaire.item' })
  })

  test('comes back as it was written, for every element of R4', () => {
    const lines = Object.values(model.types).flatMap(type => type.elements)
    expect(lines.length).toBeGreaterThan(3000)
    expect(lines.filter(line => writeElementLine(readElementLine(line)) !== line)).toEqual([])
  })
})
