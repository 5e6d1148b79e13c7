import { seesAll } from '../base/access-filter.ts'
import type { Beside, RecordDefinition, Store, StoredVersion } from '../storage/port.ts'
import { StoreUnusable } from '../storage/unusable.ts'
import { orThrow } from './copy-failure.ts'

/** What a store says of a copy into it. It is no part of what is copied. */
export const copyRecords: RecordDefinition = { name: 'copies', key: 'id' }

type Mark = {
  readonly id: 'copy'
  /** Where it comes from, as people may see it. */
  readonly from: string
  /** The oldest version there: `Type/id/versionId seq`; '' when there was none. */
  readonly oldest: string
  readonly startedAt: string
  readonly endedAt?: string
}

export const isMark = (row: Beside): boolean => row.kind === 'record' && row.record === copyRecords.name

/**
 * Throws `StoreUnusable` unless the target is empty or a copy of this source that nobody else wrote to. Answers the seq of the newest version it has
 * (0 for none), and marks it.
 */
export const admit = async (source: Store, target: Store, from: string, startedAt: number): Promise<number> => {
  const marks = target.records<Mark>(copyRecords)
  const mark = (await marks.get('copy'))?.value
  const newest = await endOf(target, false)
  const oldest = nameOf(await endOf(source, true))
  if (mark === undefined) {
    if (newest !== undefined || (await hasRows(target))) throw refused('The target is not empty, and no copy that could be gone on with.')
  } else await mustBeCopyOf(source, mark, oldest, newest)
  orThrow(await marks.put({ id: 'copy', from, oldest, startedAt: new Date(startedAt).toISOString() }))
  return newest?.seq ?? 0
}

/** Notes that the copy was found to be whole. */
export const noteEnd = async (target: Store, endedAt: number): Promise<void> => {
  const marks = target.records<Mark>(copyRecords)
  const mark = (await marks.get('copy'))?.value
  if (mark !== undefined) orThrow(await marks.put({ ...mark, endedAt: new Date(endedAt).toISOString() }))
}

/** 0 for an empty store. */
export const newestSeq = async (store: Store): Promise<number> => (await endOf(store, false))?.seq ?? 0

const mustBeCopyOf = async (source: Store, mark: Mark, oldest: string, newest: StoredVersion | undefined): Promise<void> => {
  if (mark.oldest !== '' && mark.oldest !== oldest)
    throw refused(`The target is a copy of another store (${mark.from}), or what it begins with was erased since.`)
  if (newest === undefined) return
  const there = await source.version(newest.type, newest.id, newest.versionId)
  if (there === undefined || nameOf(there) !== nameOf(newest) || Buffer.compare(there.text, newest.text) !== 0)
    throw refused('The target holds what the source does not: it was written to, or versions were erased from the source.')
}

const endOf = async (store: Store, oldestFirst: boolean): Promise<StoredVersion | undefined> =>
  orThrow(await store.history({}, { limit: 1, oldestFirst, access: seesAll })).rows[0]

const nameOf = (version: StoredVersion | undefined): string =>
  version === undefined ? '' : `${version.type}/${version.id}/${version.versionId} ${version.seq}`

const hasRows = async (store: Store): Promise<boolean> => {
  for await (const block of store.beside()) if (!block.every(isMark)) return true
  return false
}

const refused = (why: string): StoreUnusable => new StoreUnusable('refused', `${why} Copy into an empty store.`)
