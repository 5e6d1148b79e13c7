import type { Arm } from './leaf.ts'
import type { Reading, Shape } from './reading.ts'
import { type Sql, sql } from './sql.ts'

/** Shapes merged by seq, a row at a time; more are gathered and sorted. A type seldom has more than some tens. */
const mergedMax = 32

/** Resources of some shapes: those of one shape lie together, by seq. */
export const armsOfShapes = (shapes: readonly Shape[], reading: Reading): readonly Arm[] =>
  areFew(shapes) ? shapes.map(({ sh }) => arm(sh, reading)) : [listArm(shapes, reading)]

export const areFew = (shapes: readonly Shape[]): boolean => shapes.length <= mergedMax

export const hasShape = (shapes: readonly Shape[], seq: Sql, reading: Reading): Sql => {
  const x = reading.alias()
  return sql`exists (select 1 from live ${x} where ${x}.seq = ${seq} and ${x}.sh in (select value from json_each(${numbersOf(shapes)})))`
}

export const countOf = (shapes: readonly Shape[]): number => shapes.reduce((sum, { live }) => sum + live, 0)

const arm = (sh: number, reading: Reading): Arm => {
  const x = reading.alias()
  return { from: sql`live ${x}`, where: sql`${x}.sh = ${sh}`, seq: sql`${x}.seq`, unique: true }
}

const listArm = (shapes: readonly Shape[], reading: Reading): Arm => {
  const list = reading.alias()
  const x = reading.alias()
  const from = sql`json_each(${numbersOf(shapes)}) ${list} cross join live ${x}`
  return { from, where: sql`${x}.sh = ${list}.value`, seq: sql`${x}.seq`, unique: true }
}

const numbersOf = (shapes: readonly Shape[]): string => JSON.stringify(shapes.map(({ sh }) => sh))
