import type * as Definition from '../../src/fhir/definitions/definitions.ts'
import { type ElementLine, writeElementLine } from '../../src/fhir/definitions/element-line.ts'
import type { GeneratedInvariant, GeneratedInvariants, GeneratedModel, GeneratedType } from '../../src/fhir/definitions/generated-form.ts'
import type { Constraint, ElementDefinition, ElementType, Published, StructureDefinition } from './package.ts'

const structureUrl = 'http://hl7.org/fhir/StructureDefinition/'
const fhirType = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type'
const regex = 'http://hl7.org/fhir/StructureDefinition/regex'

const shortName = (url: string): string => (url.startsWith(structureUrl) ? url.slice(structureUrl.length) : url)

/** The compact model: concrete and abstract resource types, data types and primitives; profiles on types (SimpleQuantity) are left out. */
export const modelOf = (published: Published): GeneratedModel => {
  const types = typesOf(published)
  const typeInvariants = new Map(types.map(type => [type.type, keysOf(rootOf(type))]))
  return {
    types: Object.fromEntries(types.map(type => [type.type, typeOf(type, published, typeInvariants)])),
    systems: systemsOf(types, published),
  }
}

/** Key -> what the invariant says; apart from the model because only validation reads it. */
export const invariantsOf = (published: Published): GeneratedInvariants => {
  const table = new Map<string, GeneratedInvariant[]>()
  const elements = typesOf(published).flatMap(type => type.snapshot.element)
  for (const constraint of elements.flatMap(element => element.constraint ?? [])) addInvariant(table, constraint)
  return Object.fromEntries([...table].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const addInvariant = (table: Map<string, GeneratedInvariant[]>, { key, severity, human, expression }: Constraint): void => {
  if (expression === undefined) throw new Error(`Invariant ${key} has no expression.`)
  const rows = table.get(key) ?? []
  if (!rows.some(row => row.expression === expression)) table.set(key, [...rows, { severity, human, expression }])
}

const typesOf = ({ structures }: Published): StructureDefinition[] =>
  [...structures.values()].filter(isType).toSorted((a, b) => (a.type < b.type ? -1 : 1))

const isType = (structure: StructureDefinition): boolean => structure.kind !== 'logical' && structure.derivation !== 'constraint'

const rootOf = (structure: StructureDefinition): ElementDefinition => {
  const root = structure.snapshot.element[0]
  if (!root) throw new Error(`${structure.id} has no elements.`)
  return root
}

const keysOf = (element: ElementDefinition): string[] => (element.constraint ?? []).map(constraint => constraint.key)

const typeOf = (
  structure: StructureDefinition,
  { structures }: Published,
  typeInvariants: ReadonlyMap<string, readonly string[]>,
): GeneratedType => {
  const base = structure.baseDefinition === undefined ? undefined : structures.get(shortName(structure.baseDefinition))
  const inheritedKeys = base ? keysOf(rootOf(base)) : []
  const keys = keysOf(rootOf(structure)).filter(key => !inheritedKeys.includes(key))
  return {
    kind: structure.kind === 'primitive-type' ? 'primitive' : structure.kind === 'resource' ? 'resource' : 'complex',
    ...(structure.abstract && { abstract: true }),
    ...(base && { base: base.type }),
    ...(structure.kind === 'primitive-type' && valueRules(structure)),
    ...(keys.length > 0 && { invariants: keys }),
    elements: ownElements(structure, base, typeInvariants),
  }
}

/** What the `value` element of a primitive says of its text; the element itself is no JSON member. */
const valueRules = (structure: StructureDefinition) => {
  const value = structure.snapshot.element.find(element => element.path === `${structure.type}.value`)
  const pattern = value?.type?.[0]?.extension?.find(extension => extension.url === regex)?.valueString
  return {
    ...(pattern !== undefined && { regex: pattern }),
    ...(value?.maxLength !== undefined && { maxLength: value.maxLength }),
    ...(value?.minValueInteger !== undefined && { minValue: value.minValueInteger }),
    ...(value?.maxValueInteger !== undefined && { maxValue: value.maxValueInteger }),
  }
}

/** The elements below the root, without those that stand the same in the base type or in the type of a backbone. */
const ownElements = (
  structure: StructureDefinition,
  base: StructureDefinition | undefined,
  typeInvariants: ReadonlyMap<string, readonly string[]>,
): string[] => {
  const inherited = new Set(base?.snapshot.element.slice(1).map(element => shapeOf(element, base.type)))
  return structure.snapshot.element
    .slice(1)
    .filter(element => !inherited.has(shapeOf(element, structure.type)))
    .filter(element => !(structure.kind === 'primitive-type' && element.path === `${structure.type}.value`))
    .map(element => ({ element, steps: element.path.split('.').slice(1) }))
    .filter(({ steps }) => steps.length === 1 || !inheritedByBackbone.has(steps.at(-1) ?? ''))
    .map(({ element, steps }) => writeElementLine(lineOf(element, steps, typeInvariants)))
}

/** A backbone has these from its type, BackboneElement or Element. */
const inheritedByBackbone = new Set(['id', 'extension', 'modifierExtension'])

const shapeOf = (element: ElementDefinition, type: string): string =>
  JSON.stringify([
    element.path.slice(type.length),
    element.min,
    element.max,
    element.type,
    element.isSummary,
    element.isModifier,
    element.binding?.valueSet,
  ])

const lineOf = (
  element: ElementDefinition,
  steps: readonly string[],
  typeInvariants: ReadonlyMap<string, readonly string[]>,
): ElementLine => {
  const { min, max, contentReference, binding, isModifier, isSummary } = element
  const types = (element.type ?? []).map(elementTypeOf)
  // Constraints of the element's type are evaluated with the type; the published snapshot repeats some of them here.
  const ofTypes = new Set(['ele-1', 'ext-1', ...types.flatMap(({ code }) => typeInvariants.get(code) ?? [])])
  return {
    steps,
    min,
    max: max === '*' ? Number.POSITIVE_INFINITY : Number(max),
    types,
    ...(contentReference !== undefined && { contentReference: contentReference.replace(/^.*#/, '') }),
    ...(binding?.valueSet !== undefined && { binding: { strength: binding.strength, valueSet: binding.valueSet } }),
    modifier: isModifier === true,
    summary: isSummary === true,
    invariants: keysOf(element).filter(key => !ofTypes.has(key)),
  }
}

/** System.String elements carry their FHIR type in an extension: without it every id would be accepted. */
const elementTypeOf = (type: ElementType): Definition.ElementType => {
  const system = type.code.startsWith('http://hl7.org/fhirpath/')
  const code = system ? (type.extension?.find(extension => extension.url === fhirType)?.valueUrl ?? 'string') : type.code
  const targets = type.targetProfile?.map(shortName)
  const profiles = type.profile?.map(shortName)
  return { code, ...(targets && { targets }), ...(profiles && { profiles }) }
}

/** Code systems of the required bindings of code elements, where the value set includes one whole system or a part of just one. */
const systemsOf = (types: readonly StructureDefinition[], published: Published): Record<string, string> => {
  const rows = new Map<string, string>()
  for (const element of types.flatMap(type => type.snapshot.element)) {
    const valueSet = element.binding?.valueSet
    if (valueSet === undefined || element.binding?.strength !== 'required' || !element.type?.some(type => type.code === 'code')) continue
    const system = singleSystem(valueSet, published, 0)
    if (system !== undefined) rows.set(valueSet, system)
  }
  return Object.fromEntries([...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const singleSystem = (canonical: string, published: Published, depth: number): string | undefined => {
  const include = published.valueSets.get(canonical.split('|')[0] ?? '')?.compose?.include ?? []
  const systems = new Set(
    include.flatMap(part => {
      if (part.system !== undefined) return [part.system]
      return depth < 4 ? (part.valueSet ?? []).map(valueSet => singleSystem(valueSet, published, depth + 1)) : [undefined]
    }),
  )
  return systems.size === 1 ? [...systems][0] : undefined
}
