import type { PatientsFilter } from '../../../base/access-filter.ts'
import type { Plain, PlainPart } from '../../../search/plan.ts'
import { patientsOf } from '../relations.ts'
import type { AccessBounds } from './access-bounds.ts'
import type { Reading } from './reading.ts'

/** Looks up who stands in the relations that are asked for, before anything is planned: each once for a question, as it is now. */
export class RelationsKnown {
  readonly #reading: Reading
  readonly #bounds: AccessBounds
  readonly #known = new Map<string, Promise<readonly string[] | undefined>>()

  constructor(reading: Reading, bounds: AccessBounds) {
    this.#reading = reading
    this.#bounds = bounds
  }

  /** The part with the patients of small relations in it. */
  async in({ type, where }: PlainPart): Promise<PlainPart> {
    return { type, where: hasRelations(where) ? await this.#node(where) : where }
  }

  async #node(node: Plain): Promise<Plain> {
    switch (node.op) {
      case 'and':
      case 'or':
        return { ...node, of: await this.#each(node.of, one => this.#node(one)) }
      case 'not':
        return { ...node, of: await this.#node(node.of) }
      case 'chain':
        return { ...node, of: await this.#each(node.of, one => this.in(one)) }
      case 'reverse':
        return { ...node, of: await this.in(node.of) }
      case 'access': {
        if (node.filter.op !== 'patients') return node
        const patients = await this.#patientsOf(node.filter)
        return patients === undefined ? node : { ...node, patients }
      }
      default:
        return node
    }
  }

  /** One after the other: a transaction does one thing at a time. */
  async #each<T>(list: readonly T[], known: (one: T) => Promise<T>): Promise<readonly T[]> {
    const done: T[] = []
    for (const one of list) done.push(await known(one))
    return done
  }

  #patientsOf(filter: PatientsFilter): Promise<readonly string[] | undefined> {
    const key = JSON.stringify(filter)
    const known =
      this.#known.get(key) ?? patientsOf(filter, this.#bounds.patients, this.#reading.now, commands => this.#reading.latest(commands))
    this.#known.set(key, known)
    return known
  }
}

const hasRelations = (node: Plain): boolean => {
  switch (node.op) {
    case 'and':
    case 'or':
      return node.of.some(hasRelations)
    case 'not':
      return hasRelations(node.of)
    case 'chain':
      return node.of.some(({ where }) => hasRelations(where))
    case 'reverse':
      return hasRelations(node.of.where)
    default:
      return node.op === 'access' && node.filter.op === 'patients'
  }
}
