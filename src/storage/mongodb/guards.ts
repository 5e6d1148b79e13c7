import type { ClientSession } from 'mongodb'
import type { Node, Query } from '../../search/tree.ts'
import type { NewVersion, WritePlan } from '../port.ts'
import type { Database } from './database.ts'

/**
 * Where plans meet that may decide about the same thing: of two transactions that write the same small document the later one fails and runs again
 * on the new state. `simpul.guards` has one for each identifier that conditional plans name.
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

export const takeGuards = async (database: Database, keys: readonly string[], session: ClientSession): Promise<void> => {
  if (keys.length === 0) return
  await database.collections.own<GuardDocument>('guards').bulkWrite(
    // In one order, so that two who need the same do not each wait for the other.
    keys.toSorted().map(_id => ({ updateOne: { filter: { _id }, update: { $inc: { n: 1 }, $currentDate: { at: true } }, upsert: true } })),
    { session, ordered: true },
  )
}
