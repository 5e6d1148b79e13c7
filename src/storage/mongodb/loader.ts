import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { Key, Loaded, LoadedVersion } from '../port.ts'
import { Batch } from './batch.ts'
import { collectionsOf } from './collections.ts'
import { prepareWords } from './commit.ts'
import type { Database } from './database.ts'
import { everythingOf } from './guards.ts'
import { Instances } from './instances.ts'
import type { Turn } from './lane.ts'
import { instanceKey } from './plan-keys.ts'
import { majority, seqOf } from './raw-versions.ts'
import type { Mode } from './turnstile.ts'
import { type Documents, loadedDocumentsOf, pastDocumentsOf } from './version-documents.ts'
import type { Writer } from './writer.ts'

/** Versions of one block. */
const loadedMax = 1_000

type Refused = Key & { readonly versionId: number }

/** Takes in versions with seqs of their own, block after block. */
export class Loader {
  readonly #database: Database
  readonly #writer: Writer

  constructor(database: Database, writer: Writer) {
    this.#database = database
    this.#writer = writer
  }

  async load(versions: readonly LoadedVersion[]): Promise<Outcome<Loaded>> {
    if (versions.length > loadedMax) throw new RangeError(`At most ${loadedMax} versions are loaded at once`)
    if (versions.length === 0) return ok({ held: true })
    let there: ReadonlySet<number> = new Set()
    const done = await this.#writer.alone(
      keysOf(versions),
      turn => this.#write(versions, there, turn),
      async () => {
        for (const type of typesOf(versions)) await this.#database.collections.ensure(type)
        await prepareWords(this.#database, versions)
        there = await this.#seqsThere(versions)
      },
    )
    return done.ok ? done.value : done
  }

  async #write(versions: readonly LoadedVersion[], there: ReadonlySet<number>, turn: Turn): Promise<Outcome<Loaded>> {
    const instances = new Instances(this.#database, turn.session)
    await instances.read(versions, true)
    const refused = firstRefused(versions, await this.#newestOf(typesOf(versions), turn), instances, there)
    if (refused !== undefined) return ok({ held: false, refused })
    const batch = new Batch()
    for (const [, history] of Map.groupBy(versions, nameOf)) {
      const last = history.at(-1) as LoadedVersion // a group has at least one
      const documents: Documents | undefined = loadedDocumentsOf(last, this.#database.dictionary)
      if (documents === undefined) return fail('too-many-index-values', {})
      batch.add(last.type, documents, history[0]?.seq ?? last.seq, instances.get(last), turn)
      for (const [at, version] of history.slice(0, -1).entries()) {
        const { past, parts } = pastDocumentsOf(version, history[at + 1]?.seq ?? last.seq)
        batch.addPast(version.type, past, parts)
      }
    }
    await batch.write(this.#database, turn.session)
    // What is written later comes after it.
    this.#writer.rise(versions.at(-1)?.seq ?? 0)
    return ok({ held: true })
  }

  /** Greatest seq of each type. What was superseded lies below what superseded it. */
  async #newestOf(types: ReadonlySet<string>, { session }: Turn): Promise<ReadonlyMap<string, number>> {
    const newest = new Map<string, number>()
    for (const type of types) {
      const found = await this.#database.collections
        .newest(type)
        .findOne({}, { session, sort: { seq: -1 }, hint: 'seq', projection: { seq: 1 } })
      newest.set(type, Number(found?.seq ?? 0))
    }
    return newest
  }

  /** Which of the seqs any version has. Most loads lie above all that is there, and then one look tells. */
  async #seqsThere(versions: readonly LoadedVersion[]): Promise<ReadonlySet<number>> {
    const { collections, db } = this.#database
    const seqs = versions.map(({ seq }) => seq).toSorted((a, b) => a - b)
    const [firstType, ...others] = await collections.types()
    if (firstType === undefined) return new Set()
    const greatest = [{ $sort: { seq: -1 } }, { $limit: 1 }, { $project: { _id: 0, seq: 1 } }]
    const unions = others.map(type => ({ $unionWith: { coll: type, pipeline: greatest } }))
    const tops = await db
      .collection(firstType)
      .aggregate<{ seq: number }>([...greatest, ...unions], majority)
      .toArray()
    if (tops.every(({ seq }) => seq < (seqs[0] ?? 0))) return new Set()
    const there = new Set<number>()
    const filter = { seq: { $in: seqs.map(seqOf) } }
    for (const type of [firstType, ...others]) {
      for (const name of Object.values(collectionsOf(type))) {
        const found = db.collection(name).find(filter, { ...majority, hint: 'seq', projection: { _id: 0, seq: 1 } })
        for await (const { seq } of found) there.add(Number(seq))
      }
    }
    return there
  }
}

/** Nothing else is written of these types meanwhile. */
const keysOf = (versions: readonly LoadedVersion[]): ReadonlyMap<string, Mode> =>
  new Map([...versions.map(instanceKey), ...[...typesOf(versions)].map(everythingOf)].map(key => [key, 'own']))

const typesOf = (versions: readonly Key[]): ReadonlySet<string> => new Set(versions.map(({ type }) => type))

const nameOf = ({ type, id }: Key): string => `${type}/${id}`

/** The first version that does not lie beyond all of its type and of its instance. */
const firstRefused = (
  versions: readonly LoadedVersion[],
  newestOfType: ReadonlyMap<string, number>,
  instances: Instances,
  there: ReadonlySet<number>,
): Refused | undefined => {
  const newest = new Map(newestOfType)
  const numbers = new Map<string, number>()
  let before = 0
  for (const version of versions) {
    const { type, id, versionId, seq } = version
    const follows = versionId > (numbers.get(nameOf(version)) ?? instances.get(version)?.versionId ?? 0)
    if (seq <= (newest.get(type) ?? 0) || seq <= before || !follows || there.has(seq)) return { type, id, versionId }
    newest.set(type, seq)
    numbers.set(nameOf(version), versionId)
    before = seq
  }
  return undefined
}
