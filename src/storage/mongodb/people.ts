import { BSON } from 'mongodb'

/** Levels of objects and lists that mongod takes in a document are 180; the resource lies some way down. */
const levelsMax = 170
/** JSON grows at most so many times as BSON (`[1,1,1,…]`). */
const growth = 7

export type ForPeople = { readonly resource: object; readonly partial?: true }

/**
 * The resource as BSON, for people, in at most `room` bytes. Only resourceType, id and meta where BSON cannot hold all of it: NUL in a name,
 * too many levels, a name that the driver takes for a mark of its own types, or more bytes than there is room for.
 */
export const resourceForPeople = (text: string, textBytes: number, room: number): ForPeople => {
  const resource: object = JSON.parse(text)
  const fits = isBson(resource, levelsMax) && (growth * textBytes < room || BSON.calculateObjectSize(resource) < room)
  return fits ? { resource } : { resource: headOf(resource), partial: true }
}

const isBson = (value: unknown, levels: number): boolean => {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  if (Array.isArray(value)) return value.every(item => isBson(item, levels - 1))
  for (const name in value) {
    if (name === '_bsontype' || name.includes('\0')) return false
    if (!isBson((value as Record<string, unknown>)[name], levels - 1)) return false
  }
  return true
}

/** What resources have in meta is small, but what clients send need not be. */
export const headBytesMax: number = 64 * 1024

const headOf = (resource: object): object => {
  const { resourceType, id, meta } = resource as { readonly [member in 'resourceType' | 'id' | 'meta']?: unknown }
  const { versionId, lastUpdated } = (meta ?? {}) as { readonly [member in 'versionId' | 'lastUpdated']?: unknown }
  const whole = isBson(meta, levelsMax) && BSON.calculateObjectSize({ meta }) < headBytesMax
  return { resourceType, id, meta: whole ? meta : { versionId, lastUpdated } }
}
