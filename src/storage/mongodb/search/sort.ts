import type { Document } from 'mongodb'
import type { SortKey } from '../../../search/tree.ts'
import type { Position } from '../../port.ts'
import { ofSeveral, orderedText, sortField, sortSuffixLength, valueOfSortText } from '../entries.ts'
import { every, type Filter, never, some } from './filter.ts'

type Value = string | number | null

/** Nobody is without id or time. */
const isTotal = ({ code }: SortKey): boolean => code === '_id' || code === '_lastUpdated'

const isNumber = ({ kind }: SortKey): boolean => kind === 'date' || kind === 'number' || kind === 'quantity'

/** Where those with one value have it, and where those with several have their least and their greatest. */
export const onlyField = ({ code }: Pick<SortKey, 'code'>): string => `ix.so.${sortField(code)}`
export const leastField = ({ code }: Pick<SortKey, 'code'>): string => `ix.so.${ofSeveral(sortField(code))}`
export const greatestField = ({ code }: Pick<SortKey, 'code'>): string => `ix.sd.${sortField(code)}`

/** The sort value of a key: the least when ascending, the greatest when descending. */
const textOf = (key: SortKey): unknown => {
  if (key.code === '_id') return '$_id'
  if (key.code === '_lastUpdated') return '$seq'
  return { $ifNull: [`$${onlyField(key)}`, `$${key.descending ? greatestField(key) : leastField(key)}`] }
}

const textName = (i: number): string => `t${i}`
/** The sort text of the first key, in what `textFields` asks for. */
export const firstText: string = textName(0)

/** Fields for `valuesOf`. */
export const textFields = (keys: readonly SortKey[]): Document => Object.fromEntries(keys.map((key, i) => [textName(i), textOf(key)]))

/** As a position has them: numbers and text, null for missing. */
export const valuesOf = (document: Document, keys: readonly SortKey[]): readonly Value[] =>
  keys.map((key, i): Value => {
    const text = document[textName(i)] ?? null
    return text === null || isTotal(key) ? text : valueOfSortText(text, isNumber(key))
  })

export type Direction = { readonly keys: readonly SortKey[]; readonly backward: boolean }

/**
 * Stages that put documents in order by any keys: missing last, then seq in the direction of the first key; those without a first value come
 * newest first, whatever its direction. Backward all of it is reversed. `position`: only what lies behind it (backward: before it).
 */
export const orderStages = (direction: Direction, fields: Document, position: Position | undefined): readonly Document[] => {
  const { keys, backward } = direction
  const beyond = position === undefined ? [] : [{ $match: beyondIt(direction, position) }]
  const values = Object.fromEntries(
    keys.flatMap((key, i) => [
      [valueName(i), cutText(key, i)],
      [missingName(i), isMissing(key, i)],
    ]),
  )
  const terms = keys.flatMap((key, i): [string, 1 | -1][] => [
    [missingName(i), backward ? -1 : 1],
    [valueName(i), key.descending === backward ? 1 : -1],
  ])
  const seq: [string, 1 | -1] = ['s', backward ? -1 : 1]
  return [
    { $project: { ...fields, ...textFields(keys) } },
    { $set: { ...values, s: seqTerm(keys[0]) } },
    ...beyond,
    { $sort: Object.fromEntries([...terms, seq]) },
  ]
}

const valueName = (i: number): string => `v${i}`
const missingName = (i: number): string => `m${i}`

/** Without the seq behind it, that further keys decide between equal ones. */
const cutText = (key: SortKey, i: number): unknown => {
  const text = `$${textName(i)}`
  if (isTotal(key)) return text
  return { $cond: [{ $gt: [text, null] }, { $substrBytes: [text, 0, { $subtract: [{ $strLenBytes: text }, sortSuffixLength] }] }, null] }
}

const isMissing = (key: SortKey, i: number): unknown =>
  isTotal(key) ? { $literal: 0 } : { $cond: [{ $gt: [`$${textName(i)}`, null] }, 0, 1] }

const newest = { $multiply: ['$seq', -1] }

const seqTerm = (first: SortKey | undefined): unknown => {
  if (first === undefined || first.descending) return newest
  return isTotal(first) ? '$seq' : { $cond: [{ $gt: [`$${textName(0)}`, null] }, '$seq', newest] }
}

/** A ladder: the first key that differs decides. */
const beyondIt = ({ keys, backward }: Direction, { values, seq }: Position): Filter => {
  const steps = keys.map((key, i) =>
    every([...keys.slice(0, i).map((_, n) => equals(values[n] ?? null, n, keys)), differs(key, values[i] ?? null, backward, i)]),
  )
  const newestFirst = (keys[0]?.descending ?? true) || (keys[0] !== undefined && !isTotal(keys[0]) && (values[0] ?? null) === null)
  const same = keys.map((_, n) => equals(values[n] ?? null, n, keys))
  return some([...steps, every([...same, { seq: { [newestFirst === backward ? '$gt' : '$lt']: seq } }])])
}

const equals = (value: Value, i: number, keys: readonly SortKey[]): Filter =>
  value === null ? { [missingName(i)]: 1 } : { [valueName(i)]: compared(value, keys[i] as SortKey) }

const differs = (key: SortKey, value: Value, backward: boolean, i: number): Filter => {
  if (value === null) return backward ? { [missingName(i)]: 0 } : never
  const further: Filter = { [missingName(i)]: 0, [valueName(i)]: { [key.descending === backward ? '$gt' : '$lt']: compared(value, key) } }
  return backward ? further : some([further, { [missingName(i)]: 1 }])
}

const compared = (value: string | number, key: SortKey): string | number => (isTotal(key) ? value : orderedText(value))
