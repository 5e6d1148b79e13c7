/**
 * The R4 model and its search parameters, as indexes over the generated JSON that compose hands in.
 * @see docs/decisions/2026-11-21-definitions.md
 */

/** One element of a type. `types` holds several entries for a choice (`value[x]`); then JSON members are `value` + type code capitalised. */
export type Element = {
  /** Without `[x]`; so is the path: `value`, `Observation.value`. */
  readonly name: string
  readonly path: string
  readonly min: number
  readonly max: number
  readonly types: readonly ElementType[]
  readonly choice: boolean
  /** Path of the element whose children this one shares. */
  readonly contentReference?: string
  readonly children?: readonly Element[]
  readonly binding?: { readonly strength: 'required' | 'extensible' | 'preferred' | 'example'; readonly valueSet: string }
  readonly modifier: boolean
  readonly summary: boolean
  readonly order: number
}

/** A JSON member of a type: its element, and of a choice the one type that the name tells. */
export type Member = {
  readonly element: Element
  /** Absent for a contentReference. */
  readonly type?: ElementType
  /** Where its own members are found: a type's name or an element's path, for `member()`. */
  readonly within: string
}

/** `targets` of a Reference or canonical, and `profiles` (SimpleQuantity), by the last step of their URL. */
export type ElementType = { readonly code: string; readonly targets?: readonly string[]; readonly profiles?: readonly string[] }

export type TypeDefinition = {
  readonly name: string
  readonly url: string
  readonly kind: 'primitive' | 'complex' | 'resource'
  readonly abstract: boolean
  readonly base?: string
  readonly elements: readonly Element[]
}

export type SearchParamType = 'number' | 'date' | 'string' | 'token' | 'reference' | 'composite' | 'quantity' | 'uri' | 'special'

export type SearchParameterDefinition = {
  readonly code: string
  readonly url: string
  readonly base: readonly string[]
  readonly type: SearchParamType
  /** FHIRPath; absent for what the server computes itself (`_id`, `_lastUpdated`, `_text` …). */
  readonly expression?: string
  readonly targets?: readonly string[]
  readonly components?: readonly { readonly code: string; readonly url: string; readonly expression: string }[]
}

export type CompartmentDefinition = {
  /** `Patient`, `Encounter`, `RelatedPerson`, `Practitioner`, `Device`. */
  readonly code: string
  /** Resource type -> codes of the reference parameters that put it into the compartment; `{def}` for the owner itself is `['_id']`. */
  readonly resources: Readonly<Record<string, readonly string[]>>
}

export interface Definitions {
  /** The 146 concrete resource types, sorted. */
  readonly resourceTypes: readonly string[]
  isResourceType(name: string): boolean
  type(name: string): TypeDefinition | undefined
  /** Whether `name` is `base` or derives from it: Patient is a Resource, Age a Quantity, code a string. */
  isKindOf(name: string, base: string): boolean
  /** By JSON name (`deceasedBoolean`), within a type (`Patient`) or an element with children (`Patient.contact`, contentReferences followed). */
  member(within: string, jsonName: string): Member | undefined
  /** All members within a type or an element with children, by JSON name, in the order of the definition. */
  members(within: string): ReadonlyMap<string, Member>
  /** The code system of a required binding that includes just one; the value set as the element names it. */
  codeSystem(valueSet: string): string | undefined
  /** Parameters of a concrete type, those of Resource and DomainResource included, by code. */
  searchParameters(type: string): ReadonlyMap<string, SearchParameterDefinition>
  compartment(code: string): CompartmentDefinition | undefined
}
