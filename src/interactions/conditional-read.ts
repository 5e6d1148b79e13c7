import { type Outcome, ok } from '../base/outcome.ts'
import type { Store, StoredVersion } from '../storage/port.ts'
import { type ETags, namesVersion, parseETags, parseIfModifiedSince } from './conditions.ts'
import type { Conditions } from './request.ts'

/** What the client has already. `since` is an instant on a whole second (ms); it counts only without tags (RFC 9110 13.1.3). */
export type ReadConditions = { readonly tags?: ETags; readonly since?: number }

export const readConditions = (sent: Conditions | undefined, now: number): Outcome<ReadConditions> => {
  const tags = parseETags('If-None-Match', sent?.ifNoneMatch)
  if (!tags.ok) return tags
  if (tags.value !== undefined) return ok({ tags: tags.value })
  const since = parseIfModifiedSince(sent?.ifModifiedSince, now)
  if (!since.ok) return since
  return ok(since.value === undefined ? {} : { since: since.value })
}

const secondOf = (ms: number): number => Math.floor(ms / 1000)

/**
 * Whether the client has this version. HTTP dates know only seconds: when the version falls into the very second of the client's date,
 * and so does an earlier one, the client may hold the earlier one.
 * @see https://hl7.org/fhir/R4/http.html#cread
 */
export const unmodified = async (version: StoredVersion, { tags, since }: ReadConditions, store: Store): Promise<boolean> => {
  if (tags !== undefined) return namesVersion(tags, version.versionId)
  if (since === undefined || secondOf(version.lastUpdated) > secondOf(since)) return false
  if (secondOf(version.lastUpdated) < secondOf(since) || version.versionId === 1) return true
  const before = await store.version(version.type, version.id, version.versionId - 1)
  return before === undefined || secondOf(before.lastUpdated) < secondOf(since)
}
