import { STATUS_CODES } from 'node:http'
import { type Outcome, ok } from '../base/outcome.ts'
import type { HistoryOptions, HistoryPage, Position, Snapshot, StoredVersion } from '../storage/port.ts'
import { type BundleEntry, bundleChunks, instant } from './bundle.ts'
import { fullPage } from './full-pages.ts'
import { groupByAccess } from './group-by-access.ts'
import { type HistoryParameters, readHistoryParameters } from './history-parameters.ts'
import { fitting, type Given, givenTo, linksOf, type PageShown, type Place, placeOf, type Walk } from './pages.ts'
import type { Call, Parts } from './parts.ts'
import type { Answer, InteractionRequest } from './request.ts'
import { type Sight, sightsOf } from './sight.ts'
import { textOf, type View } from './view.ts'
import { passingOf } from './visible.ts'

/** The versions of an instance, of a type or of everything. */
export type HistoryWalk = Walk & { readonly types: readonly string[]; readonly id?: string }

/** The story of all three history interactions. @see https://hl7.org/fhir/R4/http.html#history, rest-api.md 15 */
export const history = async (walk: HistoryWalk, request: InteractionRequest, call: Call, parts: Parts): Promise<Outcome<Answer>> => {
  const place = placeOf(request.parameters, walk, call, parts)
  if (!place.ok) return place
  const asked = readHistoryParameters(place.value.cursor?.parameters ?? request.parameters, walk.types, parts)
  if (!asked.ok) return asked
  const types = asked.value.types ?? walk.types
  const given = givenTo(types, place.value, call)
  if (!given.ok) return given
  if (types[0] !== undefined && groupByAccess(types, call.access).length === 0)
    return { ok: false, failure: call.access.refusal(call.access.interaction, types[0]) }

  const snapshot = place.value.cursor?.snapshot ?? (await parts.store.snapshot())
  const page = await readPage(walk, asked.value, place.value, snapshot, call, parts)
  if (!page.ok) return page
  const { rows, cut } = fitting(page.value.rows, place.value.backward === true, parts.limits.pageBytesMax)
  const shown = pageShown(asked.value, place.value, given.value, rows, { ...page.value, more: page.value.more || cut }, snapshot)
  const sightOf = await sightsOf(rows, call, parts)
  const entries = rows.map(row => entryOf(row, asked.value, sightOf(row), parts))
  return ok(answerOf(walk, shown, entries, snapshot, parts))
}

const pageShown = (
  asked: HistoryParameters,
  place: Place,
  given: Given,
  rows: readonly StoredVersion[],
  { more, total }: HistoryPage,
  snapshot: Snapshot,
): PageShown => {
  const pages = sizeOf(asked) > 0 && (more || place.cursor !== undefined)
  const [first, last] = [rows[0], rows.at(-1)]
  const known = place.cursor?.total ?? total
  return {
    place,
    given,
    ...(first && last ? { ends: { first: positionOf(first), last: positionOf(last) } } : {}),
    more,
    ...(pages ? { snapshot } : {}),
    applied: asked.applied,
    ...(known === undefined ? {} : { total: known }),
    lastKnown: known !== undefined,
  }
}

/** Of a page without entries only the total is wanted. */
const sizeOf = ({ summary, count }: HistoryParameters): number => (summary === 'count' ? 0 : count)

const positionOf = ({ seq }: StoredVersion): Position => ({ values: [], seq })

const answerOf = (walk: HistoryWalk, shown: PageShown, entries: readonly BundleEntry[], snapshot: Snapshot, parts: Parts): Answer => {
  const links = linksOf(walk, shown, parts)
  const head = { id: parts.ids(), type: 'history', at: snapshot.at, timestamp: parts.clock(), links } as const
  const chunks = bundleChunks({ ...head, ...(shown.total === undefined ? {} : { total: shown.total }) }, entries)
  return { status: 200, body: { kind: 'json', chunks } }
}

// --- reading

/**
 * Types under one filter of the store are read together; pages of several are merged by sequence. What it gives is then judged row by row, since it
 * knows neither parameters and consents nor the labels of past versions.
 */
const readPage = async (
  walk: HistoryWalk,
  asked: HistoryParameters,
  place: Place,
  snapshot: Snapshot,
  call: Call,
  parts: Parts,
): Promise<Outcome<HistoryPage>> => {
  const options = optionsOf(asked, place, snapshot, call)
  const groups = groupByAccess(asked.types ?? walk.types, call.access)
  const ask = async (position: number | undefined, limit: number): Promise<Outcome<HistoryPage>> => {
    const pages: HistoryPage[] = []
    const from = { ...options, limit, ...(position === undefined ? {} : { position }) }
    for (const { filter, types } of groups) {
      const page = await parts.store.history(scopeOf(walk, types, parts), { ...from, access: filter })
      if (!page.ok) return page
      pages.push(page.value)
    }
    return ok(merged(pages, from))
  }
  if (call.access.open) return ask(options.position, options.limit)
  return judgedPage(options, ask, call, parts)
}

