import type { AccessFilter } from '../../base/access-filter.ts'
import type { Dictionary } from './dictionary.ts'
import { relationKinds } from './relations.ts'

/** Words that no relation serves, remembered so long as none came. */
const absentMax = 20_000

/**
 * Access filters without what nothing stands in: consents are asked by dozens of words of which hardly any was ever written, and each would be looked up,
 * planned with and compiled.
 */
export class ServedWords {
  readonly #dictionary: Dictionary
  readonly #absent = new Set<string>()
  #newest: number | null = null

  constructor(dictionary: Dictionary) {
    this.#dictionary = dictionary
  }

  /** `newest`: the greatest number given to a word in the state that is read. */
  known(filter: AccessFilter, newest: number | null): AccessFilter {
    if (newest !== this.#newest) this.#absent.clear()
    this.#newest = newest
    return this.#known(filter)
  }

  /** After a rollback: numbers given inside the transaction go to other words. */
  forget(): void {
    this.#newest = null
    this.#absent.clear()
  }

  #known(filter: AccessFilter): AccessFilter {
    switch (filter.op) {
      case 'and':
      case 'or':
        return { ...filter, of: filter.of.map(part => this.#known(part)) }
      case 'not':
        return { ...filter, of: this.#known(filter.of) }
      case 'patients': {
        const of = filter.of.filter(one => this.#isServed(relationKinds[filter.from], one))
        return of.length === 0 ? { op: 'none' } : { ...filter, of }
      }
      default:
        return filter
    }
  }

  #isServed(kind: number, id: string): boolean {
    const word = `${kind} ${id}`
    if (this.#absent.has(word)) return false
    if (this.#dictionary.served(kind, id) !== undefined) return true
    if (this.#absent.size >= absentMax) this.#absent.clear()
    this.#absent.add(word)
    return false
  }
}
