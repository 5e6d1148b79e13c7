import type { ClientSession } from 'mongodb'
import type { Node, Query } from '../../search/tree.ts'
import type { Key, NewVersion, WritePlan } from '../port.ts'
import type { Database } from './database.ts'

/**
 * Where plans meet that may decide about the same thing: of two transactions that write the same small document the later one fails and runs again
 * on the new state. `simpul.guards` has one for each identifier that conditional plans name, `simpul.stripes` those of instances that must exist.
 */
type GuardDocument = { readonly _id: string; readonly n: number; readonly at?: Date }

/** Criteria that name no identifier meet all others of the type that name none, and in one process everything that is written of it. */
export const everythingOf = (type: string): string => `${type}/*`
const identifierKey = (type: string, code: string): string => `${type}|${code}`

const identifierParam = 'identifier'

/** What the criteria ask for: identifiers without which nothing matches, else whole types. */
export const asked = (query: Query): readonly string[] =>
  query.parts.flatMap(
    ({ type, where }) => identifiersOf(where)?.map(code => identifierKey(type, code)) ?? [...typesIn(where, type)].map(everythingOf),
  )

/** One of these is in each match; undefined when a match may do without any. */
const identifiersOf = (node: Node): readonly string[] | undefined => {
  if (node.op === 'token') return node.param.code === identifierParam && node.code !== undefined ? [node.code] : undefined
  if (node.op === 'and') return node.of.map(identifiersOf).find(found => found !== undefined)
  if (node.op !== 'or') return undefined
  const found = node.of.map(identifiersOf)
  return found.every(one => one !== undefined) ? found.flat() : undefined
}

const typesIn = (node: Node, type: string, found: Set<string> = new Set()): ReadonlySet<string> => {
  found.add(type)
  if (node.op === 'and' || node.op === 'or') for (const one of node.of) typesIn(one, type, found)
  else if (node.op === 'not') typesIn(node.of, type, found)
  else if (node.op === 'chain') for (const part of node.of) typesIn(part.where, part.type, found)
  else if (node.op === 'reverse') typesIn(node.of.where, node.of.type, found)
  return found
}

/** What others may ask for that these versions change. */
export const answered = (versions: readonly NewVersion[]): readonly string[] => [
  ...new Set(versions.map(({ type }) => everythingOf(type))),
  ...identifiersIn(versions),
]

const identifiersIn = (versions: readonly NewVersion[]): readonly string[] =>
  versions.flatMap(({ type, values }) =>
    (values?.tokens ?? []).flatMap(({ param, code }) => (param === identifierParam ? [identifierKey(type, code)] : [])),
  )

/**
 * The guards a plan takes: those of what it found missing and of what it brings. A plan that found all it asked for takes none: what it found is
 * asked again in its transaction, and nobody who looks for the same can make it come true or false by finding it too.
 */
export const guardsOf = ({ guards, versions }: WritePlan): readonly string[] => {
  const missing = guards.filter(({ found }) => found === 'none')
  return missing.length === 0 ? [] : [...new Set([...missing.flatMap(({ query }) => asked(query)), ...identifiersIn(versions)])]
}

export const takeGuards = (database: Database, keys: readonly string[], session: ClientSession): Promise<void> =>
  raise(database, 'guards', keys, session)

/** How many documents stand for an instance: a referrer raises one of them, which it chooses by its slot; a deletion all. */
const stripes = 16
/** Instances share stripes, so that there are never more than a thousand or so. */
const buckets = 64

const bucketOf = ({ type, id }: Key): number => {
  let hash = 0
  for (const character of `${type}/${id}`) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003
  return hash % buckets
}

/** Targets that must exist stay as long as the transaction lasts. */
export const holdTargets = (database: Database, targets: readonly Key[], slot: number, session: ClientSession): Promise<void> =>
  raise(database, 'stripes', [...new Set(targets.map(target => `${bucketOf(target)}/${slot % stripes}`))], session)

/** Nobody who needs the instances is under way. */
export const releaseTargets = (database: Database, deleted: readonly Key[], session: ClientSession): Promise<void> => {
  const all = [...new Set(deleted.map(bucketOf))]
  return raise(
    database,
    'stripes',
    all.flatMap(bucket => Array.from({ length: stripes }, (_, n) => `${bucket}/${n}`)),
    session,
  )
}

const raise = async (
  database: Database,
  collection: 'guards' | 'stripes',
  keys: readonly string[],
  session: ClientSession,
): Promise<void> => {
  if (keys.length === 0) return
  await database.collections.own<GuardDocument>(collection).bulkWrite(
    // In one order, so that two who need the same do not each wait for the other.
    keys.toSorted().map(_id => ({ updateOne: { filter: { _id }, update: { $inc: { n: 1 }, $currentDate: { at: true } }, upsert: true } })),
    { session, ordered: true },
  )
}
