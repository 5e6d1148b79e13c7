import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { RelationKind } from '../../base/access-filter.ts'
import type { Key, Relation, RelationQuestion } from '../port.ts'
import { inOneState } from './connection.ts'
import type { Dictionary } from './dictionary.ts'
import type { RelationCache, Standing } from './relation-cache.ts'

/** As they stand in the table `served`. */
export const relationKinds = { care: 1, facility: 2, queue: 3, group: 4, closed: 5, permitted: 6 } as const satisfies Record<
  RelationKind,
  number
>

// The table has one name for each number.
const kindOf = (number: number): RelationKind => Object.entries(relationKinds).find(([, n]) => n === number)?.[0] as RelationKind

/** The type whose instances relations are about. */
export const patientType = 'Patient'

/** What relations say now: prepared statements on the calling thread, some microseconds each, or memory. */
export class RelationReader {
  readonly #db: DatabaseSync
  readonly #dictionary: Dictionary
  readonly #cache: RelationCache
  readonly #stands: StatementSync
  readonly #begins: StatementSync
  readonly #of: StatementSync

  constructor(db: DatabaseSync, dictionary: Dictionary, cache: RelationCache) {
    this.#db = db
    this.#dictionary = dictionary
    this.#cache = cache
    this.#stands = db.prepare(
      'SELECT until FROM relation WHERE g = ? AND patient = ? AND ifnull(since <= ?, 1) AND ifnull(until > ?, 1) AND self <= ? LIMIT 1',
    )
    this.#begins = db.prepare('SELECT min(since) AS since FROM relation WHERE g = ? AND patient = ? AND since > ? AND self <= ?')
    this.#of = db.prepare(
      `SELECT s.kind, s.id, p.id AS patient, r.since, r.until, r.self FROM relation r CROSS JOIN served s ON s.g = r.g
         CROSS JOIN instance p ON p.iid = r.patient WHERE r.iid = ? ORDER BY r.n`,
    )
    this.#of.setReturnArrays(true)
  }

  related(questions: readonly RelationQuestion[], now: number): readonly boolean[] {
    const kept = questions.map(question => this.#kept(question, now))
    if (!kept.includes(undefined)) return kept as readonly boolean[] // each is known
    return inOneState(this.#db, () => {
      this.#cache.beginReading()
      const patients = new Map<string, number | undefined>()
      return questions.map(({ from, of, patient, confirmed }) => {
        if (!patients.has(patient)) patients.set(patient, this.#dictionary.iid(patientType, patient))
        const iid = patients.get(patient)
        return of.some(one => this.#standsIn({ from, of: one, patient, confirmed: confirmed === true }, iid, now))
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

  /** What is remembered of all that is asked; where one stands, the others are nobody's matter. */
  #kept({ from, of, patient, confirmed }: RelationQuestion, now: number): boolean | undefined {
    let known: boolean | undefined = false
    for (const one of of) {
      const stands = this.#cache.find(keyOf({ from, of: one, patient, confirmed: confirmed === true }), now)
      if (stands === true) return true
      if (stands === undefined) known = undefined
    }
    return known
  }

  #standsIn(asked: Asked, patient: number | undefined, now: number): boolean {
    const standing = this.#standing(asked, patient, now)
    this.#cache.keep(keyOf(asked), standing)
    return standing.stands
  }

  #standing({ from, of, confirmed }: Asked, patient: number | undefined, now: number): Standing {
    const g = patient === undefined ? undefined : this.#dictionary.served(relationKinds[from], of)
    if (g === undefined || patient === undefined) return { stands: false, from: now, until: Number.POSITIVE_INFINITY }
    const self = confirmed ? 0 : 1
    const row = this.#stands.get(g, patient, now, now, self) as { readonly until: number | null } | undefined
    if (row !== undefined) return { stands: true, from: now, until: row.until ?? Number.POSITIVE_INFINITY }
    const { since } = this.#begins.get(g, patient, now, self) as { readonly since: number | null }
    return { stands: false, from: now, until: since ?? Number.POSITIVE_INFINITY }
  }
}

/** A question about one of those whom relations serve. */
type Asked = { readonly from: RelationKind; readonly of: string; readonly patient: string; readonly confirmed: boolean }

/** Ids of patients have no blank; what is served may. */
const keyOf = ({ from, of, patient, confirmed }: Asked): string => `${from}${confirmed ? '!' : ''} ${patient} ${of}`

type RelationRow = readonly [kind: number, of: string, patient: string, since: number | null, until: number | null, self: number]

const relationOf = ([kind, of, patient, since, until, self]: RelationRow): Relation => ({
  from: kindOf(kind),
  of,
  patient,
  ...(since === null ? {} : { since }),
  ...(until === null ? {} : { until }),
  ...(self === 1 ? { self: true } : {}),
})
