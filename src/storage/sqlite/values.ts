import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Instances } from './instances.ts'
import type { Interning } from './interning.ts'
import { KeysWriter, readKeys } from './keys.ts'
import { normal, sensitivityLabel } from './labels.ts'
import type { TapeReader } from './plan-tape.ts'
import { RelationWriter } from './relation-writer.ts'
import { Sieve } from './sieve.ts'

/** The version whose values are written. */
export type Indexed = {
  readonly seq: number
  readonly t: number
  readonly type: string
  readonly iid: number
  readonly confidentiality: number
}

/**
 * Index rows of versions: written from the tape together with their record (`live.keys`), removed by that record only.
 * Rows are written one statement each: node:sqlite binds five values faster than SQLite takes apart a JSON array of them
 * (measured: 3.1 µs a row, 3.9 in eights, 5.0 by json_each).
 */
export class Values {
  readonly relations: RelationWriter
  readonly #dictionary: Interning
  readonly #instances: Instances
  readonly #keys = new KeysWriter()
  /** Of the tokens of the version at hand: entries of its patients and dates carry it. */
  readonly #sieve = new Sieve()
  readonly #insert: Readonly<
    Record<
      'live' | 'pat' | 'own' | 'aut' | 'tok' | 'str' | 'dat' | 'num' | 'ref' | 'cmp' | 'cms' | 'gone' | 'label' | 'nobody',
      StatementSync
    >
  >
  readonly #remove: Readonly<
    Record<
      'pat' | 'own' | 'aut' | 'tok' | 'str' | 'dat' | 'num' | 'ref' | 'cmp' | 'cms' | 'live' | 'gone' | 'label' | 'nobody',
      StatementSync
    >
  >
  readonly #selectKeys: StatementSync
  /** Parameters that ever had a reference: where to look for who refers to an instance. */
  readonly #referenceParams: Set<number>

