import type { Document } from 'mongodb'
import type { Plan, Source } from '../../../search/plan.ts'
import type { SortKey } from '../../../search/tree.ts'
import type { Position } from '../../port.ts'
import { compareRows } from '../../row-order.ts'
import { isEmpty, narrowest, type Window, windowOf } from '../../seq-window.ts'
import { type VersionFields, versionFields, versionProjection } from '../bson-fields.ts'
import { hints } from '../collections.ts'
import { sortText, valueBounds } from '../entries.ts'
import { type Arm, candidateFields, matching as filterOf } from './arms.ts'
import { type Filter, never } from './filter.ts'
import { findOf, type Matching } from './matching.ts'
import { type Passing, passingKey } from './passing.ts'
import { type Command, limited, type Reading } from './reading.ts'
import { firstText, greatestField, leastField, onlyField, orderStages, textFields, valuesOf } from './sort.ts'
import { type Candidate, candidateOf, verifiedMax } from './verifying.ts'

/** A row of a page; its resource is fetched at the end where finding it did not give it. */
export type Found = Position & { readonly type: string; readonly id: string; readonly fields?: VersionFields }

/** Of candidates more are looked at than are likely to fill a page, so that more often than not no others have to be. */
const spare = 1.04
/** Where fewer than this part of the candidates pass, what is shown is fetched at the end and only for the page. */
const shownShare = 0.25
/** Times that candidates are asked for behind the last; then a cursor goes on. */
const timesMax = 3

export type PageAsked = {
  readonly plan: Plan
  readonly sort: readonly SortKey[]
  readonly wanted: number
  readonly position?: Position | undefined
  readonly backward: boolean
  /** Whether its rows are the page, so that finding them may fetch their resources at once. */
  readonly alone: boolean
}

/** The rows of one part, in the direction read (backward: from the position to the front). */
export const readPage = (asked: PageAsked, reading: Reading, matching: Matching, passing: Passing): Promise<readonly Found[]> =>
  new Page(asked, reading, matching, passing).read()

/** A walk along the sort texts in a field. */
type ValueArm = Arm & { readonly field: string }

class Page {
  readonly #asked: PageAsked
  readonly #reading: Reading
  readonly #matching: Matching
  readonly #passing: Passing

  constructor(asked: PageAsked, reading: Reading, matching: Matching, passing: Passing) {
    this.#asked = asked
    this.#reading = reading
    this.#matching = matching
    this.#passing = passing
  }

  read(): Promise<readonly Found[]> {
    const { plan, sort, position, wanted } = this.#asked
    const [first] = sort
    if (!first || first.code === '_lastUpdated') return this.#bySeq(plan.source, wanted, position)
    if (plan.source.driver.by !== 'sort') return this.#top(plan.source, wanted, position)
    return first.code === '_id' ? this.#byId(plan.source, first) : this.#alongValues(first)
  }

