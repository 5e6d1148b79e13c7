import type { Collection } from 'mongodb'
import { type AccessFilter, lookupsOf, type PatientsFilter } from '../../base/access-filter.ts'
import type { NewVersion } from '../port.ts'
import { Coalescing } from './coalesce.ts'
import type { Collections } from './collections.ts'
import { Memory } from './dictionary.ts'
import { relationWord } from './entries.ts'

/** `simpul.served`: `{kind}#{of}`. */
type ServedWord = { readonly _id: string }

/** Words that are remembered for sure; up to twice as many are. */
const rememberedMax = 50_000
/** Words in one question. */
const blockMax = 1_000

/**
 * Whom any relation ever served. A word comes before the first transaction whose relations it serves and never goes, so whom it lacks has no relation
 * in any state that a majority has: consents are asked by dozens of words of which hardly any was ever written. Hits are remembered for sure. Misses are
 * remembered as what is likely, and asked anew at the end, because another node may add the word at any moment.
 *
 * So erasing leaves words that serve nobody any more: `care#Practitioner/…` says that there was somebody of this id, and nothing of whom or why. Taking them away
 * beside nodes that run would not be safe. A writer that remembers a word does not add it again, in this process or another, and between its `prepare` and its
 * commit no look at the relations shows that it needs the word: the relation would stand there without, and a consent that closes would close nothing. To
 * hold, every transaction would have to write to its words, which are those of a whole house: they would wait for each other. With all servers stopped it is
 * easy, and docs/operate/mongodb.md says how.
 */
export class ServedWords {
  readonly #collections: Collections
  readonly #there = new Memory<true>(rememberedMax)
  readonly #missed = new Memory<true>(rememberedMax)
  readonly #asking = new Coalescing<true>(words => this.#look(words), blockMax)

  constructor(collections: Collections) {
    this.#collections = collections
  }

  /** Outside of transactions. When it answers, the words outlive an election. */
  async prepare(versions: readonly Pick<NewVersion, 'relations'>[]): Promise<void> {
    const all = versions.flatMap(({ relations = [] }) => relations.map(({ from, of }) => relationWord(from, of)))
    const words = this.#unknown(new Set(all))
    for (let at = 0; at < words.length; at += blockMax) await this.#add(words.slice(at, at + blockMax))
  }

  /** Of the filter's words those that served nobody when they were looked for last. Whether that is so still only `areAbsent` tells. */
  async believedAbsentIn(filter: AccessFilter): Promise<ReadonlySet<string>> {
    const words = new Set(lookupsOf(filter).flatMap(one => (one.op === 'patients' ? wordsOf(one) : [])))
    await this.#ask(this.#unknown(words).filter(word => this.#missed.get(word) === undefined))
    return new Set(this.#unknown(words))
  }

  /** Whether they serve nobody, as of some moment after the call. */
  async areAbsent(words: ReadonlySet<string>): Promise<boolean> {
    const unknown = this.#unknown(words)
    return unknown.length === words.size && !(await this.#ask(unknown)).includes(true)
  }

  #unknown(words: Iterable<string>): readonly string[] {
    return [...words].filter(word => this.#there.get(word) === undefined)
  }

  #ask(words: readonly string[]): Promise<readonly (true | undefined)[]> {
    return Promise.all(words.map(word => this.#asking.one(word)))
  }

  /** A word that is there is left alone, and still waited for: acknowledged means that most members have it. */
  async #add(words: readonly string[]): Promise<void> {
    const missing = new Set(words)
    for (const word of (await this.#look(words)).keys()) missing.delete(word)
    if (missing.size === 0) return
    await this.#words().bulkWrite(
      [...missing].map(_id => ({ updateOne: { filter: { _id }, update: { $setOnInsert: { _id } }, upsert: true } })),
      { ordered: false },
    )
    for (const word of missing) this.#there.set(word, true)
  }

  async #look(words: readonly string[]): Promise<ReadonlyMap<string, true>> {
    const found = await this.#words()
      .find({ _id: { $in: [...words] } }, { hint: '_id_', batchSize: blockMax + 1 })
      .toArray()
    for (const { _id } of found) this.#there.set(_id, true)
    for (const word of words) if (this.#there.get(word) === undefined) this.#missed.set(word, true)
    return new Map(found.map(({ _id }) => [_id, true]))
  }

  /** Read by the majority: what is remembered for ever must not be undone by an election. */
  #words(): Collection<ServedWord> {
    return this.#collections.own<ServedWord>('served', { readConcern: { level: 'majority' } })
  }
}

/** The filter without these words: nobody stands in a relation to whom nothing serves. */
export const without = (filter: AccessFilter, absent: ReadonlySet<string>): AccessFilter => {
  if (absent.size === 0) return filter
  switch (filter.op) {
    case 'and':
    case 'or':
      return { ...filter, of: filter.of.map(part => without(part, absent)) }
    case 'not':
      return { ...filter, of: without(filter.of, absent) }
    case 'patients': {
      const of = filter.of.filter(one => !absent.has(relationWord(filter.from, one)))
      return of.length === 0 ? { op: 'none' } : { ...filter, of }
    }
    default:
      return filter
  }
}

const wordsOf = ({ from, of }: PatientsFilter): readonly string[] => of.map(one => relationWord(from, one))
