import type { Document } from 'mongodb'
import type { Driver, Probe, Reverse, Chain, Source } from '../../../search/plan.ts'
import { isEmpty, narrowest, type Window, windowOf } from '../../seq-window.ts'
import { hints } from '../collections.ts'
import { everything, referenceEntry } from '../entries.ts'
import type { Repeats } from '../values.ts'
import { type Arm, armsOf, blocks, candidateFields, type Way } from './arms.ts'
import {
  added,
  asFilter,
  type Condition,
  type Conditions,
  joined,
  noConditions,
  opposite,
  type Among,
  type Referred,
  type Referring,
} from './conditions.ts'
import { type DateNode, entriesOfOneDate } from './date.ts'
import { unbounding } from './filter.ts'
import { type Entries, points } from './leaf.ts'
import { checkOf, entriesOf } from './nodes.ts'
import { OutOfTime, type Reading } from './reading.ts'
import { innerTypeOf, KnownWords } from './words.ts'

/** A document that may match. */
export type Candidate = {
  readonly id: string
  readonly seq: number
  readonly refs: readonly string[]
  readonly document: Document
}

/** Candidates verified at once. */
export const batchMax = 200
/** Documents in one answer where all are gathered. */
const gatherMax = 1_000
/** Values of one question where all are gathered, in whatever order. */
const gatheredPointsMax = 2_000
/** Gathered keys that the server compares; more are compared here. */
const comparedMax = 2_000
/** The planner gathers inner matches only where they look fewer than 20,000; it may err, but not without end. */
const innerMax = 500_000

/** Where the documents of a plan's sources are found, and whether those found meet what other documents decide. For one question, in one state. */
export class Matching {
  readonly #reading: Reading
  readonly #words: KnownWords
  readonly #repeats: Repeats
  /** The planner gives one list of sources for each chain: what they match is found once. */
  readonly #gathered = new Map<readonly Source[], Promise<ReadonlySet<string>>>()

  constructor(reading: Reading, repeats: Repeats) {
    this.#reading = reading
    this.#words = new KnownWords(reading.database.dictionary, reading)
    this.#repeats = repeats
  }

