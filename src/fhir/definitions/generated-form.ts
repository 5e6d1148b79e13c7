import type { SearchParamType, SearchParameterDefinition } from './definitions.ts'

/**
 * The shapes of the generated JSON: written by scripts/definitions-build.ts, read by load.ts. What repeats is left out: min 0, max 1,
 * false flags, paths, the elements a type inherits from its base and a backbone from BackboneElement or Element.
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
  readonly elements: readonly GeneratedElement[]
}

export type GeneratedElement = {
  /** As in JSON, a choice with `[x]`. */
  readonly name: string
  readonly min?: number
  readonly max?: number | '*'
  readonly types?: readonly (string | GeneratedElementType)[]
  /** Path of the element whose children this one shares. */
  readonly content?: string
  readonly children?: readonly GeneratedElement[]
  /** Strength and value set. */
  readonly binding?: readonly [strength: 'required' | 'extensible' | 'preferred' | 'example', valueSet: string]
  readonly modifier?: true
  readonly summary?: true
  readonly invariants?: readonly string[]
}

export type GeneratedElementType = { readonly code: string; readonly targets?: readonly string[]; readonly profiles?: readonly string[] }

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
