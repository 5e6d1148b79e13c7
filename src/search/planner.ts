import { conjunctsOf, unionMax } from './plain.ts'
import type { Candidate, Chain, Driver, Engine, Leaf, Otherwise, Plain, PlainPart, Plan, Probe, Reverse, Source, Traits } from './plan.ts'
import type { Prefix, SortKey } from './tree.ts'

/** Inner matches of a chain that may be gathered before the outer ones are looked for. */
export const innerMax = 20_000

/** Microseconds, as measured on SQLite: only their proportions matter. */
const cost = { entry: 0.4, sorted: 0.5, sortedByValue: 1.6, gathered: 0.5, looked: 0.4, followed: 2 } as const

/** The wanted order: by seq, by sort keys, or none (everything is gathered). */
type Order = 'seq' | 'none' | readonly SortKey[]

/** A source with what it is expected to cost. */
type Weighed = {
  readonly source: Source
  readonly ordered: boolean
  readonly visits: number
  readonly sifted?: number
  readonly cost: number
  readonly dearest: string
}
/** Candidates that a probe is asked of, and the part of them whose entries tell what tokens they lack. */
type Asked = { readonly visits: number; readonly sifted: number }
type WeighedProbe = { readonly probe: Probe; readonly cost: number; readonly share: number; readonly name: string }
/** Inner matches found first, and what that costs. */
type Gathered = { readonly inner: readonly Source[]; readonly cost: number }
type WeighedDriver = {
  readonly driver: Driver
  readonly name: string
  readonly entries: number
  readonly ordered: boolean
  /** Of making the driver ready, before its first entry. */
  readonly before: number
  /** Entries looked at for all of its entries. */
  readonly visits: number
  /** Of these, the part that tells of most versions without a token that they have it not. */
  readonly sifted?: number
}

/**
 * How to answer one part: the driver whose candidates are the fewest to look at, and the probes each candidate must pass, those first that
 * remove most for least. `wanted` is the page size plus one; Infinity when every match is needed. Pure data, the same for every engine:
 * the engine says what it can do and how many entries there are.
 */
export const planPart = (part: PlainPart, sort: readonly SortKey[], wanted: number, engine: Engine): Plan =>
  createPlanner(engine)(part, sort, wanted)

/** Plans of one state, which share what they asked the engine: a page and its total, say. */
export type Planner = (part: PlainPart, sort: readonly SortKey[], wanted: number) => Plan

export const createPlanner = (engine: Engine): Planner => {
  const planning = new Planning(engine)
  return (part, sort, wanted) => planWith(planning, part, sort, wanted)
}

const planWith = (planning: Planning, part: PlainPart, sort: readonly SortKey[], wanted: number): Plan => {
  const bySeq = sort.length === 0 || sort[0]?.code === '_lastUpdated'
  const order = bySeq ? 'seq' : sort
  const { best, candidates } = planning.choose(
    part.type,
    conjunctsOf(part.where),
    wanted,
    wanted === Number.POSITIVE_INFINITY ? 'none' : order,
  )
  const plan: Plan = {
    type: part.type,
    where: part.where,
    source: best.source,
    order: best.ordered ? 'driver' : 'top',
    visits: best.visits,
    cost: best.cost,
    // Only who explains wants it: an obvious plan counts nothing.
    get matches() {
      return Math.round(planning.estimate(part.where, part.type))
    },
    candidates,
    dearest: best.dearest,
  }
  if (best.source.driver.by !== 'sort' || best.source.driver.key.code === '_id') return plan
  return Object.assign(plan, { rest: planning.rest(part, best.source.driver.key, sort.length === 1, wanted) })
}

class Planning {
  readonly #engine: Engine
  readonly #known = new Map<Plain, number>()
  readonly #gathered = new Map<Chain | Reverse, Gathered | undefined>()
  readonly #otherwise = new Map<Plain, Otherwise>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Resources without a value of the first key, newest first. */
  rest(part: PlainPart, key: SortKey, last: boolean, wanted: number): NonNullable<Plan['rest']> {
    const conjuncts = [...conjunctsOf(part.where), { op: 'unsorted', key } as const]
    const { best } = last ? this.choose(part.type, conjuncts, wanted, 'seq') : this.choose(part.type, conjuncts, Infinity, 'none')
    return { source: best.source, order: last && best.ordered ? 'driver' : 'top' }
  }