  constructor(db: DatabaseSync, dictionary: Interning, instances: Instances) {
    this.#dictionary = dictionary
    this.#instances = instances
    this.relations = new RelationWriter(db, dictionary, instances)
    const row = (table: string, columns: string): StatementSync =>
      db.prepare(`INSERT OR IGNORE INTO ${table}(${columns}) VALUES (${columns.replace(/\w+/g, '?')})`)
    const without = (table: string, where: string): StatementSync => db.prepare(`DELETE FROM ${table} WHERE ${where}`)
    this.#insert = {
      live: db.prepare('INSERT INTO live(seq, t, iid, sh, conf, so, keys) VALUES (?, ?, ?, ?, ?, jsonb(?), ?)'),
      pat: row('pat', 'patient, t, seq, sieve'),
      own: row('own', 'org, t, seq'),
      aut: row('aut', 'author, t, seq'),
      tok: row('tok', 'p, code, seq, s, m'),
      str: row('str', 'p, v, seq, x, m'),
      dat: row('dat', 'p, lo, hi, seq, m, sieve'),
      num: row('num', 'p, u, lo, hi, seq, m'),
      ref: row('ref', 'p, iid, seq'),
      cmp: row('cmp', 'p, k, lo, hi, seq'),
      cms: row('cms', 'p, k, v, seq'),
      gone: row('gone', 'seq, kind, value'),
      label: row('label', 'seq, w'),
      nobody: row('nobody', 't, seq'),
    }
    this.#remove = {
      live: without('live', 'seq = ?'),
      pat: without('pat', 'seq = ?'),
      own: without('own', 'org = ? AND t = ? AND seq = ?'),
      aut: without('aut', 'author = ? AND t = ? AND seq = ?'),
      tok: without('tok', 'p = ? AND code = ? AND seq = ?'),
      str: without('str', 'p = ? AND v = ? AND seq = ?'),
      dat: without('dat', 'seq = ?'),
      num: without('num', 'seq = ?'),
      ref: without('ref', 'seq = ?'),
      cmp: without('cmp', 'p = ? AND k = ? AND lo = ? AND hi = ? AND seq = ?'),
      cms: without('cms', 'p = ? AND k = ? AND v = ? AND seq = ?'),
      gone: without('gone', 'seq = ?'),
      label: without('label', 'seq = ?'),
      nobody: without('nobody', 't = ? AND seq = ?'),
    }
    this.#selectKeys = db.prepare('SELECT t, keys FROM live WHERE seq = ?')
    this.#referenceParams = new Set(usedReferenceParams(db))
  }

  get referenceParams(): ReadonlySet<number> {
    return this.#referenceParams
  }

  /** Reads lists of sensitivities, patients, organizations, authors and then the values from the tape. Returns the number of the shape. */
  index(tape: TapeReader, version: Indexed): number {
    const { seq, t, type } = version
    this.#labels(tape, seq, version.confidentiality)
    this.#keys.start()
    const about = Array.from({ length: tape.number() }, () => tape.text())
    this.#owners(tape, this.#insert.own, t, seq)
    this.#owners(tape, this.#insert.aut, t, seq)
    this.#tokens(tape, type, seq)
    const patients = this.#patients(about, t, seq)
    this.#strings(tape, type, seq)
    const dates = this.#dates(tape, type, seq)
    const numbers = this.#numbers(tape, type, seq)
    const references = this.#references(tape, type, seq)
    this.#ranges(tape, type, seq)
    this.#texts(tape, type, seq)
    for (const count of [patients, dates, numbers, references]) this.#keys.number(count)
    const sort = this.#sort(tape, type)
    const shape = this.#dictionary.shapeNumber(type, tape.text())
    this.#insert.live.run(seq, t, version.iid, shape, version.confidentiality, sort, this.#keys.end())
    return shape
  }

  /** A deletion has no values, but histories still ask who may see it. */
  keepAccessOfDeletion(tape: TapeReader, seq: number, confidentiality: number): void {
    this.#labels(tape, seq, confidentiality)
    for (const kind of [1, 2, 3]) {
      for (let n = tape.number(); n > 0; n--) this.#insert.gone.run(seq, kind, tape.text())
    }
  }

  forgetAccessOfDeletion(seq: number): void {
    this.#remove.gone.run(seq)
    this.#remove.label.run(seq)
  }

  /** Removes every entry of a version, by its record. */
  remove(seq: number): void {
    const row = this.#selectKeys.get(seq)
    if (row === undefined) return
    const t = row.t as number
    const keys = readKeys(row.keys as Uint8Array)
    for (const org of keys.own) this.#remove.own.run(org, t, seq)
    for (const author of keys.aut) this.#remove.aut.run(author, t, seq)
    for (const [p, code] of keys.tok) this.#remove.tok.run(p, code, seq)
    for (const [p, v] of keys.str) this.#remove.str.run(p, v, seq)
    for (const [p, k, lo, hi] of keys.cmp) this.#remove.cmp.run(p, k, lo, hi, seq)
    for (const [p, k, v] of keys.cms) this.#remove.cms.run(p, k, v, seq)
    for (const table of ['pat', 'dat', 'num', 'ref'] as const) if (keys.counts[table] > 0) this.#remove[table].run(seq)
    if (keys.counts.pat === 0) this.#remove.nobody.run(t, seq)
    this.#remove.label.run(seq)
    this.#remove.live.run(seq)
  }

  /** Only what is not normal has rows. */
  #labels(tape: TapeReader, seq: number, confidentiality: number): void {
    if (confidentiality !== normal) this.#insert.label.run(seq, confidentiality)
    for (let n = tape.number(); n > 0; n--) this.#insert.label.run(seq, sensitivityLabel(this.#dictionary.sensitivityNumber(tape.text())))
  }

  #patients(patients: readonly string[], t: number, seq: number): number {
    let rows = 0
    for (const patient of patients) rows += Number(this.#insert.pat.run(patient, t, seq, this.#sieve.bits).changes)
    if (rows === 0) this.#insert.nobody.run(t, seq)
    return rows
  }

  #owners(tape: TapeReader, insert: StatementSync, t: number, seq: number): void {
    const n = tape.number()
    this.#keys.number(n)
    for (let at = 0; at < n; at++) {
      const owner = tape.text()
      insert.run(owner, t, seq)
      this.#keys.text(owner)
    }
  }

  #tokens(tape: TapeReader, type: string, seq: number): void {
    const n = tape.number()
    this.#keys.number(n)
    this.#sieve.start()
    for (let at = 0; at < n; at++) {
      const p = this.#dictionary.paramNumber(type, tape.text())
      const s = this.#dictionary.systemNumber(tape.text())
      const code = tape.text()
      this.#insert.tok.run(p, code, seq, s, tape.number())
      this.#sieve.add(p, code)
      this.#keys.number(p)
      this.#keys.text(code)
    }
  }

  #strings(tape: TapeReader, type: string, seq: number): void {
    const n = tape.number()
    this.#keys.number(n)
    for (let at = 0; at < n; at++) {
      const p = this.#dictionary.paramNumber(type, tape.text())
      const v = tape.text()
      this.#insert.str.run(p, v, seq, tape.text(), tape.number())
      this.#keys.number(p)
      this.#keys.text(v)
    }
  }

  #dates(tape: TapeReader, type: string, seq: number): number {
    let rows = 0
    for (let n = tape.number(); n > 0; n--) {
      const p = this.#dictionary.paramNumber(type, tape.text())
      rows += Number(this.#insert.dat.run(p, tape.number(), tape.number(), seq, tape.number(), this.#sieve.bits).changes)
    }
    return rows
  }

  #numbers(tape: TapeReader, type: string, seq: number): number {
    let rows = 0
    for (let n = tape.number(); n > 0; n--) {
      const p = this.#dictionary.paramNumber(type, tape.text())
      const u = this.#dictionary.unitNumber(tape.text())
      rows += Number(this.#insert.num.run(p, u, tape.number(), tape.number(), seq, tape.number()).changes)
    }
    return rows
  }

  #references(tape: TapeReader, type: string, seq: number): number {
    let rows = 0
    for (let n = tape.number(); n > 0; n--) {
      const p = this.#dictionary.paramNumber(type, tape.text())
      const target = this.#instances.refer(this.#dictionary.typeNumber(tape.text()), tape.text())
      rows += Number(this.#insert.ref.run(p, target.iid, seq).changes)
      this.#referenceParams.add(p)
    }
    return rows
  }

  #ranges(tape: TapeReader, type: string, seq: number): void {
    const n = tape.number()
    this.#keys.number(n)
    for (let at = 0; at < n; at++) {
      const p = this.#dictionary.paramNumber(type, tape.text())
      const [k, lo, hi] = [tape.text(), tape.number(), tape.number()]
      this.#insert.cmp.run(p, k, lo, hi, seq)
      this.#keys.number(p)
      this.#keys.text(k)
      this.#keys.double(lo)
      this.#keys.double(hi)
    }
  }

  #texts(tape: TapeReader, type: string, seq: number): void {
    const n = tape.number()
    this.#keys.number(n)
    for (let at = 0; at < n; at++) {
      const p = this.#dictionary.paramNumber(type, tape.text())
      const [k, v] = [tape.text(), tape.text()]
      this.#insert.cms.run(p, k, v, seq)
      this.#keys.number(p)
      this.#keys.text(k)
      this.#keys.text(v)
    }
  }

  #sort(tape: TapeReader, type: string): string {
    let members = ''
    for (let n = tape.number(); n > 0; n--) {
      const p = this.#dictionary.paramNumber(type, tape.text())
      members += `${members === '' ? '' : ','}"${p}":${tape.text()}`
    }
    return `{${members}}`
  }
}

/** The distinct parameters of `ref`, by jumping from one to the next: one seek each, however many rows there are. */
const usedReferenceParams = (db: DatabaseSync): number[] =>
  db
    .prepare(
      `WITH RECURSIVE used(p) AS (SELECT min(p) FROM ref UNION ALL SELECT (SELECT min(p) FROM ref WHERE p > used.p) FROM used WHERE used.p IS NOT NULL)
       SELECT p FROM used WHERE p IS NOT NULL`,
    )
    .all()
    .map(row => row.p as number)
