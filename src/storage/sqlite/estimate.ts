import type { PatientsFilter } from '../../base/access-filter.ts'
import type { Engine, Leaf } from '../../search/plan.ts'
import type { Arm } from './search/leaf.ts'
import { sampleOf } from './search/list.ts'
import { checkOf, countedOf, traitsOf } from './search/nodes.ts'
import type { Reading, Shape } from './search/reading.ts'
import { patientsOf } from './search/related.ts'
import { walks } from './search/sort.ts'
import { always, sql, word } from './search/sql.ts'
import type { Statements } from './search/statements.ts'

/** Counting stops here first; a value above is counted on once, up to the second cap. */
const firstCap = 1001
const secondCap = 16_001
const rememberedMs = 60_000
/** Large counts change slowly in proportion, and cost more. */
const largeRememberedMs = 600_000
const rememberedEntriesMax = 20_000
/** Of how many it is asked whether they pass, where that is not told by entries: the newest of the type. */
const sampleSize = 200
/** Exact counters are read again after this; only plans depend on them, never answers. */
const countersMs = 2000

type Counters = {
  readonly shapes: readonly Shape[]
  readonly total: number
  /** Resources that have a value, by parameter, as far as anybody asked. */
  readonly holders: Map<number, number>
  /** The newest shape of the store when they were read. */
  readonly newest: number
  readonly until: number
}
type Counted = { readonly count: number; readonly until: number }

/** What the planner asks of this store: capped counts, remembered by parameter and value, and the exact counters of shapes. */
export class Estimates {
  readonly #statements: Statements
  readonly #counts = new Map<string, Counted>()
  readonly #types = new Map<number, Counters>()

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** Every shape of the type up to the newest shape of the store, also those that came a moment ago. `live` may be some seconds old. */
  shapes(t: number, newest: number): readonly Shape[] {
    return this.#counters(t, newest).shapes
  }

  total(t: number | undefined, newest: number): number {
    return t === undefined ? 0 : this.#counters(t, newest).total
  }

  holders(t: number | undefined, p: number | undefined, newest: number): number {
    if (t === undefined || p === undefined) return 0
    const { shapes, holders } = this.#counters(t, newest)
    const known = holders.get(p)
    if (known !== undefined) return known
    const count = shapes.reduce((sum, { params, live }) => (params.has(p) ? sum + live : sum), 0)
    holders.set(p, count)
    return count
  }

  #counters(t: number, newest: number): Counters {
    const known = this.#types.get(t)
    if (known && known.newest === newest && known.until > performance.now()) return known
    const rows = this.#statements.rows(sql`select sh, params, live from shape where t = ${t}`) as readonly (readonly [
      number,
      string,
      number,
    ])[]
    // The writer's own JSON: numbers.
    const shapes = rows.map(([sh, params, live]): Shape => ({ sh, params: new Set(JSON.parse(params) as number[]), live }))
    const total = shapes.reduce((sum, { live }) => sum + live, 0)
    const counters = { shapes, total, holders: new Map(), newest, until: performance.now() + countersMs }
    this.#types.set(t, counters)
    return counters
  }

  /** The planner's view of one reading. */
  engine(reading: Reading): Engine {
    return {
      total: reading.total,
      holders: reading.holders,
      estimate: (leaf, type) => this.#estimate(leaf, type, reading),
      traits: (leaf, type) => traitsOf(leaf, type, reading),
      walks: key => key.code === '_id' || walks(key),
      sifts: key => key.kind === 'date' && key.code !== '_lastUpdated',
    }
  }

  #estimate(leaf: Leaf, type: string, reading: Reading): number {
    if (leaf.op === 'list') {
      const { of, times } = sampleOf(leaf)
      return of.reduce((sum, one) => sum + this.#estimate(one, type, reading), 0) * times
    }
    const counted = countedOf(leaf, type, reading)
    if (typeof counted === 'number') return counted
    if (counted === 'sample') return this.#sampled(leaf, type, reading)
    const ceiling = 'param' in leaf ? reading.holders(type, leaf.param.code) : reading.total(type)
    return counted.reduce((sum, arm) => sum + this.#count(arm, ceiling), 0)
  }

  /** Between the second cap and all who have the parameter, the middle by orders of magnitude. */
  #count(arm: Arm, ceiling: number): number {
    const { text, values } = sql`${arm.from} where ${arm.where}`
    const key = `${text} ${values.join('\u0001')}`
    const known = this.#counts.get(key)
    if (known && known.until > performance.now()) return known.count
    let count = this.#capped(arm, firstCap)
    if (count === firstCap) count = this.#capped(arm, secondCap)
    if (count === secondCap) count = Math.round(Math.sqrt(secondCap * Math.max(secondCap, ceiling)))
    return this.#remember(key, count)
  }

  /** Patients in relation, one more than are worth counting where there are more. */
  patients(filter: PatientsFilter, reading: Pick<Reading, 'dictionary' | 'alias'>): number {
    const patients = patientsOf(filter, reading, () => always)
    return patients === undefined ? 0 : this.#count({ from: sql`(${patients})`, where: always, seq: word('patient'), unique: true }, 0)
  }

  /** When none of the sample passes, half of one is believed to. */
  #sampled(leaf: Leaf, type: string, reading: Reading): number {
    const t = reading.dictionary.type(type)
    const total = reading.total(type)
    if (t === undefined || total === 0) return 0
    const key = `${type} ${JSON.stringify(leaf)}`
    const known = this.#counts.get(key)
    if (known && known.until > performance.now()) return Math.min(total, known.count)
    const s = reading.alias()
    const newest = sql`select seq from live indexed by live_t where t = ${t} order by seq desc limit ${sampleSize}`
    const [asked = 0, passed = 0] = this.#statements.row(
      sql`select count(*), total(${checkOf(leaf, type, sql`${s}.seq`, reading)}) from (${newest}) ${s}`,
    ) as readonly number[]
    return this.#remember(key, Math.round((total * Math.max(0.5, passed)) / Math.max(1, asked)))
  }

  #remember(key: string, count: number): number {
    if (this.#counts.size >= rememberedEntriesMax) this.#counts.clear()
    this.#counts.set(key, { count, until: performance.now() + (count < firstCap ? rememberedMs : largeRememberedMs) })
    return count
  }

  #capped(arm: Arm, cap: number): number {
    return this.#statements.row(sql`select count(*) from (select 1 from ${arm.from} where ${arm.where} limit ${cap})`)?.[0] as number
  }
}
