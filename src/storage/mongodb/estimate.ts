import { confidentialityLevels } from '../../base/access-filter.ts'
import type { Engine, Leaf } from '../../search/plan.ts'
import { hints } from './collections.ts'
import type { Database } from './database.ts'
import { everything } from './entries.ts'
import { majority } from './raw-versions.ts'
import { askOf, patientsAmong } from './relations.ts'
import { type Asked, type Clearance, closedTo, isAsked } from './search/access.ts'
import { boundsOf } from './search/arms.ts'
import type { Filter } from './search/filter.ts'
import type { CountedShape, Counters, Entries } from './search/leaf.ts'
import { sampleOf } from './search/list.ts'
import { entriesOf, knownCountOf, traitsOf } from './search/nodes.ts'
import type { State } from './state.ts'
import type { Repeats } from './repeats.ts'

/** Live instances by shape, over all types: exact, in a state. */
export type Counts = (state?: State) => Promise<ReadonlyMap<number, number>>

/** Counting stops here first; a value above is counted on once, up to the second cap. */
const firstCap = 1001
const secondCap = 16_001
/** Where each document has to be looked at to be counted. */
const secondCapOfRanges = 4001
const countMs = 300
const rememberedMs = 60_000
/** Large counts change slowly in proportion, and cost more. */
const largeRememberedMs = 600_000
const rememberedEntriesMax = 20_000
/** Exact counters are read again after this; only plans depend on them, never answers. */
const countersMs = 2000
/** Values counted of those that one condition has. */
const pointsMax = 100
/** What is asked first leads to other questions, but not for ever. */
const roundsMax = 6
/** Resources asked to guess how many of a type a large relation opens. */
const sampledMax = 200
/** Questions for one plan, and those under way at once. */
const askedMax = 120
const togetherMax = 12
/** While nobody knows: something between. */
const unknownCount = 5000
const unknownShare = 0.5

type Counted = { readonly count: number; readonly until: number }
type Kept = {
  readonly shapes: readonly CountedShape[]
  readonly total: number
  readonly holders: Map<string, number>
  readonly until: number
}
/** What the planner wanted to know and nobody knew, by the same text for the same question. */
type Unknown = Map<string, () => Promise<void>>

const noShapes: Omit<Kept, 'until'> = { shapes: [], total: unknownCount, holders: new Map() }

/**
 * What the planner asks of this store: capped counts, remembered by condition, and the exact counters of shapes. The planner asks at once and
 * the store answers later: it plans with what is known, what was not is counted, and it plans again.
 */
export class Estimates {
  readonly #database: Database
  readonly #counts: Counts
  readonly #repeats: Repeats
  readonly #engineFor: (real: Engine) => Engine
  readonly #known = new Map<string, Counted>()
  readonly #types = new Map<string, Kept>()

  constructor(database: Database, counts: Counts, repeats: Repeats, engineFor: (real: Engine) => Engine) {
    this.#database = database
    this.#counts = counts
    this.#repeats = repeats
    this.#engineFor = engineFor
  }

  /** What `make` makes of the engine, when the engine knows all that it is asked; of a great many alternatives some stay guesses. */
  async planned<T>(make: (engine: Engine) => T): Promise<T> {
    for (let asked = 0, round = 1; ; round++) {
      const unknown: Unknown = new Map()
      const made = make(this.#engineFor(this.#engine(unknown)))
      if (unknown.size === 0 || round === roundsMax || asked >= askedMax) return made
      const asks = [...unknown.values()].slice(0, askedMax - asked)
      asked += asks.length
      for (let at = 0; at < asks.length; at += togetherMax) await Promise.all(asks.slice(at, at + togetherMax).map(ask => ask()))
    }
  }

  #engine(unknown: Unknown): Engine {
    const counters: Counters = {
      total: type => this.#kept(type, unknown).total,
      holders: (type, code) => this.#holders(this.#kept(type, unknown), code),
      shapes: type => this.#kept(type, unknown).shapes,
      repeats: this.#repeats,
    }
    return {
      total: counters.total,
      holders: counters.holders,
      estimate: (leaf, type) => this.#estimate(leaf, type, counters, unknown),
      traits: (leaf, type) => traitsOf(leaf, type, counters),
      // Whatever is sorted by stands in order.
      walks: () => true,
    }
  }

  #kept(type: string, unknown: Unknown): Omit<Kept, 'until'> {
    const kept = this.#types.get(type)
    if (kept === undefined || kept.until <= performance.now()) unknown.set(type, () => this.#keep(type))
    return kept ?? noShapes
  }

  async #keep(type: string): Promise<void> {
    const [shapes, counts] = await Promise.all([this.#database.dictionary.shapes(type), this.#counts()])
    const counted = shapes.map(one => ({ ...one, live: counts.get(one.shape) ?? 0 }))
    const total = counted.reduce((sum, { live }) => sum + live, 0)
    this.#types.set(type, { shapes: counted, total, holders: new Map(), until: performance.now() + countersMs })
  }

  #holders({ shapes, holders }: Omit<Kept, 'until'>, code: string): number {
    const known = holders.get(code)
    if (known !== undefined) return known
    const count = shapes.reduce((sum, { codes, live }) => (codes.has(code) ? sum + live : sum), 0)
    if (shapes.length > 0) holders.set(code, count)
    return count
  }

