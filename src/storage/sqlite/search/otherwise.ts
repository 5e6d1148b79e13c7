import type { Otherwise } from '../../../search/plan.ts'
import type { Arm, LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import type { Reading } from './reading.ts'
import { armsOfShapes, countOf } from './shapes.ts'
import { empty, type Sql, sql } from './sql.ts'
import { shapesWithoutSort } from './unsorted.ts'

/**
 * Whoever can lack the token: those with another code before or behind it, those with the code in another system, and those without any
 * (which have nothing to sort by either). Some of them have the token besides, so it is still asked of each.
 */
export const otherwise: LeafCompiler<Otherwise> = {
  traits: () => ({ ordered: false }),
  arms: (leaf, type, reading) => [
    ...otherArms(leaf, reading),
    ...armsOfShapes(shapesWithoutSort(leaf.of.param.code, type, reading), reading),
  ],
  // Few without a value change no choice; many are known without counting.
  estimate(leaf, type, reading) {
    const without = countOf(shapesWithoutSort(leaf.of.param.code, type, reading))
    return without > withoutFew ? without : otherArms(leaf, reading)
  },
}

const withoutFew = 500

const otherArms = ({ of }: Otherwise, reading: Reading): readonly Arm[] => {
  const p = param(of.param, reading)
  if (p === undefined) return []
  const found = [arm(p, x => sql`${x}.code < ${of.code}`, reading), arm(p, x => sql`${x}.code > ${of.code}`, reading)]
  if (of.system === undefined) return found
  const s = reading.dictionary.system(of.system)
  return [...found, arm(p, x => sql`${x}.code = ${of.code}${s === undefined ? empty : sql` and ${x}.s <> ${s}`}`, reading)]
}

const arm = (p: number, holds: (x: Sql) => Sql, reading: Reading): Arm => {
  const x = reading.alias()
  return { from: sql`tok ${x}`, where: sql`${x}.p = ${p} and ${holds(x)}`, seq: sql`${x}.seq`, unique: false }
}
