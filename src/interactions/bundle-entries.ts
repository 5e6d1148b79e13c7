import { type Failure, fail, type Issue, issue, type Outcome, ok } from '../base/outcome.ts'
import { type Rule, rule } from '../base/rules.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Parts } from './parts.ts'
import type { Body, Conditions, InteractionRequest, Prefer } from './request.ts'

/**
 * The shape of a batch or transaction, checked before any work: a failure here is the whole answer.
 * @see https://hl7.org/fhir/R4/http.html#transaction
 */

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
type EntryMethod = (typeof methods)[number]

/** One entry as sent. `url` is relative to the base. */
export type Entry = {
  readonly index: number
  readonly fullUrl?: string
  readonly method: EntryMethod
  readonly url: string
  /** An object with a resourceType; not looked at further. */
  readonly resource?: Resource
  readonly conditions: Conditions
}

export type RequestBundle = { readonly type: 'batch' | 'transaction'; readonly entries: readonly Entry[] }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The expression of an issue inside an entry begins with the entry, `i` from 0 as sent. */
const expressionIn = (index: number, expression: string | undefined): string => {
  const entry = `Bundle.entry[${index}]`
  if (expression === undefined) return entry
  if (expression.startsWith('Bundle.entry[')) return `${entry}.resource${expression.slice('Bundle'.length)}`
  const dot = expression.indexOf('.')
  return dot < 0 ? `${entry}.resource` : `${entry}.resource${expression.slice(dot)}`
}

/** The failure of an entry, told in terms of the Bundle. */
export const inEntry = (failure: Failure, { index, fullUrl }: Pick<Entry, 'index' | 'fullUrl'>): Failure => {
  const told = <T extends Issue>(issue: T): T => ({
    ...issue,
    expression: (issue.expression ?? [undefined]).map(text => expressionIn(index, text)),
    ...(fullUrl === undefined ? {} : { fullUrl }),
  })
  return failure.more === undefined ? told(failure) : { ...told(failure), more: failure.more.map(told) }
}

/** Several failures as one: the first decides the status. At most `issuesMax` are told; if there are more, the last one says so. */
export const failAll = (failures: readonly Failure[], issuesMax: number): { readonly ok: false; readonly failure: Failure } => {
  const [first, ...others] = failures as readonly [Failure, ...Failure[]]
  const more = [...(first.more ?? []), ...others.flatMap(({ more: inner = [], ...own }) => [own, ...inner])]
  if (more.length === 0) return { ok: false, failure: first }
  const told =
    more.length < issuesMax ? more : [...more.slice(0, issuesMax - 2), issue('information', 'more-issues', { max: issuesMax - 1 })]
  return { ok: false, failure: { ...first, more: told } }
}

const refusal = (index: number, broken: Rule, member = ''): Failure =>
  fail('bundle-entry', { rule: broken }, { expression: [`Bundle.entry[${index}]${member}`] }).failure

/** `url` without our base; undefined where it leaves the base. */
const relativeUrl = (url: string, base: string): string | undefined => {
  const text = url.startsWith(`${base}/`) ? url.slice(base.length + 1) : url
  const path = text.split('?', 1)[0] as string
  if (
    text === '' ||
    path.startsWith('/') ||
    /^[A-Za-z][A-Za-z0-9+.-]*:/.test(path) ||
    path.split('/').some(part => part === '..' || part === '.')
  )
    return undefined
  return text
}

const needsResource = (method: EntryMethod, url: string): boolean => {
  if (method === 'PUT' || method === 'PATCH') return true
  return method === 'POST' && !/(?:^|\/)(?:_search|\$[^/]*)$/.test(url.split('?', 1)[0] as string)
}

/** Bundle.entry.request.ifModifiedSince is an instant, the header an HTTP date. */
const asHttpDate = (instant: string): string => (Number.isNaN(Date.parse(instant)) ? instant : new Date(instant).toUTCString())

const conditionNames = ['ifMatch', 'ifNoneMatch', 'ifModifiedSince', 'ifNoneExist'] as const

