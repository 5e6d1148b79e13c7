import type { Node } from '../../../search/tree.ts'
import type { LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import { sql } from './sql.ts'

/** Only `:contains` comes here, which looks at every uri of the parameter; an exact one is a token. */
export const uri: LeafCompiler<Extract<Node, { op: 'uri' }>> = {
  traits: (leaf, type, reading) => ({ ordered: false, visits: reading.holders(type, leaf.param.code) }),
  arms(leaf, _type, reading) {
    const p = param(leaf.param, reading)
    if (p === undefined) return []
    const x = reading.alias()
    const match = leaf.match === 'exact' ? sql`${x}.code = ${leaf.uri}` : sql`instr(${x}.code, ${leaf.uri}) > 0`
    return [{ from: sql`tok ${x}`, where: sql`${x}.p = ${p} and ${match}`, seq: sql`${x}.seq`, unique: false }]
  },
  estimate: (leaf, _type, _reading, holders) => holders(leaf.param.code) / 10,
}