/** Pages are full, and a total is told only where every row was looked at. */
const judgedPage = async (
  options: Omit<HistoryOptions, 'access'>,
  ask: (position: number | undefined, limit: number) => Promise<Outcome<HistoryPage>>,
  call: Call,
  parts: Parts,
): Promise<Outcome<HistoryPage>> => {
  const { position, backward = false, deadline = call.deadline } = options
  // Of a page without entries the total is wanted: it is that of all rows, as far as one page holds them.
  const limit = options.limit === 0 ? countedMax : options.limit
  const page = await fullPage<StoredVersion>({
    limit,
    backward,
    deadline,
    ask: (from, count) => ask(from?.seq ?? position, count),
    keep: rows => visibleVersions(rows, call, parts),
  })
  if (!page.ok) return page
  const { rows, more } = page.value
  const known = !more && position === undefined ? { total: rows.length } : {}
  return ok({ rows: options.limit === 0 ? [] : rows, more, ...known })
}

/** Versions that are counted to tell a total alone. */
const countedMax = 1_000

const visibleVersions = async (rows: readonly StoredVersion[], call: Call, parts: Parts): Promise<readonly StoredVersion[]> => {
  const keys = new Map(rows.map(({ type, id }) => [`${type}/${id}`, { type, id }]))
  const newest = await parts.store.newestMany([...keys.values()])
  const byName = new Map([...keys.keys()].map((name, at) => [name, newest[at]]))
  const dated = rows.flatMap(version => {
    const last = byName.get(`${version.type}/${version.id}`)
    return last === undefined ? [] : [{ version, newest: last }]
  })
  return (await passingOf(dated, call, parts)).map(({ version }) => version)
}

const optionsOf = (asked: HistoryParameters, place: Place, snapshot: Snapshot, call: Call): Omit<HistoryOptions, 'access'> => ({
  limit: sizeOf(asked),
  snapshot,
  deadline: call.deadline,
  ...(asked.since === undefined ? {} : { since: asked.since }),
  ...(asked.current === undefined ? {} : { current: asked.current }),
  ...(asked.oldestFirst ? { oldestFirst: true } : {}),
  ...(place.position ? { position: place.position.seq } : {}),
  ...(place.backward ? { backward: true } : {}),
})

const scopeOf = ({ id }: HistoryWalk, types: readonly string[], { definitions }: Parts) => {
  const [type] = types
  if (types.length === 1 && type !== undefined) return id === undefined ? { type } : { type, id }
  return types.length === definitions.resourceTypes.length ? {} : { types }
}

const merged = (pages: readonly HistoryPage[], options: Omit<HistoryOptions, 'access'>): HistoryPage => {
  const [only, ...others] = pages
  if (only === undefined) return { rows: [], more: false, total: 0 }
  if (others.length === 0) return only
  const rows = pages.flatMap(page => page.rows).toSorted((a, b) => (options.oldestFirst ? a.seq - b.seq : b.seq - a.seq))
  const kept = options.backward ? rows.slice(Math.max(0, rows.length - options.limit)) : rows.slice(0, options.limit)
  return { rows: kept, more: pages.some(page => page.more) || kept.length < rows.length }
}

// --- one entry

const statuses = { POST: '201', PUT: '200', DELETE: '204' } as const

/** @see https://hl7.org/fhir/R4/http.html#history: request and response say how the version came to be */
const entryOf = (version: StoredVersion, view: View, sight: Sight, parts: Parts): BundleEntry => {
  const { type, id, method, versionId, lastUpdated, deleted } = version
  // A PUT that made version 1 answered 201.
  const status = method === 'PUT' && versionId === 1 ? '201' : statuses[method]
  const etag = `W/\\"${versionId}\\"`
  return {
    fullUrl: `${parts.settings.base}/${type}/${id}`,
    ...(deleted ? {} : { resource: textOf(version, view, sight, parts) }),
    history: {
      request: `{"method":"${method}","url":"${method === 'POST' ? type : `${type}/${id}`}"}`,
      response: `{"status":"${status} ${STATUS_CODES[status]}","etag":"${etag}","lastModified":"${instant(lastUpdated)}"}`,
    },
  }
}
