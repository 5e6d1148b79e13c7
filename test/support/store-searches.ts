import type { AccessFilter } from '../../src/base/access-filter.ts'
import type { Definitions, SearchParameterDefinition } from '../../src/fhir/definitions/definitions.ts'
import { registeredParameters } from '../../src/search/parameters.ts'
import type { IndexValues } from '../../src/search/values.ts'
import { Dice } from './random-search.ts'

/** A resource that searches may be about. */
export type Known = { readonly type: string; readonly id: string; readonly lastUpdated: number; readonly values: IndexValues }
type Pair = readonly [name: string, value: string]

const sampleMax = 300

/**
 * Random search URLs about what is in a store: values are those of its resources, whole, cut, doubled and with every modifier and prefix that is
 * answered, so that most searches find something and their conditions meet in one resource.
 */
export class StoreSearches {
  readonly #definitions: Definitions
  readonly #byType = new Map<string, Known[]>()
  readonly #byName = new Map<string, Known>()
  /** `Type/id` → who refers to it, by which parameter. */
  readonly #referrers = new Map<string, (readonly [Known, string])[]>()
  readonly #types: readonly string[]

  constructor(definitions: Definitions, all: readonly Known[]) {
    this.#definitions = definitions
    for (const one of all) {
      const ofType = listIn(this.#byType, one.type)
      if (ofType.length < sampleMax) ofType.push(one)
      this.#byName.set(`${one.type}/${one.id}`, one)
      for (const { param, type, id } of namedReferences(one)) listIn(this.#referrers, `${type}/${id}`).push([one, param])
    }
    this.#types = [...this.#byType.keys()].toSorted()
  }

  /** Path and query below the base, encoded. */
  next(dice: Dice): string {
    const type = dice.of(this.#types)
    const roll = dice.fraction()
    if (roll < 0.06) return this.#ofSystem(dice)
    const witness = this.#one(type, dice)
    const pairs = Array.from({ length: dice.of([0, 1, 1, 1, 2, 2, 3]) }, () => this.#criterion(type, witness, dice, 2))
    const path = roll < 0.12 ? this.#compartment(type, witness, dice) : type
    const shown = [...this.#sort(type, witness, dice), ...this.#includes(type, witness, dice), ...this.#result(dice)]
    return path + encoded([...pairs, ...shown])
  }

  /** What somebody may see, about people and organisations that are there. */
  filter(dice: Dice, depth = 2): AccessFilter {
    const anyOf = (type: string): string => (this.#byType.has(type) ? this.#one(type, dice).id : 'nobody')
    switch (dice.below(depth === 0 ? 7 : 11)) {
      case 0:
        return { op: 'patient', id: anyOf('Patient'), ...(dice.chance(0.5) ? {} : { only: true }) }
      case 1:
        return { op: 'author', ref: `Practitioner/${anyOf('Practitioner')}` }
      case 2:
        return { op: 'owner', organizations: [anyOf('Organization'), anyOf('Organization')] }
      case 3:
        return { op: 'ids', ids: Array.from({ length: 9 }, () => this.#one(dice.of(this.#types), dice).id) }
      case 4:
        return { op: 'patientless' }
      case 5:
        return { op: 'labels', max: dice.of(['M', 'N', 'R']), allowed: dice.some(2, () => dice.of(['HIV', 'PSY', 'SDV'])) }
      case 6:
        return dice.chance(0.5)
          ? { op: 'patients', from: 'care', of: [anyOf('Practitioner'), anyOf('Practitioner'), anyOf('Practitioner')] }
          : { op: 'patients', from: 'facility', of: [anyOf('Organization')] }
      case 7:
        return { op: 'not', of: this.filter(dice, depth - 1) }
      default:
        return { op: dice.of(['and', 'or', 'or'] as const), of: [this.filter(dice, depth - 1), this.filter(dice, depth - 1)] }
    }
  }

  /** A history of an instance, a type or everything. */
  nextHistory(dice: Dice): string {
    const { type, id, lastUpdated } = this.#one(dice.of(this.#types), dice)
    const scope = dice.of(['', `${type}/`, `${type}/`, `${type}/${id}/`])
    const when: Pair[] = dice.chance(0.5) ? [[dice.of(['_since', '_at']), new Date(lastUpdated).toISOString()]] : []
    return `${scope}_history${encoded([['_count', String(dice.of([1, 5, 50, 200]))], ...when])}`
  }

  #ofSystem(dice: Dice): string {
    const types = [...new Set(dice.some(3, () => dice.of(this.#types)))]
    const witness = this.#one(types[0] ?? dice.of(this.#types), dice)
    const pairs = dice.some(2, () => this.#common(witness, dice))
    const sort: Pair[] = dice.chance(0.5) ? [['_sort', dice.of(['_lastUpdated', '-_lastUpdated', '_id', '-_id', '_id,-_lastUpdated'])]] : []
    return encoded([...(types.length === 0 ? [] : [['_type', types.join()] as const]), ...pairs, ...sort, ...this.#result(dice)])
  }

  #compartment(type: string, witness: Known, dice: Dice): string {
    const owner = witness.values.references.find(
      ({ type: owned }) => owned === 'Patient' || owned === 'Encounter' || owned === 'Practitioner',
    )
    const known = owner ?? this.#one(this.#byType.has('Patient') ? 'Patient' : type, dice)
    return known.type === 'Patient' || owner !== undefined ? `${known.type}/${known.id}/${type}` : type
  }

  #one(type: string, dice: Dice): Known {
    return dice.of(this.#byType.get(type) as Known[])
  }

  /** What every type can be asked. */
  #common(witness: Known, dice: Dice): Pair {
    const { id, lastUpdated, values } = witness
    const tagged = values.tokens.filter(({ param }) => ['_tag', '_profile', '_security', '_source'].includes(param))
    const roll = dice.fraction()
    if (roll < 0.3 || (tagged.length === 0 && roll < 0.6)) return ['_lastUpdated', prefix(dice) + instant(lastUpdated, dice)]
    if (tagged.length === 0) return ['_id', several(dice, id, () => this.#one(witness.type, dice).id)]
    const { param, system, code } = dice.of(tagged)
    return param === '_profile' || param === '_source' ? [param, escaped(code)] : [param, tokenText(system, code, dice)]
  }

  #criterion(type: string, witness: Known, dice: Dice, depth: number): Pair {
    const roll = dice.fraction()
    if (depth > 0 && roll < 0.14) return this.#chain(witness, dice, depth) ?? this.#common(witness, dice)
    if (depth > 0 && roll < 0.24) return this.#has(witness, dice, depth) ?? this.#common(witness, dice)
    if (roll < 0.32) return this.#common(witness, dice)
    const parameters = this.#parameters(type)
    if (roll < 0.4) return [`${dice.of(parameters).code}:missing`, dice.of(['true', 'false'])]
    const valued = parameters.filter(({ code }) => witness.values.shape.includes(code))
    return this.#valueOf(dice.of(valued.length > 0 && dice.chance(0.9) ? valued : parameters), type, witness, dice)
  }

  #valueOf(parameter: SearchParameterDefinition, type: string, witness: Known, dice: Dice): Pair {
    const { code } = parameter
    const modifier = dice.chance(0.4) ? dice.of(modifiers[parameter.type] ?? ['']) : ''
    const text = (known: Known): string | undefined => this.#text(parameter, modifier, known, dice)
    const first = text(witness) ?? text(this.#one(type, dice))
    if (first === undefined) return [`${code}:missing`, dice.of(['true', 'false'])]
    const values = several(dice, first, () => text(this.#one(type, dice)) ?? first)
    if (modifier === ':identifier' || (modifier !== '' && parameter.type !== 'reference')) return [code + modifier, values]
    if (parameter.type !== 'reference' || !dice.chance(0.2)) return [code + modifier, values]
    const { type: target, id } = witness.values.references.find(({ param }) => param === code) ?? {}
    return target === undefined ? [code + modifier, values] : [`${code}:${target}`, dice.of([id as string, `${target}/${id}`])]
  }

  /** One value of the parameter as a client would ask for it; undefined when the resource has none. */
  #text(parameter: SearchParameterDefinition, modifier: string, known: Known, dice: Dice): string | undefined {
    const { code, type } = parameter
    const of = <T extends { readonly param: string }>(list: readonly T[], name = code): T | undefined => {
      const found = list.filter(({ param }) => param === name)
      return found.length === 0 ? undefined : dice.of(found)
    }
    const { tokens, strings, dates, numbers, references } = known.values
    if (code === '_id') return known.id
    if (code === '_lastUpdated') return prefix(dice) + instant(known.lastUpdated, dice)
    if (modifier === ':identifier' || type === 'token') {
      const token = of(tokens, modifier === ':identifier' ? `${code}:identifier` : code)
      return token && tokenText(token.system, token.code, dice)
    }
    switch (type) {
      case 'string': {
        const found = of(strings)
        return found && partOf(found.exact === '' ? found.value : found.exact, modifier, dice)
      }
      case 'uri': {
        const found = of(tokens)
        return found && partOf(found.code, modifier === '' ? ':exact' : modifier, dice)
      }
      case 'reference': {
        const found = of(references)
        if (found !== undefined) return dice.chance(0.7) ? `${found.type}/${found.id}` : found.id
        const other = of(tokens)
        return other && escaped(other.code)
      }
      case 'date': {
        const found = of(dates)
        return found && prefix(dice) + instant(dice.of([found.lo, found.hi]), dice)
      }
      case 'number':
      case 'quantity': {
        const found = of(numbers)
        return found && prefix(dice) + numberText(found.lo, dice) + (type === 'number' ? '' : unitText(found.unit))
      }
      case 'composite':
        return this.#composite(parameter, known, dice)
      default:
        return undefined
    }
  }

  #composite({ components = [] }: SearchParameterDefinition, known: Known, dice: Dice): string | undefined {
    const of = this.#definitions.searchParameters(known.type)
    const texts = components.map(({ code, url }) => {
      const parameter = of.get(code) ?? [...of.values()].find(one => one.url === url)
      return parameter && parameter.type !== 'composite' ? this.#text(parameter, '', known, dice) : undefined
    })
    return texts.some(text => text === undefined) ? undefined : texts.join('$')
  }

  #chain(witness: Known, dice: Dice, depth: number): Pair | undefined {
    const reachable = namedReferences(witness).filter(one => this.#byName.has(`${one.type}/${one.id}`))
    if (reachable.length === 0) return undefined
    const { param, type: target, id } = dice.of(reachable)
    const [name, value] = this.#criterion(target, this.#byName.get(`${target}/${id}`) as Known, dice, depth - 1)
    return [`${param}${dice.chance(0.6) ? `:${target}` : ''}.${name}`, value]
  }

  #has(witness: Known, dice: Dice, depth: number): Pair | undefined {
    const referrers = this.#referrers.get(`${witness.type}/${witness.id}`)
    if (referrers === undefined) return undefined
    const [source, param] = dice.of(referrers)
    const [name, value] = this.#criterion(source.type, source, dice, depth - 1)
    return [`_has:${source.type}:${param}:${name}`, value]
  }

  #sort(type: string, witness: Known, dice: Dice): readonly Pair[] {
    if (dice.chance(0.4)) return []
    const sortable = this.#parameters(type)
      .filter(parameter => parameter.type !== 'composite')
      .map(({ code }) => code)
    const valued = sortable.filter(code => witness.values.shape.includes(code))
    const keys = new Set(
      Array.from({ length: dice.of([1, 1, 1, 2, 3]) }, () => {
        if (dice.chance(0.15)) return dice.of(['_id', '_lastUpdated'])
        return dice.of(valued.length > 0 && dice.chance(0.8) ? valued : sortable)
      }),
    )
    return [['_sort', [...keys].map(key => (dice.chance(0.5) ? `-${key}` : key)).join()]]
  }

  #includes(type: string, witness: Known, dice: Dice): readonly Pair[] {
    if (dice.chance(0.75)) return []
    const references = this.#parameters(type).filter(parameter => parameter.type === 'reference')
    const valued = namedReferences(witness).map(({ param, type: target }) => [param, target] as const)
    const pairs: Pair[] = []
    if (valued.length > 0) {
      const [param, target] = dice.of(valued)
      pairs.push(['_include', dice.of([`${type}:${param}`, `${type}:${param}:${target}`, `${type}:*`, '*'])])
    } else if (references.length > 0) pairs.push(['_include', `${type}:${dice.of(references).code}`])
    const referrers = this.#referrers.get(`${witness.type}/${witness.id}`)
    if (referrers !== undefined && dice.chance(0.5)) {
      const [source, param] = dice.of(referrers)
      pairs.push(['_revinclude', `${source.type}:${param}`])
      const further = namedReferences(source).map(({ param: next }) => next)
      if (dice.chance(0.4)) pairs.push(['_include:iterate', `${source.type}:${dice.of(further)}`])
    }
    return pairs
  }

  #result(dice: Dice): readonly Pair[] {
    if (dice.chance(0.04)) return [['_summary', 'count']]
    const count: Pair = ['_count', String(dice.of([1, 2, 5, 10, 20, 50, 200]))]
    return dice.chance(0.6) ? [count, ['_total', 'accurate']] : [count]
  }

  #parameters(type: string): readonly SearchParameterDefinition[] {
    return registeredParameters(this.#definitions, type).flatMap(({ definition, state }) => (state === 'ready' ? definition : []))
  }
}

/** Modifiers by type of parameter, beside `:missing` and types of resources. */
const modifiers: Readonly<Record<string, readonly string[]>> = {
  token: [':not'],
  string: [':exact', ':contains'],
  reference: [':not', ':identifier'],
  uri: [':contains'],
}

/** References that no parameter reaches are kept under `*`; nobody can ask for them. */
const namedReferences = ({ values }: Known): IndexValues['references'] => values.references.filter(({ param }) => param !== '*')

const listIn = <T>(map: Map<string, T[]>, key: string): T[] => {
  const found = map.get(key) ?? []
  map.set(key, found)
  return found
}

const encoded = (pairs: readonly Pair[]): string =>
  pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`

const escaped = (text: string): string => text.replace(/[\\,|$]/g, '\\$&')

const several = (dice: Dice, first: string, more: () => string): string =>
  dice.chance(0.75) ? first : [first, ...Array.from({ length: 1 + dice.below(3) }, more)].join()

const prefix = (dice: Dice): string => dice.of(['', '', '', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb'])

const tokenText = (system: string, code: string, dice: Dice): string => {
  if (code === '') return `${escaped(system)}|`
  if (system === '') return dice.of([escaped(code), `|${escaped(code)}`])
  return dice.of([escaped(code), `${escaped(system)}|${escaped(code)}`, `${escaped(system)}|`, `${escaped(system)}|${escaped(code)}`])
}

/** The whole for `:exact`, what stands somewhere inside for `:contains`, else how it begins. */
const partOf = (text: string, modifier: string, dice: Dice): string => {
  const points = [...text]
  if (modifier === ':exact') return escaped(text)
  const from = modifier === ':contains' ? dice.below(points.length) : 0
  return escaped(points.slice(from, from + 1 + dice.below(points.length - from)).join(''))
}

const instant = (ms: number, dice: Dice): string => {
  const text = Math.abs(ms) < 8e15 ? new Date(ms).toISOString() : '2010-01-01T00:00:00.000Z'
  return /^\d{4}-/.test(text) ? dice.of([text.slice(0, 4), text.slice(0, 7), text.slice(0, 10), text, `${text.slice(0, 19)}Z`]) : '2010'
}

const numberText = (value: number, dice: Dice): string =>
  Number.isFinite(value) && Math.abs(value) < 1e15 ? String(Number(value.toPrecision(1 + dice.below(6)))) : '1'

const unitText = (unit: string): string => {
  if (unit === '') return ''
  if (unit.startsWith('=')) return `|http://unitsofmeasure.org|${escaped(unit.slice(1))}`
  const bar = unit.lastIndexOf('|')
  return bar < 0 ? `||${escaped(unit)}` : `|${escaped(unit.slice(0, bar))}|${escaped(unit.slice(bar + 1))}`
}
