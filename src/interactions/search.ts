import { type Issue, type Outcome, ok } from '../base/outcome.ts'
import { parseSearch } from '../search/parse.ts'
import type { ParsedSearch } from '../search/request.ts'
import type { Position, SearchPage, SearchRow, Snapshot, StoredVersion } from '../storage/port.ts'
import { type BundleEntry, bundleChunks } from './bundle.ts'
import { findIncluded, includedBy } from './include.ts'
import { emergencyOffer } from './emergency-offer.ts'
import { fullPage } from './full-pages.ts'
import { outcomeEntry } from './outcome-entry.ts'
import { fitting, type Given, givenTo, linksOf, type PageShown, type Place, placeOf, type Walk } from './pages.ts'
import type { Call, Parts } from './parts.ts'
import type { Answer, InteractionRequest } from './request.ts'
import { type Restricted, restrict } from './restrict.ts'
import { readTotal, type Total } from './search-total.ts'
import { type Sight, sightsOf } from './sight.ts'
import { reduced, textOf, type View } from './view.ts'
import { visibleOf } from './visible.ts'

/** A search of one type, of all, or of a compartment. */
export type SearchWalk = Walk & { readonly types: readonly string[]; readonly compartment?: { readonly type: string; readonly id: string } }

/** The story of all three searches. @see https://hl7.org/fhir/R4/search.html, rest-api.md 17 */
export const search = async (walk: SearchWalk, request: InteractionRequest, call: Call, parts: Parts): Promise<Outcome<Answer>> => {
  const place = placeOf(request.parameters, walk, call, parts)
  if (!place.ok) return place
  const parsed = parse(walk, place.value, request, parts)
  if (!parsed.ok) return parsed
  const given = givenTo(
    parsed.value.query.parts.map(({ type }) => type),
    place.value,
    call,
  )
  if (!given.ok) return given
  const restricted = await restrict(parsed.value.query, call, parts)
  if (!restricted.ok) return restricted
  const query = restricted.value
  if (parsed.value.summary === 'count' || parsed.value.count === 0) return countAnswer(walk, parsed.value, query, call, parts)

  const page = await readPage(query, parsed.value, place.value, call, parts)
  if (!page.ok) return page
  const { snapshot } = page.value
  const total = await totalOf(query, parsed.value, place.value, page.value, call, parts)
  if (!total.ok) return total
  const included = await findIncluded(page.value.rows, parsed.value, snapshot, call, parts)
  if (!included.ok) return included

  const offer = await emergencyOffer(parsed.value.query, call, parts)
  if (!offer.ok) return offer
  const said = [...parsed.value.ignored, ...included.value.issues, ...offer.value]

  const shown = pageShown(parsed.value, place.value, given.value, page.value, total.value, snapshot)
  return ok(await answerOf(walk, shown, parsed.value, page.value.rows, included.value.versions, said, snapshot, call, parts))
}

/** A page reached by a link asks what the first page asked, and `now` is then: `ap` must not drift from page to page. */
const parse = (walk: SearchWalk, { cursor }: Place, request: InteractionRequest, parts: Parts): Outcome<ParsedSearch> =>
  parseSearch({
    types: walk.types,
    parameters: cursor?.parameters ?? request.parameters,
    handling: cursor === undefined ? request.prefer.handling : 'strict',
    ...(walk.compartment === undefined ? {} : { compartment: walk.compartment }),
    definitions: parts.definitions,
    limits: parts.limits,
    settings: parts.settings,
    now: cursor?.snapshot.at ?? parts.clock(),
  })

const readPage = async (
  { query, access }: Restricted,
  parsed: ParsedSearch,
  { cursor, position, backward }: Place,
  call: Call,
  parts: Parts,
): Promise<Outcome<Page>> => {
  const judged = holdsJudged({ query, access }, call)
  let snapshot = cursor?.snapshot
  const ask = async (from: Position | undefined, count: number): Promise<Outcome<SearchPage>> => {
    const page = await parts.store.search(query, {
      access,
      count,
      snapshot: snapshot ?? 'new',
      total: cursor === undefined && parsed.total === 'cheap' && !judged,
      ...(from ? { position: from } : {}),
      ...(backward ? { backward } : {}),
      deadline: call.deadline,
    })
    // A page has the snapshot when it is a new one, else its cursor has.
    if (page.ok) snapshot ??= page.value.snapshot
    return page
  }
  const page = judged
    ? await fullPage<SearchRow>({
        limit: parsed.count,
        backward: backward === true,
        deadline: call.deadline,
        ask: (from, count) => ask(from?.position ?? position, count),
        keep: rows => withBinariesJudged(rows, call, parts),
      })
    : await ask(position, parsed.count)
  if (!page.ok) return page
  const { rows, cut } = fitting(page.value.rows, backward === true, parts.limits.pageBytesMax)
  return ok({ ...page.value, rows, more: page.value.more || cut, snapshot: snapshot as Snapshot })
}

/** Whether matches must be looked at one by one, so that nobody counted them. */
const holdsJudged = ({ query }: Restricted, { access }: Call): boolean => !access.open && query.parts.some(({ type }) => type === 'Binary')

