// Every value that the index holds of real resources is found by the text a client would write for it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { defaultLimits } from '../../src/base/limits.ts'
import type { Resource } from '../../src/fhir/model/resource.ts'
import { evaluate } from '../../src/search/evaluate.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { otherReferences } from '../../src/search/other-references.ts'
import { parseSearch } from '../../src/search/parse.ts'
import type { IndexValues } from '../../src/search/values.ts'
import { testDefinitions } from '../support/definitions.ts'
import { testData } from '../support/test-data.ts'

const definitions = testDefinitions()
const settings = { base: 'https://rs.example/fhir', zone: 'Asia/Jakarta' }
const index = createIndexer(definitions, settings)
const escaped = (text: string): string => text.replace(/[\\,|$]/g, '\\$&')

/** Texts that must find the resource, one for each row that text can ask for. */
const questionsOf = (type: string, values: IndexValues): [name: string, value: string][] => {
  // Some examples refer to types that their parameter does not name; a bare id only asks for those it names.
  const aims = (row: { param: string; type: string }): boolean =>
    definitions.searchParameters(type).get(row.param)?.targets?.includes(row.type) ?? true
  const kindOf = (code: string) => definitions.searchParameters(type).get(code)?.type
  const fits = (text: string): boolean => Buffer.byteLength(text) <= 400 && text !== ''
  const searchable = values.references.filter(row => row.param !== otherReferences)
  return [
    ...values.tokens
      .filter(row => fits(row.code))
      .map((row): [string, string] => {
        if (kindOf(row.param) === 'token') return [row.param, `${escaped(row.system)}|${escaped(row.code)}`]
        return [row.param, row.param.endsWith(':identifier') ? `${escaped(row.system)}|${escaped(row.code)}` : escaped(row.code)]
      }),
    ...values.tokens
      .filter(row => fits(row.code) && kindOf(row.param) === 'token')
      .map((row): [string, string] => [row.param, escaped(row.code)]),
    ...values.strings.filter(row => row.value !== '' && row.value.length < 200).map((row): [string, string] => [row.param, row.value]),
    ...values.strings
      .filter(row => row.exact !== '' && row.exact.length < 200)
      .map((row): [string, string] => [`${row.param}:exact`, escaped(row.exact)]),
    ...values.dates
      .filter(row => row.lo > -6e13 && row.lo < 2e14)
      .map((row): [string, string] => [row.param, `ge${new Date(row.lo).toISOString()}`]),
    ...values.numbers.filter(row => row.unit === '' && Math.abs(row.lo) < 1e20).map((row): [string, string] => [row.param, `ge${row.lo}`]),
    ...values.numbers.filter(row => row.unit === '' && row.lo === row.hi).map((row): [string, string] => [row.param, `${row.lo}`]),
    ...searchable.map((row): [string, string] => [row.param, `${row.type}/${row.id}`]),
    ...searchable.filter(aims).map((row): [string, string] => [row.param, row.id]),
    ...values.shape.map((code): [string, string] => [`${code}:missing`, 'false']),
  ]
}

const folder = testData('r4-examples')
const cases = folder === undefined ? describe.skip : describe

cases('Each of the R4 examples', () => {
  const files = folder === undefined ? [] : readdirSync(join(folder, 'json')).filter(name => name.endsWith('.json'))
  test('is found by each of its own values', () => {
    let asked = 0
    for (const file of files) {
      const resource = JSON.parse(readFileSync(join(folder as string, 'json', file), 'utf8')) as Resource
      const type = resource.resourceType
      if (!definitions.isResourceType(type)) continue
      const values = index(resource)
      for (const [name, value] of questionsOf(type, values)) {
        const parsed = parseSearch({
          types: [type],
          parameters: [{ name, value }],
          handling: 'strict',
          definitions,
          limits: defaultLimits,
          settings,
          now: 0,
        })
        if (!parsed.ok) throw new Error(`${file} ${name}=${value}: ${JSON.stringify(parsed.failure)}`)
        const found = evaluate(parsed.value.query.parts[0]!.where, { type, id: resource.id ?? 'x', values })
        if (found !== true) throw new Error(`${file} is not found by ${type}?${name}=${value}`)
        asked++
      }
    }
    expect(asked).toBeGreaterThan(5000)
  })

  test('has least and greatest values that are its own', () => {
    for (const file of files) {
      const resource = JSON.parse(readFileSync(join(folder as string, 'json', file), 'utf8')) as Resource
      const values = index(resource)
      for (const { param, least, greatest = least } of values.sort) {
        const marked = [
          ...values.tokens.map(row => ({ ...row, key: row.code })),
          ...values.strings.map(row => ({ ...row, key: row.value })),
          ...values.dates.map(row => ({ ...row, key: row.lo })),
          ...values.numbers.map(row => ({ ...row, key: row.lo })),
        ].filter(row => row.param === param && row.mark !== 0)
        if (values.references.some(row => row.param === param)) continue
        expect(marked.filter(row => row.mark & 1).map(row => row.key)).toEqual([least])
        expect(marked.filter(row => row.mark & 2).map(row => row.key)).toEqual([greatest])
      }
    }
  })
})
