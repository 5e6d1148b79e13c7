import type { Document } from 'mongodb'
import type { Access, Chain, Driver, Probe, Reverse, Source, Still } from '../../../search/plan.ts'
import { isEmpty, narrowest, type Window, windowOf } from '../../seq-window.ts'
import { everything, referenceEntry } from '../entries.ts'
import type { Repeats } from '../repeats.ts'
import { entriesWithCode } from './access.ts'
import type { AccessBounds } from './access-bounds.ts'
import { type Arm, armsOf, blocks, candidateFields, gatheredMax, type Way } from './arms.ts'
import { allSeen, seenOf } from './seen.ts'
import { added, asFilter, type Condition, type Conditions, joined, noConditions, opposite } from './conditions.ts'
import { type DateNode, entriesOfOneDate } from './date.ts'
import { always } from './filter.ts'
import { type Entries, mergedMax, points } from './leaf.ts'
import { checkOf, entriesOf } from './nodes.ts'
import { OutOfTime, type Reading } from './reading.ts'
import { closedSince } from './still.ts'
import { type Candidate, candidateOf, Verifying, verifiedMax } from './verifying.ts'
import { innerTypeOf, KnownWords } from './words.ts'

/** Documents in one answer where all are gathered. */
const gatherMax = 1_000
/** Gathered keys that the server compares; more are compared here. */
const comparedMax = 2_000
/** The planner gathers inner matches only where they look fewer than 20,000; it may err, but not without end. */
const innerMax = 500_000

/** Where the documents of a plan's sources are found, and whether those found meet what other documents decide. For one question, in one state. */
export class Matching {
  readonly #reading: Reading
  readonly #words: KnownWords
  readonly #verifying: Verifying
  readonly #repeats: Repeats
  readonly #bounds: AccessBounds
  /** By what is asked of newest versions: which instances are closed since the state. */
  readonly #closed = new Map<string, Promise<readonly string[] | undefined>>()
  /** The planner gives one list of sources for each chain: what they match is found once. */
  readonly #gathered = new Map<readonly Source[], Promise<ReadonlySet<string>>>()

  constructor(reading: Reading, repeats: Repeats, bounds: AccessBounds) {
    this.#reading = reading
    this.#words = new KnownWords(reading.database.dictionary, reading)
    this.#verifying = new Verifying(reading)
    this.#repeats = repeats
    this.#bounds = bounds
  }

  /** The questions whose answers are all matches of the source, some maybe by several; each soon gives its first ones by seq where it can. */
  async arms(source: Source, bounds: Window): Promise<readonly Arm[]> {
    await this.#words.learn(source)
    return armsOf(await this.#ways(source, bounds, noConditions), mergedMax)
  }

  /** The same, fewer, for who wants all of their answers. */
  async allArms(source: Source): Promise<readonly Arm[]> {
    await this.#words.learn(source)
    return armsOf(await this.#ways(source, {}, noConditions), gatheredMax)
  }

  /** What a source asks of its candidates, beside its window. */
  async conditionsOf(source: Source): Promise<Conditions> {
    await this.#words.learn(source)
    return this.#conditions(source.probes, source.type, noConditions)
  }

  /** All matches of sources, each once, in no order. */
  async *all(source: Source): AsyncGenerator<readonly Candidate[]> {
    const arms = await this.allArms(source)
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
      for (const block of arm.verify.length === 0 ? [batch] : blocks(batch, verifiedMax)) yield await this.meeting(arm, block)
  }

  /** Of documents that the arm's question gave, in their order, those that meet what is to be verified; at most `verifiedMax` at once. */
  meeting(arm: Arm, documents: readonly Document[]): Promise<readonly Candidate[]> {
    return this.#verifying.meeting(arm.type, documents.map(candidateOf), arm.verify)
  }

  /** `more`, and what of `outer` makes it: asked by the whole that the source is an alternative of. */
  async #ways(source: Source, bounds: Window, more: Conditions, outer: readonly Probe[] = []): Promise<readonly Way[]> {
    const { type, driver } = source
    const probes = [...source.probes, ...outer]
    if (!(await this.#reading.has(type))) return []
    const window = narrowest([bounds, ...source.window.map(({ test }) => windowOf(test))])
    if (isEmpty(window)) return []
    const conditions = await this.#conditions(source.probes, type, more)
    if (driver.by === 'union') {
      const ways: Way[] = []
      // The probes of the whole are asked of each alternative.
      for (const one of driver.of) ways.push(...(await this.#ways(one, window, conditions, probes)))
      return ways
    }
    return (await this.#entries(driver, type, probes)).map(entries => ({
      type,
      entries,
      window,
      conditions: entries.rest === undefined ? conditions : added([asFilter(entries.rest)], conditions),
    }))
  }

  async #entries(driver: Exclude<Driver, { by: 'union' }>, type: string, probes: readonly Probe[]): Promise<readonly Entries[]> {
    switch (driver.by) {
      case 'entries':
        if (driver.node.op === 'access') return this.#entriesOfAccess(driver.node, type, probes)
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

  #entriesOfAccess(node: Access, type: string, probes: readonly Probe[]): readonly Entries[] {
    for (const probe of probes) {
      const token = (probe.how === 'check' || probe.how === 'set') && probe.node.op === 'token' ? probe.node : undefined
      const entries = token && entriesWithCode(node, token, this.#words)
      if (entries !== undefined) return entries
    }
    return entriesOf(node, type, this.#words)
  }

  async #conditions(probes: readonly Probe[], type: string, more: Conditions): Promise<Conditions> {
    const own: Condition[] = []
    const seen = probes.map(seenOf)
    for (const [n, probe] of probes.entries()) if (seen[n] === undefined) own.push(await this.#condition(probe, type))
    const all = allSeen(seen.filter(one => one !== undefined))
    return added(all === undefined ? own : [...own, all], more)
  }

  async #condition(probe: Probe, type: string): Promise<Condition> {
    const seen = seenOf(probe)
    if (seen !== undefined) return seen
    switch (probe.how) {
      case 'check':
      case 'set':
        if (probe.node.op === 'still') return this.#still(probe.node, type)
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

  /** The few that are closed since are left out; where many were written each candidate is asked. */
  async #still({ filter }: Still, type: string): Promise<Condition> {
    const key = `${type} ${JSON.stringify(filter)}`
    const asked = this.#closed.get(key) ?? closedSince(type, filter, this.#reading, this.#bounds)
    this.#closed.set(key, asked)
    const closed = await asked
    if (closed === undefined) return { is: 'seen', by: 'newest', access: filter }
    return asFilter(closed.length === 0 ? always : { _id: { $nin: closed } })
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
    for (const arm of await this.allArms(source)) {
      const asked: Condition = { is: 'among', begins: [begins], keys: new Set() }
      yield* this.candidates(arm, findOf(arm, candidateFields([...arm.verify, asked])), gatherMax)
    }
  }
}

/** What else is asked of the same parameter: of one that has one date it bounds the same entry. */
const testsOf = ({ param }: DateNode, probes: readonly Probe[]): readonly DateNode[] =>
  probes.flatMap(probe =>
    (probe.how === 'check' || probe.how === 'set') && probe.node.op === 'date' && probe.node.param.code === param.code ? [probe.node] : [],
  )

export const findOf = (
  { type, hint, filter, verify }: Arm,
  projection: Document = candidateFields(verify),
): Document & { find: string } => ({
  find: type,
  filter,
  hint,
  projection,
})