/** What stands in the security context of a Binary no store knows. */
const withBinariesJudged = async (rows: readonly SearchRow[], call: Call, parts: Parts): Promise<readonly SearchRow[]> => {
  const binaries = rows.filter(({ type }) => type === 'Binary')
  if (binaries.length === 0) return rows
  const seen = new Set(await visibleOf(binaries, call, parts))
  return rows.filter(row => row.type !== 'Binary' || seen.has(row))
}

type Page = SearchPage & { readonly snapshot: Snapshot }

/** The first page decides the total; its links carry it on. A first page that holds everything knows it for nothing. */
const totalOf = async (
  query: Restricted,
  parsed: ParsedSearch,
  { cursor }: Place,
  { rows, more, total, snapshot }: Page,
  call: Call,
  parts: Parts,
): Promise<Outcome<Total>> => {
  if (cursor !== undefined) return ok(cursor.total === undefined ? {} : { count: cursor.total, exact: cursor.exact === true })
  if (parsed.total === 'none') return ok({})
  if (!more) return ok({ count: rows.length, exact: true })
  if (holdsJudged(query, call)) return ok({})
  if (parsed.total === 'cheap') return ok(total === undefined ? {} : { count: total, exact: true })
  return readTotal(query, parsed.total, snapshot, call, parts)
}

const pageShown = (
  { applied }: ParsedSearch,
  place: Place,
  given: Given,
  { rows, more }: { readonly rows: readonly SearchRow[]; readonly more: boolean },
  { count, exact }: Total,
  snapshot: Snapshot,
): PageShown => {
  const [first, last] = [rows[0], rows.at(-1)]
  return {
    place,
    given,
    ...(first && last ? { ends: { first: first.position, last: last.position } } : {}),
    more,
    ...(more || place.cursor !== undefined ? { snapshot } : {}),
    applied,
    ...(count === undefined ? {} : { total: count }),
    lastKnown: exact === true,
  }
}

// --- the answer

/** Only the number is asked for: it is exact whatever it costs, up to the deadline. */
const countAnswer = async (
  walk: SearchWalk,
  parsed: ParsedSearch,
  query: Restricted,
  call: Call,
  parts: Parts,
): Promise<Outcome<Answer>> => {
  const total = holdsJudged(query, call) ? ok<Total>({}) : await readTotal(query, 'accurate', undefined, call, parts)
  if (!total.ok) return total
  const shown = {
    place: {},
    given: {},
    more: false,
    applied: parsed.applied,
    lastKnown: false,
    ...(total.value.count === undefined ? {} : { total: total.value.count }),
  }
  return ok(bundleAnswer(walk, shown, parts.clock(), outcomeEntries(parsed.ignored, call, parts), parts))
}

const answerOf = async (
  walk: SearchWalk,
  shown: PageShown,
  parsed: ParsedSearch,
  rows: readonly SearchRow[],
  included: readonly StoredVersion[],
  said: readonly Issue[],
  snapshot: Snapshot,
  call: Call,
  parts: Parts,
): Promise<Answer> => {
  const sightOfMatch = await sightsOf(rows, call, parts)
  const entries = rows.map(row => entryOf(row, 'match', parsed, sightOfMatch(row), parts))
  const ofIncluded = includedView(parsed)
  const sightOfIncluded = await sightsOf(included, call, parts, includedBy(call))
  for (const version of included) entries.push(entryOf(version, 'include', ofIncluded, sightOfIncluded(version), parts))
  entries.push(...outcomeEntries(said, call, parts))
  return bundleAnswer(walk, shown, snapshot.at, entries, parts)
}

const bundleAnswer = (walk: SearchWalk, shown: PageShown, at: number, entries: readonly BundleEntry[], parts: Parts): Answer => {
  const links = linksOf(walk, shown, parts)
  const head = { id: parts.ids(), type: 'searchset', at, timestamp: parts.clock(), links } as const
  return {
    status: 200,
    body: { kind: 'json', chunks: bundleChunks({ ...head, ...(shown.total === undefined ? {} : { total: shown.total }) }, entries) },
  }
}

/** Names of elements are those of the types searched: of what is included only `Type.element` speaks. */
const includedView = ({ summary, elements }: ParsedSearch): View => {
  const named = elements?.filter(name => name.includes('.'))
  return named === undefined ? { summary } : { summary, elements: named }
}

/** Large data have no place in a Bundle; a read gives all. */
const binaryElements = ['contentType', 'securityContext']

const entryOf = (version: StoredVersion, mode: 'match' | 'include', view: View, sight: Sight, parts: Parts): BundleEntry => ({
  fullUrl: `${parts.settings.base}/${version.type}/${version.id}`,
  resource: version.type === 'Binary' ? reduced(version, { elements: binaryElements }, sight, parts) : textOf(version, view, sight, parts),
  mode,
})

const outcomeEntries = (issues: readonly Issue[], call: Call, parts: Parts): readonly BundleEntry[] =>
  issues.length === 0 ? [] : [outcomeEntry(issues, call, parts)]
