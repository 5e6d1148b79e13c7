import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { Cursor } from '../search/cursor.ts'
import type { Position, Snapshot, StoredVersion } from '../storage/port.ts'
import { entryOverheadBytes, type Link } from './bundle.ts'
import type { Call, Parts } from './parts.ts'
import type { Parameter } from './request.ts'

/**
 * Pages of one frozen state. The first page decides state, parameters and expiry; links to the others carry all of it, sealed.
 * @see rest-api.md 17
 */

/** What is walked through. `path` is relative to [base]; `name` tells cursors of one walk from those of another. */
export type Walk = { readonly name: string; readonly path: string }

/** A page: where it begins, in which direction, and, when it was reached by a link, the cursor of that link with its text. */
export type Place = { readonly position?: Position; readonly backward?: boolean; readonly cursor?: Cursor; readonly link?: string }

const besideCursor: ReadonlySet<string> = new Set(['_cursor', '_format', '_pretty'])

/** The place a `_cursor` leads to, or the first page. Nothing but the format may stand beside `_cursor`. */
export const placeOf = (parameters: readonly Parameter[], walk: Walk, call: Call, parts: Pick<Parts, 'cursors'>): Outcome<Place> => {
  const cursors = parameters.filter(({ name }) => name === '_cursor')
  const [first] = cursors
  if (first === undefined) return ok({})
  if (cursors.length > 1) return fail('repeated-parameter', { parameter: '_cursor' }, atCursor)
  const other = parameters.find(({ name }) => !besideCursor.has(name))
  if (other !== undefined) return fail('parameter-clash', { first: '_cursor', second: other.name }, atCursor)
  const cursor = parts.cursors.open(first.value, walk.name)
  if (!cursor.ok) return cursor
  // A link is for whom it was given to: to others it says no more than one that is too old.
  if (cursor.value.holder !== call.access.holder) return fail('expired-cursor', {}, atCursor)
  const { position, backward } = cursor.value
  return ok({ ...(position ? { position } : {}), ...(backward ? { backward } : {}), cursor: cursor.value, link: first.value })
}

const atCursor = { location: ['http._cursor'] }

type Sized = Pick<StoredVersion, 'text'>

/** Who may use links, and as long as what decision holds. */
export type Given = Pick<Cursor, 'holder' | 'decision'>

/** Whom this caller's links are for, about these types; fails `expired-cursor` when the link came from another decision. */
export const givenTo = (types: readonly string[], { cursor }: Place, { access }: Call): Outcome<Given> => {
  const decision = access.hashOf(types)
  if (cursor !== undefined && cursor.decision !== decision) return fail('expired-cursor', {}, atCursor)
  return ok({ ...(access.holder !== undefined && { holder: access.holder }), ...(decision !== undefined && { decision }) })
}

/** The rows that fit into a page, at least one: those nearest to where the page begins. `cut` says that some had to wait for the next page. */
export const fitting = <R extends Sized>(
  rows: readonly R[],
  backward: boolean,
  bytesMax: number,
): { readonly rows: readonly R[]; readonly cut: boolean } => {
  let bytes = 0
  for (let taken = 0; taken < rows.length; taken++) {
    const row = rows[backward ? rows.length - 1 - taken : taken] as R
    bytes += row.text.length + entryOverheadBytes
    if (bytes > bytesMax && taken > 0) return { rows: backward ? rows.slice(-taken) : rows.slice(0, taken), cut: true }
  }
  return { rows, cut: false }
}

export type PageShown = {
  readonly place: Place
  /** Where the first and the last row stand; absent on a page without rows. */
  readonly ends?: { readonly first: Position; readonly last: Position }
  /** More rows lie beyond, in the direction read. */
  readonly more: boolean
  /** The state that is walked through; absent when the first page is the only one. */
  readonly snapshot?: Snapshot
  readonly applied: readonly Parameter[]
  /** To whom the links are given. */
  readonly given: Given
  readonly total?: number
  /** Whether the last page is offered: the total is exact. */
  readonly lastKnown: boolean
}

/** self, and the other pages as far as they exist. */
export const linksOf = (walk: Walk, page: PageShown, parts: Pick<Parts, 'cursors' | 'clock' | 'limits' | 'settings'>): Link[] => {
  const { place, ends, more, snapshot, applied } = page
  const url = walk.path === '' ? parts.settings.base : `${parts.settings.base}/${walk.path}`
  const self = place.link === undefined ? queryText(applied) : `_cursor=${place.link}`
  const links: Link[] = [{ relation: 'self', url: self === '' ? url : `${url}?${self}` }]
  if (snapshot === undefined) return links

  const expires = place.cursor?.expires ?? parts.clock() + parts.limits.cursorMinutes * 60_000
  const total = page.total === undefined ? {} : { total: page.total, exact: page.lastKnown }
  const fixed = { scope: walk.name, parameters: applied, snapshot, expires, ...total, ...page.given }
  const add = (relation: Link['relation'], to: { readonly position?: Position; readonly backward?: true }): void => {
    links.push({ relation, url: `${url}?_cursor=${parts.cursors.seal({ ...fixed, ...to })}` })
  }
  const isFirst = place.position === undefined && !place.backward
  const isLast = place.position === undefined && place.backward === true
  const before = place.backward ? more : !isFirst
  const after = place.backward ? !isLast : more
  add('first', {})
  if (before && ends) add('prev', { position: ends.first, backward: true })
  if (after && ends) add('next', { position: ends.last })
  if (page.lastKnown) add('last', { backward: true })
  return links
}

/** `name=value` pairs encoded as in a query. A few characters that FHIR values are full of stay readable. */
export const queryText = (parameters: readonly Parameter[]): string =>
  parameters.map(({ name, value }) => `${encoded(name)}=${encoded(value)}`).join('&')

const encoded = (text: string): string => {
  const strict = encodeURIComponent(text)
  if (strict === text) return text
  return strict.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%2F', '/').replaceAll('%24', '$')
}