const readEntry = (value: unknown, index: number, base: string): Entry | Failure => {
  if (!isObject(value)) return refusal(index, rule('entry-object'))
  const { fullUrl, request, resource } = value
  if (fullUrl !== undefined && typeof fullUrl !== 'string') return refusal(index, rule('entry-text', { member: 'fullUrl' }), '.fullUrl')
  if (!isObject(request)) return refusal(index, rule('entry-request'), '.request')
  const method = methods.find(known => known === request.method)
  if (method === undefined) return refusal(index, rule('entry-method', { words: methods.join(', ') }), '.request.method')
  const url = typeof request.url === 'string' ? relativeUrl(request.url, base) : undefined
  if (url === undefined) {
    return refusal(index, rule('entry-url'), '.request.url')
  }
  if (url.startsWith('_async')) return refusal(index, rule('entry-async'), '.request.url')
  const conditions: Record<string, string> = {}
  for (const name of conditionNames) {
    const text = request[name]
    if (text === undefined) continue
    if (typeof text !== 'string') return refusal(index, rule('entry-text', { member: `request.${name}` }), `.request.${name}`)
    conditions[name] = name === 'ifModifiedSince' ? asHttpDate(text) : text
  }
  if (resource !== undefined && !isObject(resource)) return refusal(index, rule('entry-resource'), '.resource')
  if (needsResource(method, url) && resource === undefined) return refusal(index, rule('entry-needs-resource', { method }))
  if ((method === 'GET' || method === 'HEAD' || method === 'DELETE') && resource !== undefined)
    return refusal(index, rule('entry-takes-no-resource', { method }), '.resource')
  if (resource !== undefined && typeof resource.resourceType !== 'string') {
    return fail('no-resource-type', {}, { expression: [`Bundle.entry[${index}].resource`] }).failure
  }
  return {
    index,
    method,
    url,
    conditions,
    ...(fullUrl === undefined ? {} : { fullUrl }),
    ...(resource === undefined ? {} : { resource: resource as Resource }), // resourceType is a string
  }
}

/** Fails with everything that is wrong with the shape, entry by entry. */
export const readBundle = (value: unknown, parts: Pick<Parts, 'limits' | 'settings'>): Outcome<RequestBundle> => {
  if (!isObject(value)) return fail('not-an-object', { found: value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value })
  if (value.resourceType === undefined) return fail('no-resource-type', {})
  if (value.resourceType !== 'Bundle') return fail('wrong-resource-type', { expected: 'Bundle' })
  const { type, entry = [] } = value
  if (type !== 'batch' && type !== 'transaction') return fail('bundle-type', {}, { expression: ['Bundle.type'] })
  if (!Array.isArray(entry)) return fail('wrong-form', { element: 'Bundle.entry' }, { expression: ['Bundle.entry'] })
  const max = type === 'batch' ? parts.limits.batchEntriesMax : parts.limits.transactionEntriesMax
  if (entry.length > max) return fail('too-many-entries', { kind: type, max }, { expression: ['Bundle.entry'] })

  const entries: Entry[] = []
  const failures: Failure[] = []
  const fullUrls = new Map<string, number>()
  for (const [index, sent] of entry.entries()) {
    const read = readEntry(sent, index, parts.settings.base)
    if ('kind' in read) {
      failures.push(isObject(sent) && typeof sent.fullUrl === 'string' ? { ...read, fullUrl: sent.fullUrl } : read)
      continue
    }
    const first = read.fullUrl === undefined ? undefined : fullUrls.get(read.fullUrl)
    if (first !== undefined) {
      const expression = [`Bundle.entry[${first}].fullUrl`, `Bundle.entry[${index}].fullUrl`]
      failures.push(fail('duplicate-full-url', { first, second: index }, { expression, fullUrl: read.fullUrl as string }).failure)
    } else if (read.fullUrl !== undefined) fullUrls.set(read.fullUrl, index)
    entries.push(read)
  }
  return failures.length > 0 ? failAll(failures, parts.limits.issuesMax) : ok({ type, entries })
}

/** The body of an entry: a patch travels as Binary (JSON Patch, merge patch) or as Parameters. */
const bodyOf = ({ method, resource }: Entry): Outcome<Body | undefined> => {
  if (resource === undefined) return ok(undefined)
  if (method !== 'PATCH' || resource.resourceType === 'Parameters') return ok({ kind: 'parsed', resource })
  const { contentType, data } = resource
  const kind =
    contentType === 'application/json-patch+json'
      ? 'json-patch'
      : contentType === 'application/merge-patch+json'
        ? 'merge-patch'
        : undefined
  if (resource.resourceType !== 'Binary' || kind === undefined || typeof data !== 'string') {
    return fail('bundle-entry', { rule: rule('entry-patch') }, { expression: [resource.resourceType] })
  }
  return ok({ kind, bytes: Buffer.from(data, 'base64') })
}

/** What stands inside a JSON Bundle is JSON. */
const jsonFormats: ReadonlySet<string> = new Set([
  'json',
  'application/json',
  'text/json',
  'application/fhir+json',
  'application/fhir json',
])

/** The entry as a request of its own; the failure does not yet name the entry. */
export const requestOf = (entry: Entry, prefer: Prefer, parts: Pick<Parts, 'route'>): Outcome<InteractionRequest> => {
  const routed = parts.route(entry.method, entry.url)
  if (!routed.ok) return routed
  const format = routed.value.parameters.find(({ name }) => name === '_format')
  if (format !== undefined && !jsonFormats.has(format.value))
    return fail('not-acceptable', { available: 'json' }, { location: ['http._format'] })
  const body = bodyOf(entry)
  if (!body.ok) return body
  return ok({ ...routed.value, conditions: entry.conditions, prefer, ...(body.value === undefined ? {} : { body: body.value }) })
}
