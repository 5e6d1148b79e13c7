import type { SortKey } from '../../../search/tree.ts'
import type { Position } from '../../port.ts'
import type { Arm } from './leaf.ts'
import type { Reading } from './reading.ts'
import { join, type Sql, sql, word } from './sql.ts'

/**
 * The sort value of a key for the row `live` of a version: the least when ascending, the greatest when descending, null when it has none.
 * Numbers are cast because a large whole one would come back as an integer beyond what a number holds.
 */
export const sortValue = ({ code, kind, descending }: SortKey, type: string, live: Sql, { dictionary }: Reading): Sql => {
  if (code === '_lastUpdated') return sql`${live}.seq`
  if (code === '_id') return sql`(select i.id from instance i where i.iid = ${live}.iid)`
  const p = dictionary.param(type, code)
  if (p === undefined) return word('null')
  const value = sql`${live}.so ->> ${`$."${p}"[${descending ? '#-1' : '0'}]`}`
  return kind === 'number' || kind === 'quantity' ? sql`cast(${value} as real)` : sql`(${value})`
}

type Walk = Pick<Arm, 'from' | 'where' | 'seq' | 'sieve'> & { readonly value: Sql }
const walked = { token: ['tok', 'code'], uri: ['tok', 'code'], string: ['str', 'v'], date: ['dat', 'lo'], number: ['num', 'lo'] } as const

/** Whether the values of the key, if there are any, lie in its order. */
export const walks = ({ kind }: SortKey): boolean => kind in walked

/** The entry marked as the one to sort by: one per version, in the order of values. */
export const walkOf = ({ code, kind, descending }: SortKey, type: string, reading: Reading): Walk | undefined => {
  const p = reading.dictionary.param(type, code)
  const way = walked[kind as keyof typeof walked]
  if (p === undefined || way === undefined) return undefined
  const [table, column] = way
  const x = reading.alias()
  const unit = kind === 'number' ? sql` and ${x}.u = ${0}` : sql``
  return {
    from: sql`${word(table)} ${x}`,
    where: sql`${x}.p = ${p}${unit} and ${x}.m & ${descending ? 2 : 1}`,
    value: sql`${x}.${word(column)}`,
    seq: sql`${x}.seq`,
    ...(table === 'dat' && { sieve: sql`${x}.sieve` }),
  }
}

export type Direction = { readonly keys: readonly SortKey[]; readonly backward: boolean }

/** Nobody is without id or time. */
const isTotal = ({ code }: SortKey): boolean => code === '_id' || code === '_lastUpdated'

/**
 * Terms of ORDER BY over the columns v0, v1 …: each key in its direction, missing last, then seq in the direction of the first key. Those
 * without a first value come newest first, whatever its direction. Backward all of it is reversed.
 */
export const orderTerms = ({ keys, backward }: Direction, seq: Sql, from = 0): Sql => {
  const terms = keys.flatMap((key, i) => {
    if (i < from) return []
    const v = column(i)
    const value = sql`${v}${way(key.descending !== backward)}`
    return isTotal(key) ? [value] : [sql`${v} is null${way(backward)}`, value]
  })
  return join([...terms, seqTerm(keys[0], backward, seq, from)], ', ')
}

const seqTerm = (first: SortKey | undefined, backward: boolean, seq: Sql, from: number): Sql => {
  if (first === undefined || first.descending || from > 0 || isTotal(first))
    return sql`${seq}${way((first?.descending ?? true) !== backward)}`
  return sql`iif(${column(0)} is null, -${seq}, ${seq})${way(backward)}`
}

/**
 * That a row lies behind the position (backward: before it), as a ladder: the first key that differs decides. Where the walk itself can be
 * bounded it is, by a row value; this only filters what is sorted anyway.
 */
export const beyond = ({ keys, backward }: Direction, { values, seq: at }: Position, seq: Sql): Sql => {
  const steps = keys.map(
    (key, i) => sql`when ${column(i)} is not ${bound(values[i] ?? null)} then ${differs(key, values[i] ?? null, backward, column(i))}`,
  )
  const newestFirst = (keys[0]?.descending ?? true) || (keys[0] !== undefined && !isTotal(keys[0]) && (values[0] ?? null) === null)
  return sql`case ${join(steps, ' ')} else ${seq} ${word(newestFirst !== backward ? '<' : '>')} ${at} end`
}

const differs = (key: SortKey, value: string | number | null, backward: boolean, v: Sql): Sql => {
  if (value === null) return word(backward ? '1' : '0')
  return sql`ifnull(${v} ${word(key.descending !== backward ? '<' : '>')} ${value}, ${word(backward ? '0' : '1')})`
}

const bound = (value: string | number | null): Sql => (value === null ? word('null') : sql`${value}`)

export const column = (i: number): Sql => word(`v${i}`)
export const way = (descending: boolean): Sql => word(descending ? ' desc' : '')
