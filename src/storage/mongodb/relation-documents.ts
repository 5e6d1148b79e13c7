import type { RelationKind } from '../../base/access-filter.ts'
import type { Key, Relation } from '../port.ts'
import { partsOfRelationKey, relationKey } from './entries.ts'

/**
 * `simpul.relations`: one row of what the newest version of an instance says. `_id` is `{Type}/{id}#{n}`, so that the rows of an instance are known by
 * how many it has (`relations` in its document). All that a question asks is in every row, so that the index alone answers.
 */
export type RelationDocument = {
  readonly _id: string
  /** `relationKey` */
  readonly key: string
  readonly self: boolean
  /** ms; -Infinity and Infinity where nothing bounds it. */
  readonly since: number
  readonly until: number
}

export const relationDocuments = (source: Key, relations: readonly Relation[]): readonly RelationDocument[] =>
  relations.map(({ from, of, patient, since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, self = false }, n) => ({
    _id: relationId(source, n),
    key: relationKey(from, of, patient),
    self,
    since,
    until,
  }))

export const relationOf = ({ key, self, since, until }: RelationDocument): Relation => {
  const { from, of, patient } = partsOfRelationKey(key)
  return {
    from: from as RelationKind, // as it was written
    of,
    patient,
    ...(since === Number.NEGATIVE_INFINITY ? {} : { since }),
    ...(until === Number.POSITIVE_INFINITY ? {} : { until }),
    ...(self ? { self } : {}),
  }
}

/** `_id` of the rows of an instance from one number to, not including, another. */
export const relationIds = (source: Key, to: number, from = 0): readonly string[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, n) => relationId(source, from + n))

const relationId = ({ type, id }: Key, n: number): string => `${type}/${id}${numberMark}${n}`
/** Ids of instances hold none. */
export const numberMark = '#'
export const numberOf = ({ _id }: RelationDocument): number => Number(_id.slice(_id.lastIndexOf(numberMark) + 1))
/** `{Type}/{id}` */
export const sourceOf = ({ _id }: RelationDocument): string => _id.slice(0, _id.lastIndexOf(numberMark))

export const isSameRelation = (a: RelationDocument, b: RelationDocument): boolean =>
  a.key === b.key && a.self === b.self && a.since === b.since && a.until === b.until
