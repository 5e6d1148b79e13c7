import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Words of one kind that are remembered; beyond it the memory starts anew (identifier systems can be as many as clients please). */
const rememberedMax = 50_000

/**
 * Numbers that stand for words in the rows of the store: types, parameters, systems, units, whom relations serve, sensitivities, instances.
 * A number never changes its meaning, so hits are remembered; misses are not, because the writer may add the word at any moment.
 * One per connection.
 */
export class Dictionary {
  readonly #types = new Map<string, number>()
  readonly #typeNames = new Map<number, string>()
  readonly #params = new Map<number, Map<string, number>>()
  readonly #systems = new Map<string, number>()
  readonly #units = new Map<string, number>()
  readonly #served = new Map<string, number>()
  readonly #sensitivities = new Map<string, number>()
  readonly #selectTypes: StatementSync
  readonly #selectParams: StatementSync
  readonly #selectSystem: StatementSync
  readonly #selectUnit: StatementSync
  readonly #selectServed: StatementSync
  readonly #selectSensitivity: StatementSync
  readonly #selectInstance: StatementSync

  constructor(db: DatabaseSync) {
    this.#selectTypes = db.prepare('SELECT t, name FROM type')
    this.#selectParams = db.prepare('SELECT p, code FROM param WHERE t = ?')
    this.#selectSystem = db.prepare('SELECT s AS n FROM system WHERE uri = ?')
    this.#selectUnit = db.prepare('SELECT u AS n FROM unit WHERE text = ?')
    this.#selectServed = db.prepare('SELECT g AS n FROM served WHERE kind = ? AND id = ?')
    this.#selectSensitivity = db.prepare('SELECT s AS n FROM sensitivity WHERE code = ?')
    this.#selectInstance = db.prepare('SELECT iid AS n FROM instance WHERE t = ? AND id = ?')
  }

  /** Number of a resource type; undefined until an instance of it was written or referred to. */
  type(name: string): number | undefined {
    return this.#types.get(name) ?? this.#readTypes().types.get(name)
  }

  /** Throws for a number that no type has: rows hold none such. */
  typeName(t: number): string {
    const name = this.#typeNames.get(t) ?? this.#readTypes().names.get(t)
    if (name === undefined) throw new Error(`The store knows no type number ${t}`)
    return name
  }

  /** Number of a parameter of a type, companions included; undefined when no resource ever had a value for it. */
  param(type: string, code: string): number | undefined {
    const t = this.type(type)
    if (t === undefined) return undefined
    return this.#params.get(t)?.get(code) ?? this.#readParams(t).get(code)
  }

  /** `''` is 0. */
  system(uri: string): number | undefined {
    return remembered(this.#systems, uri, () => this.#selectSystem.get(uri))
  }

  /** `''` is 0. */
  unit(text: string): number | undefined {
    return remembered(this.#units, text, () => this.#selectUnit.get(text))
  }

  /** Whom relations of a kind serve; undefined when none ever did. */
  served(kind: number, id: string): number | undefined {
    return remembered(this.#served, `${kind} ${id}`, () => this.#selectServed.get(kind, id))
  }

  /** Undefined for a code that nothing was ever labelled with. */
  sensitivity(code: string): number | undefined {
    return remembered(this.#sensitivities, code, () => this.#selectSensitivity.get(code))
  }

  /** Number of an instance, one that is deleted or only referred to included. */
  iid(type: string, id: string): number | undefined {
    const t = this.type(type)
    return t === undefined ? undefined : numberOf(this.#selectInstance.get(t, id))
  }

  /** After a rollback: numbers given inside the transaction were never given. */
  forget(): void {
    for (const memory of [this.#types, this.#typeNames, this.#params, this.#systems, this.#units, this.#served, this.#sensitivities])
      memory.clear()
  }

  #readTypes() {
    for (const row of this.#selectTypes.all()) {
      this.#types.set(row.name as string, row.t as number)
      this.#typeNames.set(row.t as number, row.name as string)
    }
    return { types: this.#types, names: this.#typeNames }
  }

  #readParams(t: number): Map<string, number> {
    const params = new Map(this.#selectParams.all(t).map(row => [row.code as string, row.p as number]))
    this.#params.set(t, params)
    return params
  }
}

const numberOf = (row: Record<string, unknown> | undefined): number | undefined => row?.n as number | undefined

const remembered = (memory: Map<string, number>, word: string, select: () => Record<string, unknown> | undefined): number | undefined => {
  const known = memory.get(word)
  if (known !== undefined) return known
  const found = numberOf(select())
  if (found === undefined) return undefined
  if (memory.size >= rememberedMax) memory.clear()
  memory.set(word, found)
  return found
}
