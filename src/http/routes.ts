import { isId } from '../base/ids.ts'
import type { Limits } from '../base/limits.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import type { RouteEntry } from '../interactions/parts.ts'
import type { InteractionCode, InteractionRequest, Parameter } from '../interactions/request.ts'
import { suggest } from '../search/suggest.ts'
import { decodePercent, parseQuery } from './query.ts'
import { r4Operations } from './r4-operations.ts'
import { type Route, routes } from './route-table.ts'

/** From method and path to an interaction: the table of `route-table.ts` as a tree of segments, walked once for each request. */

export type Match = {
  readonly interaction: InteractionCode
  readonly needs?: Route['needs']
  readonly type?: string
  readonly id?: string
  readonly versionId?: string
  readonly compartment?: { readonly type: string; readonly id: string }
}

export type Router = {
  /** `path` lies below [base], begins with `/` or is empty, and is still percent-encoded. Method in capitals. */
  readonly match: (method: string, path: string) => Outcome<Match>
  /** Methods of a path, for OPTIONS. Fails where the path means nothing. */
  readonly allow: (path: string) => Outcome<readonly string[]>
}

type Place = 'type' | 'id' | 'vid' | 'member' | 'operation' | 'job'
type Captured = { -readonly [P in Place]?: string }

type Segment = {
  readonly literals: Map<string, Segment>
  /** The one place a segment may fill; `$name` fills `operation` instead. */
  place?: { readonly name: Place; readonly next: Segment }
  operation?: Segment
  readonly byMethod: Map<string, Route>
}

const segment = (): Segment => ({ literals: new Map(), byMethod: new Map() })

const grow = (from: Segment, part: string): Segment => {
  if (part === '{operation}') {
    from.operation ??= segment()
    return from.operation
  }
  if (part.startsWith('{')) {
    from.place ??= { name: part.slice(1, -1) as Place, next: segment() } // the table has no other places
    return from.place.next
  }
  const known = from.literals.get(part) ?? segment()
  from.literals.set(part, known)
  return known
}

const treeOf = (table: readonly Route[]): Segment => {
  const root = segment()
  for (const route of table) {
    const end = route.path
      .split('/')
      .filter(part => part !== '')
      .reduce(grow, root)
    for (const method of route.methods) end.byMethod.set(method, route)
  }
  return root
}

const tree = treeOf(routes)

export const createRouter = (definitions: Definitions): Router => {
  const match = (method: string, path: string): Outcome<Match> => {
    const captured: Captured = {}
    const end = walk(path, captured)
    if (!end.ok) return end
    const checked = checkPlaces(captured, method, definitions)
    if (!checked.ok) return checked
    const route = end.value.byMethod.get(method)
    if (route === undefined) return fail('method-not-allowed', { method }, { allow: [...end.value.byMethod.keys()] })
    return matchOf(route, captured)
  }
  const allow = (path: string): Outcome<readonly string[]> => {
    const captured: Captured = {}
    const end = walk(path, captured)
    if (!end.ok) return end
    const checked = checkPlaces(captured, 'GET', definitions)
    return checked.ok ? ok([...end.value.byMethod.keys()]) : checked
  }
  return { match, allow }
}

/** Empty and dot segments lead nowhere; one slash at the end is ignored. Each segment is decoded once. */
const walk = (path: string, captured: Captured): Outcome<Segment> => {
  let at = tree
  const length = path.endsWith('/') ? path.length - 1 : path.length
  for (let start = 1; start <= length; ) {
    const found = path.indexOf('/', start)
    const end = found === -1 || found > length ? length : found
    const text = decodePercent(path.slice(start, end))
    if (text === undefined) return fail('bad-url', {})
    const next = step(at, text, captured)
    if (next === undefined) return fail('unknown-path', {})
    at = next
    start = end + 1
  }
  return at.byMethod.size === 0 ? fail('unknown-path', {}) : ok(at)
}

const step = (at: Segment, text: string, captured: Captured): Segment | undefined => {
  if (text === '' || text === '.' || text === '..') return undefined
  const literal = at.literals.get(text)
  if (literal !== undefined) return literal
  if (text.startsWith('$')) {
    captured.operation = text.slice(1)
    return at.operation
  }
  if (at.place === undefined) return undefined
  captured[at.place.name] = text
  return at.place.next
}

const operationPattern = /^[A-Za-z][A-Za-z0-9-]{0,63}$/
const writesInstances: ReadonlySet<string> = new Set(['PUT', 'PATCH', 'DELETE'])

const checkPlaces = (captured: Captured, method: string, definitions: Definitions): Outcome<undefined> => {
  const { type, id, vid, member, operation, job } = captured
  if (type !== undefined && !definitions.isResourceType(type)) return unknownType(type, definitions)
  if (id !== undefined && !isId(id)) return writesInstances.has(method) ? fail('bad-id', {}) : fail('impossible-id', {})
  if (operation !== undefined) return checkOperation(operation)
  if (member !== undefined) return checkMember(type as string, member, definitions) // {member} stands behind {type}
  if (vid !== undefined && !isId(vid)) return fail('impossible-id', {})
  if (job !== undefined) return fail('unknown-path', {})
  return ok(undefined)
}

