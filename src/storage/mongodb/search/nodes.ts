import type { Leaf, Traits } from '../../../search/plan.ts'
import type { Node } from '../../../search/tree.ts'
import { access } from './access.ts'
import { compartment } from './compartment.ts'
import { composite } from './composite.ts'
import { date } from './date.ts'
import type { Filter } from './filter.ts'
import { id } from './id.ts'
import { lastUpdated } from './last-updated.ts'
import type { Counters, Entries, LeafCompiler, Words } from './leaf.ts'
import { list } from './list.ts'
import { missing } from './missing.ts'
import { number, quantity } from './number.ts'
import { otherwise } from './otherwise.ts'
import { reference } from './reference.ts'
import { still } from './still.ts'
import { string } from './string.ts'
import { token } from './token.ts'
import { unsorted } from './unsorted.ts'
import { uri } from './uri.ts'

type Leaves = { readonly [K in Leaf['op']]: LeafCompiler<Extract<Leaf, { op: K }>> }

const leaves: Leaves = {
  access,
  compartment,
  composite,
  date,
  id,
  lastUpdated,
  list,
  missing,
  number,
  otherwise,
  quantity,
  reference,
  still,
  string,
  token,
  unsorted,
  uri,
}

/** Where each kind of node is answered: by its own file, or by what the planner makes of it (plan.ts), compiled in matching.ts. */
const nodes = {
  ...leaves,
  and: 'plan',
  or: 'plan',
  not: 'plan',
  all: 'plan',
  none: 'plan',
  chain: 'plan',
  reverse: 'plan',
} satisfies Record<Node['op'], unknown>

// A leaf always meets the compiler of its own op; the compiler of types cannot follow that through the table.
const compilerOf = (leaf: Leaf): LeafCompiler<Leaf> => nodes[leaf.op] as unknown as LeafCompiler<Leaf>

export const traitsOf = (leaf: Leaf, type: string, counters: Counters): Traits => compilerOf(leaf).traits(leaf, type, counters)
export const entriesOf = (leaf: Leaf, type: string, words: Words): readonly Entries[] => compilerOf(leaf).entries(leaf, type, words)
export const checkOf = (leaf: Leaf, type: string, words: Words): Filter => compilerOf(leaf).check(leaf, type, words)
/** Undefined when it has to be counted. */
export const knownCountOf = (leaf: Leaf, type: string, counters: Counters): number | undefined =>
  compilerOf(leaf).estimate?.(leaf, type, counters)
