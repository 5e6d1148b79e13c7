import { createHash, type Hash } from 'node:crypto'
import type { Store } from '../storage/port.ts'
import { newestSeq } from './copy-admission.ts'

/** What a type comes to: how many versions, how many live instances, and a digest over all of them in their order. */
export type TypeDigest = { readonly versions: number; readonly live: number; readonly sha256: string }

export type TypeCheck = { readonly type: string; readonly source: TypeDigest; readonly target: TypeDigest; readonly same: boolean }

const empty: TypeDigest = { versions: 0, live: 0, sha256: createHash('sha256').digest('hex') }

/** Both stores up to a seq, type by type: read whole, on both sides at once. */
export const checkCopy = async (
  source: Store,
  target: Store,
  upTo: number,
  tell: (versions: number, seq: number) => void,
): Promise<readonly TypeCheck[]> => {
  const [a, b] = await Promise.all([digestsOf(source, upTo, tell), digestsOf(target, upTo, () => undefined)])
  return [...new Set([...a.keys(), ...b.keys()])].toSorted().map(type => {
    const [here, there] = [a.get(type) ?? empty, b.get(type) ?? empty]
    const same = here.versions === there.versions && here.live === there.live && here.sha256 === there.sha256
    return { type, source: here, target: there, same }
  })
}

const digestsOf = async (store: Store, upTo: number, tell: (versions: number, seq: number) => void): Promise<Map<string, TypeDigest>> => {
  const types = new Map<string, { versions: number; readonly hash: Hash }>()
  let read = 0
  for await (const block of store.versions({ upTo })) {
    for (const { type, id, versionId, seq, method, text } of block) {
      const known = types.get(type)
      const digest = known ?? { versions: 0, hash: createHash('sha256') }
      if (known === undefined) types.set(type, digest)
      digest.versions++
      // Lengths first, so that no two lists of versions give the same bytes.
      digest.hash.update(`${type}/${id} ${versionId} ${seq} ${method} ${text.length}\n`).update(text)
    }
    read += block.length
    tell(read, block.at(-1)?.seq ?? 0)
  }
  const live = await liveAt(store, upTo)
  return new Map([...types].map(([type, { versions, hash }]) => [type, { versions, live: live[type] ?? 0, sha256: hash.digest('hex') }]))
}

/** The store's own count, which is exact; of one that has been written to since, instances as they were, counted. */
const liveAt = async (store: Store, upTo: number): Promise<Readonly<Record<string, number>>> => {
  const counts = await store.counts()
  if ((await newestSeq(store)) <= upTo) return counts
  const live: Record<string, number> = {}
  for await (const block of store.walk({ upTo })) for (const { type } of block) live[type] = (live[type] ?? 0) + 1
  return live
}
