import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Parameter } from '../interactions/request.ts'
import { parseQualityList, type Weighted } from './quality-list.ts'
import { remembered } from './remembered.ts'

/** Which representation the client gets. @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1, https://hl7.org/fhir/R4/http.html#mime-type */

export const fhirJson = 'application/fhir+json; charset=utf-8'

const jsonTypes: Readonly<Record<string, string>> = {
  'application/fhir+json': fhirJson,
  'application/json': 'application/json; charset=utf-8',
  'text/json': 'text/json; charset=utf-8',
}

export const available = 'application/fhir+json, application/json, text/json'

export type Format = {
  /** Content-Type of a FHIR answer. */
  readonly contentType: string
  readonly pretty: boolean
  /** Of a Binary: the content itself, not the resource around it. Tells whether a media type will do. */
  readonly raw?: (contentType: string) => boolean
}

/** What an Accept header comes to; the same for every request that sends it. */
type Accepted = {
  /** Undefined: no JSON will do. */
  readonly json: string | undefined
  /** A FHIR type is among the most wanted, so a Binary is read as the resource. */
  readonly wantsResource: boolean
  readonly html: boolean
  readonly takes: (contentType: string) => boolean
}

const anything: Accepted = { json: fhirJson, wantsResource: false, html: false, takes: () => true }

/**
 * `_format` beats Accept. JSON is all there is today: XML and the others fail `not-acceptable`.
 * `binary`: an instance of Binary is asked for, whose content may go out raw.
 */
export const negotiate = (accept: string | undefined, parameters: readonly Parameter[], binary: boolean): Outcome<Format> => {
  const asked = parameters.length === 0 ? noTransport : readTransport(parameters)
  if (!asked.ok) return asked
  const { format, pretty } = asked.value
  if (format !== undefined) {
    const contentType = formats[format]
    return contentType === undefined ? fail('not-acceptable', { available }) : ok({ contentType, pretty })
  }
  const accepted = acceptedBy(accept)
  if (binary && !accepted.wantsResource) return ok({ contentType: accepted.json ?? fhirJson, pretty, raw: accepted.takes })
  if (accepted.json === undefined) return fail('not-acceptable', { available })
  return ok(accepted.json === fhirJson && !pretty ? plain : { contentType: accepted.json, pretty })
}

/** What the answer is when nothing was negotiated: an early failure for example. */
export const plain: Format = { contentType: fhirJson, pretty: false }

const formats: Readonly<Record<string, string>> = {
  __proto__: null as never,
  ...jsonTypes,
  json: fhirJson,
  'application/json': fhirJson,
  'text/json': fhirJson,
}

type Transport = { readonly format: string | undefined; readonly pretty: boolean }
const noTransport = ok<Transport>({ format: undefined, pretty: false })

const readTransport = (parameters: readonly Parameter[]): Outcome<Transport> => {
  const format = single(parameters, '_format')
  if (!format.ok) return format
  const pretty = single(parameters, '_pretty')
  if (!pretty.ok) return pretty
  if (pretty.value !== undefined && pretty.value !== 'true' && pretty.value !== 'false') {
    return fail('bad-parameter', { parameter: '_pretty', rule: rule('one-of', { words: 'true, false' }) }, { location: ['http._pretty'] })
  }
  return ok({ format: format.value === undefined ? undefined : formatOf(format.value), pretty: pretty.value === 'true' })
}

const formatOf = (text: string): string => (parseQualityList(text).every(isOurVersion) ? mediaTypeOf(text) : anotherVersion)

/** No name of a format. */
const anotherVersion = ''

/** An unescaped plus arrives as a blank; parameters such as a charset do not matter. */
const mediaTypeOf = (text: string): string => (text.split(';', 1)[0] as string).trim().toLowerCase().replaceAll(' ', '+')

const single = (parameters: readonly Parameter[], name: string): Outcome<string | undefined> => {
  const found = parameters.filter(parameter => parameter.name === name)
  return found.length > 1 ? fail('repeated-parameter', { parameter: name }, { location: [`http.${name}`] }) : ok(found[0]?.value)
}

/** Whether a page for people is wanted more than anything: a browser, not a FHIR client. */
export const wantsHtml = (accept: string | undefined): boolean => acceptedBy(accept).html

const acceptedBy = (accept: string | undefined): Accepted =>
  accept === undefined || accept === '' || accept === '*/*' ? anything : readAccept(accept)

const readAccept = remembered((text: string): Accepted => {
  const ranges = parseQualityList(text).filter(({ value }) => value === '*' || value.includes('/'))
  const best = Math.max(0, ...ranges.map(({ q }) => q))
  return {
    json: jsonTypes[Object.keys(jsonTypes).find(type => qualityOf(type, ranges) > 0) ?? ''],
    wantsResource: ranges.some(({ value, q }) => q === best && (value in jsonTypes || value.startsWith('application/fhir+'))),
    html: ranges.some(({ value, q }) => q === best && value === 'text/html'),
    takes: contentType => qualityOf(mediaTypeOf(contentType), ranges) > 0,
  }
})

/** The most specific range that fits decides; another FHIR version fits nothing. */
const qualityOf = (type: string, ranges: readonly Weighted[]): number => {
  let q = 0
  let most = 0
  for (const range of ranges) {
    const fits = specificity(range, type)
    if (fits > most) [most, q] = [fits, range.q]
  }
  return q
}

const isOurVersion = ({ parameters }: Weighted): boolean => (parameters.get('fhirversion') ?? '4.0') === '4.0'

const specificity = (range: Weighted, type: string): number => {
  const { value } = range
  if (!isOurVersion(range)) return 0
  if (value === type) return 3
  if (value === `${type.slice(0, type.indexOf('/'))}/*`) return 2
  return value === '*/*' || value === '*' ? 1 : 0
}
