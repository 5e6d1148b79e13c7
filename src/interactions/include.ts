import { type Issue, issue, type Outcome, ok } from '../base/outcome.ts'
import type { Include, ParsedSearch } from '../search/request.ts'
import type { Node, ParamRef } from '../search/tree.ts'
import type { Key, Snapshot, StoredVersion } from '../storage/port.ts'
import { entryOverheadBytes } from './bundle.ts'
import type { Call, Parts } from './parts.ts'
import { restrict, rowsSeenBy } from './restrict.ts'
import { type VersionKey, versionedTargets } from './versioned-targets.ts'
import { passingFilter, passingOf } from './visible.ts'

/** Resources that stand beside the matches; `issues` name the includes that are incomplete. */
export type Included = { readonly versions: readonly StoredVersion[]; readonly issues: readonly Issue[] }

/** Targets in the condition of one statement, and rows asked for their references at once. */
const targetsMax = 1000

const none: Included = { versions: [], issues: [] }

/**
 * `_include` and `_revinclude` in rounds: the first starts from the matches, further ones (`:iterate` alone) from what the round before
 * brought. Everything is read from the page's snapshot, each type under its own access filter, each instance once; a reference to a version
 * brings that version.
 * @see https://hl7.org/fhir/R4/search.html#revinclude
 */
export const findIncluded = async (
  matches: readonly StoredVersion[],
  { includes, revincludes }: Pick<ParsedSearch, 'includes' | 'revincludes'>,
  snapshot: Snapshot,
  call: Call,
  parts: Parts,
): Promise<Outcome<Included>> => {
  if (matches.length === 0 || (includes.length === 0 && revincludes.length === 0)) return ok(none)
  const basket = createBasket(matches, parts)
  let sources = matches
  for (let round = 0; round < parts.limits.includeRoundsMax && sources.length > 0; round++) {
    const before = basket.versions.length
    const follows = (include: Include): boolean => round === 0 || include.iterate
    for (const include of includes.filter(follows)) await includeForward(include, sources, basket, snapshot, call, parts)
    for (const include of revincludes.filter(follows)) {
      const read = await includeReverse(include, sources, basket, snapshot, call, parts)
      if (!read.ok) return read
    }
    sources = basket.versions.slice(before)
  }
  return ok({ versions: basket.versions, issues: basket.issues })
}

// --- what a page may carry

type Basket = {
  readonly versions: StoredVersion[]
  readonly issues: Issue[]
  /** How many more may come. */
  readonly room: () => number
  readonly has: (key: Key) => boolean
  /** False when the page is full; then the include is named as incomplete. A `past` version does not stand for its instance. */
  readonly add: (version: StoredVersion, include: Include, past?: 'past') => boolean
  readonly cut: (include: Include) => void
}

const nameOf = ({ type, id }: Key): string => `${type}/${id}`

const versionNameOf = (version: VersionKey): string => `${nameOf(version)}/_history/${version.versionId}`

const createBasket = (matches: readonly StoredVersion[], { limits }: Parts): Basket => {
  const seen = new Set(matches.flatMap(match => [nameOf(match), versionNameOf(match)]))
  const named = new Set<string>()
  const versions: StoredVersion[] = []
  const issues: Issue[] = []
  let bytes = matches.reduce((sum, { text }) => sum + text.length + entryOverheadBytes, 0)
  const cut = ({ text }: Include): void => {
    if (named.has(text)) return
    named.add(text)
    issues.push(issue('warning', 'includes-cut', { max: limits.includesMax, include: text }))
  }
  const add = (version: StoredVersion, include: Include, past?: 'past'): boolean => {
    if (seen.has(versionNameOf(version))) return true
    const size = version.text.length + entryOverheadBytes
    if (versions.length >= limits.includesMax || bytes + size > limits.pageBytesMax) {
      cut(include)
      return false
    }
    bytes += size
    if (past === undefined) seen.add(nameOf(version))
    seen.add(versionNameOf(version))
    versions.push(version)
    return true
  }
  return { versions, issues, room: () => limits.includesMax - versions.length, has: key => seen.has(nameOf(key)), add, cut }
}

// --- forward

const includeForward = async (
  include: Include,
  matches: readonly StoredVersion[],
  basket: Basket,
  snapshot: Snapshot,
  call: Call,
  parts: Parts,
): Promise<void> => {
  for (const param of include.params) {
    const sources = await sourcesSeen(matches, param, call, parts)
    const named = versionedTargets(sources, param, parts)
    for (const version of await namedVisible(named, include, snapshot, call, parts)) if (!basket.add(version, include, 'past')) return
    const seqs = sources.flatMap(({ type, seq }) => (type === param.type ? seq : []))
    for (const block of blocks(seqs)) {
      const targets = await targetsOf(block, param, include, named, basket, snapshot, parts)
      for (const version of await visibleAt(targets, snapshot, call, parts)) if (!basket.add(version, include)) return
    }
  }
}

/** Rows in which the caller sees by what they refer. */
const sourcesSeen = async (
  sources: readonly StoredVersion[],
  { type, code }: ParamRef,
  call: Call,
  parts: Parts,
): Promise<readonly StoredVersion[]> => {
  if (call.access.open) return sources
  const rows = sources.filter(source => source.type === type)
  const ruling = call.access.ruling('search-type', type) ?? call.access.ruling('read', type)
  const where = ruling && rowsSeenBy(ruling.fields, type, code, parts)
  if (rows.length === 0 || where === undefined || where.op === 'none') return []
  return where.op === 'all' ? rows : passingFilter(rows, where, call, parts)
}

