import type { Node } from '../../../search/tree.ts'
import { referenceEntry } from '../entries.ts'
import { type Filter, some } from './filter.ts'
import { type LeafCompiler, mergedMax, points } from './leaf.ts'

type Compartment = Extract<Node, { op: 'compartment' }>

/** Who refers to the owner by any of the parameters; the owner itself is in its own compartment (`_id`). */
export const compartment: LeafCompiler<Compartment> = {
  traits: leaf => ({ ordered: leaf.params.length <= mergedMax, check: 1 }),
  entries: (leaf, type) => [...points('tk', referring(leaf)), ...points('id', owners(leaf, type))],
  check(leaf, type) {
    const ways: Filter[] = []
    const entries = referring(leaf)
    const ids = owners(leaf, type)
    if (entries.length > 0) ways.push({ 'ix.tk': { $in: entries } })
    if (ids.length > 0) ways.push({ _id: { $in: ids } })
    return some(ways)
  },
}

const referring = ({ owner, params }: Compartment): readonly string[] =>
  params.flatMap(({ code }) => (code === '_id' ? [] : referenceEntry(code, owner.type, owner.id)))

const owners = ({ owner, params }: Compartment, type: string): readonly string[] =>
  type === owner.type && params.some(({ code }) => code === '_id') ? [owner.id] : []
