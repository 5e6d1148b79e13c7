import type { SearchParameterDefinition, SearchParamType } from './definitions.ts'

/**
 * The shapes of the generated JSON: written by scripts/definitions-build.ts, read by load.ts. Elements that a type inherits from its base,
 * or a backbone from BackboneElement or Element, are left out.
 */
export type GeneratedModel = {
  readonly types: Readonly<Record<string, GeneratedType>>
  /** Value set of a required binding of a code element -> the only code system it includes; for token search on codes. */
  readonly systems: Readonly<Record<string, string>>
}

export type GeneratedType = {
  readonly kind: 'primitive' | 'complex' | 'resource'
  readonly abstract?: true
  readonly base?: string
  readonly regex?: string
  readonly maxLength?: number
  readonly minValue?: number
  readonly maxValue?: number
  readonly invariants?: readonly string[]
  /** Own elements in the order of the definition, children behind their parents; see element-line.ts. */
  readonly elements: readonly string[]
}

/** In a file of its own: only validation reads it. Several rows under one key where its expression differs from place to place. */
export type GeneratedInvariants = Readonly<Record<string, readonly GeneratedInvariant[]>>

export type GeneratedInvariant = { readonly severity: 'error' | 'warning'; readonly human: string; readonly expression: string }

/** `targets: '*'` stands for every resource type but Parameters. */
export type GeneratedSearchParameter = Omit<SearchParameterDefinition, 'targets' | 'type'> & {
  readonly type: SearchParamType
  readonly targets?: readonly string[] | '*'
}

export type GeneratedSearchParameters = readonly GeneratedSearchParameter[]

/** Compartment code -> resource type -> parameter codes; types outside the compartment are left out. */
export type GeneratedCompartments = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
