import type { PatientsFilter } from '../../../base/access-filter.ts'
import { conjunctsOf } from '../../../search/plain.ts'
import type { Plain, PlainPart } from '../../../search/plan.ts'
import { patientsOf } from '../relations.ts'
import type { AccessBounds } from './access-bounds.ts'
import type { Reading } from './reading.ts'

/** Relations that were found to be large, for some time: only how it is asked depends on it, never the answer. */
export class LargeRelations {
  readonly #until = new Map<string, number>()

  has(key: string): boolean {
    return (this.#until.get(key) ?? 0) > performance.now()
  }

  add(key: string): void {
    if (this.#until.size >= rememberedMax) this.#until.clear()
    this.#until.set(key, performance.now() + rememberedMs)
  }
}

const rememberedMax = 10_000
const rememberedMs = 60_000

/**
 * Looks up who stands in the relations that are asked for, before anything is planned: each once for a question, as it is now. Where one of a part is
 * known to be large its candidates are asked in any case, of all relations at once; then only those are looked up that could drive.
 */
export class RelationsKnown {
  readonly #reading: Reading
  readonly #bounds: AccessBounds
  readonly #large: LargeRelations
  readonly #known = new Map<string, readonly string[] | undefined>()

  constructor(reading: Reading, bounds: AccessBounds, large: LargeRelations) {
    this.#reading = reading
    this.#bounds = bounds
    this.#large = large
  }

  /** The part with the patients of small relations in it. */
  async in(part: PlainPart): Promise<PlainPart> {
    const wanted = lookedUpIn(part, filter => this.#large.has(keyOf(filter)))
    if (wanted.length === 0) return part
    const filters = [...new Map(wanted.map(filter => [keyOf(filter), filter])).values()]
    const found = await patientsOf(filters, this.#bounds.patients, this.#reading.now, commands => this.#reading.latest(commands))
    for (const [n, filter] of filters.entries()) {
      this.#known.set(keyOf(filter), found[n])
      if (found[n] === undefined) this.#large.add(keyOf(filter))
    }
    return this.#part(part)
  }

  #part({ type, where }: PlainPart): PlainPart {
    return { type, where: this.#node(where) }
  }

  #node(node: Plain): Plain {
    switch (node.op) {
      case 'and':
      case 'or':
        return { ...node, of: node.of.map(one => this.#node(one)) }
      case 'not':
        return { ...node, of: this.#node(node.of) }
      case 'chain':
        return { ...node, of: node.of.map(one => this.#part(one)) }
      case 'reverse':
        return { ...node, of: this.#part(node.of) }
      case 'access': {
        const patients = node.filter.op === 'patients' ? this.#known.get(keyOf(node.filter)) : undefined
        return patients === undefined ? node : { ...node, patients }
      }
      default:
        return node
    }
  }
}

const keyOf = (filter: PatientsFilter): string => JSON.stringify(filter)

type IsLarge = (filter: PatientsFilter) => boolean

/** Relations to be looked up for a part, and for those that its chains pass through. */
const lookedUpIn = (part: PlainPart, isLarge: IsLarge): readonly PatientsFilter[] => {
  const own = relationsIn(part.where)
  const left = own.some(isLarge) ? conjunctsOf(part.where).flatMap(node => (isRelation(node) ? [node.filter] : [])) : own
  return [...left.filter(filter => !isLarge(filter)), ...partsIn(part.where).flatMap(one => lookedUpIn(one, isLarge))]
}

type RelationLeaf = Extract<Plain, { op: 'access' }> & { readonly filter: PatientsFilter }
const isRelation = (node: Plain): node is RelationLeaf => node.op === 'access' && node.filter.op === 'patients'

const relationsIn = (node: Plain): readonly PatientsFilter[] => {
  if (node.op === 'and' || node.op === 'or') return node.of.flatMap(relationsIn)
  if (node.op === 'not') return relationsIn(node.of)
  return isRelation(node) ? [node.filter] : []
}

const partsIn = (node: Plain): readonly PlainPart[] => {
  if (node.op === 'and' || node.op === 'or') return node.of.flatMap(partsIn)
  if (node.op === 'not') return partsIn(node.of)
  if (node.op === 'chain') return node.of
  return node.op === 'reverse' ? [node.of] : []
}
