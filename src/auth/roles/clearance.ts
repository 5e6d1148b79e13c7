import { type Confidentiality, confidentialityLevels } from '../../base/access-filter.ts'
import { isRecord, isTexts, type Problems, recordOf, refuseOthers } from './json-shape.ts'
import type { Clearance, ClearanceLevel, RoleTable } from './role-table.ts'

const places = ['anywhere', 'inCare', 'self', 'emergency'] as const

export const noClearance: Clearance = { anywhere: [], inCare: [], self: [], emergency: [] }

/** V is given to persons by name, never to a role. */
export const readClearance = (json: unknown, at: string, problems: Problems): Clearance => {
  const record = recordOf(json, at, problems)
  refuseOthers(record, places, at, problems)
  const level = (place: (typeof places)[number]): readonly ClearanceLevel[] => {
    const given: unknown = record[place]
    if (given === undefined) return []
    if (!isRecord(given) || !isConfidentiality(given.max) || given.max === 'V' || !isTexts(given.allowed)) {
      problems.add(`${at}.${place} has max, U to R, and allowed, a list of sensitivities`)
      return []
    }
    return [{ max: given.max, allowed: given.allowed }]
  }
  return { anywhere: level('anywhere'), inCare: level('inCare'), self: level('self'), emergency: level('emergency') }
}

const isConfidentiality = (text: unknown): text is Confidentiality => typeof text === 'string' && Object.hasOwn(confidentialityLevels, text)

/** Several clearances on one account: what any of them allows. They are not mixed: the level of one with the codes of another is wider than both. */
export const joinClearances = (clearances: readonly Clearance[]): Clearance => ({
  anywhere: clearances.flatMap(one => one.anywhere),
  inCare: clearances.flatMap(one => one.inCare),
  self: clearances.flatMap(one => one.self),
  emergency: clearances.flatMap(one => one.emergency),
})

/** What every duty brings: nothing beyond the normal. */
const normal: Clearance = { ...noClearance, anywhere: [{ max: 'N', allowed: [] }] }

/** What roles and duties bring, for a principal whose account says nothing else. Unknown ones bring nothing. */
export const clearanceOf = (table: RoleTable, held: readonly string[]): Clearance =>
  joinClearances(held.map(name => table.roles.get(name)?.clearance ?? (table.duties.has(name) ? normal : noClearance)))
