import type { Access } from '../../../search/plan.ts'
import { authorEntry, ownerEntry, patientEntry } from '../entries.ts'
import { type LeafCompiler, mergedMax, points } from './leaf.ts'

/** Privacy compartment, author and owner stand among the tokens. */
export const access: LeafCompiler<Access> = {
  traits: ({ filter }) =>
    filter.op === 'owner'
      ? { ordered: filter.organizations.length <= mergedMax, check: 0.7 * filter.organizations.length }
      : { ordered: true, check: 0.7 },
  entries: leaf => points('tk', entriesOf(leaf)),
  check: leaf => ({ 'ix.tk': { $in: entriesOf(leaf) } }),
}

const entriesOf = ({ filter }: Access): readonly string[] => {
  switch (filter.op) {
    case 'patient':
      return [patientEntry(filter.id)]
    case 'author':
      return [authorEntry(filter.ref)]
    case 'owner':
      return filter.organizations.map(ownerEntry)
    default:
      throw new Error(`No engine knows the filter ${filter.op}`)
  }
}
