import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { RelationKind } from '../../base/access-filter.ts'
import type { Key, Relation, RelationQuestion } from '../port.ts'
import { inOneState } from './connection.ts'
import type { Dictionary } from './dictionary.ts'

/** As they stand in the table `served`. */
export const relationKinds = { care: 1, facility: 2, queue: 3, group: 4, closed: 5, permitted: 6 } as const satisfies Record<
  RelationKind,
  number
>

// The table has one name for each number.
const kindOf = (number: number): RelationKind => Object.entries(relationKinds).find(([, n]) => n === number)?.[0] as RelationKind

/** The type whose instances relations are about. */
export const patientType = 'Patient'

/** What relations say now: prepared statements on the calling thread, some microseconds each. */
export class RelationReader {
  readonly #db: DatabaseSync
  readonly #dictionary: Dictionary
  readonly #stands: StatementSync
  readonly #of: StatementSync

  constructor(db: DatabaseSync, dictionary: Dictionary) {
    this.#db = db
    this.#dictionary = dictionary
    this.#stands = db.prepare(
      'SELECT 1 FROM relation WHERE g = ? AND patient = ? AND ifnull(since <= ?, 1) AND ifnull(until > ?, 1) AND self <= ? LIMIT 1',
    )
    this.#of = db.prepare(
      `SELECT s.kind, s.id, p.id AS patient, r.since, r.until, r.self FROM relation r CROSS JOIN served s ON s.g = r.g
         CROSS JOIN instance p ON p.iid = r.patient WHERE r.iid = ? ORDER BY r.n`,
    )
    this.#of.setReturnArrays(true)
  }

  related(questions: readonly RelationQuestion[], now: number): readonly boolean[] {
    if (questions.length === 0) return []
    return inOneState(this.#db, () => {
      const patients = new Map<string, number | undefined>()
      return questions.map(({ from, of, patient, confirmed }) => {
        if (!patients.has(patient)) patients.set(patient, this.#dictionary.iid(patientType, patient))
        const iid = patients.get(patient)
        return iid !== undefined && of.some(one => this.#standsIn(from, one, iid, confirmed === true, now))
      })
    })
  }

  relationsOf(keys: readonly Key[]): readonly (readonly Relation[])[] {
    return inOneState(this.#db, () =>
      keys.map(({ type, id }) => {
        const iid = this.#dictionary.iid(type, id)
        // The cast: setReturnArrays makes rows arrays, which the types of node:sqlite do not know.
        return iid === undefined ? [] : (this.#of.all(iid) as unknown as readonly RelationRow[]).map(relationOf)
      }),
    )
  }

  #standsIn(from: RelationKind, of: string, patient: number, confirmed: boolean, now: number): boolean {
    const g = this.#dictionary.served(relationKinds[from], of)
    return g !== undefined && this.#stands.get(g, patient, now, now, confirmed ? 0 : 1) !== undefined
  }
}

type RelationRow = readonly [kind: number, of: string, patient: string, since: number | null, until: number | null, self: number]

const relationOf = ([kind, of, patient, since, until, self]: RelationRow): Relation => ({
  from: kindOf(kind),
  of,
  patient,
  ...(since === null ? {} : { since }),
  ...(until === null ? {} : { until }),
  ...(self === 1 ? { self: true } : {}),
})
