import type { CompartmentDefinition, Definitions, Element, Member, SearchParameterDefinition, TypeDefinition } from './definitions.ts'
import { type ElementLine, readElementLine } from './element-line.ts'
import type {
  GeneratedCompartments,
  GeneratedModel,
  GeneratedSearchParameter,
  GeneratedSearchParameters,
  GeneratedType,
} from './generated-form.ts'

const structureUrl = 'http://hl7.org/fhir/StructureDefinition/'

export type GeneratedDefinitions = {
  readonly model: GeneratedModel
  readonly searchParameters: GeneratedSearchParameters
  readonly compartments: GeneratedCompartments
}

/**
 * Indexes over the generated JSON that compose hands in. Types, their members and their search parameters are built when first asked
 * for, so that a start pays for parsing the JSON alone.
 */
export const definitionsFrom = ({ model, searchParameters, compartments }: GeneratedDefinitions): Definitions => {
  const resourceTypes = Object.keys(model.types).filter(name => isConcreteResource(model.types[name]))
  const known = new Set(resourceTypes)
  const type = once((name: string) => (Object.hasOwn(model.types, name) ? typeOf(name, model) : undefined))
  const members = once((within: string) => membersWithin(within, type))
  const anyTarget = resourceTypes.filter(name => name !== 'Parameters')
  const parameter = once((generated: GeneratedSearchParameter) => searchParameterOf(generated, anyTarget))
  const parametersOf = once((name: string) => {
    if (!known.has(name)) return new Map()
    const names = bases(name, model)
    const rows = searchParameters.filter(({ base }) => base.some(candidate => names.includes(candidate)))
    return new Map(rows.map(row => [row.code, parameter(row)]))
  })
  const compartment = once((code: string) => compartmentOf(code, compartments))
  return {
    resourceTypes,
    isResourceType: name => known.has(name),
    type,
    isKindOf: (name, base) => isKindOf(name, base, model),
    member: (within, jsonName) => members(within).get(jsonName),
    members,
    codeSystem: valueSet => (Object.hasOwn(model.systems, valueSet) ? model.systems[valueSet] : undefined),
    searchParameters: parametersOf,
    compartment,
  }
}

const isConcreteResource = (type: GeneratedType | undefined): boolean => type?.kind === 'resource' && !type.abstract

/** Remembers every answer. Keys are names that come from outside too, so only those with an answer are kept: the definitions bound the map. */
const once = <K, V>(compute: (key: K) => V): ((key: K) => V) => {
  const answers = new Map<K, V>()
  return key => {
    const answer = answers.get(key)
    if (answer !== undefined) return answer
    const fresh = compute(key)
    if (isAnswer(fresh)) answers.set(key, fresh)
    return fresh
  }
}

const isAnswer = (value: unknown): boolean => value !== undefined && !(value instanceof Map && value.size === 0)

/** The type and what it derives from, itself first. */
const bases = (name: string, { types }: GeneratedModel): readonly string[] => {
  const chain: string[] = []
  for (let next: string | undefined = name; next !== undefined && Object.hasOwn(types, next); next = types[next]?.base) chain.push(next)
  return chain
}

const isKindOf = (name: string, base: string, { types }: GeneratedModel): boolean => {
  for (let next: string | undefined = name; next !== undefined && Object.hasOwn(types, next); next = types[next]?.base) {
    if (next === base) return true
  }
  return false
}

const typeOf = (name: string, model: GeneratedModel): TypeDefinition | undefined => {
  const generated = model.types[name]
  if (!generated) return undefined
  const lines = linesOf(name, model)
  return {
    name,
    url: structureUrl + name,
    kind: generated.kind,
    abstract: generated.abstract === true,
    ...(generated.base !== undefined && { base: generated.base }),
    elements: (lines.get('') ?? []).map((line, order) => elementOf(name, line, order, lines, model)),
  }
}

/** Elements by the path of their parent within the type (`''`, `contact`); those of the bases first, as in a snapshot. */
type Lines = ReadonlyMap<string, readonly ElementLine[]>

/** An element that a type says anew takes the place of its base's. */
const linesOf = (name: string, model: GeneratedModel): Lines => {
  const lines = new Map<string, ElementLine>()
  for (const base of bases(name, model).toReversed()) {
    for (const text of model.types[base]?.elements ?? []) {
      const line = readElementLine(text)
      lines.set(line.steps.join('.'), line)
    }
  }
  return Map.groupBy(lines.values(), line => line.steps.slice(0, -1).join('.'))
}

const elementOf = (parent: string, line: ElementLine, order: number, lines: Lines, model: GeneratedModel): Element => {
  const { steps, invariants: _, ...rest } = line
  const last = steps.at(-1) ?? ''
  const choice = last.endsWith('[x]')
  const name = choice ? last.slice(0, -'[x]'.length) : last
  const path = `${parent}.${name}`
  const children = lines.has(steps.join('.')) ? childrenOf(line, path, lines, model) : undefined
  return { ...rest, name, path, choice, order, ...(children && { children }) }
}

/** Backbones are BackboneElements in resources, Elements in data types: what those have comes first. */
const childrenOf = (line: ElementLine, path: string, lines: Lines, model: GeneratedModel): readonly Element[] => {
  const inherited = linesOf(line.types[0]?.code ?? '', model).get('') ?? []
  const own = lines.get(line.steps.join('.')) ?? []
  return [...inherited, ...own].map((child, order) => elementOf(path, child, order, lines, model))
}

const membersWithin = (within: string, type: (name: string) => TypeDefinition | undefined): ReadonlyMap<string, Member> => {
  const members = new Map<string, Member>()
  for (const element of childrenAt(within, type)) for (const [name, member] of membersOf(element)) members.set(name, member)
  return members
}

/** Elements below a type's name or an element's path. */
const childrenAt = (within: string, type: (name: string) => TypeDefinition | undefined): readonly Element[] => {
  const [name = '', ...steps] = within.split('.')
  let children = type(name)?.elements ?? []
  for (const step of steps) {
    const element = children.find(child => child.name === step)
    if (!element) return []
    children = element.contentReference === undefined ? (element.children ?? []) : childrenAt(element.contentReference, type)
  }
  return children
}

const membersOf = (element: Element): readonly (readonly [string, Member])[] => {
  if (element.contentReference !== undefined) return [[element.name, { element, within: element.contentReference }]]
  return element.types.map(type => [
    element.choice ? element.name + capitalised(type.code) : element.name,
    { element, type, within: element.children ? element.path : type.code },
  ])
}

const capitalised = (code: string): string => code.charAt(0).toUpperCase() + code.slice(1)

const searchParameterOf = (generated: GeneratedSearchParameter, anyTarget: readonly string[]): SearchParameterDefinition => {
  const { targets, ...rest } = generated
  return targets === undefined ? rest : { ...rest, targets: targets === '*' ? anyTarget : targets }
}

const compartmentOf = (code: string, compartments: GeneratedCompartments): CompartmentDefinition | undefined => {
  const resources = Object.hasOwn(compartments, code) ? compartments[code] : undefined
  return resources && { code, resources }
}