  /** The questions whose answers are all matches of the source, some maybe by several. `pointsMax`: values that one question may ask for. */
  async arms(source: Source, bounds: Window, pointsMax: number): Promise<readonly Arm[]> {
    await this.#words.learn(source)
    return armsOf(await this.#ways(source, bounds, noConditions), pointsMax)
  }

  /** What a source asks of its candidates, beside its window. */
  async conditionsOf(source: Source): Promise<Conditions> {
    await this.#words.learn(source)
    return this.#conditions(source.probes, source.type, noConditions)
  }

  /** All matches of sources, each once, in no order. */
  async *all(source: Source): AsyncGenerator<readonly Candidate[]> {
    const arms = await this.arms(source, {}, gatheredPointsMax)
    const seen = arms.length > 1 ? new Set<string>() : undefined
    for (const arm of arms)
      for await (const batch of this.candidates(arm, findOf(arm), gatherMax)) {
        if (seen === undefined) yield batch
        else yield batch.filter(({ id }) => seen.size !== seen.add(id).size)
      }
  }

  /** Of the documents that the command gives, in their order, those that meet what is to be verified. */
  async *candidates(
    arm: Arm,
    command: (Document & { find: string }) | (Document & { aggregate: string }),
    size: number,
  ): AsyncGenerator<readonly Candidate[]> {
    for await (const batch of this.#reading.batches(command, size))
      for (const block of arm.verify.length === 0 ? [batch] : blocks(batch, batchMax))
        yield await this.#meeting(arm.type, block.map(candidateOf), arm.verify)
  }

  async #ways(source: Source, bounds: Window, more: Conditions): Promise<readonly Way[]> {
    const { type, driver } = source
    if (!(await this.#reading.has(type))) return []
    const window = narrowest([bounds, ...source.window.map(({ test }) => windowOf(test))])
    if (isEmpty(window)) return []
    const conditions = await this.#conditions(source.probes, type, more)
    if (driver.by === 'union') {
      const ways: Way[] = []
      // The probes of the whole are asked of each alternative.
      for (const one of driver.of) ways.push(...(await this.#ways(one, window, conditions)))
      return ways
    }
    return (await this.#entries(driver, source)).map(entries => ({ type, entries, window, conditions }))
  }

  async #entries(driver: Exclude<Driver, { by: 'union' }>, { type, probes }: Source): Promise<readonly Entries[]> {
    switch (driver.by) {
      case 'entries':
        if (driver.node.op === 'date' && !this.#repeats(type, driver.node.param.code))
          return entriesOfOneDate([driver.node, ...testsOf(driver.node, probes)])
        return entriesOf(driver.node, type, this.#words)
      case 'inner':
        return points(driver.node.op === 'chain' ? 'tk' : 'id', [...(await this.#keys(driver.node, driver.inner, type))])
      case 'type':
      case 'sort':
        return points('tk', [everything])
    }
  }

  async #conditions(probes: readonly Probe[], type: string, more: Conditions): Promise<Conditions> {
    const own: Condition[] = []
    for (const probe of probes) own.push(await this.#condition(probe, type))
    return added(own, more)
  }

  async #condition(probe: Probe, type: string): Promise<Condition> {
    switch (probe.how) {
      case 'check':
      case 'set':
        return asFilter(checkOf(probe.node, type, this.#words))
      case 'any':
      case 'every': {
        const of: Condition[] = []
        for (const one of probe.of) of.push(await this.#condition(one, type))
        return joined(probe.how === 'any' ? 'some' : 'every', of)
      }
      case 'not':
        return opposite(await this.#condition(probe.of, type))
      case 'follow': {
        const inner: { type: string; conditions: Conditions }[] = []
        // One after the other: a transaction does one thing at a time.
        for (const [n, list] of probe.inner.entries()) {
          const of = innerTypeOf(probe.node, n)
          inner.push({ type: of, conditions: await this.#conditions(list, of, noConditions) })
        }
        const { code } = probe.node.param
        if (probe.node.op === 'chain') return { is: 'referring', code, to: inner }
        const [by] = inner
        return by === undefined ? joined('some', []) : { is: 'referred', code, type, by }
      }
      case 'inner': {
        const keys = await this.#keys(probe.node, probe.inner, type)
        const isChain = probe.node.op === 'chain'
        if (keys.size <= comparedMax) return asFilter({ [isChain ? 'ix.tk' : '_id']: { $in: [...keys] } })
        return {
          is: 'among',
          keys,
          ...(isChain ? { begins: probe.inner.map(one => referenceEntry(probe.node.param.code, one.type, '')) } : {}),
        }
      }
    }
  }

  /** Chain: the references to its inner matches. Reverse chain: ids of those of the type that its inner matches refer to. */
  #keys(node: Chain | Reverse, inner: readonly Source[], type: string): Promise<ReadonlySet<string>> {
    const known = this.#gathered.get(inner) ?? this.#gather(node, inner, type)
    this.#gathered.set(inner, known)
    return known
  }

  async #gather(node: Chain | Reverse, inner: readonly Source[], type: string): Promise<ReadonlySet<string>> {
    const keys = new Set<string>()
    const { code } = node.param
    for (const source of inner) {
      if (node.op === 'chain') {
        for await (const batch of this.all(source)) for (const { id } of batch) keys.add(referenceEntry(code, source.type, id))
      } else {
        const begins = referenceEntry(code, type, '')
        for await (const batch of this.#withReferences(source, begins))
          for (const { refs } of batch) for (const ref of refs) if (ref.startsWith(begins)) keys.add(ref.slice(begins.length))
      }
      if (keys.size > innerMax) throw new OutOfTime()
    }
    return keys
  }

  async *#withReferences(source: Source, begins: string): AsyncGenerator<readonly Candidate[]> {
    for (const arm of await this.arms(source, {}, gatheredPointsMax)) {
      const asked: Condition = { is: 'among', begins: [begins], keys: new Set() }
      yield* this.candidates(arm, findOf(arm, candidateFields([...arm.verify, asked])), gatherMax)
    }
  }

  /** In their order, those that meet all conditions. */
  async #meeting(type: string, candidates: readonly Candidate[], conditions: readonly Condition[]): Promise<readonly Candidate[]> {
    let left = candidates
    for (const condition of conditions) if (left.length > 0) left = await this.#passing(type, left, condition)
    return left
  }

  async #passing(type: string, candidates: readonly Candidate[], condition: Condition): Promise<readonly Candidate[]> {
    switch (condition.is) {
      case 'filter':
        return this.#kept(
          candidates,
          await this.#found(
            type,
            candidates.map(({ id }) => id),
            { filters: [condition.filter], verify: [] },
          ),
        )
      case 'every':
        return this.#meeting(type, candidates, condition.of)
      case 'not': {
        const passed = new Set(await this.#passing(type, candidates, condition.of))
        return candidates.filter(one => !passed.has(one))
      }
      case 'some': {
        const passed = new Set<Candidate>()
        for (const one of condition.of) {
          const left = candidates.filter(candidate => !passed.has(candidate))
          if (left.length > 0) for (const candidate of await this.#passing(type, left, one)) passed.add(candidate)
        }
        return candidates.filter(candidate => passed.has(candidate))
      }
      case 'referring':
        return this.#referring(candidates, condition)
      case 'referred':
        return this.#kept(candidates, await this.#referred(candidates, condition))
      case 'among':
        return candidates.filter(candidate => isAmong(candidate, condition))
    }
  }

  #kept(candidates: readonly Candidate[], ids: ReadonlySet<string>): readonly Candidate[] {
    return candidates.filter(({ id }) => ids.has(id))
  }

  async #referring(candidates: readonly Candidate[], { code, to }: Referring): Promise<readonly Candidate[]> {
    const passed = new Set<Candidate>()
    for (const { type, conditions } of to) {
      const begins = referenceEntry(code, type, '')
      const targets = new Map<Candidate, readonly string[]>()
      for (const candidate of candidates)
        if (!passed.has(candidate))
          targets.set(
            candidate,
            candidate.refs.filter(ref => ref.startsWith(begins)).map(ref => ref.slice(begins.length)),
          )
      const found = await this.#found(type, [...new Set([...targets.values()].flat())], conditions)
      for (const [candidate, ids] of targets) if (ids.some(id => found.has(id))) passed.add(candidate)
    }
    return candidates.filter(candidate => passed.has(candidate))
  }

  /** Of the ids those of documents that meet the conditions. */
  async #found(type: string, ids: readonly string[], { filters, verify }: Conditions): Promise<ReadonlySet<string>> {
    const found = new Set<string>()
    if (ids.length === 0 || !(await this.#reading.has(type))) return found
    for (const block of blocks(ids, gatherMax)) {
      const filter = { _id: { $in: block }, 'ix.tk': everything, ...unbounding(filters) }
      const rows = await this.#reading.rows({
        find: type,
        filter,
        hint: hints.id,
        projection: candidateFields(verify),
        limit: block.length,
        batchSize: block.length,
      })
      for (const some of blocks(rows.map(candidateOf), batchMax))
        for (const { id } of await this.#meeting(type, some, verify)) found.add(id)
    }
    return found
  }

  /** Looks through who refers to the candidates until each has somebody, or nobody is left. */
  async #referred(candidates: readonly Candidate[], { code, type, by }: Referred): Promise<ReadonlySet<string>> {
    const waiting = new Map(candidates.map(({ id }) => [referenceEntry(code, type, id), id]))
    const passed = new Set<string>()
    if (!(await this.#reading.has(by.type))) return passed
    const { filters, verify } = by.conditions
    const asked: Condition = { is: 'among', begins: [referenceEntry(code, type, '')], keys: new Set() }
    for (let before = Number.MAX_SAFE_INTEGER; waiting.size > 0; ) {
      const rows = await this.#reading.rows({
        find: by.type,
        filter: { 'ix.tk': { $in: [...waiting.keys()] }, seq: { $lt: before }, ...unbounding(filters) },
        hint: hints.tk,
        projection: candidateFields([...verify, asked]),
        sort: { seq: -1 },
        limit: batchMax,
        batchSize: batchMax,
      })
      for (const { refs } of await this.#meeting(by.type, rows.map(candidateOf), verify))
        for (const ref of refs) {
          const id = waiting.get(ref)
          if (id !== undefined && waiting.delete(ref)) passed.add(id)
        }
      if (rows.length < batchMax) break
      before = rows.at(-1)?.seq
    }
    return passed
  }
}

/** What else is asked of the same parameter: of one that has one date it bounds the same entry. */
const testsOf = ({ param }: DateNode, probes: readonly Probe[]): readonly DateNode[] =>
  probes.flatMap(probe =>
    (probe.how === 'check' || probe.how === 'set') && probe.node.op === 'date' && probe.node.param.code === param.code ? [probe.node] : [],
  )

const isAmong = ({ id, refs }: Candidate, { begins, keys }: Among): boolean =>
  begins === undefined ? keys.has(id) : refs.some(ref => keys.has(ref))

export const findOf = (
  { type, hint, filter, verify }: Arm,
  projection: Document = candidateFields(verify),
): Document & { find: string } => ({
  find: type,
  filter,
  hint,
  projection,
})

export const candidateOf = (document: Document): Candidate => ({ id: document._id, seq: document.seq, refs: document.refs ?? [], document })
