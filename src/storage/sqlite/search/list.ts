import type { List, Listed } from '../../../search/plan.ts'
import type { Arm, LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import type { Reading } from './reading.ts'
import { never, type Sql, sql } from './sql.ts'
import { afterPrefix } from './string.ts'

/** Alternatives whose entries are counted to guess those of all. */
const sampleMax = 16

/** Many alternatives of one parameter: the list drives, one seek for each; what comes out is not in order. */
export const list: LeafCompiler<List> = {
  traits: leaf => ({ ordered: false, ...(seeksBySeq(leaf) ? { check: 0.7 * leaf.of.length } : {}) }),
  arms(leaf, _type, reading) {
    const rows = rowsOf(leaf, reading)
    if (rows === undefined) return []
    const each = reading.alias()
    const x = reading.alias()
    const { table, where } = rows.join(each, x)
    return [
      {
        from: sql`json_each(${JSON.stringify(rows.values)}) ${each} cross join ${table} ${x}`,
        where,
        seq: sql`${x}.seq`,
        unique: false,
      } satisfies Arm,
    ]
  },
  check(leaf, _type, seq, reading) {
    const rows = rowsOf(leaf, reading)
    if (rows === undefined) return never
    const each = reading.alias()
    const x = reading.alias()
    const { table, where } = rows.join(each, x)
    return sql`exists (select 1 from json_each(${JSON.stringify(rows.values)}) ${each} cross join ${table} ${x} where ${where} and ${x}.seq = ${seq})`
  },
}

/** The alternatives counted for an estimate, and by what to multiply. */
export const sampleOf = ({ of }: List): { readonly of: readonly Listed[]; readonly times: number } => {
  const sample = of.slice(0, sampleMax)
  return { of: sample, times: of.length / sample.length }
}

const seeksBySeq = ({ of: [first] }: List): boolean => first?.op !== 'string' || first.match === 'exact'

type Rows = { readonly values: readonly unknown[]; readonly join: (each: Sql, x: Sql) => { readonly table: Sql; readonly where: Sql } }

/** The values to bind as one JSON array, and how a table joins them; undefined when none can match. */
const rowsOf = ({ of }: List, reading: Reading): Rows | undefined => {
  const first = of[0] as Listed
  const p = param(first.param, reading)
  if (p === undefined) return undefined
  switch (first.op) {
    case 'token':
      return tokenRows(of, p, reading)
    case 'reference':
      return {
        values: of.flatMap(one => (one.op === 'reference' ? (reading.iid(one.type, one.id) ?? []) : [])),
        join: (each, x) => ({ table: sql`ref`, where: sql`${x}.p = ${p} and ${x}.iid = ${each}.value` }),
      }
    case 'string':
      return stringRows(of, first.match, p)
  }
}

const tokenRows = (of: List['of'], p: number, { dictionary }: Reading): Rows => {
  const values: (readonly [string, number | null])[] = []
  for (const one of of) {
    if (one.op !== 'token' || one.code === undefined) continue
    const s = one.system === undefined ? null : dictionary.system(one.system)
    if (s !== undefined) values.push([one.code, s])
  }
  return {
    values,
    join: (each, x) => ({
      table: sql`tok`,
      where: sql`${x}.p = ${p} and ${x}.code = ${each}.value ->> 0 and ${x}.s = ifnull(${each}.value ->> 1, +${x}.s)`,
    }),
  }
}

const stringRows = (of: List['of'], match: 'prefix' | 'exact' | 'contains', p: number): Rows => ({
  values: of.flatMap(one => (one.op === 'string' ? [[one.text, match === 'exact' ? (one.exact ?? '') : afterPrefix(one.text)]] : [])),
  join: (each, x) => {
    const range = sql`${x}.v >= ${each}.value ->> 0 and ${x}.v < ${each}.value ->> 1`
    const exact = sql`${x}.v = ${each}.value ->> 0 and ${x}.x = ${each}.value ->> 1`
    return { table: sql`str`, where: sql`${x}.p = ${p} and ${match === 'exact' ? exact : range}` }
  },
})
