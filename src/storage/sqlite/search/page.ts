import type { Plan, Source } from '../../../search/plan.ts'
import type { SortKey } from '../../../search/tree.ts'
import type { Position } from '../../port.ts'
import { narrowest, type Window, windowOf } from '../../seq-window.ts'
import type { Arm } from './leaf.ts'
import { currentSeq, type Reading } from './reading.ts'
import { beyond, column, orderTerms, sortValue, walkOf, way } from './sort.ts'
import { armsOf, compound, conditions } from './source.ts'
import { every, join, never, type Sql, sql, word } from './sql.ts'
import type { Columns } from './statements.ts'

/** A row of a page before its resource is fetched. */
export type Found = { readonly seq: number; readonly values: readonly (string | number | null)[] }

export type PageAsked = {
  readonly plan: Plan
  readonly sort: readonly SortKey[]
  readonly wanted: number
  readonly position?: Position
  readonly backward: boolean
  readonly reading: Reading
  /** Seqs that can match at all: those up to the snapshot. */
  readonly bounds: Window
}

/** Runs a statement whose rows have the column seq, then v0, v1 … for sort values. */
export type Run = (statement: Sql) => readonly Columns[]

/** The rows of one part, in the direction read (backward: from the position to the front). */
export const readPage = (asked: PageAsked, run: Run): readonly Found[] => {
  const [first] = asked.sort
  if (!first || first.code === '_lastUpdated') return readBySeq(asked, asked.plan.source, asked.plan.order, run)
  const { driver } = asked.plan.source
  if (driver.by !== 'sort') return readTop(asked, asked.plan.source, run)
  return first.code === '_id' ? readById(asked, run) : readWalk(asked, first, run)
}

/** Newest first, or by `_lastUpdated`. */
const readBySeq = (asked: PageAsked, source: Source, order: 'driver' | 'top', run: Run, valuesOf?: Found['values']): readonly Found[] => {
  const [first] = asked.sort
  const descending = (valuesOf || !first ? true : first.descending) !== asked.backward
  const bounds = boundBySeq(asked.bounds, asked.position?.seq, descending)
  const arms = armsOf(source, bounds, asked.reading)
  if (arms.length === 0) return []
  const statement = sql`${seqsOf(arms)} order by ${orderOf(arms, order)}${way(descending)} limit ${asked.wanted}`
  const rest = asked.sort.slice(1).map(() => null)
  return (run(statement) as readonly (readonly [number])[]).map(([seq]) => ({ seq, values: valuesOf ?? (first ? [seq, ...rest] : []) }))
}

/** The plus keeps SQLite from walking another index only because that one has the order. */
const orderOf = (arms: readonly Arm[], order: 'driver' | 'top'): Sql => {
  const [only] = arms
  if (!only || arms.length > 1) return word('seq')
  return order === 'top' ? sql`+${only.seq}` : only.seq
}

const boundBySeq = (bounds: Window, seq: number | undefined, descending: boolean): Window => {
  if (seq === undefined) return bounds
  return descending
    ? { ...bounds, before: Math.min(bounds.before ?? Number.POSITIVE_INFINITY, seq) }
    : { ...bounds, from: Math.max(bounds.from ?? 0, seq + 1) }
}

/** Each version once. Arms that come by seq are merged by seq, lazily. */
export const seqsOf = (arms: readonly Arm[]): Sql => {
  const [only] = arms
  if (only && arms.length === 1)
    return sql`select ${word(only.unique ? '' : 'distinct ')}${only.seq} as seq from ${only.from} where ${only.where}`
  return compound(
    arms.map(arm => sql`select ${arm.seq} as seq from ${arm.from} where ${arm.where}`),
    ' union ',
    word('seq'),
  )
}

/** Everything that matches, gathered and sorted by its sort values. */
const readTop = (asked: PageAsked, source: Source, run: Run): readonly Found[] => {
  const arms = armsOf(source, asked.bounds, asked.reading)
  if (arms.length === 0) return []
  const { sort, reading, position } = asked
  const l = reading.alias()
  const s = reading.alias()
  const seq = sql`${s}.seq`
  const values = sort.map((key, i) => sql`${sortValue(key, asked.plan.type, l, reading)} as ${column(i)}`)
  const where = position ? sql` where ${beyond({ keys: sort, backward: asked.backward }, position, seq)}` : word('')
  const statement = sql`select ${seq} as seq, ${join(values, ', ')} from (${seqsOf(arms)}) ${s} cross join live ${l} on ${l}.seq = ${seq}${where}
    order by ${orderTerms({ keys: sort, backward: asked.backward }, seq)} limit ${asked.wanted}`
  return run(statement).map(found)
}

