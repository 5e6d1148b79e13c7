import { compareUtf8, exactForm, normalForm, tokenForm } from './normal-form.ts'
import type {
  CompositeValue,
  DateValue,
  IndexValues,
  Mark,
  NumberValue,
  ReferenceValue,
  SortValue,
  StringValue,
  TokenValue,
} from './values.ts'

type Open<T> = { -readonly [K in keyof T]: T[K] }
type Marked = { mark: Mark }

/** Rows up to this many are compared one by one, which is faster than hashing; beyond, a set keeps a hostile resource from costing its square. */
const comparedMax = 24

/** What makes a row one with another: compared, or as a text. */
type Identity<T> = { readonly same: (a: T, b: T) => boolean; readonly key: (row: T) => string }

const tokenIdentity: Identity<Open<TokenValue>> = {
  same: (a, b) => a.code === b.code && a.system === b.system && a.param === b.param,
  key: row => JSON.stringify([row.param, row.system, row.code]),
}
const stringIdentity: Identity<Open<StringValue>> = {
  same: (a, b) => a.value === b.value && a.exact === b.exact,
  key: row => JSON.stringify([row.value, row.exact]),
}
const dateIdentity: Identity<Open<DateValue>> = { same: (a, b) => a.lo === b.lo && a.hi === b.hi, key: row => `${row.lo} ${row.hi}` }
const numberIdentity: Identity<Open<NumberValue>> = {
  same: (a, b) => a.lo === b.lo && a.hi === b.hi && a.unit === b.unit,
  key: row => `${row.lo} ${row.hi} ${row.unit}`,
}
const referenceIdentity: Identity<ReferenceValue> = {
  same: (a, b) => a.id === b.id && a.type === b.type,
  key: row => `${row.type}/${row.id}`,
}
const compositeIdentity: Identity<CompositeValue> = {
  same: (a, b) => a.key === b.key && a.text === b.text && a.range?.lo === b.range?.lo && a.range?.hi === b.range?.hi,
  key: row => JSON.stringify([row.key, row.text, row.range?.lo, row.range?.hi]),
}

/** Rows of one table, none twice within a parameter. */
class Rows<T> {
  readonly all: T[] = []
  from = 0
  readonly #identity: Identity<T>
  #seen: Set<string> | undefined

  constructor(identity: Identity<T>) {
    this.#identity = identity
  }

  begin(): void {
    this.from = this.all.length
    this.#seen = undefined
  }

  clear(): void {
    this.all.length = 0
    this.begin()
  }

  add(row: T): void {
    if (this.all.length - this.from < comparedMax ? this.#isAmongFew(row) : this.#isAmongMany(row)) return
    this.all.push(row)
  }

  #isAmongFew(row: T): boolean {
    for (let i = this.from; i < this.all.length; i++) if (this.#identity.same(this.all[i] as T, row)) return true
    return false
  }

  #isAmongMany(row: T): boolean {
    this.#seen ??= new Set(this.all.slice(this.from).map(this.#identity.key))
    const before = this.#seen.size
    return this.#seen.add(this.#identity.key(row)).size === before
  }
}

/**
 * Gathers the values of one resource, parameter by parameter: no value twice, and at the end of each parameter its least and greatest are
 * marked and become its sort values. Also used for the parts of a composite, whose rows become keys instead.
 */
export class IndexSink {
  readonly #tokens = new Rows(tokenIdentity)
  readonly #strings = new Rows(stringIdentity)
  readonly #dates = new Rows(dateIdentity)
  readonly #numbers = new Rows(numberIdentity)
  readonly #references = new Rows(referenceIdentity)
  readonly #composites = new Rows(compositeIdentity)
  readonly #tables = [this.#tokens, this.#strings, this.#dates, this.#numbers, this.#references, this.#composites]
  readonly #sort: SortValue[] = []
  readonly #shape: string[] = []
  #param = ''

