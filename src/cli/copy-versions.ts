import { namedForPatients } from '../auth/relations/patients.ts'
import type { Limits } from '../base/limits.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { type AccessAttributes, accessAttributes, accessToNobody } from '../interactions/access-attributes.ts'
import { parseStored } from '../interactions/stored-resource.ts'
import type { Indexer } from '../search/request.ts'
import type { Key, LoadedVersion, Relation, Store, StoredVersion } from '../storage/port.ts'
import { StoreUnusable } from '../storage/unusable.ts'
import { orThrow } from './copy-failure.ts'

export type VersionParts = {
  readonly source: Pick<Store, 'versions' | 'version' | 'newestMany' | 'relationsOf'>
  readonly target: Pick<Store, 'load'>
  readonly index: Indexer
  readonly limits: Pick<Limits, 'depthMax'>
}

/** Versions of the source after one seq and up to another, block by block: one is prepared while the one before is written. */
export const copyVersions = async (
  parts: VersionParts,
  range: { readonly after: number; readonly upTo: number },
  tell: (versions: number, seq: number) => void,
): Promise<number> => {
  let copied = 0
  let writing: Promise<void> = Promise.resolve()
  for await (const block of parts.source.versions(range)) {
    const prepared = await preparedFor(block, parts)
    await writing
    copied += block.length
    tell(copied, block.at(-1)?.seq ?? range.after)
    writing = load(prepared, parts.target)
    // Whoever waits for it hears what went wrong; until then nobody needs to.
    writing.catch(() => undefined)
  }
  await writing
  return copied
}

const load = async (versions: readonly LoadedVersion[], target: VersionParts['target']): Promise<void> => {
  const loaded = orThrow(await target.load(versions))
  if (loaded.held) return
  const { type, versionId } = loaded.refused
  throw new StoreUnusable(
    'refused',
    `The target does not take version ${versionId} of an instance of ${type}: it was written to, or versions were erased from the source. Copy into an empty store.`,
  )
}

/** What the last version in the block says of its instance: the state it leaves, or before a deletion the one that was. */
type Last = { readonly version: StoredVersion; readonly state: StoredVersion; readonly resource: Resource }

/** What is known of the instances of a block beside their resources. */
type Known = { readonly resolve: (key: Key) => Resource | undefined; readonly relations: ReadonlyMap<string, readonly Relation[]> }

/** Index values are made anew for what is newest at the end of the block: whatever is superseded within it is met by no search. */
export const preparedFor = async (block: readonly StoredVersion[], parts: VersionParts): Promise<readonly LoadedVersion[]> => {
  const newest = [...new Map(block.map(version => [nameOf(version), version])).values()]
  const found = await Promise.all(newest.map(version => lastOf(version, block, parts)))
  const lasts = new Map(found.flatMap(last => (last === undefined ? [] : [[last.version, last]])))
  const known = await knownOf([...lasts.values()], parts)
  return block.map(version => {
    const { type, id, versionId, method, text, seq } = version
    const last = lasts.get(version)
    return { type, id, versionId, method, text, seq, ...(last === undefined ? accessToNobody : indexed(last, known, parts)) }
  })
}

const nameOf = ({ type, id }: Key): string => `${type}/${id}`

/** A deletion is seen by who saw the state before it; by nobody but who sees everything when that was erased: then there is none. */
const lastOf = async (version: StoredVersion, block: readonly StoredVersion[], parts: VersionParts): Promise<Last | undefined> => {
  const state = version.deleted ? await stateBefore(version, block, parts) : version
  return state === undefined || state.deleted ? undefined : { version, state, resource: parseStored(state, parts) }
}

const stateBefore = async (
  { type, id, versionId }: StoredVersion,
  block: readonly StoredVersion[],
  { source }: VersionParts,
): Promise<StoredVersion | undefined> =>
  block.find(one => one.type === type && one.id === id && one.versionId === versionId - 1) ??
  (await source.version(type, id, versionId - 1))

/** Relations hold what no resource says, so they are taken from the source as they are there; a version that follows brings its own. */
const knownOf = async (lasts: readonly Last[], { source, limits }: VersionParts): Promise<Known> => {
  const live = lasts.filter(({ version }) => !version.deleted).map(({ version }) => version)
  const named = new Map(lasts.flatMap(({ resource }) => namedForPatients(resource)).map(key => [nameOf(key), key]))
  const [rows, others] = await Promise.all([source.relationsOf(live), named.size === 0 ? [] : source.newestMany([...named.values()])])
  const resources = others.flatMap(one => (one === undefined || one.deleted ? [] : [[nameOf(one), parseStored(one, { limits })] as const]))
  const byName = new Map(resources)
  return { resolve: key => byName.get(nameOf(key)), relations: new Map(live.map((version, at) => [nameOf(version), rows[at] ?? []])) }
}

const indexed = (
  { version, state, resource }: Last,
  { resolve, relations }: Known,
  { index }: VersionParts,
): AccessAttributes & Pick<LoadedVersion, 'values'> => {
  const values = index(resource)
  const { relations: _, ...attributes } = accessAttributes(resource, state.id, values, { resolve })
  const rows = relations.get(nameOf(version)) ?? []
  return { ...(version.deleted ? {} : { values }), ...attributes, ...(rows.length === 0 ? {} : { relations: rows }) }
}
