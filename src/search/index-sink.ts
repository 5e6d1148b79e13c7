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

/**
 * Gathers the values of one resource, parameter by parameter: no value twice, and at the end of each parameter its least and greatest are
 * marked and become its sort values. Also used for the parts of a composite, whose rows become keys instead.
 */
export class IndexSink {
  readonly tokens: Open<TokenValue>[] = []
  readonly strings: Open<StringValue>[] = []
  readonly dates: Open<DateValue>[] = []
  readonly numbers: Open<NumberValue>[] = []
  readonly references: ReferenceValue[] = []
  readonly composites: CompositeValue[] = []
  readonly sort: SortValue[] = []
  readonly shape: string[] = []
  #param = ''
  #tokensFrom = 0
  #stringsFrom = 0
  #datesFrom = 0
  #numbersFrom = 0
  #referencesFrom = 0
  #compositesFrom = 0

  /** What follows belongs to the parameter `code`. */
  begin(code: string): void {
    this.#param = code
    this.#tokensFrom = this.tokens.length
    this.#stringsFrom = this.strings.length
    this.#datesFrom = this.dates.length
    this.#numbersFrom = this.numbers.length
    this.#referencesFrom = this.references.length
    this.#compositesFrom = this.composites.length
  }

  /** Empty again, for the next part of a composite. */
  clear(): void {
    this.tokens.length = this.strings.length = this.dates.length = this.numbers.length = 0
    this.references.length = this.composites.length = this.sort.length = this.shape.length = 0
    this.begin('')
  }

  token(system: string, code: string, companion = ''): void {
    const param = companion === '' ? this.#param : this.#param + companion
    const form = tokenForm(code)
    for (let i = this.#tokensFrom; i < this.tokens.length; i++) {
      const seen = this.tokens[i] as TokenValue
      if (seen.code === form && seen.system === system && seen.param === param) return
    }
    this.tokens.push({ param, system, code: form, mark: 0 })
  }

  string(text: string): void {
    const value = normalForm(text)
    const exact = exactForm(text)
    const other = exact === value ? '' : exact
    for (let i = this.#stringsFrom; i < this.strings.length; i++) {
      const seen = this.strings[i] as StringValue
      if (seen.value === value && seen.exact === other) return
    }
    this.strings.push({ param: this.#param, value, exact: other, mark: 0 })
  }

  date(lo: number, hi: number): void {
    for (let i = this.#datesFrom; i < this.dates.length; i++) {
      const seen = this.dates[i] as DateValue
      if (seen.lo === lo && seen.hi === hi) return
    }
    this.dates.push({ param: this.#param, lo, hi, mark: 0 })
  }

  number(unit: string, lo: number, hi: number): void {
    const form = tokenForm(unit)
    for (let i = this.#numbersFrom; i < this.numbers.length; i++) {
      const seen = this.numbers[i] as NumberValue
      if (seen.lo === lo && seen.hi === hi && seen.unit === form) return
    }
    this.numbers.push({ param: this.#param, unit: form, lo, hi, mark: 0 })
  }

  reference(type: string, id: string): void {
    for (let i = this.#referencesFrom; i < this.references.length; i++) {
      const seen = this.references[i] as ReferenceValue
      if (seen.id === id && seen.type === type) return
    }
    this.references.push({ param: this.#param, type, id })
  }

  composite(key: string, rest: Pick<CompositeValue, 'range' | 'text'>): void {
    const form = tokenForm(key)
    for (let i = this.#compositesFrom; i < this.composites.length; i++) {
      const seen = this.composites[i] as CompositeValue
      if (seen.key === form && seen.text === rest.text && seen.range?.lo === rest.range?.lo && seen.range?.hi === rest.range?.hi) return
    }
    this.composites.push({ param: this.#param, key: form, ...rest })
  }

  /** Whether the parameter has composite rows. Its items alone say nothing: `Observation` is one. */
  hasComposites(): boolean {
    return this.composites.length > this.#compositesFrom
  }

  /** The parameter has a value: into the shape it goes, its least and greatest rows are marked. */
  end(): void {
    this.shape.push(this.#param)
    const references = this.#referenceTexts()
    if (references.length > 0) this.#sortTexts(references)
    else if (this.tokens.length > this.#tokensFrom) this.#markTokens()
    else if (this.strings.length > this.#stringsFrom)
      this.#sortMarked(extremes(this.strings, this.#stringsFrom, everyRow, byValue), row => row.value)
    else if (this.dates.length > this.#datesFrom) this.#sortMarked(extremes(this.dates, this.#datesFrom, everyRow, byLo), row => row.lo)
    else if (this.numbers.length > this.#numbersFrom) this.#markNumbers()
  }

  values(): IndexValues {
    const { tokens, strings, dates, numbers, references, composites, sort, shape } = this
    return { tokens, strings, dates, numbers, references, composites, sort, shape }
  }

  #markTokens(): void {
    const own = (row: TokenValue): boolean => row.param === this.#param
    this.#sortMarked(extremes(this.tokens, this.#tokensFrom, own, byCode), row => row.code)
  }

  /** Quantities sort by their canonical value where there is one. */
  #markNumbers(): void {
    const from = this.#numbersFrom
    const canonical = extremes(this.numbers, from, row => row.unit.startsWith('='), byLo)
    this.#sortMarked(canonical ?? extremes(this.numbers, from, row => row.unit === '', byLo), row => row.lo)
  }

  #sortMarked<T extends Marked>(found: readonly [T, T] | undefined, valueOf: (row: T) => string | number): void {
    if (!found) return
    const [least, greatest] = found
    least.mark = least === greatest ? 3 : 1
    if (least !== greatest) greatest.mark = 2
    this.#sortValue(valueOf(least), valueOf(greatest))
  }

  #sortValue(least: string | number, greatest: string | number): void {
    this.sort.push(least === greatest ? { param: this.#param, least } : { param: this.#param, least, greatest })
  }

  #referenceTexts(): readonly string[] {
    const texts: string[] = []
    for (let i = this.#referencesFrom; i < this.references.length; i++) {
      const { type, id } = this.references[i] as ReferenceValue
      texts.push(`${type}/${id}`)
    }
    return texts
  }

  #sortTexts(texts: readonly string[]): void {
    let least = texts[0] as string
    let greatest = least
    for (const text of texts) {
      if (compareUtf8(text, least) < 0) least = text
      if (compareUtf8(text, greatest) > 0) greatest = text
    }
    this.#sortValue(least, greatest)
  }
}

const everyRow = (): boolean => true
const byCode = (a: TokenValue, b: TokenValue): number => compareUtf8(a.code, b.code)
const byValue = (a: StringValue, b: StringValue): number => compareUtf8(a.value, b.value)
const byLo = (a: { lo: number }, b: { lo: number }): number => a.lo - b.lo

/** First least and first greatest of the rows from `from` on. */
const extremes = <T>(
  rows: readonly T[],
  from: number,
  takes: (row: T) => boolean,
  order: (a: T, b: T) => number,
): readonly [T, T] | undefined => {
  let least: T | undefined
  let greatest: T | undefined
  for (let i = from; i < rows.length; i++) {
    const row = rows[i] as T
    if (!takes(row)) continue
    if (least === undefined || order(row, least) < 0) least = row
    if (greatest === undefined || order(row, greatest) > 0) greatest = row
  }
  return least === undefined || greatest === undefined ? undefined : [least, greatest]
}
