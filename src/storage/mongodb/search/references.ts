import type { Key } from '../../port.ts'
import { hints } from '../collections.ts'
import { referencesOfParam } from '../entries.ts'
import { seqOf } from '../raw-versions.ts'
import { blocks, fieldsWith } from './arms.ts'
import type { Reading } from './reading.ts'

/** Versions in one question. */
const seqsMax = 1_000

/** Local targets of the versions at these seqs, by the parameter. */
export const referencesOf = async (
  seqs: readonly number[],
  type: string,
  param: string,
  reading: Reading,
): Promise<readonly { readonly seq: number; readonly target: Key }[]> => {
  if (seqs.length === 0 || !(await reading.has(type))) return []
  const begins = referencesOfParam(param)
  const lists = await reading.together(
    blocks(seqs, seqsMax).map(block => async () => {
      const found = await reading.rows({
        find: type,
        filter: { seq: { $in: block.map(seqOf) } },
        hint: hints.seq,
        projection: fieldsWith([begins]),
        limit: block.length,
        batchSize: block.length,
      })
      return found.flatMap(({ seq, refs = [] }) =>
        (refs as readonly string[]).map(ref => ({ seq, target: keyOf(ref.slice(begins.length)) })),
      )
    }),
  )
  const order = new Map(seqs.map((seq, n) => [seq, n]))
  return lists.flat().toSorted((a, b) => (order.get(a.seq) ?? 0) - (order.get(b.seq) ?? 0))
}

/** `Patient/1`: types have no slash. */
const keyOf = (reference: string): Key => {
  const slash = reference.indexOf('/')
  return { type: reference.slice(0, slash), id: reference.slice(slash + 1) }
}
