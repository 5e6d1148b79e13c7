import type { SearchRow } from '../../port.ts'
import { type VersionFields, versionFields, versionProjection } from '../bson-fields.ts'
import { hints } from '../collections.ts'
import { readingOf, storedVersions } from '../raw-versions.ts'
import type { Found } from './page.ts'
import type { Reading } from './reading.ts'

/** The resources of a page, in its order; fetched only for the page. */
export const rowsOf = async (found: readonly Found[], reading: Reading): Promise<readonly SearchRow[]> => {
  const ofType = Map.groupBy(found, ({ type }) => type)
  const lists = await reading.together(
    [...ofType].map(
      ([type, list]) =>
        () =>
          rowsOfType(type, list, reading),
    ),
  )
  if (lists.length === 1) return lists[0] as readonly SearchRow[]
  const bySeq = new Map(lists.flat().map(row => [row.seq, row]))
  return found.flatMap(({ seq }) => bySeq.get(seq) ?? [])
}

const rowsOfType = async (type: string, found: readonly Found[], reading: Reading): Promise<readonly SearchRow[]> => {
  const fields = await fieldsOf(type, found, reading)
  const versions = await storedVersions(reading.database, type, fields, readingOf(reading.state))
  const positions = new Map(found.map(({ id, values, seq }) => [id, { values, seq }]))
  return versions.flatMap(version => {
    const position = positions.get(version.id)
    return position === undefined ? [] : { ...version, position }
  })
}

const fieldsOf = async (type: string, found: readonly Found[], reading: Reading): Promise<readonly VersionFields[]> => {
  const missing = found.flatMap(({ id, fields }) => (fields === undefined ? id : []))
  if (missing.length === 0) return found.flatMap(({ fields }) => fields ?? [])
  const fetched = await reading.bytes({
    find: type,
    filter: { _id: { $in: missing } },
    hint: hints.id,
    projection: versionProjection,
    limit: missing.length,
    batchSize: missing.length,
  })
  const byId = new Map(fetched.map(bytes => versionFields(bytes)).map(fields => [fields.key, fields]))
  return found.flatMap(({ id, fields }) => fields ?? byId.get(id) ?? [])
}