  #estimate(leaf: Leaf, type: string, counters: Counters, unknown: Unknown): number {
    if (leaf.op === 'list') {
      const { of, times } = sampleOf(leaf)
      return of.reduce((sum, one) => sum + this.#estimate(one, type, counters, unknown), 0) * times
    }
    const known = knownCountOf(leaf, type, counters)
    if (known !== undefined) return known
    const key = `${type} ${JSON.stringify(leaf, withoutPatients)}`
    const counted = this.#known.get(key)
    const ceiling = 'param' in leaf ? counters.holders(type, leaf.param.code) : counters.total(type)
    if (counted && counted.until > performance.now()) return meantBy(leaf, counted.count, ceiling)
    unknown.set(key, async () => this.#remember(key, await this.#count(leaf, type, ceiling)))
    return meantBy(leaf, counted?.count, ceiling)
  }

  #remember(key: string, count: number): void {
    if (this.#known.size >= rememberedEntriesMax) this.#known.clear()
    this.#known.set(key, { count, until: performance.now() + (count < firstCap ? rememberedMs : largeRememberedMs) })
  }

  async #count(leaf: Leaf, type: string, ceiling: number): Promise<number> {
    const { collections, dictionary } = this.#database
    if (!(await collections.has(type))) return 0
    if (isAsked(leaf)) return this.#sampleRelated(leaf, type)
    if (isClearance(leaf)) return this.#closed(leaf, type, ceiling)
    const token = leaf.op === 'otherwise' ? leaf.of : leaf
    const system = token.op === 'token' && token.system !== undefined ? await dictionary.system(token.system) : undefined
    // Those of shapes are known without counting, or too few to change a choice.
    const entries = entriesOf(leaf, type, { system: () => system, shapes: () => [] })
    const counts = await Promise.all(entries.map(one => this.#countEntries(one, type, ceiling)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** The part of the newest of the type that is about somebody in the relation. */
  async #sampleRelated({ filter }: Asked, type: string): Promise<number> {
    const { collections, clock } = this.#database
    const newest = await collections
      .newest(type)
      .find({ 'ix.tk': everything }, { ...majority, hint: hints.tk, sort: { seq: -1 }, limit: sampledMax, projection: { patients: 1 } })
      .toArray()
    const wanted = new Map([[filter, new Set(newest.flatMap(one => one.patients))]])
    const related = (await patientsAmong(wanted, clock(), askOf(this.#database))).get(filter)
    return newest.filter(one => one.patients.some(patient => related?.has(patient))).length / Math.max(1, newest.length)
  }

  /** Resources kept from a clearance; what has several labels is counted for each. */
  async #closed({ filter }: Clearance, type: string, total: number): Promise<number> {
    const counts = await Promise.all(closedTo(filter).map(one => this.#countEntries(one, type, total)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Between the second cap and all who have the parameter, the middle by orders of magnitude. */
  async #countEntries(entries: Entries, type: string, ceiling: number): Promise<number> {
    const [sample, times] = 'points' in entries ? sampled(entries) : [entries, 1]
    const second = 'points' in entries ? secondCap : secondCapOfRanges
    const query = boundsOf(sample)
    let count = await this.#capped(type, query, hints[entries.index], firstCap)
    if (count === firstCap) count = await this.#capped(type, query, hints[entries.index], second)
    return (count === second ? Math.round(Math.sqrt(second * Math.max(second, ceiling))) : count) * times
  }

  async #capped(type: string, query: Filter, hint: string, limit: number): Promise<number> {
    try {
      const { n } = await this.#database.db.command({ count: type, query, hint, limit, maxTimeMS: countMs })
      return n
    } catch {
      // Too slow to be few. What is wrong beside that the search itself will meet.
      return limit
    }
  }
}

/** A relation is the same whoever stands in it. */
const withoutPatients = (name: string, value: unknown): unknown => (name === 'patients' ? undefined : value)

/** Lets through what is normal, so that it is what it keeps out that is counted. */
const isClearance = (leaf: Leaf): leaf is Clearance =>
  leaf.op === 'access' && leaf.filter.op === 'labels' && confidentialityLevels[leaf.filter.max] >= confidentialityLevels.N

/** What was counted is not always what matches: of a clearance it is what it keeps out, of a large relation the part of all that it opens. */
const meantBy = (leaf: Leaf, counted: number | undefined, ceiling: number): number => {
  if (isClearance(leaf)) return Math.max(0, ceiling - (counted ?? 0))
  return isAsked(leaf) ? ceiling * (counted ?? unknownShare) : (counted ?? Math.min(unknownCount, ceiling))
}

const sampled = (entries: Extract<Entries, { points: unknown }>): readonly [Entries, number] => {
  const points = entries.points.slice(0, pointsMax)
  return [{ ...entries, points }, entries.points.length / Math.max(1, points.length)]
}
