import type { Leaf, Traits } from '../../../search/plan.ts'
import type { Node } from '../../../search/tree.ts'
import { access } from './access.ts'
import { compartment } from './compartment.ts'
import { composite } from './composite.ts'
import { date } from './date.ts'
import { id } from './id.ts'
import { lastUpdated } from './last-updated.ts'
import type { Arm, LeafCompiler } from './leaf.ts'
import { list } from './list.ts'
import { missing } from './missing.ts'
import { number, quantity } from './number.ts'
import { otherwise } from './otherwise.ts'
import type { Reading } from './reading.ts'
import { reference } from './reference.ts'
import { never, type Sql } from './sql.ts'
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

/** Where each kind of node is answered: by its own file, or by what the planner makes of it (plan.ts), compiled in source.ts. */
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

export const traitsOf = (leaf: Leaf, type: string, reading: Reading): Traits => compilerOf(leaf).traits(leaf, type, reading)
export const entriesOf = (leaf: Leaf, type: string, reading: Reading): readonly Arm[] => compilerOf(leaf).arms(leaf, type, reading)
export const checkOf = (leaf: Leaf, type: string, seq: Sql, reading: Reading): Sql =>
  compilerOf(leaf).check?.(leaf, type, seq, reading) ?? never
/** What to count for an estimate: entries, a number known without counting, or how many of a sample pass. */
export const countedOf = (leaf: Leaf, type: string, reading: Reading): number | readonly Arm[] | 'sample' => {
  const compiler = compilerOf(leaf)
  return compiler.estimate?.(leaf, type, reading, code => reading.holders(type, code)) ?? compiler.arms(leaf, type, reading)
}
