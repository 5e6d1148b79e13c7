import type { Node } from '../../../search/tree.ts'
import type { LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import { empty, never, type Sql, sql } from './sql.ts'

type Token = Extract<Node, { op: 'token' }>

/** `(p, code)` is one seek and its entries come by seq; a system alone is looked for among all entries of the parameter. */
export const token: LeafCompiler<Token> = {
  traits: (leaf, type, reading) =>
    leaf.code === undefined ? { ordered: false, visits: reading.holders(type, leaf.param.code) } : { ordered: true, check: 0.8 },
  arms(leaf, _type, reading) {
    const p = param(leaf.param, reading)
    const system = systemIs(leaf, reading)
    if (p === undefined || system === undefined) return []
    const x = reading.alias()
    const and = system(x)
    if (leaf.code === undefined) return [{ from: sql`tok ${x}`, where: sql`${x}.p = ${p}${and}`, seq: sql`${x}.seq`, unique: false }]
    const unique = leaf.system !== undefined
    return [{ from: sql`tok ${x}`, where: sql`${x}.p = ${p} and ${x}.code = ${leaf.code}${and}`, seq: sql`${x}.seq`, unique }]
  },
  check(leaf, _type, seq, reading) {
    const p = param(leaf.param, reading)
    const system = systemIs(leaf, reading)
    if (p === undefined || system === undefined || leaf.code === undefined) return never
    const x = reading.alias()
    return sql`exists (select 1 from tok ${x} where ${x}.p = ${p} and ${x}.code = ${leaf.code} and ${x}.seq = ${seq}${system(x)})`
  },
}

/** Undefined when no entry has the system. */
const systemIs = ({ system }: Token, { dictionary }: Parameters<typeof token.arms>[2]): ((x: Sql) => Sql) | undefined => {
  if (system === undefined) return () => empty
  const s = dictionary.system(system)
  return s === undefined ? undefined : x => sql` and ${x}.s = ${s}`
}
