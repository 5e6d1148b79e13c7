import type { Node } from '../../../search/tree.ts'
import type { LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import { never, type Sql, sql } from './sql.ts'

type Text = Extract<Node, { op: 'string' }>

/** A prefix is a range of values, so its entries come by value; only an exact value's come by seq. `:contains` looks at every value. */
export const string: LeafCompiler<Text> = {
  traits(leaf, type, reading) {
    if (leaf.match === 'exact') return { ordered: true, check: 0.8 }
    return leaf.match === 'prefix' ? { ordered: false } : { ordered: false, visits: reading.holders(type, leaf.param.code) * 2 }
  },
  arms(leaf, _type, reading) {
    const p = param(leaf.param, reading)
    if (p === undefined) return []
    const x = reading.alias()
    return [{ from: sql`str ${x}`, where: sql`${x}.p = ${p} and ${matches(leaf, x)}`, seq: sql`${x}.seq`, unique: leaf.match === 'exact' }]
  },
  check(leaf, _type, seq, reading) {
    const p = param(leaf.param, reading)
    if (p === undefined) return never
    const x = reading.alias()
    return sql`exists (select 1 from str ${x} where ${x}.p = ${p} and ${matches(leaf, x)} and ${x}.seq = ${seq})`
  },
  estimate: (leaf, _type, reading, holders) => (leaf.match === 'contains' ? holders(leaf.param.code) / 10 : string.arms(leaf, '', reading)),
}

const matches = (leaf: Text, x: Sql): Sql => {
  switch (leaf.match) {
    case 'exact':
      return sql`${x}.v = ${leaf.text} and ${x}.x = ${leaf.exact ?? ''}`
    case 'prefix':
      return sql`${x}.v >= ${leaf.text} and ${x}.v < ${afterPrefix(leaf.text)}`
    case 'contains':
      return sql`instr(${x}.v, ${leaf.text}) > 0`
  }
}

/** What lies behind every text with the prefix: no normal form holds the last character of Unicode. */
export const afterPrefix = (prefix: string): string => `${prefix}\u{10ffff}`
