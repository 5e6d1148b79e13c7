import type { ParamRef } from '../search/tree.ts'
import type { Key, StoredVersion } from '../storage/port.ts'
import type { Parts } from './parts.ts'
import { parseStored } from './stored-resource.ts'

/** A version that a reference names: `Patient/1/_history/2`. */
export type VersionKey = Key & { readonly versionId: number }

const pattern = /^([A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})\/_history\/([1-9]\d{0,14})$/

/**
 * The versions that rows name by a reference parameter, by the seq of the row. The index keeps them as texts beside the instances, so they
 * are read from the resources; few hold the word.
 */
export const versionedTargets = (
  rows: readonly StoredVersion[],
  { type, code }: ParamRef,
  parts: Parts,
): ReadonlyMap<number, readonly VersionKey[]> => {
  const found = new Map<number, readonly VersionKey[]>()
  for (const row of rows) {
    if (row.type !== type || !holdsHistory(row.text)) continue
    const keys = parts.index(parseStored(row, parts)).tokens.flatMap(token => (token.param === code ? versionKeys(token.code) : []))
    if (keys.length > 0) found.set(row.seq, keys)
  }
  return found
}

const holdsHistory = ({ buffer, byteOffset, length }: Uint8Array): boolean => Buffer.from(buffer, byteOffset, length).includes('/_history/')

const versionKeys = (text: string): readonly VersionKey[] => {
  const [, type, id, versionId] = pattern.exec(text) ?? []
  return type === undefined || id === undefined ? [] : [{ type, id, versionId: Number(versionId) }]
}
