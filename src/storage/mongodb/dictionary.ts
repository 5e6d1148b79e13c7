import type { Collection } from 'mongodb'
import type { Collections } from './collections.ts'

/** Words of one kind that are remembered for sure; up to twice as many are. */
const rememberedMax = 50_000
/** Words in one round trip. */
const blockMax = 1000

/** `simpul.systems`, and `simpul.shapes` with what the key says, for people and for `shapes(type)`. */
type Word = { readonly _id: string; readonly type?: string; readonly codes?: readonly string[] }
type NumberedWord = Word & { readonly n: number }
/** `simpul.numbers`: the last one given. */
type LastNumber = { readonly _id: string; readonly n: number }

export type Shape = { readonly type: string; readonly codes: readonly string[] }
export type NumberedShape = { readonly shape: number; readonly codes: ReadonlySet<string> }

/**
 * Numbers that stand for words in index entries: code systems and shapes (the set of parameters a resource has values for).
 * A number never changes its meaning, so hits are remembered; misses are asked anew, because another node may add the word at any moment.
 * The word is the `_id`, so it is unique in a sharded collection too. Numbers come from a counter and may have gaps.
 */
export class Dictionary {
  readonly #systems = new Memory<number>(rememberedMax)
  readonly #shapes = new Memory<number>(rememberedMax)
  readonly #codes = new Memory<NumberedShape>(rememberedMax)
  readonly #collections: Collections

  constructor(collections: Collections) {
    this.#collections = collections
  }

  /** Gives a number to every word that has none; outside of transactions, safe with several nodes. When it answers, the numbers outlive an election. */
  async prepare(systems: Iterable<string>, shapes: Iterable<Shape>): Promise<void> {
    const newSystems = new Map<string, Word>()
    for (const uri of systems) if (uri !== '' && this.#systems.get(uri) === undefined) newSystems.set(uri, { _id: uri })
    const newShapes = new Map<string, Word>()
    for (const shape of shapes) {
      const key = keyOf(shape.type, shape.codes)
      if (this.#shapes.get(key) === undefined) newShapes.set(key, { _id: key, type: shape.type, codes: shape.codes.toSorted() })
    }
    await Promise.all([this.#intern('systems', newSystems, this.#systems), this.#intern('shapes', newShapes, this.#shapes)])
  }

  /** `''` is 0. Throws for what was not prepared lately. */
  systemNumber(uri: string): number {
    return uri === '' ? 0 : known(this.#systems.get(uri))
  }

  /** Throws for what was not prepared lately. */
  shapeNumber(type: string, codes: readonly string[]): number {
    return known(this.#shapes.get(keyOf(type, codes)))
  }

  /** For searching: undefined when nothing was ever written with it. `''` is 0. */
  async system(uri: string): Promise<number | undefined> {
    if (uri === '') return 0
    const remembered = this.#systems.get(uri)
    if (remembered !== undefined) return remembered
    const found = await this.#words('systems').findOne({ _id: uri })
    if (found === null) return undefined
    this.#systems.set(uri, found.n)
    return found.n
  }

  /** All shapes of the type, those that other nodes added until now included. */
  async shapes(type: string): Promise<readonly NumberedShape[]> {
    const shapes = this.#words('shapes')
    // Only numbers travel for what is remembered: the index alone answers.
    const numbers = await shapes.find({ type }, { projection: { _id: 0, n: 1 }, hint: 'type', batchSize: 10_000 }).toArray()
    const found = new Map<number, NumberedShape>()
    const unknown: number[] = []
    for (const { n } of numbers) {
      const remembered = this.#codes.get(String(n))
      if (remembered === undefined) unknown.push(n)
      else found.set(n, remembered)
    }
    for (const block of blocksOf(unknown))
      for (const { n, codes } of await shapes.find({ type, n: { $in: [...block] } }, { hint: 'type' }).toArray()) {
        const numbered = { shape: n, codes: new Set(codes) }
        this.#codes.set(String(n), numbered)
        found.set(n, numbered)
      }
    return numbers.flatMap(({ n }) => found.get(n) ?? [])
  }

  /** The type of each shape there is, sorted by type: one question, which an index answers. */
  async typesOfShapes(): Promise<readonly { readonly shape: number; readonly type: string }[]> {
    const found = await this.#words('shapes')
      .find({}, { projection: { _id: 0, n: 1, type: 1 }, sort: { type: 1 }, hint: 'type', batchSize: 10_000 })
      .toArray()
    return found.map(({ n, type = '' }) => ({ shape: n, type }))
  }

  async #intern(kind: Kind, words: ReadonlyMap<string, Word>, memory: Memory<number>): Promise<void> {
    for (const block of blocksOf([...words.values()])) {
      const missing = await this.#remember(kind, block, memory)
      if (missing.length === 0) continue
      await this.#add(kind, missing)
      const lost = await this.#remember(kind, missing, memory)
      if (lost.length > 0) throw new Error(`A number given in simpul.${kind} is not there`)
    }
  }

  /** Answers those that have no number. */
  async #remember(kind: Kind, words: readonly Word[], memory: Memory<number>): Promise<readonly Word[]> {
    const found = await this.#words(kind)
      .find({ _id: { $in: words.map(({ _id }) => _id) } }, { projection: { n: 1 }, batchSize: blockMax })
      .toArray()
    for (const { _id, n } of found) memory.set(_id, n)
    const numbered = new Set(found.map(({ _id }) => _id))
    return words.filter(({ _id }) => !numbered.has(_id))
  }

  /** Whoever comes first names the number. A word that is there is left alone, and still waited for: acknowledged means that most members have it. */
  async #add(kind: Kind, words: readonly Word[]): Promise<void> {
    const last = await this.#collections
      .own<LastNumber>('numbers')
      .findOneAndUpdate({ _id: kind }, { $inc: { n: words.length } }, { upsert: true, returnDocument: 'after' })
    if (last === null) throw new Error('simpul.numbers gave no number')
    const first = last.n - words.length + 1
    await this.#words(kind).bulkWrite(
      words.map(({ _id, ...rest }, at) => ({
        updateOne: { filter: { _id }, update: { $setOnInsert: { n: first + at, ...rest } }, upsert: true },
      })),
      { ordered: false },
    )
  }

  /** Read by the majority: what is remembered for ever must not be undone by an election. */
  #words(kind: Kind): Collection<NumberedWord> {
    return this.#collections.own<NumberedWord>(kind, { readConcern: { level: 'majority' } })
  }
}

type Kind = 'systems' | 'shapes'

const keyOf = (type: string, codes: readonly string[]): string => `${type} ${codes.toSorted().join(' ')}`

const known = (n: number | undefined): number => {
  if (n === undefined) throw new Error('Words are prepared before their numbers are asked for')
  return n
}

const blocksOf = <T>(list: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / blockMax) }, (_, at) => list.slice(at * blockMax, (at + 1) * blockMax))

/** What was used lately: at least `max` words, at most twice as many. */
export class Memory<V> {
  readonly #max: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  constructor(max: number) {
    this.#max = max
  }

  get(word: string): V | undefined {
    const young = this.#young.get(word)
    if (young !== undefined) return young
    const old = this.#old.get(word)
    if (old !== undefined) this.set(word, old)
    return old
  }

  set(word: string, value: V): void {
    if (this.#young.size >= this.#max) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(word, value)
  }
}
