import type { Leaf, Traits } from '../../../search/plan.ts'
import type { Reading } from './reading.ts'
import type { Sql } from './sql.ts'

/** Entries of one table: `from` with the conditions that bound them. `unique`: no version is met twice. */
export type Arm = {
  readonly from: Sql
  readonly where: Sql
  readonly seq: Sql
  readonly unique: boolean
  /** Column of what the tokens of the version let through (sieve.ts). */
  readonly sieve?: Sql
  /** The time is looked at as its entries are gathered from many places: what the sieve holds back need not look again. */
  readonly ticks?: true
}

/** One kind of node on SQLite: how its entries are found, and how one candidate is asked. */
export type LeafCompiler<L extends Leaf> = {
  traits(leaf: L, type: string, reading: Reading): Traits
  /** Entries, each arm in the order of `traits`. None when nothing can match. */
  arms(leaf: L, type: string, reading: Reading): readonly Arm[]
  /** Whether the candidate at `seq` matches. Given when `traits` has a check. */
  check?(leaf: L, type: string, seq: Sql, reading: Reading): Sql
  /** Where counting entries would be dear or is known without. `sample`: some of the type are asked. */
  estimate?(leaf: L, type: string, reading: Reading, holders: (param: string) => number): number | readonly Arm[] | 'sample'
}