type Named = ReturnType<typeof versionedTargets>

const fits = ({ targetType }: Include, target: Key): boolean => targetType === undefined || target.type === targetType

const namedVisible = async (
  named: Named,
  include: Include,
  snapshot: Snapshot,
  call: Call,
  parts: Parts,
): Promise<readonly StoredVersion[]> => {
  const visible: StoredVersion[] = []
  const keys = [...named.values()].flat().filter(key => fits(include, key))
  for (const block of blocks(keys)) {
    const found: StoredVersion[] = []
    for (const [at, current] of (await parts.store.newestMany(block, snapshot)).entries()) {
      const { type, id, versionId } = block[at] as VersionKey
      // What the snapshot does not know yet is not there.
      if (current === undefined || current.versionId < versionId) continue
      const version = current.versionId === versionId ? current : await parts.store.version(type, id, versionId)
      if (version !== undefined && !version.deleted) found.push(version)
    }
    visible.push(...(await stillVisible(found, call, parts)))
  }
  return visible
}

/** What the rows refer to and the page does not hold yet, each once; what a row names a version of is not meant as it is now. */
const targetsOf = async (
  seqs: readonly number[],
  { type, code }: ParamRef,
  include: Include,
  named: Named,
  basket: Basket,
  snapshot: Snapshot,
  parts: Parts,
): Promise<readonly Key[]> => {
  const targets = new Map<string, Key>()
  for (const { seq, target } of inOrder(await parts.store.references(seqs, type, code, snapshot), seqs)) {
    const name = nameOf(target)
    if (!fits(include, target) || basket.has(target) || named.get(seq)?.some(version => nameOf(version) === name)) continue
    targets.set(name, target)
  }
  return [...targets.values()]
}

type Reference = { readonly seq: number; readonly target: Key }

/** In the order of the rows, the targets of one by type and id: how a page looks is no matter of the engine. */
const inOrder = (references: readonly Reference[], seqs: readonly number[]): readonly Reference[] => {
  const place = new Map(seqs.map((seq, at) => [seq, at]))
  const placeOf = ({ seq }: Reference): number => place.get(seq) ?? 0
  return references.toSorted((a, b) => placeOf(a) - placeOf(b) || (nameOf(a.target) < nameOf(b.target) ? -1 : 1))
}

const visibleAt = async (keys: readonly Key[], snapshot: Snapshot, call: Call, parts: Parts): Promise<readonly StoredVersion[]> => {
  const visible: StoredVersion[] = []
  for (const block of blocks(keys)) {
    const found = (await parts.store.newestMany(block, snapshot)).filter(version => version !== undefined && !version.deleted)
    visible.push(...(await stillVisible(found as StoredVersion[], call, parts))) // none undefined
  }
  return visible
}

/** By what interaction something stands beside the matches: as it would be read, or else as it would be found. */
export const includedBy =
  ({ access }: Call) =>
  (type: string): string =>
    access.ruling('read', type) === undefined ? 'search-type' : 'read'

/** A version seen through a snapshot also needs its newest one to pass: a raised label works at once. All are judged in one question. */
const stillVisible = async (versions: readonly StoredVersion[], call: Call, parts: Parts): Promise<readonly StoredVersion[]> => {
  if (call.access.open || versions.length === 0) return versions
  const newest = await parts.store.newestMany(versions.map(({ type, id }) => ({ type, id })))
  const dated = versions.flatMap((version, at) => {
    const last = newest[at]
    return last === undefined ? [] : [{ version, newest: last }]
  })
  return (await passingOf(dated, call, parts, includedBy(call))).map(({ version }) => version)
}

// --- reverse

/** One question for each parameter and block of targets: who refers to any of them? Newest first. */
const includeReverse = async (
  include: Include,
  sources: readonly StoredVersion[],
  basket: Basket,
  snapshot: Snapshot,
  call: Call,
  parts: Parts,
): Promise<Outcome<undefined>> => {
  for (const param of include.params) {
    const targets = sources.filter(({ type }) => mayBeTarget(type, param, include, parts))
    for (const block of blocks(targets)) {
      const count = basket.room() + 1
      const asked = { parts: [{ type: param.type, where: anyOf(block, param) }], sort: [] }
      const restricted = await restrict(asked, call, parts, type => call.access.ruling('search-type', type))
      // What the caller may not search, or not by this parameter, is left out.
      if (!restricted.ok) continue
      const { query, access } = restricted.value
      const page = await parts.store.search(query, { access, count, snapshot, deadline: call.deadline })
      if (!page.ok) return page
      for (const row of page.value.rows) if (!basket.has(row) && !basket.add(row, include)) return ok(undefined)
      if (page.value.more) basket.cut(include)
    }
  }
  return ok(undefined)
}

const mayBeTarget = (type: string, param: ParamRef, { targetType }: Include, { definitions }: Parts): boolean => {
  if (targetType !== undefined && targetType !== type) return false
  const targets = definitions.searchParameters(param.type).get(param.code)?.targets
  return targets === undefined || targets.length === 0 || targets.includes(type)
}

const anyOf = (targets: readonly Key[], param: ParamRef): Node => {
  const of = targets.map(({ type, id }): Node => ({ op: 'reference', param, type, id }))
  return of.length === 1 ? (of[0] as Node) : { op: 'or', of }
}

const blocks = <T>(items: readonly T[]): readonly (readonly T[])[] => {
  if (items.length <= targetsMax) return items.length === 0 ? [] : [items]
  return Array.from({ length: Math.ceil(items.length / targetsMax) }, (_, at) => items.slice(at * targetsMax, (at + 1) * targetsMax))
}
