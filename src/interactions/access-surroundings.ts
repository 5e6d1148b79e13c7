import { namedForPatients } from '../auth/relations/patients.ts'
import { namedForRelations, speaksOfRelations } from '../auth/relations/relations.ts'
import type { Written } from '../auth/relations/written.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Key, Relation } from '../storage/port.ts'
import type { Parts } from './parts.ts'
import { parseStored } from './stored-resource.ts'

/** What is about to be stored. */
export type Prospect = {
  readonly key: Key
  readonly resource: Resource
  /** Whether a state of it is there now, whose relations go on. */
  readonly follows: boolean
}

/**
 * What `accessAttributes` must know beside each of these resources, in two questions of the store for all of them, and none where nothing is named.
 * `by` is the fhirUser of whoever writes. What is written together is known to one another. For states in hand leave `follows` and `by` out.
 */
export const surroundingsOf = async (
  prospects: readonly Prospect[],
  by: string | undefined,
  parts: Pick<Parts, 'store' | 'clock' | 'settings' | 'limits'>,
): Promise<(key: Key) => Written> => {
  const [known, before] = await Promise.all([namedBy(prospects, parts), saidBefore(prospects, parts)])
  const together: Written = {
    ...(by === undefined ? {} : { by }),
    resolve: key => known.get(nameOf(key)),
    now: parts.clock(),
    zone: parts.settings.zone,
  }
  return key => {
    const rows = before.get(nameOf(key))
    return rows === undefined ? together : { ...together, before: rows }
  }
}

const nameOf = ({ type, id }: Key): string => `${type}/${id}`

const namedBy = async (prospects: readonly Prospect[], parts: Pick<Parts, 'store' | 'limits'>): Promise<ReadonlyMap<string, Resource>> => {
  const known = new Map<string, Resource>()
  const missing = new Map<string, Key>()
  const keys = prospects.flatMap(({ resource }) => [...namedForRelations(resource), ...namedForPatients(resource)])
  if (keys.length === 0) return known
  for (const { key, resource } of prospects) known.set(nameOf(key), resource)
  for (const key of keys) if (!known.has(nameOf(key))) missing.set(nameOf(key), key)
  if (missing.size === 0) return known
  for (const version of await parts.store.newestMany([...missing.values()])) {
    if (version !== undefined && !version.deleted) known.set(nameOf(version), parseStored(version, parts))
  }
  return known
}

const saidBefore = async (
  prospects: readonly Prospect[],
  { store }: Pick<Parts, 'store'>,
): Promise<ReadonlyMap<string, readonly Relation[]>> => {
  const keys = prospects.flatMap(({ key, follows }) => (follows && speaksOfRelations(key.type) ? [key] : []))
  if (keys.length === 0) return new Map()
  const rows = await store.relationsOf(keys)
  return new Map(keys.map((key, at) => [nameOf(key), rows[at] ?? []]))
}
