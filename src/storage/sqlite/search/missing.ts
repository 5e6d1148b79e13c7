import type { Node } from '../../../search/tree.ts'
import { unionMax } from '../../../search/plain.ts'
import type { Arm, LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import type { Reading, Shape } from './reading.ts'
import { sql } from './sql.ts'

type Missing = Extract<Node, { op: 'missing' }>

/** Answered by shapes: resources that have values for the same parameters lie together, by seq. */
export const missing: LeafCompiler<Missing> = {
  traits: (leaf, type, reading) => ({ ordered: shapesOf(leaf, type, reading).length <= unionMax, check: 1 }),
  arms(leaf, type, reading) {
    const shapes = shapesOf(leaf, type, reading)
    if (shapes.length > unionMax) return [listArm(shapes, reading)]
    return shapes.map(({ sh }): Arm => {
      const x = reading.alias()
      return { from: sql`live ${x}`, where: sql`${x}.sh = ${sh}`, seq: sql`${x}.seq`, unique: true }
    })
  },
  check(leaf, type, seq, reading) {
    const x = reading.alias()
    const numbers = JSON.stringify(shapesOf(leaf, type, reading).map(({ sh }) => sh))
    return sql`exists (select 1 from live ${x} where ${x}.seq = ${seq} and ${x}.sh in (select value from json_each(${numbers})))`
  },
  estimate: (leaf, type, reading) => shapesOf(leaf, type, reading).reduce((sum, { live }) => sum + live, 0),
}

const listArm = (shapes: readonly Shape[], reading: Reading): Arm => {
  const list = reading.alias()
  const x = reading.alias()
  const from = sql`json_each(${JSON.stringify(shapes.map(({ sh }) => sh))}) ${list} cross join live ${x}`
  return { from, where: sql`${x}.sh = ${list}.value`, seq: sql`${x}.seq`, unique: true }
}

const shapesOf = (leaf: Missing, type: string, reading: Reading): readonly Shape[] => {
  const t = reading.dictionary.type(type)
  if (t === undefined) return []
  const p = param(leaf.param, reading)
  return reading.shapes(t).filter(({ params }) => leaf.missing !== (p !== undefined && params.has(p)))
}
