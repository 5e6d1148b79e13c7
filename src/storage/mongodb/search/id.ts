import type { Node } from '../../../search/tree.ts'
import { type LeafCompiler, points } from './leaf.ts'

/** Ids lead to their documents, in no order of seqs when they are several. */
export const id: LeafCompiler<Extract<Node, { op: 'id' }>> = {
  traits: leaf => ({ ordered: leaf.ids.length === 1, check: 1.5 + leaf.ids.length / 20 }),
  entries: leaf => points('id', leaf.ids),
  check: leaf => ({ _id: { $in: leaf.ids } }),
  estimate: leaf => leaf.ids.length,
}
