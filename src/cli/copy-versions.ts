import type { Limits } from '../base/limits.ts'
import { type AccessAttributes, accessAttributes, accessToNobody } from '../interactions/access-attributes.ts'
import { parseStored } from '../interactions/stored-resource.ts'
import type { Indexer } from '../search/request.ts'
import type { LoadedVersion, Store, StoredVersion } from '../storage/port.ts'
import { StoreUnusable } from '../storage/unusable.ts'
import { orThrow } from './copy-failure.ts'

export type VersionParts = {
  readonly source: Pick<Store, 'versions' | 'version'>
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

/** Index values are made anew for what is newest at the end of the block: whatever is superseded within it is met by no search. */
export const preparedFor = async (block: readonly StoredVersion[], parts: VersionParts): Promise<readonly LoadedVersion[]> => {
  const last = new Map(block.map(version => [nameOf(version), version]))
  return Promise.all(block.map(version => prepared(version, last.get(nameOf(version)) === version, block, parts)))
}

const nameOf = ({ type, id }: StoredVersion): string => `${type}/${id}`

const prepared = async (
  version: StoredVersion,
  isLast: boolean,
  block: readonly StoredVersion[],
  parts: VersionParts,
): Promise<LoadedVersion> => {
  const { type, id, versionId, method, text, seq } = version
  const common = { type, id, versionId, method, text, seq }
  if (!isLast) return { ...common, ...accessToNobody }
  if (version.deleted) return { ...common, ...(await attributesBefore(version, block, parts)) }
  return { ...common, ...indexed(version, parts) }
}

const indexed = (version: StoredVersion, { index, limits }: VersionParts) => {
  const resource = parseStored(version, { limits })
  const values = index(resource)
  return { values, ...accessAttributes(resource, version.id, values) }
}

/** A deletion is seen by who saw the state before it; by nobody but who sees everything when that was erased. */
const attributesBefore = async (
  deletion: StoredVersion,
  block: readonly StoredVersion[],
  parts: VersionParts,
): Promise<AccessAttributes> => {
  const { type, id, versionId } = deletion
  const isBefore = (one: StoredVersion): boolean => one.type === type && one.id === id && one.versionId === versionId - 1
  const before = block.find(isBefore) ?? (await parts.source.version(type, id, versionId - 1))
  if (before === undefined || before.deleted) return accessToNobody
  const { values: _, ...attributes } = indexed(before, parts)
  return attributes
}