  /** Newest first, or by `_lastUpdated`. `values`: of all rows, when they have no first value. */
  async #bySeq(source: Source, wanted: number, position: Position | undefined, values?: Position['values']): Promise<readonly Found[]> {
    const { sort, backward } = this.#asked
    const [first] = sort
    const descending = (values || !first ? true : first.descending) !== backward
    const arms = await this.#matching.arms(source, beyondSeq(position?.seq, descending))
    const order = { seq: descending ? -1 : 1 }
    const valuesFor = (seq: number): Position['values'] => values ?? (first ? [seq, ...sort.slice(1).map(() => null)] : [])
    const [only] = arms
    if (this.#asked.alone && only && arms.length === 1 && only.verify.length === 0) {
      const found = await this.#reading.bytes({ ...findOf(only, versionProjection), sort: order, limit: wanted, batchSize: wanted })
      return found.map(bytes => {
        const fields = versionFields(bytes)
        return { type: only.type, id: fields.key, seq: fields.seq, values: valuesFor(fields.seq), fields }
      })
    }
    const lists = await this.#reading.together(arms.map(arm => () => this.#first(arm, { ...findOf(arm), sort: order }, wanted)))
    const found = distinct(lists.flat()).map(one => ({ ...withFields(source.type, one), values: valuesFor(one.seq) }))
    return found.toSorted((a, b) => (descending ? b.seq - a.seq : a.seq - b.seq)).slice(0, wanted)
  }

  /** The first that match, of documents that come in order. */
  async #first(arm: Arm, command: Command, wanted: number): Promise<readonly Candidate[]> {
    if (arm.verify.length === 0) return (await this.#reading.rows(limited(command, wanted))).map(candidateOf)
    const key = passingKey(arm.type, arm.verify)
    if (key !== undefined && isInOrder(command)) return this.#firstBehind(arm, command, wanted, key)
    return this.#firstOf(arm, command, wanted)
  }

  async #firstOf(arm: Arm, command: Command, wanted: number): Promise<readonly Candidate[]> {
    const found: Candidate[] = []
    for await (const batch of this.#matching.candidates(arm, command, verifiedMax)) {
      found.push(...batch)
      if (found.length >= wanted) break
    }
    return found.slice(0, wanted)
  }

  /** As many at once as are likely to do; where they bring what is shown, the page is found with them. */
  async #firstBehind(arm: Arm, command: InOrder, wanted: number, key: string): Promise<readonly Candidate[]> {
    const found: Candidate[] = []
    const bringsShown = this.#asked.alone && this.#passing.share(key) >= shownShare
    let asked: InOrder = bringsShown ? { ...command, projection: { ...command.projection, ...versionProjection } } : command
    for (let time = 1; time <= timesMax; time++) {
      const size = Math.min(verifiedMax, Math.ceil((spare * (wanted - found.length)) / this.#passing.share(key)))
      const met = await this.#reading.rows(limited(asked, size))
      const passed = await this.#matching.meeting(arm, met)
      this.#passing.add(key, met.length, passed.length)
      found.push(...passed)
      const last = met.at(-1)
      if (last === undefined || met.length < size || found.length >= wanted) return found.slice(0, wanted)
      asked = behind(asked, last)
    }
    return [...found, ...(await this.#firstOf(arm, asked, wanted - found.length))]
  }

  /** Everything that matches, gathered and sorted by its sort values. */
  async #top(source: Source, wanted: number, position: Position | undefined): Promise<readonly Found[]> {
    return this.#sorted(await this.#matching.allArms(source), wanted, position)
  }

  async #sorted(arms: readonly Arm[], wanted: number, position: Position | undefined): Promise<readonly Found[]> {
    const { sort: keys, backward } = this.#asked
    const lists = await this.#reading.together(
      arms.map(arm => () => {
        const { type, hint, filter, verify } = arm
        const pipeline = [{ $match: filter }, ...orderStages({ keys, backward }, candidateFields(verify), position)]
        return this.#first(arm, { aggregate: type, pipeline, hint }, wanted)
      }),
    )
    return this.#inOrder(distinct(lists.flat()).map(one => this.#found(one))).slice(0, wanted)
  }

  /** Along the ids of the type. */
  async #byId(source: Source, first: SortKey): Promise<readonly Found[]> {
    const { sort, backward, position, wanted } = this.#asked
    const descending = first.descending !== backward
    const bounds: Filter = position === undefined ? {} : { _id: { [descending ? '$lte' : '$gte']: position.values[0] } }
    const [arm] = await this.#walk(source, hints.id, bounds, true)
    if (arm === undefined) return []
    // Instances of other types may have the same id, so the position itself need not be of this type.
    const found = await this.#first(arm, { ...this.#findInOrder(arm), sort: { _id: descending ? -1 : 1 } }, wanted + 1)
    const isBeyond = (one: Found): boolean =>
      position === undefined || (backward ? compareRows(one, position, sort) < 0 : compareRows(one, position, sort) > 0)
    return found
      .map(one => this.#found(one))
      .filter(isBeyond)
      .slice(0, wanted)
  }

  /** Along the values of the first key; those without one follow. */
  async #alongValues(first: SortKey): Promise<readonly Found[]> {
    const { position, backward, wanted } = this.#asked
    const inRest = position !== undefined && (position.values[0] ?? null) === null
    if (backward) {
      const rows = position === undefined || inRest ? await this.#rest(wanted, position) : []
      return rows.length === wanted ? rows : [...rows, ...(await this.#valued(first, wanted - rows.length, inRest ? undefined : position))]
    }
    const rows = inRest ? [] : await this.#valued(first, wanted, position)
    return rows.length === wanted ? rows : [...rows, ...(await this.#rest(wanted - rows.length, inRest ? position : undefined))]
  }

  async #rest(wanted: number, position: Position | undefined): Promise<readonly Found[]> {
    const { plan, sort } = this.#asked
    if (!plan.rest) return []
    return sort.length === 1 ? this.#bySeq(plan.rest.source, wanted, position, [null]) : this.#top(plan.rest.source, wanted, position)
  }

  /** Those with a value: one key is walked to its end; of several the first is, and each group of equal values is sorted by the others. */
  async #valued(first: SortKey, wanted: number, position: Position | undefined): Promise<readonly Found[]> {
    const { sort, backward } = this.#asked
    const descending = first.descending !== backward
    if (sort.length === 1)
      return this.#alongTexts(first, textsBeyond(position && sortText(value(position), position.seq), descending), wanted)
    const begun = position === undefined ? [] : await this.#group(first, value(position), wanted, position)
    if (begun.length === wanted) return begun
    const left = wanted - begun.length
    const found = await this.#alongTexts(first, position === undefined ? {} : textsBeyondValue(value(position), descending), left)
    if (found.length < left) return [...begun, ...this.#inOrder(found)]
    // The walk may have ended within the last group.
    const last = value(found.at(-1) as Found)
    const whole = found.filter(({ values }) => values[0] !== last)
    return [...begun, ...this.#inOrder(whole), ...(await this.#group(first, last, left - whole.length))]
  }

  /** Those with this very first value, in order. */
  async #group(first: SortKey, of: string | number, wanted: number, position?: Position): Promise<readonly Found[]> {
    const { from, before } = valueBounds(of)
    return this.#sorted(await this.#walks(first, { $gte: from, $lt: before }), wanted, position)
  }

  async #alongTexts(first: SortKey, bounds: Filter, wanted: number): Promise<readonly Found[]> {
    const order = first.descending === this.#asked.backward ? 1 : -1
    const arms = await this.#walks(first, bounds)
    const lists = await this.#reading.together(
      arms.map(arm => () => this.#first(arm, { ...this.#findInOrder(arm), sort: { [arm.field]: order } }, wanted)),
    )
    const found = lists.flat().map(one => this.#found(one))
    return arms.length === 1 ? found : this.#alongFirst(found).slice(0, wanted)
  }

  /** Those with one value are one walk, those with several another. */
  async #walks(first: SortKey, bounds: Filter): Promise<readonly ValueArm[]> {
    const { source } = this.#asked.plan
    const within = Object.keys(bounds).length === 0 ? { $gte: '' } : bounds
    const along = async (field: string, hint: string): Promise<readonly ValueArm[]> =>
      (await this.#walk(source, hint, { [field]: within })).map(arm => ({ ...arm, field }))
    const several = first.descending ? along(greatestField(first), hints.sd) : along(leastField(first), hints.so)
    return (await Promise.all([along(onlyField(first), hints.so), several])).flat()
  }

  /** None when nothing can match. */
  async #walk(source: Source, hint: string, bounds: Filter, lives = false): Promise<readonly Arm[]> {
    const conditions = await this.#matching.conditionsOf(source)
    const window = narrowest(source.window.map(({ test }) => windowOf(test)))
    if (isEmpty(window) || conditions.filters.includes(never)) return []
    return [{ type: source.type, hint, filter: filterOf(bounds, window, conditions, lives), verify: conditions.verify }]
  }

  #findInOrder(arm: Arm): Document & { find: string } {
    const fields = this.#asked.alone && arm.verify.length === 0 ? versionProjection : candidateFields(arm.verify)
    return findOf(arm, { ...fields, ...textFields(this.#asked.sort) })
  }

  #found(candidate: Candidate): Found {
    return { ...withFields(this.#asked.plan.type, candidate), values: valuesOf(candidate.document, this.#asked.sort) }
  }

  #inOrder(found: readonly Found[]): readonly Found[] {
    const { sort, backward } = this.#asked
    return found.toSorted((a, b) => (backward ? compareRows(b, a, sort) : compareRows(a, b, sort)))
  }

  /** As a walk gives them: by the first value, then by seq. */
  #alongFirst(found: readonly Found[]): readonly Found[] {
    const { sort, backward } = this.#asked
    const first = sort.slice(0, 1)
    return found.toSorted((a, b) => (backward ? compareRows(b, a, first) : compareRows(a, b, first)))
  }
}

/** By one field, of which no two documents have the same. */
type InOrder = Document & { readonly find: string; readonly sort: Readonly<Record<string, 1 | -1>> }

const isInOrder = (command: Command): command is InOrder => 'find' in command && command.sort !== undefined

/** The command for what comes behind a document that it gave. */
const behind = (command: InOrder, last: Document): InOrder => {
  const [[field, way]] = Object.entries(command.sort) as [[string, 1 | -1]]
  const bounds: unknown = command.filter[field]
  const of = field === 'seq' || field === '_id' ? last[field] : last[firstText]
  const beyond = { [way === 1 ? '$gt' : '$lt']: of }
  // What bounds the field already bounds it less, so that it may be written over.
  return { ...command, filter: { ...command.filter, [field]: isBounds(bounds) ? { ...bounds, ...beyond } : beyond } }
}

const isBounds = (bounds: unknown): bounds is object => typeof bounds === 'object' && bounds !== null

/** With what is shown, where it was asked for. */
const withFields = (type: string, { id, seq, document }: Candidate): Omit<Found, 'values'> =>
  document.method === undefined ? { type, id, seq } : { type, id, seq, fields: fieldsIn(document) }

const fieldsIn = ({ _id, seq, versionId, method, text, parts }: Document): VersionFields => ({
  key: _id,
  seq,
  versionId,
  method,
  deleted: false,
  ...(text === undefined ? {} : { text: Buffer.from(text) }),
  ...(parts === undefined ? {} : { parts }),
})

/** Documents that several questions found, once. */
const distinct = (found: readonly Candidate[]): readonly Candidate[] => [...new Map(found.map(one => [one.id, one])).values()]

const value = ({ values }: Pick<Position, 'values'>): string | number => values[0] as string | number

const beyondSeq = (seq: number | undefined, descending: boolean): Window => {
  if (seq === undefined) return {}
  return descending ? { before: seq } : { from: seq + 1 }
}

const textsBeyond = (text: string | undefined, descending: boolean): Filter => {
  if (text === undefined) return {}
  return descending ? { $gte: '', $lt: text } : { $gt: text }
}

const textsBeyondValue = (of: string | number, descending: boolean): Filter => {
  const { from, before } = valueBounds(of)
  return descending ? { $gte: '', $lt: from } : { $gte: before }
}