  /** What follows belongs to the parameter `code`. */
  begin(code: string): void {
    this.#param = code
    for (const table of this.#tables) table.begin()
  }

  /** Empty again, for the next part of a composite. */
  clear(): void {
    for (const table of this.#tables) table.clear()
    this.#sort.length = this.#shape.length = 0
    this.#param = ''
  }

  token(system: string, code: string, companion = ''): void {
    const param = companion === '' ? this.#param : this.#param + companion
    this.#tokens.add({ param, system, code: tokenForm(code), mark: 0 })
  }

  string(text: string): void {
    const value = normalForm(text)
    const exact = exactForm(text)
    this.#strings.add({ param: this.#param, value, exact: exact === value ? '' : exact, mark: 0 })
  }

  date(lo: number, hi: number): void {
    this.#dates.add({ param: this.#param, lo, hi, mark: 0 })
  }

  number(unit: string, lo: number, hi: number): void {
    this.#numbers.add({ param: this.#param, unit: tokenForm(unit), lo, hi, mark: 0 })
  }

  reference(type: string, id: string): void {
    this.#references.add({ param: this.#param, type, id })
  }

  composite(key: string, rest: Pick<CompositeValue, 'range' | 'text'>): void {
    this.#composites.add({ param: this.#param, key: tokenForm(key), ...rest })
  }

  /** Whether the parameter has composite rows. Its items alone say nothing: `Observation` is one. */
  hasComposites(): boolean {
    return this.#composites.all.length > this.#composites.from
  }

  /** The parameter has a value: into the shape it goes, its least and greatest rows are marked. */
  end(): void {
    this.#shape.push(this.#param)
    if (this.#markReferences() || this.#markTokens()) return
    if (this.#markRows(extremes(this.#strings, everyRow, byValue), row => row.value)) return
    if (this.#markRows(extremes(this.#dates, everyRow, byLo), row => row.lo)) return
    this.#markNumbers()
  }

  values(): IndexValues {
    return {
      tokens: this.#tokens.all,
      strings: this.#strings.all,
      dates: this.#dates.all,
      numbers: this.#numbers.all,
      references: this.#references.all,
      composites: this.#composites.all,
      sort: this.#sort,
      shape: this.#shape,
    }
  }

  /** References have no marks: they sort by their text. */
  #markReferences(): boolean {
    const found = extremes(this.#references, everyRow, (a, b) => compareUtf8(textOf(a), textOf(b)))
    if (found) this.#sortValue(textOf(found[0]), textOf(found[1]))
    return found !== undefined
  }

  #markTokens(): boolean {
    const own = (row: TokenValue): boolean => row.param === this.#param
    return this.#markRows(extremes(this.#tokens, own, byCode), row => row.code)
  }

  /** Quantities sort by their canonical value where there is one. */
  #markNumbers(): boolean {
    const canonical = extremes(this.#numbers, row => row.unit.startsWith('='), byLo)
    return this.#markRows(canonical ?? extremes(this.#numbers, row => row.unit === '', byLo), row => row.lo)
  }

  #markRows<T extends Marked>(found: readonly [T, T] | undefined, sortValueOf: (row: T) => string | number): boolean {
    if (!found) return false
    const [least, greatest] = found
    least.mark = least === greatest ? 3 : 1
    if (least !== greatest) greatest.mark = 2
    this.#sortValue(sortValueOf(least), sortValueOf(greatest))
    return true
  }

  #sortValue(least: string | number, greatest: string | number): void {
    this.#sort.push(least === greatest ? { param: this.#param, least } : { param: this.#param, least, greatest })
  }
}

const everyRow = (): boolean => true
const byCode = (a: TokenValue, b: TokenValue): number => compareUtf8(a.code, b.code)
const byValue = (a: StringValue, b: StringValue): number => compareUtf8(a.value, b.value)
const byLo = (a: { lo: number }, b: { lo: number }): number => a.lo - b.lo

const textOf = ({ type, id }: ReferenceValue): string => `${type}/${id}`

/** First least and first greatest of the parameter's rows. */
const extremes = <T>({ all, from }: Rows<T>, takes: (row: T) => boolean, order: (a: T, b: T) => number): readonly [T, T] | undefined => {
  let least: T | undefined
  let greatest: T | undefined
  for (let i = from; i < all.length; i++) {
    const row = all[i] as T
    if (!takes(row)) continue
    if (least === undefined || order(row, least) < 0) least = row
    if (greatest === undefined || order(row, greatest) > 0) greatest = row
  }
  return least === undefined || greatest === undefined ? undefined : [least, greatest]
}
