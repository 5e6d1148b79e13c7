import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Dictionary } from './dictionary.ts'

const shapesRememberedMax = 20_000

/** The writer's dictionary: gives a number to every word it meets. After a rollback call `forget`. */
export class Interning extends Dictionary {
  readonly #shapes = new Map<string, number>()
  readonly #insertType: StatementSync
  readonly #insertParam: StatementSync
  readonly #insertSystem: StatementSync
  readonly #insertUnit: StatementSync
  readonly #insertServed: StatementSync
  readonly #insertSensitivity: StatementSync
  readonly #selectShape: StatementSync
  readonly #insertShape: StatementSync

  constructor(db: DatabaseSync) {
    super(db)
    this.#insertType = db.prepare('INSERT INTO type(name) VALUES (?)')
    this.#insertParam = db.prepare('INSERT INTO param(t, code) VALUES (?, ?)')
    this.#insertSystem = db.prepare('INSERT INTO system(uri) VALUES (?)')
    this.#insertUnit = db.prepare('INSERT INTO unit(text) VALUES (?)')
    this.#insertServed = db.prepare('INSERT INTO served(kind, id) VALUES (?, ?)')
    this.#insertSensitivity = db.prepare('INSERT INTO sensitivity(code) VALUES (?)')
    this.#selectShape = db.prepare('SELECT sh FROM shape WHERE t = ? AND params = ?')
    this.#insertShape = db.prepare('INSERT INTO shape(t, params) VALUES (?, ?)')
  }

  typeNumber(name: string): number {
    return this.type(name) ?? Number(this.#insertType.run(name).lastInsertRowid)
  }

  paramNumber(type: string, code: string): number {
    return this.param(type, code) ?? Number(this.#insertParam.run(this.typeNumber(type), code).lastInsertRowid)
  }

  systemNumber(uri: string): number {
    return uri === '' ? 0 : (this.system(uri) ?? Number(this.#insertSystem.run(uri).lastInsertRowid))
  }

  unitNumber(text: string): number {
    return text === '' ? 0 : (this.unit(text) ?? Number(this.#insertUnit.run(text).lastInsertRowid))
  }

  servedNumber(kind: number, id: string): number {
    return this.served(kind, id) ?? Number(this.#insertServed.run(kind, id).lastInsertRowid)
  }

  sensitivityNumber(code: string): number {
    return this.sensitivity(code) ?? Number(this.#insertSensitivity.run(code).lastInsertRowid)
  }

  /** `codes` joined by blanks, as they lie on the tape. */
  shapeNumber(type: string, codes: string): number {
    const key = `${type} ${codes}`
    const known = this.#shapes.get(key)
    if (known !== undefined) return known
    const numbers = codes === '' ? [] : codes.split(' ').map(code => this.paramNumber(type, code))
    const shape = this.#shape(this.typeNumber(type), JSON.stringify(numbers.toSorted((a, b) => a - b)))
    if (this.#shapes.size >= shapesRememberedMax) this.#shapes.clear()
    this.#shapes.set(key, shape)
    return shape
  }

  override forget(): void {
    super.forget()
    this.#shapes.clear()
  }

  #shape(t: number, params: string): number {
    const found = this.#selectShape.get(t, params)
    return found === undefined ? Number(this.#insertShape.run(t, params).lastInsertRowid) : (found.sh as number)
  }
}
