import type { Node } from '../../../search/tree.ts'
import type { Arm, LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import { boundsEnd, nearlyHolds, rangeHolds } from './range.ts'
import type { Reading } from './reading.ts'
import { never, type Sql, sql } from './sql.ts'
import { afterPrefix } from './string.ts'

type Composite = Extract<Node, { op: 'composite' }>

/** The joined equality parts, then a range (`cmp`), a text or nothing (`cms`). Only the last comes by seq and can be asked of a candidate. */
export const composite: LeafCompiler<Composite> = {
  traits(leaf, type, reading) {
    if (leaf.test && boundsEnd(leaf.test)) return { ordered: false, visits: reading.holders(type, leaf.param.code) / 10 }
    return isKeyAlone(leaf) ? { ordered: true, check: 0.8 } : { ordered: false }
  },
  arms: (leaf, _type, reading) => arms(leaf, reading, x => (leaf.test ? rangeHolds(leaf.test, sql`${x}.lo`, sql`${x}.hi`) : undefined)),
  check(leaf, _type, seq, reading) {
    const p = param(leaf.param, reading)
    if (p === undefined) return never
    const x = reading.alias()
    return sql`exists (select 1 from cms ${x} where ${x}.p = ${p} and ${x}.k = ${leaf.key} and ${x}.v = ${''} and ${x}.seq = ${seq})`
  },
  estimate: (leaf, _type, reading) =>
    arms(leaf, reading, x =>
      leaf.test ? (nearlyHolds(leaf.test, sql`${x}.lo`) ?? rangeHolds(leaf.test, sql`${x}.lo`, sql`${x}.hi`)) : undefined,
    ),
}

const isKeyAlone = ({ test, prefix }: Composite): boolean => test === undefined && prefix === undefined

const arms = (leaf: Composite, reading: Reading, range: (x: Sql) => Sql | undefined): readonly Arm[] => {
  const p = param(leaf.param, reading)
  if (p === undefined) return []
  const x = reading.alias()
  const inRange = range(x)
  const beside = inRange ?? besideText(leaf.prefix, x)
  const where = sql`${x}.p = ${p} and ${x}.k = ${leaf.key} and ${beside}`
  return [{ from: inRange ? sql`cmp ${x}` : sql`cms ${x}`, where, seq: sql`${x}.seq`, unique: isKeyAlone(leaf) }]
}

const besideText = (prefix: string | undefined, x: Sql): Sql =>
  prefix === undefined ? sql`${x}.v = ${''}` : sql`${x}.v >= ${prefix} and ${x}.v < ${afterPrefix(prefix)}`
