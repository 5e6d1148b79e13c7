import type { Condition, Seen } from './conditions.ts'

/** Filters remembered; beyond it the memory starts anew. */
const rememberedMax = 2_000
/** While nobody knows: of most candidates it is open to whoever is asking. */
const unknown = { asked: 5, passed: 2 } as const
/** What was long ago weighs less. */
const askedMax = 2_000

type Passed = { readonly asked: number; readonly passed: number }

/**
 * Of the candidates of questions with the same access filter, the part that passed it lately. Only how many are looked at at once depends on it, never an
 * answer.
 */
export class Passing {
  readonly #known = new Map<string, Passed>()

  /** Above 0. */
  share(key: string): number {
    const { asked, passed } = this.#known.get(key) ?? unknown
    return (passed + 1) / (asked + 2)
  }

  add(key: string, asked: number, passed: number): void {
    const before = this.#known.get(key) ?? { asked: 0, passed: 0 }
    const weight = before.asked + asked > askedMax ? 0.5 : 1
    if (this.#known.size >= rememberedMax) this.#known.clear()
    this.#known.set(key, { asked: before.asked * weight + asked, passed: before.passed * weight + passed })
  }
}

/** The same for questions that verify the same access filters and nothing else; undefined where other conditions decide, of which nothing is known. */
export const passingKey = (type: string, verify: readonly Condition[]): string | undefined =>
  verify.every(isSeen) ? `${type} ${JSON.stringify(verify.map(({ access }) => access))}` : undefined

const isSeen = (condition: Condition): condition is Seen => condition.is === 'seen'