/** TODO(operations issue): asks the list of operations instead. */
const checkOperation = (operation: string): Outcome<never> => {
  if (!operationPattern.test(operation)) return fail('unknown-path', {})
  return r4Operations.has(operation) ? fail('not-enabled', { what: `$${operation}` }) : fail('unknown-operation', { operation })
}

const checkMember = (owner: string, member: string, definitions: Definitions): Outcome<undefined> => {
  const compartment = definitions.compartment(owner)
  if (compartment === undefined) return fail('unknown-path', {})
  if (member === '*') return ok(undefined)
  if (!definitions.isResourceType(member)) return unknownType(member, definitions)
  return Object.hasOwn(compartment.resources, member) ? ok(undefined) : fail('not-in-compartment', { type: member, compartment: owner })
}

/** A word that could be meant as a type is named in the answer; anything else might be a value and is not repeated. */
const unknownType = (type: string, definitions: Definitions): Outcome<never> => {
  if (!/^[A-Za-z]{1,40}$/.test(type)) return fail('unknown-path', {})
  const suggestion = suggest(type, definitions.resourceTypes)
  return suggestion === undefined ? fail('unknown-type', { type }) : fail('unknown-type-suggestion', { type, suggestion })
}

const matchOf = (route: Route, { type, id, vid, member }: Captured): Outcome<Match> => {
  const interaction = route.target as InteractionCode // operations and jobs were answered by checkPlaces
  if (member !== undefined) {
    const compartment = { type: type as string, id: id as string } // the table puts {member} behind both
    return ok(member === '*' ? { interaction, compartment } : { interaction, compartment, type: member })
  }
  const match: Mutable<Match> = { interaction }
  if (route.needs !== undefined) match.needs = route.needs
  if (type !== undefined) match.type = type
  if (id !== undefined) match.id = id
  if (vid !== undefined) match.versionId = vid
  return ok(match)
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Addressed = Pick<InteractionRequest, 'interaction' | 'type' | 'id' | 'versionId' | 'compartment' | 'parameters'>

/** What a path says of a request, without what only the table needs. Runs for every request, so it is assigned, not spread. */
export const targetOf = (match: Match, parameters: readonly Parameter[]): Mutable<Addressed> => {
  const { interaction, type, id, versionId, compartment } = match
  const target: Mutable<Addressed> = { interaction, parameters }
  if (type !== undefined) target.type = type
  if (id !== undefined) target.id = id
  if (versionId !== undefined) target.versionId = versionId
  if (compartment !== undefined) target.compartment = compartment
  return target
}

/** Parameters that only the transport reads. */
export const ofTransport: ReadonlySet<string> = new Set(['_format', '_pretty'])

/** A conditional write without criteria is never one of everything; nor is a search of everything one without parameters. */
export const checkNeeds = (match: Match, parameters: readonly Parameter[]): Outcome<undefined> => {
  if (match.needs === undefined || parameters.some(({ name }) => !ofTransport.has(name))) return ok(undefined)
  return match.needs === 'criteria' ? fail('id-or-criteria-needed', {}) : fail('base-without-parameters', {})
}

/**
 * Reads method and URL of a bundle entry by the same table. The URL is relative to [base] (`Patient?name=x`, `/Patient/1`) or absolute
 * with our own base. Fails as a request with that URL would; another server's URL and a nested `POST /` fail `bundle-entry`.
 */
export const createRouteEntry = (definitions: Definitions, base: string, limits: Limits): RouteEntry => {
  const router = createRouter(definitions)
  return (method, url) => {
    if (url.length > limits.urlBytesMax) return fail('url-too-long', { max: limits.urlBytesMax })
    const relative = belowBase(url, base)
    if (relative === undefined) return fail('bundle-entry', { rule: rule('entry-base') })
    const mark = relative.indexOf('?')
    const parameters = parseQuery(mark === -1 ? '' : relative.slice(mark + 1), limits)
    if (!parameters.ok) return parameters
    const match = router.match(method, mark === -1 ? relative : relative.slice(0, mark))
    if (!match.ok) return match
    if (match.value.interaction === 'batch') return fail('bundle-entry', { rule: rule('entry-nested') })
    const complete = checkNeeds(match.value, parameters.value)
    return complete.ok ? ok(targetOf(match.value, parameters.value)) : complete
  }
}

/** The part of an entry's URL that is routed, with a slash in front; undefined when it points elsewhere. */
const belowBase = (url: string, base: string): string | undefined => {
  if (url === base) return '/'
  if (url.startsWith(base) && /^[/?]/.test(url.slice(base.length))) return slashed(url.slice(base.length))
  return url.startsWith('//') || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(url) || url.includes('#') ? undefined : slashed(url)
}

const slashed = (url: string): string => (url.startsWith('/') ? url : `/${url}`)
