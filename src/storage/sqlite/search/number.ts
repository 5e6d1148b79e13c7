import type { Node, ParamRef, RangeTest } from '../../../search/tree.ts'
import type { Arm, LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import { boundsEnd, nearlyHolds, rangeHolds } from './range.ts'
import type { Reading } from './reading.ts'
import { never, type Sql, sql } from './sql.ts'

/** What numbers and quantities have in common; the unit of a number is ''. */
type Asked = { readonly param: ParamRef; readonly unit: string; readonly test: RangeTest }

export const number: LeafCompiler<Extract<Node, { op: 'number' }>> = {
  traits: (leaf, type, reading) => traits({ ...leaf, unit: '' }, type, reading),
  arms: (leaf, _type, reading) => arms({ ...leaf, unit: '' }, reading),
  check: (leaf, _type, seq, reading) => check({ ...leaf, unit: '' }, seq, reading),
  estimate: (leaf, _type, reading) => nearArms({ ...leaf, unit: '' }, reading),
}

export const quantity: LeafCompiler<Extract<Node, { op: 'quantity' }>> = {
  traits,
  arms: (leaf, _type, reading) => arms(leaf, reading),
  check: (leaf, _type, seq, reading) => check(leaf, seq, reading),
  estimate: (leaf, _type, reading) => nearArms(leaf, reading),
}

/** Entries lie by the beginning of their ranges: a test on the end looks at all of the unit. */
function traits(leaf: Asked, type: string, reading: Reading) {
  const visits = boundsEnd(leaf.test) ? { visits: reading.holders(type, leaf.param.code) } : {}
  return { ordered: false, check: 1.2, ...visits }
}

const arms = (leaf: Asked, reading: Reading): readonly Arm[] =>
  armsWhere(leaf, reading, x => rangeHolds(leaf.test, sql`${x}.lo`, sql`${x}.hi`))

const nearArms = (leaf: Asked, reading: Reading): readonly Arm[] =>
  armsWhere(leaf, reading, x => nearlyHolds(leaf.test, sql`${x}.lo`) ?? rangeHolds(leaf.test, sql`${x}.lo`, sql`${x}.hi`))

const armsWhere = ({ param: ref, unit }: Asked, reading: Reading, holds: (x: Sql) => Sql): readonly Arm[] => {
  const p = param(ref, reading)
  const u = reading.dictionary.unit(unit)
  if (p === undefined || u === undefined) return []
  const x = reading.alias()
  return [{ from: sql`num ${x}`, where: sql`${x}.p = ${p} and ${x}.u = ${u} and ${holds(x)}`, seq: sql`${x}.seq`, unique: false }]
}

const check = ({ param: ref, unit, test }: Asked, seq: Sql, reading: Reading): Sql => {
  const p = param(ref, reading)
  const u = reading.dictionary.unit(unit)
  if (p === undefined || u === undefined) return never
  const x = reading.alias()
  const holds = rangeHolds(test, sql`+${x}.lo`, sql`+${x}.hi`)
  return sql`exists (select 1 from num ${x} indexed by num_f where ${x}.seq = ${seq} and ${x}.p = ${p} and ${x}.u = ${u} and ${holds})`
}
