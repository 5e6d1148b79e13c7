import type { Node } from '../../../search/tree.ts'
import { referenceEntry } from '../entries.ts'
import { type LeafCompiler, points } from './leaf.ts'

type Reference = Extract<Node, { op: 'reference' }>

export const reference: LeafCompiler<Reference> = {
  traits: () => ({ ordered: true, check: 0.7 }),
  entries: leaf => points('tk', [entryOf(leaf)]),
  check: leaf => ({ 'ix.tk': entryOf(leaf) }),
}

export const entryOf = ({ param, type, id }: Reference): string => referenceEntry(param.code, type, id)
