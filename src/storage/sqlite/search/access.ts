import type { Access } from '../../../search/plan.ts'
import type { Arm, LeafCompiler } from './leaf.ts'
import type { Reading } from './reading.ts'
import { type Sql, some, sql, word } from './sql.ts'

/** Privacy compartment, author and owner have entries of their own, clustered by whom, type and seq. */
export const access: LeafCompiler<Access> = {
  traits: ({ filter }) =>
    filter.op === 'owner'
      ? { ordered: filter.organizations.length <= 8, check: 0.7 * filter.organizations.length }
      : { ordered: true, check: 0.7 },
  arms(leaf, type, reading) {
    const t = reading.dictionary.type(type)
    return t === undefined
      ? []
      : wanted(leaf).map(({ table, column, value }): Arm => {
          const x = reading.alias()
          return { from: sql`${table} ${x}`, where: sql`${x}.${column} = ${value} and ${x}.t = ${t}`, seq: sql`${x}.seq`, unique: true }
        })
  },
  check(leaf, type, seq, reading: Reading) {
    const t = reading.dictionary.type(type)
    if (t === undefined) return some([])
    return some(
      wanted(leaf).map(({ table, column, value }) => {
        const x = reading.alias()
        return sql`exists (select 1 from ${table} ${x} where ${x}.${column} = ${value} and ${x}.t = ${t} and ${x}.seq = ${seq})`
      }),
    )
  },
}

type Entry = { readonly table: Sql; readonly column: Sql; readonly value: string }

const wanted = ({ filter }: Access): readonly Entry[] => {
  switch (filter.op) {
    case 'patient':
      return [{ table: word('pat'), column: word('patient'), value: filter.id }]
    case 'author':
      return [{ table: word('aut'), column: word('author'), value: filter.ref }]
    case 'owner':
      return filter.organizations.map(value => ({ table: word('own'), column: word('org'), value }))
    default:
      throw new Error(`No engine knows the filter ${filter.op}`)
  }
}
