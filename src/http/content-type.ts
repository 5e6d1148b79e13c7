import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { InteractionCode } from '../interactions/request.ts'
import { remembered } from './remembered.ts'

/** What a body is, told by its Content-Type and by what it is sent to. Nothing is guessed from the bytes. */

export type BodyKind = 'resource' | 'json-patch' | 'merge-patch' | 'raw' | 'form'

const json = ['application/fhir+json', 'application/json', 'text/json']

/** Interactions that take a body, and the media types they take. */
// biome-ignore format: a table
const accepted: Partial<Record<InteractionCode, Readonly<Record<string, BodyKind>>>> = {
  create:               kinds({ resource: json }),
  update:               kinds({ resource: json }),
  batch:                kinds({ resource: json }),
  '$break-glass':       kinds({ resource: json }),
  patch:                kinds({ 'json-patch': ['application/json-patch+json'], 'merge-patch': ['application/merge-patch+json'], resource: json }),
  'search-type':        kinds({ form: ['application/x-www-form-urlencoded'] }),
  'search-system':      kinds({ form: ['application/x-www-form-urlencoded'] }),
  'search-compartment': kinds({ form: ['application/x-www-form-urlencoded'] }),
}

function kinds(lists: Partial<Record<BodyKind, readonly string[]>>): Readonly<Record<string, BodyKind>> {
  return Object.fromEntries(Object.entries(lists).flatMap(([kind, types]) => types.map(type => [type, kind as BodyKind])))
}

export const takesBody = (interaction: InteractionCode, method: string): boolean =>
  interaction in accepted && (method === 'POST' || method === 'PUT' || method === 'PATCH')

/** Fails `content-type-missing`, `content-type-unknown`, `charset-unknown`, `fhir-version-unknown`. */
export const bodyKindOf = (interaction: InteractionCode, type: string | undefined, header: string | undefined): Outcome<BodyKind> => {
  const table = accepted[interaction] ?? {}
  if (header === undefined || header.trim() === '') return fail('content-type-missing', { available: Object.keys(table).join(', ') })
  const { mediaType, charset, fhirVersion } = readContentType(header)
  const raw = type === 'Binary' && (interaction === 'create' || interaction === 'update') && isRawBinary(mediaType)
  if (raw) return mediaType.includes('/') ? ok('raw') : fail('content-type-unknown', { available: '*/*' })
  const kind = Object.hasOwn(table, mediaType) ? table[mediaType] : undefined
  if (kind === undefined) return fail('content-type-unknown', { available: Object.keys(table).join(', ') }, at)
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') return fail('charset-unknown', {}, at)
  return fhirVersion === undefined || fhirVersion === '4.0' ? ok(kind) : fail('fhir-version-unknown', {}, at)
}

const at = { location: ['http.Content-Type'] }

/** `application/json` is raw too: the interaction takes it for a resource if it says that it is a Binary. */
const isRawBinary = (mediaType: string): boolean => !mediaType.startsWith('application/fhir+')

type ContentType = { readonly mediaType: string; readonly charset?: string; readonly fhirVersion?: string }

const readContentType = remembered((header: string): ContentType => {
  const [mediaType = '', ...parameters] = header.split(';').map(part => part.trim())
  const value = (name: string): string | undefined =>
    parameters
      .find(parameter => parameter.toLowerCase().startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .replace(/^"(.*)"$/, '$1')
      .toLowerCase()
  const charset = value('charset')
  const fhirVersion = value('fhirversion')
  return {
    mediaType: mediaType.toLowerCase(),
    ...(charset === undefined ? {} : { charset }),
    ...(fhirVersion === undefined ? {} : { fhirVersion }),
  }
})
