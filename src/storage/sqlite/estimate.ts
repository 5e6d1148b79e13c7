import type { Engine, Leaf } from '../../search/plan.ts'
import { sampleOf } from './search/list.ts'
import type { Arm } from './search/leaf.ts'
import { countedOf, traitsOf } from './search/nodes.ts'
import type { Reading, Shape } from './search/reading.ts'
import { walks } from './search/sort.ts'
import { sql } from './search/sql.ts'
import type { Statements } from './search/statements.ts'

/** Counting stops here first; a value above is counted on once, up to the second cap. */
const firstCap = 1001
const secondCap = 16_001
const rememberedMs = 60_000
/** Large counts change slowly in proportion, and cost more. */
const largeRememberedMs = 600_000
const rememberedEntriesMax = 20_000
/** Exact counters are read again after this; only plans depend on them, never answers. */
const countersMs = 2000

type Counted = { readonly count: number; readonly until: number }

/** What the planner asks of this store: capped counts, remembered by parameter and value, and the exact counters of shapes. */
export class Estimates {
  readonly #statements: Statements
  readonly #counts = new Map<string, Counted>()
  readonly #shapes = new Map<number, { readonly shapes: readonly Shape[]; readonly newest: number; readonly until: number }>()
  readonly #holders = new WeakMap<readonly Shape[], Map<number, number>>()

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** Every shape of the type, also those that came a moment ago. `live` may be some seconds old. */
  shapes(t: number): readonly Shape[] {
    const newest = (this.#statements.get(sql`select max(sh) as n from shape`)?.n as number | null) ?? 0
    const known = this.#shapes.get(t)
    if (known && known.newest === newest && known.until > performance.now()) return known.shapes
    const shapes = this.#statements.all(sql`select sh, params, live from shape where t = ${t}`).map(
      (row): Shape => ({
        sh: row.sh as number,
        // The writer's own JSON: numbers.
        params: new Set(JSON.parse(row.params as string) as number[]),
        live: row.live as number,
      }),
    )
    this.#shapes.set(t, { shapes, newest, until: performance.now() + countersMs })
    return shapes
  }

  total(t: number | undefined): number {
    return t === undefined ? 0 : this.shapes(t).reduce((sum, { live }) => sum + live, 0)
  }

  holders(t: number | undefined, p: number | undefined): number {
    if (t === undefined || p === undefined) return 0
    const shapes = this.shapes(t)
    const known = this.#holders.get(shapes) ?? new Map<number, number>()
    this.#holders.set(shapes, known)
    const count = known.get(p) ?? shapes.reduce((sum, { params, live }) => (params.has(p) ? sum + live : sum), 0)
    known.set(p, count)
    return count
  }

  /** The planner's view of one reading. */
  engine(reading: Reading): Engine {
    const { dictionary } = reading
    return {
      total: type => this.total(dictionary.type(type)),
      holders: reading.holders,
      estimate: (leaf, type) => this.#estimate(leaf, type, reading),
      traits: (leaf, type) => traitsOf(leaf, type, reading),
      walks: (key, type) => key.code === '_id' || walks(key, type, reading),
    }
  }

  #estimate(leaf: Leaf, type: string, reading: Reading): number {
    if (leaf.op === 'list') {
      const { of, times } = sampleOf(leaf)
      return of.reduce((sum, one) => sum + this.#estimate(one, type, reading), 0) * times
    }
    const counted = countedOf(leaf, type, reading)
    if (typeof counted === 'number') return counted
    const ceiling = 'param' in leaf ? reading.holders(type, leaf.param.code) : this.total(reading.dictionary.type(type))
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
    if (this.#counts.size >= rememberedEntriesMax) this.#counts.clear()
    this.#counts.set(key, { count, until: performance.now() + (count < firstCap ? rememberedMs : largeRememberedMs) })
    return count
  }

  #capped(arm: Arm, cap: number): number {
    return this.#statements.get(sql`select count(*) as n from (select 1 from ${arm.from} where ${arm.where} limit ${cap})`)?.n as number
  }
}
