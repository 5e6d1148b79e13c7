import type { Resource } from '../fhir/model/resource.ts'
import type { Key } from '../storage/port.ts'
import type { Parts } from './parts.ts'
import { parseStored } from './stored-resource.ts'

/** Finds what a resource names and what tells more of whom it is about. */
export type Resolver = (key: Key) => Resource | undefined

const nameOf = ({ type, id }: Key): string => `${type}/${id}`

/** The newest states of these, in one question; what is written along with them first. Undefined where nothing is named. */
export const resolverOf = async (
  keys: readonly Key[],
  parts: Pick<Parts, 'store' | 'limits'>,
  along: Resolver = () => undefined,
): Promise<Resolver | undefined> => {
  if (keys.length === 0) return undefined
  const found = new Map<string, Resource>()
  const wanted: Key[] = []
  for (const key of keys) {
    const resource = along(key)
    if (resource === undefined) wanted.push(key)
    else found.set(nameOf(key), resource)
  }
  const newest = wanted.length === 0 ? [] : await parts.store.newestMany(wanted)
  for (const version of newest) if (version !== undefined && !version.deleted) found.set(nameOf(version), parseStored(version, parts))
  return key => found.get(nameOf(key))
}
