import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Instances } from './instances.ts'
import type { Interning } from './interning.ts'
import type { TapeReader } from './plan-tape.ts'
import { patientType } from './relations.ts'

/** A row of `relation` but for its source; the first three are its key there. */
type Row = readonly [g: number, patient: number, n: number, since: number | null, until: number | null, self: number]

/** Inside the writer's transactions: rows go and come with the newest version of their source. */
export class RelationWriter {
  readonly #dictionary: Interning
  readonly #instances: Instances
  readonly #select: StatementSync
  readonly #insert: StatementSync
  readonly #remove: StatementSync
  readonly #removeAll: StatementSync

  constructor(db: DatabaseSync, dictionary: Interning, instances: Instances) {
    this.#dictionary = dictionary
    this.#instances = instances
    this.#select = db.prepare('SELECT g, patient, n, since, until, self FROM relation WHERE iid = ?')
    this.#select.setReturnArrays(true)
    this.#insert = db.prepare('INSERT INTO relation(g, patient, n, since, until, self, iid) VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#remove = db.prepare('DELETE FROM relation WHERE g = ? AND patient = ? AND n = ? AND iid = ?')
    this.#removeAll = db.prepare('DELETE FROM relation WHERE iid = ?')
  }

  /**
   * What a new version says, from the tape, in place of what the version before it said where there was one (`former`). A group of thousands changes by
   * one member at a time: what reads the same is left as it is.
   */
  write(tape: TapeReader, iid: number, former: boolean): void {
    const rows = Array.from({ length: tape.number() }, (_, n) => this.#row(tape, n))
    const said = new Map(former ? this.#rowsOf(iid).map(row => [row.join(), row]) : [])
    const added = rows.filter(row => !said.delete(row.join()))
    for (const [g, patient, n] of said.values()) this.#remove.run(g, patient, n, iid)
    for (const row of added) this.#insert.run(...row, iid)
  }

  drop(iid: number): void {
    this.#removeAll.run(iid)
  }

  #row(tape: TapeReader, n: number): Row {
    const g = this.#dictionary.servedNumber(tape.number(), tape.text())
    const patient = this.#instances.refer(this.#dictionary.typeNumber(patientType), tape.text()).iid
    return [g, patient, n, finite(tape.number()), finite(tape.number()), tape.number()]
  }

  /** The cast: setReturnArrays makes rows arrays, which the types of node:sqlite do not know. */
  #rowsOf(iid: number): readonly Row[] {
    return this.#select.all(iid) as unknown as readonly Row[]
  }
}

const finite = (ms: number): number | null => (Number.isFinite(ms) ? ms : null)
