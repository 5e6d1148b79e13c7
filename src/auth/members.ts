import { type Failure, fail } from '../base/outcome.ts'
import { type Rule, rule } from '../base/rules.ts'
import { isRecord } from './roles/json-shape.ts'

/** What is wrong with which member: `redirectUris[2]`. */
export type Fault = { readonly member: string; readonly rule: Rule }

const faultsMax = 20

/** Every fault as an issue of one failure, the first one first. */
export const badMembers = (faults: readonly Fault[]): { readonly ok: false; readonly failure: Failure } => {
  const [first = notAnObject, ...others] = faults
  return fail('bad-member', first, {
    more: others.slice(0, faultsMax).map(values => ({ severity: 'error' as const, kind: 'bad-member' as const, values })),
  })
}

const notAnObject: Fault = { member: 'body', rule: rule('object-form') }

type Check = { readonly rule: Rule; readonly holds: (text: string) => boolean }

/**
 * Reads the members of a JSON object from outside, and gathers everything that is wrong with them; what is wrong reads as absent. Whoever reads one calls
 * `others` in the end: a member that nobody asked for was meant to do something.
 */
export class Members {
  readonly #json: Readonly<Record<string, unknown>>
  readonly #asked = new Set<string>()
  readonly faults: Fault[]
  readonly #at: string

  constructor(json: unknown, faults: Fault[] = [], at = '') {
    this.#json = isRecord(json) ? json : {}
    this.faults = faults
    this.#at = at
    if (!isRecord(json)) faults.push(at === '' ? notAnObject : { member: at, rule: rule('object-form') })
  }

  /** Anything, for who reads it otherwise. */
  any(name: string): unknown {
    this.#asked.add(name)
    return Object.hasOwn(this.#json, name) ? this.#json[name] : undefined
  }

  /** Null is as good as nothing. */
  #there(name: string): unknown {
    return this.any(name) ?? undefined
  }

  text(name: string, max: number, check?: Check): string | undefined {
    const value = this.#there(name)
    if (value === undefined) return undefined
    if (!isPlainText(value, max)) return this.wrong(name, rule('text-of', { max }))
    return check === undefined || check.holds(value) ? value : this.wrong(name, check.rule)
  }

  /** Never absent without a fault. */
  neededText(name: string, max: number, check?: Check): string {
    if (this.#there(name) === undefined) this.wrong(name, rule('member-needed'))
    return this.text(name, max, check) ?? ''
  }

  oneOf<W extends string>(name: string, words: readonly W[]): W | undefined {
    const value = this.#there(name)
    if (value === undefined) return undefined
    return words.find(word => word === value) ?? this.wrong(name, rule('one-of', { words: words.join(', ') }))
  }

  neededOneOf<W extends string>(name: string, words: readonly [W, ...W[]]): W {
    if (this.#there(name) === undefined) this.wrong(name, rule('one-of', { words: words.join(', ') }))
    return this.oneOf(name, words) ?? words[0]
  }

  flag(name: string): boolean | undefined {
    const value = this.#there(name)
    return value === undefined || typeof value === 'boolean' ? value : this.wrong(name, rule('true-or-false'))
  }

  whole(name: string, min: number, max: number): number | undefined {
    const value = this.#there(name)
    if (value === undefined) return undefined
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
    return fits ? value : this.wrong(name, rule('whole-number-from-to', { min, max }))
  }

  /** Texts, each once; empty when absent. */
  texts(name: string, most: number, textMax: number, check?: Check): readonly string[] {
    const value = this.#there(name)
    if (value === undefined) return []
    if (!Array.isArray(value) || value.length > most || new Set(value).size !== value.length) {
      this.wrong(name, rule('list-of', { max: most }))
      return []
    }
    return value.flatMap((text: unknown, index) => {
      if (!isPlainText(text, textMax)) return this.wrong(`${name}[${index}]`, rule('text-of', { max: textMax })) ?? []
      return check === undefined || check.holds(text) ? [text] : (this.wrong(`${name}[${index}]`, check.rule) ?? [])
    })
  }

  wrong(name: string, why: Rule): undefined {
    this.faults.push({ member: this.#at === '' ? name : `${this.#at}.${name}`, rule: why })
    return undefined
  }

  /** Names that were not asked for. A name from outside is named only where it looks like one. */
  others(): void {
    for (const name of Object.keys(this.#json))
      if (!this.#asked.has(name)) this.wrong(/^[A-Za-z_]{1,40}$/.test(name) ? name : 'body', rule('member-unknown'))
  }
}

const isPlainText = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value.trim() !== '' && value.length <= max && value.isWellFormed() && !/\p{Cc}/u.test(value)

/** The members that are there: nothing is stored as undefined. */
export const present = <T extends object>(members: T): { readonly [K in keyof T]: Exclude<T[K], undefined> } =>
  // Only members without a value go.
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never
