import { isId } from '../base/ids.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import { parseJson } from '../fhir/model/json.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Parts } from './parts.ts'
import type { Body } from './request.ts'

/**
 * From the body of a write to a resource that may be looked at: step A of validation (bytes, syntax, depth, numbers kept), then the
 * resourceType, the ids, and what must never be stored.
 */

const valueSystem = 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue'
const contentTypeMax = 200

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

/** The JSON of a body. Fails as `parseJson` does. */
export const readJson = (body: Body | undefined, parts: Pick<Parts, 'limits'>): Outcome<unknown> => {
  if (body === undefined) return fail('empty-body', {})
  if (body.kind === 'parsed') return ok(body.resource)
  if (body.bytes.length === 0) return fail('empty-body', {})
  return parseJson(body.bytes, { depthMax: parts.limits.depthMax })
}

const carries = (codings: unknown, code: string): boolean =>
  Array.isArray(codings) && codings.some(coding => isObject(coding) && coding.code === code && coding.system === valueSystem)

/** meta is read by the write path itself, so it must have its form even while nothing else is validated. */
const checkMeta = (meta: unknown, type: string): Outcome<undefined> => {
  if (meta === undefined) return ok(undefined)
  if (!isObject(meta)) return fail('wrong-form', { element: `${type}.meta` }, { expression: [`${type}.meta`] })
  for (const name of ['tag', 'security']) {
    const codings = meta[name]
    if (codings === undefined || (Array.isArray(codings) && codings.every(isObject))) continue
    return fail('wrong-form', { element: `${type}.meta.${name}` }, { expression: [`${type}.meta.${name}`] })
  }
  if (meta.source !== undefined && typeof meta.source !== 'string') {
    return fail('wrong-form', { element: `${type}.meta.source` }, { expression: [`${type}.meta.source`] })
  }
  if (carries(meta.tag, 'SUBSETTED')) return fail('partial-resource', {}, { expression: [`${type}.meta.tag`] })
  if (carries(meta.security, 'REDACTED')) return fail('masked-resource', {}, { expression: [`${type}.meta.security`] })
  return ok(undefined)
}

const checkId = (id: unknown, expression: string): Outcome<undefined> =>
  id === undefined || (typeof id === 'string' && isId(id)) ? ok(undefined) : fail('bad-id', {}, { expression: [expression] })

/** Contained resources and Bundle entries follow the same rule for ids. */
const checkInnerIds = (resource: Record<string, unknown>, type: string): Outcome<undefined> => {
  const { contained, entry } = resource
  if (Array.isArray(contained)) {
    for (const [at, inner] of contained.entries()) {
      const checked = checkId(isObject(inner) ? inner.id : undefined, `${type}.contained[${at}].id`)
      if (!checked.ok) return checked
    }
  }
  if (type === 'Bundle' && Array.isArray(entry)) {
    for (const [at, inner] of entry.entries()) {
      const held = isObject(inner) && isObject(inner.resource) ? inner.resource.id : undefined
      const checked = checkId(held, `Bundle.entry[${at}].resource.id`)
      if (!checked.ok) return checked
    }
  }
  return ok(undefined)
}

/** A JSON value as a resource that may be stored; `type` is that of the URL. Contents are not validated. */
export const checkResource = (value: unknown, type: string | undefined, definitions: Definitions): Outcome<Resource> => {
  if (!isObject(value)) return fail('not-an-object', { found: kindOf(value) })
  const { resourceType } = value
  if (typeof resourceType !== 'string') return fail('no-resource-type', {})
  if (type !== undefined && resourceType !== type) return fail('wrong-resource-type', { expected: type })
  if (!definitions.isResourceType(resourceType)) return fail('unknown-resource-type', {})
  const id = checkId(value.id, `${resourceType}.id`)
  if (!id.ok) return id
  const meta = checkMeta(value.meta, resourceType)
  if (!meta.ok) return meta
  const inner = checkInnerIds(value, resourceType)
  if (!inner.ok) return inner
  const { implicitRules } = value
  if (implicitRules !== undefined && implicitRules !== '' && implicitRules !== null) {
    return fail('implicit-rules', {}, { expression: [`${resourceType}.implicitRules`] })
  }
  return ok(value as Resource) // resourceType is a string, id and meta have their forms
}

/** Raw content becomes a Binary around it. `application/json` is a resource only if it says that it is a Binary. */
const binaryOf = (body: Extract<Body, { kind: 'raw' }>, parts: Pick<Parts, 'limits' | 'definitions'>): Outcome<Resource> => {
  if (body.contentType.length > contentTypeMax) {
    return fail(
      'bad-header',
      { header: 'Content-Type', rule: rule('at-most-characters', { max: contentTypeMax }) },
      { location: ['http.Content-Type'] },
    )
  }
  if (/^(?:application|text)\/json\b/i.test(body.contentType)) {
    const parsed = parseJson(body.bytes, { depthMax: parts.limits.depthMax })
    if (parsed.ok && isObject(parsed.value) && parsed.value.resourceType === 'Binary')
      return checkResource(parsed.value, 'Binary', parts.definitions)
  }
  const { buffer, byteOffset, length } = body.bytes
  return ok({
    resourceType: 'Binary',
    contentType: body.contentType,
    ...(body.securityContext === undefined ? {} : { securityContext: { reference: body.securityContext } }),
    ...(length === 0 ? {} : { data: Buffer.from(buffer, byteOffset, length).toString('base64') }),
  })
}

/** The resource of a create or update, of the type of the URL. */
export const readResource = (body: Body | undefined, type: string, parts: Pick<Parts, 'limits' | 'definitions'>): Outcome<Resource> => {
  if (body?.kind === 'raw') return binaryOf(body, parts)
  const json = readJson(body, parts)
  return json.ok ? checkResource(json.value, type, parts.definitions) : json
}
