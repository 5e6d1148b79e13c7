import type { Document } from 'mongodb'
import { isEmpty, narrowest, type Window } from '../../seq-window.ts'
import { attributes } from '../access-of-versions.ts'
import { hints } from '../collections.ts'
import { beginningWith, everything } from '../entries.ts'
import { asksAccess, type Condition, type Conditions, referencesFor } from './conditions.ts'
import { type Filter, never, unbounding } from './filter.ts'
import { within } from './last-updated.ts'
import type { Entries, PointIndex } from './leaf.ts'

/** One way to documents: what bounds an index, and what is asked besides. */
export type Way = { readonly type: string; readonly entries: Entries; readonly window: Window; readonly conditions: Conditions }

/** One question to the server. What it finds still has to be verified where there is something to verify. */
export type Arm = {
  readonly type: string
  readonly hint: string
  readonly filter: Filter
  readonly verify: readonly Condition[]
}

/** Values of one question where all are gathered, in whatever order; also ids, which are looked up one by one in any case. */
export const gatheredMax = 2_000
/** Ranges of one question. */
const rangesMax = 100
/** Of more groups than these several are asked as one, in whatever order they come. Blocks of one group stay apart: each gives its first ones. */
const groupsMax = 16

const pointFields: Readonly<Record<PointIndex, string>> = { id: '_id', tk: 'ix.tk', st: 'ix.st' }

/** Ways that differ only in what bounds them are one question, of up to `pointsMax` values. */
export const armsOf = (ways: readonly Way[], pointsMax: number): readonly Arm[] => {
  const groups = Map.groupBy(ways.map(narrowed).filter(isPossible), identities())
  const arms = [...groups.values()].flatMap(group => groupArms(group, pointsMax))
  return groups.size > groupsMax ? together(arms) : arms
}

const narrowed = (way: Way): Way => (way.entries.window ? { ...way, window: narrowest([way.window, way.entries.window]) } : way)

const isPossible = ({ window, conditions }: Way): boolean => !isEmpty(window) && !conditions.filters.includes(never)

/** The same text for ways that may be one. */
const identities = (): ((way: Way) => string) => {
  const numbers = new Map<unknown, number>()
  const numberOf = (list: unknown): number => {
    const known = numbers.get(list) ?? numbers.size
    numbers.set(list, known)
    return known
  }
  return ({ type, entries, window, conditions }) =>
    [type, entries.index, 'points' in entries, window.from, window.before, numberOf(conditions.filters), numberOf(conditions.verify)].join()
}

/** The entries as a condition on the field their index begins with. */
export const boundsOf = (entries: Entries): Filter =>
  'points' in entries ? amongPoints(entries.index, entries.points) : oneOfRanges(entries.ranges)

const amongPoints = (index: PointIndex, points: readonly string[]): Filter => ({
  [pointFields[index]]: points.length === 1 ? points[0] : { $in: points },
})

const oneOfRanges = (ranges: readonly Filter[]): Filter => (ranges.length === 1 ? (ranges[0] as Filter) : { $or: ranges })

const groupArms = (group: readonly Way[], pointsMax: number): readonly Arm[] => {
  const [first] = group
  if (first === undefined) return []
  const points = [...new Set(group.flatMap(({ entries }) => ('points' in entries ? entries.points : [])))]
  const ranges = group.flatMap(({ entries }) => ('ranges' in entries ? entries.ranges : []))
  return [
    // The group is of one index, so there are points only where the index has some.
    ...blocks(points, first.entries.index === 'id' ? gatheredMax : pointsMax).map(block =>
      armOf(first, amongPoints(first.entries.index as PointIndex, block)),
    ),
    ...blocks(ranges, rangesMax).map(block => armOf(first, oneOfRanges(block))),
  ]
}

const armOf = ({ type, entries, window, conditions }: Way, bounds: Filter): Arm => ({
  type,
  hint: hints[entries.index],
  filter: matching(bounds, window, conditions, entries.index === 'id'),
  verify: conditions.verify,
})

/** `lives`: ids also lead to what is deleted. */
export const matching = (bounds: Filter, window: Window, { filters }: Conditions, lives: boolean): Filter => ({
  ...bounds,
  ...(lives ? { 'ix.tk': everything } : {}),
  ...within(window),
  ...unbounding(filters),
})

const together = (arms: readonly Arm[]): readonly Arm[] => {
  const numbers = new Map<unknown, number>()
  const identity = ({ type, hint, verify }: Arm): string => {
    const known = numbers.get(verify) ?? numbers.size
    numbers.set(verify, known)
    return `${type} ${hint} ${known}`
  }
  return [...Map.groupBy(arms, identity).values()].flatMap(group =>
    blocks(group, rangesMax).map(block => {
      const [first] = block as readonly [Arm]
      return block.length === 1 ? first : { ...first, filter: { $or: block.map(({ filter }) => filter) } }
    }),
  )
}

/** The fields of a candidate: its seq, and what verifying it needs. */
export const candidateFields = (verify: readonly Condition[]): Document => ({
  ...fieldsWith(referencesFor(verify)),
  ...(asksAccess(verify) ? attributes : {}),
})

/** Seq, and in `refs` the references that begin so. */
export const fieldsWith = (beginnings: readonly string[]): Document => ({
  seq: 1,
  ...(beginnings.length === 0 ? {} : { refs: referencesIn(beginnings) }),
})

const referencesIn = (beginnings: readonly string[]): Document => ({
  $filter: { input: '$ix.tk', cond: { $or: beginnings.map(beginning => isInside(beginningWith(beginning))) } },
})

const isInside = ({ from, before }: { readonly from: string; readonly before: string }): Document => ({
  $and: [{ $gte: ['$$this', { $literal: from }] }, { $lt: ['$$this', { $literal: before }] }],
})

export const blocks = <T>(list: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, n) => list.slice(n * size, (n + 1) * size))