  choose(type: string, conjuncts: readonly Plain[], wanted: number, order: Order): { best: Weighed; candidates: readonly Candidate[] } {
    const window = conjuncts.filter(isWindow)
    const others = conjuncts.filter(node => !isWindow(node))
    const obvious = this.#obvious(type, others, wanted, order)
    if (obvious) return { best: { ...obvious, source: { ...obvious.source, window } }, candidates: [] }
    const windowShare = this.#share(window, type)
    const ways = [...others.flatMap(node => this.#driversOf(node, type, wanted, order)), ...this.#walks(type, order)]
    let best: Weighed | undefined
    const candidates: Candidate[] = []
    for (const { node, way } of ways) {
      const weighed = this.#weigh(
        type,
        way,
        others.filter(other => other !== node),
        { window, share: windowShare },
        wanted,
        order,
      )
      candidates.push({
        driver: way.name,
        entries: Math.round(way.entries),
        visits: Math.round(weighed.visits),
        cost: Math.round(weighed.cost),
      })
      if (best === undefined || weighed.cost < best.cost) best = weighed
    }
    if (best === undefined) throw new Error('The walk over the type is always a way')
    return { best, candidates }
  }

  /** One condition whose entries already have the order of the answer: nothing can be better, so nothing is counted. */
  #obvious(type: string, others: readonly Plain[], wanted: number, order: Order): Weighed | undefined {
    if (order !== 'seq' || wanted === Number.POSITIVE_INFINITY || others.length > 1) return undefined
    const [node] = others
    if (node && (!isLeaf(node) || !isReady(this.#engine.traits(node, type)))) return undefined
    const driver: Driver = node ? { by: 'entries', node } : { by: 'type' }
    const source: Source = { type, driver, window: [], probes: [] }
    return { source, ordered: true, visits: wanted, cost: wanted * cost.entry, dearest: node ? nameOf(node) : '_type' }
  }

  #weigh(
    type: string,
    way: WeighedDriver,
    others: readonly Plain[],
    window: { readonly window: Source['window']; readonly share: number },
    wanted: number,
    order: Order,
  ): Weighed {
    const inOrder = way.driver.by === 'sort' || (order === 'seq' && way.ordered) || order === 'none'
    const share = Math.max(this.#share(others, type), 1e-9)
    // Only walks by seq are bounded by a window; others meet the entries outside it too.
    const entries = way.ordered && way.driver.by !== 'sort' ? way.entries * window.share : way.entries
    const bounded = inOrder && order !== 'none'
    const page = wanted / (share * (way.ordered ? 1 : window.share)) + this.#skipped(way, others, type)
    const visits = Math.max(1, bounded ? Math.min(entries, page) : this.#looked(way, others, type))
    const sifted = way.sifted ?? 0
    const probes = this.#probes(type, others, { visits, sifted })
    const looked = visits * (others.some(({ op }) => op === 'token') ? 1 - sifted * siftedOut : 1)
    const sorting = inOrder ? 0 : visits * share * (order === 'seq' ? cost.sorted : cost.sortedByValue)
    const total = way.before + visits * cost.entry + probes.cost + sorting
    return {
      source: { type, driver: way.driver, window: window.window, probes: probes.list.map(one => one.probe) },
      ordered: bounded,
      sifted,
      visits: looked + way.before,
      cost: total,
      dearest: probes.list.find(one => one.cost > total / 2)?.name ?? way.name,
    }
  }

  /** `date=ge2020&date=lt2021`: what lies behind the one end is passed over where the entry tells that it lies behind the other too. */
  #looked({ driver, visits }: WeighedDriver, others: readonly Plain[], type: string): number {
    if (driver.by !== 'entries' || driver.node.op !== 'date' || this.#engine.traits(driver.node, type).narrows !== true) return visits
    const { node } = driver
    const same = others.filter(other => other.op === 'date' && other.param.code === node.param.code)
    if (same.length === 0) return visits
    return visits * Math.min(1, passedOver + this.#share([node, ...same], type) / this.#share([node], type))
  }

  /** `_sort=date&date=gt2020` begins at the wrong end: the walk passes by all that come before. */
  #skipped({ driver, entries }: WeighedDriver, others: readonly Plain[], type: string): number {
    if (driver.by !== 'sort') return 0
    const { code, descending } = driver.key
    const against = others.find(
      node => (node.op === 'date' || node.op === 'number') && node.param.code === code && atEnd(node.test.prefix) !== descending,
    )
    return against ? entries * (1 - this.#share([against], type)) : 0
  }

  /** Cheapest for what they remove first; each is planned for as many as those before it leave. */
  #probes(type: string, nodes: readonly Plain[], asked: Asked): { list: readonly WeighedProbe[]; cost: number } {
    return this.#inTurn(type, nodes, asked, share => share)
  }

  /** `left`: of what is asked, the part that the next is asked of. */
  #inTurn(
    type: string,
    nodes: readonly Plain[],
    asked: Asked,
    left: (share: number) => number,
  ): { list: readonly WeighedProbe[]; cost: number } {
    const weighed = nodes.map(node => ({ node, probe: this.#probe(node, type, asked) }))
    const worth = ({ cost, share }: WeighedProbe): number => cost / Math.max(1e-6, 1 - left(share))
    const list: WeighedProbe[] = []
    let surviving = 1
    for (const { node, probe } of weighed.toSorted((a, b) => worth(a.probe) - worth(b.probe))) {
      list.push(surviving === 1 ? probe : this.#probe(node, type, { ...asked, visits: asked.visits * surviving }))
      surviving *= left(probe.share)
    }
    return { list, cost: sum(list, one => one.cost) }
  }

  #probe(node: Plain, type: string, asked: Asked): WeighedProbe {
    const share = this.#share([node], type)
    const name = nameOf(node)
    switch (node.op) {
      case 'and':
      case 'or': {
        const of = this.#inTurn(type, node.of, asked, node.op === 'and' ? all => all : any => 1 - any)
        const how = node.op === 'and' ? 'every' : 'any'
        return { probe: { how, of: of.list.map(one => one.probe) }, cost: of.cost, share, name }
      }
      case 'not': {
        const of = this.#probe(node.of, type, { ...asked, sifted: 0 })
        return { probe: { how: 'not', of: of.probe }, cost: of.cost, share, name }
      }
      case 'chain':
      case 'reverse':
        return { ...this.#innerProbe(node, type, asked.visits), share, name }
      case 'all':
      case 'none':
        return { probe: { how: node.op === 'all' ? 'every' : 'any', of: [] }, cost: 0, share, name }
      default:
        return { ...this.#leafProbe(node, type, asked), share, name }
    }
  }

  #leafProbe(node: Leaf, type: string, { visits, sifted }: Asked): { probe: Probe; cost: number } {
    const traits = this.#engine.traits(node, type)
    const left = node.op === 'token' ? 1 - sifted * siftedOut : 1
    const checking = traits.check === undefined ? Number.POSITIVE_INFINITY : traits.check * visits * left
    // Counting for the other way is not free either: few candidates are simply asked.
    if (checking < 50 || traits.undrivable) return { probe: { how: 'check', node }, cost: checking }
    const gathering = this.#entries(node, type, traits) * cost.gathered + visits * cost.looked
    return checking <= gathering ? { probe: { how: 'check', node }, cost: checking } : { probe: { how: 'set', node }, cost: gathering }
  }

  #innerProbe(node: Chain | Reverse, type: string, visits: number): { probe: Probe; cost: number } {
    const parts = partsOf(node)
    const perRow =
      node.op === 'chain' ? 1 : Math.max(1, this.#engine.holders(node.of.type, node.param.code) / Math.max(1, this.#engine.total(type)))
    const inner = parts.map(part => this.#probes(part.type, conjunctsOf(part.where), { visits: visits * perRow, sifted: 0 }))
    const following = visits * cost.followed * perRow + sum(inner, one => one.cost)
    const follow: Probe = { how: 'follow', node, inner: inner.map(one => one.list.map(({ probe }) => probe)) }
    const gathered = this.#gather(node)
    if (!gathered || following <= gathered.cost + visits * cost.followed) return { probe: follow, cost: following }
    return { probe: { how: 'inner', node, inner: gathered.inner }, cost: gathered.cost + visits * cost.followed }
  }

  /** The inner matches of a chain, when they are few enough. Found once: a chain in a chain would ask again at every level. */
  #gather(node: Chain | Reverse): Gathered | undefined {
    if (!this.#gathered.has(node)) this.#gathered.set(node, this.#gatherInner(partsOf(node)))
    return this.#gathered.get(node)
  }

  #gatherInner(parts: readonly PlainPart[]): Gathered | undefined {
    const count = sum(parts, part => this.estimate(part.where, part.type))
    if (count > innerMax) return undefined
    const inner = parts.map(part => this.choose(part.type, conjunctsOf(part.where), Number.POSITIVE_INFINITY, 'none').best)
    return { inner: inner.map(one => one.source), cost: sum(inner, one => one.cost) + count * cost.followed }
  }

  /** A way without `node` asks all of the conditions of its candidates. */
  #driversOf(node: Plain, type: string, wanted: number, order: Order): readonly { node?: Plain; way: WeighedDriver }[] {
    const other = this.#otherwiseOf(node)
    if (other) {
      const entries = this.estimate(other, type)
      return [{ way: { driver: { by: 'entries', node: other }, name: nameOf(node), entries, visits: entries, ordered: false, before: 0 } }]
    }
    const way = this.#driverOf(node, type, wanted, order)
    return way ? [{ node, way }] : []
  }

  /** For the lack of a token, where those lie who have another or none. */
  #otherwiseOf(node: Plain): Otherwise | undefined {
    if (node.op !== 'not' || node.of.op !== 'token' || node.of.code === undefined) return undefined
    const known = this.#otherwise.get(node)
    if (known) return known
    const made: Otherwise = { op: 'otherwise', of: { ...node.of, code: node.of.code } }
    this.#otherwise.set(node, made)
    return made
  }

  #driverOf(node: Plain, type: string, wanted: number, order: Order): WeighedDriver | undefined {
    switch (node.op) {
      case 'and':
      case 'not':
      case 'all':
        return undefined
      case 'none':
        return { driver: { by: 'union', of: [] }, name: 'none', entries: 0, visits: 0, ordered: true, before: 0 }
      case 'or':
        return this.#unionOf(node.of, type, wanted, order)
      case 'chain':
      case 'reverse': {
        const gathered = this.#gather(node)
        if (!gathered) return undefined
        const entries = this.estimate(node, type)
        return {
          driver: { by: 'inner', node, inner: gathered.inner },
          name: nameOf(node),
          entries,
          visits: entries,
          ordered: false,
          before: gathered.cost,
        }
      }
      default: {
        const traits = this.#engine.traits(node, type)
        if (traits.undrivable) return undefined
        const visits = this.#entries(node, type, traits)
        return {
          driver: { by: 'entries', node },
          name: nameOf(node),
          entries: this.estimate(node, type),
          visits,
          ordered: traits.ordered,
          before: traits.before ?? 0,
          sifted: traits.sifts === true ? 1 : 0,
        }
      }
    }
  }

  /** Each alternative finds its own way; up to eight are merged by seq when each comes by seq. */
  #unionOf(alternatives: readonly Plain[], type: string, wanted: number, order: Order): WeighedDriver | undefined {
    const bySeq = order === 'seq' && alternatives.length <= unionMax
    const of = alternatives.map(
      one => this.choose(type, conjunctsOf(one), bySeq ? wanted : Number.POSITIVE_INFINITY, bySeq ? 'seq' : 'none').best,
    )
    // An alternative that has to walk the type anyway is better asked of each candidate.
    if (of.some(one => one.source.driver.by === 'type')) return undefined
    const visits = sum(of, one => one.visits)
    const ordered = bySeq && of.every(one => one.ordered)
    const entries = sum(alternatives, one => this.estimate(one, type))
    const before = sum(of, one => Math.max(0, one.cost - one.visits * cost.entry))
    const name = `union of ${of.length} by ${nameOf(alternatives[0] as Plain)}`
    const sifted = sum(of, one => (one.sifted ?? 0) * one.visits) / Math.max(1, visits)
    return {
      driver: { by: 'union', of: of.map(one => one.source) },
      name,
      entries,
      visits: ordered ? entries : visits,
      ordered,
      before,
      sifted,
    }
  }

  #walks(type: string, order: Order): readonly { node?: Plain; way: WeighedDriver }[] {
    const total = this.#engine.total(type)
    const walk: WeighedDriver = { driver: { by: 'type' }, name: 'type', entries: total, visits: total, ordered: true, before: 0 }
    const [key] = order === 'seq' || order === 'none' ? [] : order
    if (!key || !this.#engine.walks(key, type)) return [{ way: walk }]
    const entries = key.code === '_id' ? total : this.#engine.holders(type, key.code)
    const sifted = this.#engine.sifts?.(key) === true ? 1 : 0
    return [
      { way: walk },
      { way: { driver: { by: 'sort', key }, name: `sort by ${key.code}`, entries, visits: entries, ordered: true, before: 0, sifted } },
    ]
  }

  #entries(node: Leaf, type: string, traits: Traits): number {
    return Math.max(traits.visits ?? 0, this.estimate(node, type))
  }

  /** Of the type's resources, the part that meets all of the nodes, as if they did not know each other; but for the two ends of one range. */
  #share(nodes: readonly Plain[], type: string): number {
    if (nodes.length === 0) return 1
    const least = fewest / Math.max(1, this.#engine.total(type))
    let share = 1
    const begun = new Map<string, number>()
    for (const node of nodes) {
      const own = this.#shareOf(node, type)
      const other = endOf(node, false)
      const before = other === undefined ? undefined : begun.get(other)
      // What lies before one instant and behind another: little, though half of all lies before and half behind.
      share *= before === undefined ? own : Math.max(least, before + own - 1, own * before * rangeLeast) / before
      const end = endOf(node, true)
      if (end !== undefined) begun.set(end, own)
    }
    return share
  }

  #shareOf(node: Plain, type: string): number {
    return Math.min(1, Math.max(fewest, this.estimate(node, type)) / Math.max(1, this.#engine.total(type)))
  }

  estimate(node: Plain, type: string): number {
    const known = this.#known.get(node)
    if (known !== undefined) return known
    const count = this.#count(node, type)
    this.#known.set(node, count)
    return count
  }

  #count(node: Plain, type: string): number {
    const total = this.#engine.total(type)
    switch (node.op) {
      case 'all':
        return total
      case 'none':
        return 0
      case 'and':
        return total * this.#share(node.of, type)
      case 'or':
        return Math.min(
          total,
          sum(node.of, one => this.estimate(one, type)),
        )
      case 'not': {
        const left = Math.max(0, total - this.estimate(node.of, type))
        const other = this.#otherwiseOf(node)
        return other ? Math.min(left, this.estimate(other, type)) : left
      }
      case 'chain': {
        const holders = this.#engine.holders(type, node.param.code)
        return Math.min(
          holders,
          sum(node.of, part => (this.estimate(part.where, part.type) * holders) / Math.max(1, this.#engine.total(part.type))),
        )
      }
      case 'reverse':
        return Math.min(total, this.estimate(node.of.where, node.of.type))
      default:
        return Math.min(total, this.#engine.estimate(node, type))
    }
  }
}

/** Of the versions without a token, those that entries tell of where they sift, nearly; they cost next to nothing. */
const siftedOut = 0.85

/** What an entry costs that is not looked up, against one that is. */
const passedOver = 0.1

/** Resources that any condition is believed to leave. */
const fewest = 0.3
/** Of what two ends of a range would leave if they did not know each other, the least that they are believed to leave: large counts are guesses. */
const rangeLeast = 0.05

/** Names the end of the values of a parameter that the node asks for, or the opposite one; undefined when it asks for neither. */
const endOf = (node: Plain, own: boolean): string | undefined => {
  if (node.op !== 'date' && node.op !== 'number') return undefined
  const { prefix } = node.test
  if (!atEnd(prefix) && prefix !== 'lt' && prefix !== 'le' && prefix !== 'eb') return undefined
  return `${node.param.code} ${atEnd(prefix) === own}`
}

/** Whether values that pass lie at the high end. */
const atEnd = (prefix: Prefix): boolean => prefix === 'gt' || prefix === 'ge' || prefix === 'sa'

const isLeaf = (node: Plain): node is Leaf => !['and', 'or', 'not', 'all', 'none', 'chain', 'reverse'].includes(node.op)

const isReady = ({ ordered, before = 0 }: Traits): boolean => ordered && before === 0

const isWindow = (node: Plain): node is Source['window'][number] => node.op === 'lastUpdated' && node.test.prefix !== 'ne'

const partsOf = (node: Chain | Reverse): readonly PlainPart[] => (node.op === 'chain' ? node.of : [node.of])

/** The parameter a node asks for, as its name is known to clients. */
export const nameOf = (node: Plain): string => {
  switch (node.op) {
    case 'and':
    case 'or':
    case 'list':
      return nameOf(node.of[0] as Plain)
    case 'not':
    case 'otherwise':
      return nameOf(node.of)
    case 'all':
    case 'none':
    case 'access':
    case 'still':
      return node.op
    case 'id':
      return '_id'
    case 'lastUpdated':
      return '_lastUpdated'
    case 'unsorted':
      return node.key.code
    case 'compartment':
      return node.owner.type
    case 'reverse':
      return `_has:${node.of.type}:${node.param.code}`
    default:
      return node.param.code
  }
}

const sum = <T>(list: readonly T[], of: (one: T) => number): number => list.reduce((total, one) => total + of(one), 0)
