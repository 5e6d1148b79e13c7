/** rest-api.md 3: formats. @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1 */
import { describe, expect, test } from '@jest/globals'
import { negotiate, wantsHtml } from '../../src/http/negotiate.ts'

const fhir = 'application/fhir+json; charset=utf-8'
const json = 'application/json; charset=utf-8'
const textJson = 'text/json; charset=utf-8'

// biome-ignore format: a table
const rows: readonly (readonly [accept: string | undefined, format: string | undefined, answer: string])[] = [
  [undefined,                                          undefined,                       fhir],
  ['',                                                 undefined,                       fhir],
  ['*/*',                                              undefined,                       fhir],
  ['application/*',                                    undefined,                       fhir],
  ['application/fhir+json',                            undefined,                       fhir],
  ['APPLICATION/FHIR+JSON',                            undefined,                       fhir],
  ['application/fhir+json; charset=utf-8',             undefined,                       fhir],
  ['application/json',                                 undefined,                       json],
  ['application/json, application/fhir+json',          undefined,                       fhir],
  ['application/json, */*;q=0.1',                      undefined,                       fhir],
  ['application/json;q=0, */*',                        undefined,                       fhir],
  ['application/fhir+json;q=0, */*',                   undefined,                       json],
  ['application/fhir+json;q=0, application/json',      undefined,                       json],
  ['text/json',                                        undefined,                       textJson],
  ['text/*',                                           undefined,                       textJson],
  ['text/html,application/xhtml+xml,*/*;q=0.8',        undefined,                       fhir],
  ['application/fhir+xml, application/fhir+json;q=.5', undefined,                       'not-acceptable'],
  ['application/fhir+xml, application/fhir+json;q=0.5', undefined,                      fhir],
  ['application/fhir+xml',                             undefined,                       'not-acceptable'],
  ['text/turtle',                                      undefined,                       'not-acceptable'],
  ['text/html',                                        undefined,                       'not-acceptable'],
  ['*/*;q=0',                                          undefined,                       'not-acceptable'],
  ['application/fhir+json; fhirVersion=4.0',           undefined,                       fhir],
  ['application/fhir+json; fhirVersion=5.0',           undefined,                       'not-acceptable'],
  ['application/fhir+json; fhirVersion=5.0, */*;q=0.1', undefined,                      fhir],
  ['nonsense',                                         undefined,                       'not-acceptable'],
  ['text/turtle',                                      'json',                          fhir],
  ['text/turtle',                                      'application/fhir+json',         fhir],
  [undefined,                                          'application/fhir json',         fhir],
  [undefined,                                          'application/json',              fhir],
  [undefined,                                          'text/json',                     fhir],
  [undefined,                                          'JSON',                          fhir],
  [undefined,                                          'application/fhir+json;fhirVersion=4.0', fhir],
  [undefined,                                          'application/fhir+json; fhirVersion=3.0', 'not-acceptable'],
  [undefined,                                          'application/fhir+json; charset=utf-8', fhir],
  ['application/fhir+json',                            'xml',                           'not-acceptable'],
  [undefined,                                          'application/fhir+xml',          'not-acceptable'],
  [undefined,                                          'ttl',                           'not-acceptable'],
  [undefined,                                          'foo',                           'not-acceptable'],
  [undefined,                                          'html',                          'not-acceptable'],
  [undefined,                                          '',                              'not-acceptable'],
  [undefined,                                          '__proto__',                     'not-acceptable'],
  [undefined,                                          'constructor',                   'not-acceptable'],
]

const answerOf = (accept: string | undefined, format: string | undefined): string => {
  const outcome = negotiate(accept, format === undefined ? [] : [{ name: '_format', value: format }], false)
  return outcome.ok ? outcome.value.contentType : outcome.failure.kind
}

describe('the format of an answer', () => {
  for (const [accept, format, expected] of rows) {
    test(`Accept: ${accept ?? '(none)'} with _format=${format ?? '(none)'} gets ${expected}`, () =>
      expect(answerOf(accept, format)).toBe(expected))
  }

  test('two formats fail repeated-parameter', () => {
    const formats = ['json', 'xml'].map(value => ({ name: '_format', value }))
    expect(negotiate(undefined, formats, false)).toMatchObject({ ok: false, failure: { kind: 'repeated-parameter' } })
  })

  test('_pretty is true or false', () => {
    expect(negotiate(undefined, [{ name: '_pretty', value: 'true' }], false)).toMatchObject({ value: { pretty: true } })
    expect(negotiate(undefined, [{ name: '_pretty', value: 'false' }], false)).toMatchObject({ value: { pretty: false } })
    expect(negotiate(undefined, [{ name: '_pretty', value: 'yes' }], false)).toMatchObject({ failure: { kind: 'bad-parameter' } })
  })

  test('a browser is one that wants HTML most', () => {
    expect(wantsHtml('text/html,application/xhtml+xml,*/*;q=0.8')).toBe(true)
    expect(wantsHtml('application/fhir+json, text/html;q=0.5')).toBe(false)
    expect(wantsHtml(undefined)).toBe(false)
  })
})

describe('a Binary', () => {
  // biome-ignore format: a table
  const binaries: readonly (readonly [accept: string | undefined, format: string | undefined, 'raw' | 'resource' | 'not-acceptable'])[] = [
    [undefined,                              undefined, 'raw'],
    ['*/*',                                  undefined, 'raw'],
    ['image/png',                            undefined, 'raw'],
    ['application/fhir+json',                undefined, 'resource'],
    ['application/fhir+json, */*;q=0.1',     undefined, 'resource'],
    ['application/json',                     undefined, 'resource'],
    ['*/*',                                  'json',    'resource'],
    ['application/fhir+xml',                 undefined, 'not-acceptable'],
  ]
  for (const [accept, format, expected] of binaries) {
    test(`read with Accept: ${accept ?? '(none)'} and _format=${format ?? '(none)'} comes as ${expected}`, () => {
      const outcome = negotiate(accept, format === undefined ? [] : [{ name: '_format', value: format }], true)
      expect(outcome.ok ? (outcome.value.raw === undefined ? 'resource' : 'raw') : outcome.failure.kind).toBe(expected)
    })
  }

  test('raw content is refused when the client excludes its type', () => {
    const outcome = negotiate('image/*, application/pdf;q=0', [], true)
    const takes = outcome.ok ? outcome.value.raw : undefined
    expect(takes?.('image/png')).toBe(true)
    expect(takes?.('application/pdf')).toBe(false)
    expect(takes?.('text/plain; charset=utf-8')).toBe(false)
  })
})
