import { seesAll } from '../base/access-filter.ts'
import type { Clock } from '../base/clock.ts'
import { deadlineIn } from '../base/deadline.ts'
import { sentence } from '../base/failure-kinds.ts'
import type { Limits } from '../base/limits.ts'
import { type Outcome, ok } from '../base/outcome.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Settings } from '../interactions/parts.ts'
import { parseStored } from '../interactions/stored-resource.ts'
import { parseCriteriaParameters } from '../search/criteria.ts'
import { queryOf } from '../search/parse.ts'
import type { Query } from '../search/tree.ts'
import type { Store } from '../storage/port.ts'

/**
 * What identity looks up in the store by itself: organizations, links between people, consents. It is asked before anybody's access is known, so it sees
 * everything, and what it finds goes into decisions and nowhere else. Throws where the store does not answer: then nobody is let in.
 */
export type KnownStates = {
  /** The newest state of an instance; undefined where there is none, or it was deleted. */
  newest(type: string, id: string): Promise<Resource | undefined>
  /** Newest states whose parameters have one of the values each, at most `limit`. */
  matching(
    type: string,
    parameters: Readonly<Record<string, readonly string[]>>,
    limit: number,
  ): Promise<{ readonly found: readonly Resource[]; readonly more: boolean }>
  /** Newest states of a type, at most `limit`. */
  all(type: string, limit: number): Promise<readonly Resource[]>
}

export type KnownStatesParts = {
  readonly store: Store
  readonly definitions: Definitions
  readonly settings: Settings
  readonly limits: Limits
  readonly clock: Clock
}

export const createKnownStates = ({ store, definitions, settings, limits, clock }: KnownStatesParts): KnownStates => {
  const input = () => ({ definitions, limits, settings, now: clock() })
  const found = async (query: Outcome<Query>, count: number) => {
    const page = await store.search(must(query), { access: seesAll, count, deadline: deadlineIn(limits.readMs) })
    const { rows, more } = must(page)
    return { found: rows.map(row => parseStored(row, { limits })), more }
  }
  return {
    newest: async (type, id) => {
      const version = await store.newest(type, id)
      return version === undefined || version.deleted ? undefined : parseStored(version, { limits })
    },
    matching: (type, parameters, limit) => {
      const texts = Object.entries(parameters).map(([name, values]) => ({ name, value: values.map(escaped).join(',') }))
      return found(parseCriteriaParameters(type, texts, input()), limit)
    },
    all: async (type, limit) => (await found(ok(queryOf([type], [], input())), limit)).found,
  }
}

const must = <T>(outcome: Outcome<T>): T => {
  if (outcome.ok) return outcome.value
  throw new Error(`Identity could not look something up: ${sentence(outcome.failure.kind, outcome.failure.values, 'en')}`)
}

/** @see https://hl7.org/fhir/R4/search.html#escaping */
const escaped = (value: string): string => value.replace(/[\\,$|]/g, sign => `\\${sign}`)