/** Along the ids of the type. */
const readById = (asked: PageAsked, run: Run): readonly Found[] => {
  const { reading, plan, position, backward } = asked
  const t = reading.dictionary.type(plan.type)
  if (t === undefined) return []
  const i = reading.alias()
  const x = reading.alias()
  const descending = (asked.sort[0] as SortKey).descending !== backward
  // Instances of other types may have the same id, so the position itself need not be of this type.
  const after = position
    ? [
        sql`${i}.id ${word(descending ? '<=' : '>=')} ${position.values[0] as string}`,
        beyond({ keys: asked.sort, backward }, position, sql`${x}.seq`),
      ]
    : []
  const arm = { seq: sql`${x}.seq`, where: every([sql`${i}.t = ${t}`, ...after]) }
  const where = conditions(arm, plan.type, windowOfSource(plan.source, asked.bounds), plan.source.probes, reading)
  if (where === never) return []
  const rest = asked.sort.slice(1).map((key, n) => sql`, ${sortValue(key, plan.type, x, reading)} as ${column(n + 1)}`)
  const statement = sql`select ${x}.seq as seq, ${i}.id as v0${join(rest, '')} from instance ${i}
    cross join live ${x} on ${x}.seq = ${currentSeq(i, reading)} where ${where} order by ${i}.id${way(descending)} limit ${asked.wanted}`
  return run(statement).map(found)
}

/** Along the marked values of the first key; those without one follow. */
const readWalk = (asked: PageAsked, first: SortKey, run: Run): readonly Found[] => {
  const { position, backward, wanted } = asked
  const inRest = position !== undefined && (position.values[0] ?? null) === null
  const rest = (limit: number, from: Position | undefined): readonly Found[] =>
    readRest({ ...withPosition(asked, from), wanted: limit }, run)
  const walk = (limit: number, from: Position | undefined): readonly Found[] =>
    walkValues({ ...withPosition(asked, from), wanted: limit }, first, run)
  if (backward) {
    const rows = position === undefined || inRest ? rest(wanted, position) : []
    return rows.length === wanted ? rows : [...rows, ...walk(wanted - rows.length, inRest ? undefined : position)]
  }
  const rows = inRest ? [] : walk(wanted, position)
  return rows.length === wanted ? rows : [...rows, ...rest(wanted - rows.length, inRest ? position : undefined)]
}

const withPosition = ({ position: _, ...asked }: PageAsked, position: Position | undefined): PageAsked => ({
  ...asked,
  ...(position ? { position } : {}),
})

const readRest = (asked: PageAsked, run: Run): readonly Found[] => {
  const { rest } = asked.plan
  if (!rest) return []
  return asked.sort.length === 1 ? readBySeq(asked, rest.source, rest.order, run, [null]) : readTop(asked, rest.source, run)
}

const walkValues = (asked: PageAsked, first: SortKey, run: Run): readonly Found[] => {
  const { reading, plan, sort, backward, position } = asked
  const walk = walkOf(first, plan.type, reading)
  if (!walk) return []
  const descending = first.descending !== backward
  const l = reading.alias()
  const others = sort.slice(1).map((key, n) => sql`, ${sortValue(key, plan.type, l, reading)} as ${column(n + 1)}`)
  const joined = others.length > 0 ? sql` cross join live ${l} on ${l}.seq = ${walk.seq}` : word('')
  const arm = { ...walk, where: every([walk.where, ...(position ? boundWalk(walk, asked, position, descending) : [])]) }
  const where = conditions(arm, plan.type, windowOfSource(plan.source, asked.bounds), plan.source.probes, reading)
  if (where === never) return []
  const statement = sql`select ${walk.seq} as seq, ${walk.value} as v0${join(others, '')} from ${walk.from}${joined} where ${where}
    order by ${walk.value}${way(descending)}, ${orderTerms({ keys: sort, backward }, walk.seq, 1)} limit ${asked.wanted}`
  return run(statement).map(found)
}

const boundWalk = (
  walk: { readonly value: Sql; readonly seq: Sql },
  asked: PageAsked,
  position: Position,
  descending: boolean,
): readonly Sql[] => {
  const value = position.values[0] as string | number
  const beyondIt = word(descending ? '<' : '>')
  if (asked.sort.length === 1) return [sql`(${walk.value}, ${walk.seq}) ${beyondIt} (${value}, ${position.seq})`]
  return [sql`${walk.value} ${beyondIt}= ${value}`, beyond({ keys: asked.sort, backward: asked.backward }, position, walk.seq)]
}

const windowOfSource = (source: Source, bounds: Window): Window => narrowest([bounds, ...source.window.map(({ test }) => windowOf(test))])

const found = ([seq, ...values]: Columns): Found => ({ seq: seq as number, values: values as Found['values'] })
