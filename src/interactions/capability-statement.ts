import { createHash } from 'node:crypto'
import type { CapabilityStatementRestSecurity } from '@medplum/fhirtypes'
import { canonicalBase } from '../base/canonical.ts'
import type { Limits } from '../base/limits.ts'
import type { Definitions, SearchParameterDefinition } from '../fhir/definitions/definitions.ts'
import { registeredParameters } from '../search/parameters.ts'
import { instant } from './bundle.ts'
import type { Parts, Settings } from './parts.ts'
import type { InteractionCode } from './request.ts'

/**
 * The CapabilityStatement, made from what the server runs on: routes, definitions, settings, limits. What is not there yet is not claimed.
 * @see https://hl7.org/fhir/R4/capabilitystatement.html, rest-api.md 16
 */

export type CapabilityInput = {
  readonly definitions: Definitions
  readonly limits: Limits
  readonly settings: Settings
  /** Of the software. */
  readonly version: string
  /** Interactions that the route table leads to. */
  readonly routed: Iterable<string>
  /** Instant of the last change (ms): when this configuration began. */
  readonly changed: number
  /** `rest.security` where sign-in is on: the addresses of the authorization server. */
  readonly auth: 'off' | CapabilityStatementRestSecurity
  readonly validation: 'off'
}

/** Statements by mode, built once; undefined for a mode that is not there (`terminology`, until its issue). */
export const createCapabilities = (input: CapabilityInput): Parts['capabilities'] => {
  const statements = new Map<string, ReturnType<Parts['capabilities']>>()
  const types: Readonly<Record<string, readonly string[]>> = { full: input.definitions.resourceTypes, normative: normativeTypes }
  return mode => {
    const ofMode = Object.hasOwn(types, mode) ? types[mode] : undefined
    if (ofMode !== undefined && !statements.has(mode)) statements.set(mode, stated(input, ofMode))
    return statements.get(mode)
  }
}

const stated = (input: CapabilityInput, types: readonly string[]) => {
  const bytes = Buffer.from(JSON.stringify(statement(input, types)))
  return { bytes, hash: createHash('sha256').update(bytes).digest('base64url').slice(0, 22), lastModified: input.changed }
}

/** @see https://hl7.org/fhir/R4/versions.html#normative */
const normativeTypes: readonly string[] = [
  'Binary',
  'Bundle',
  'CapabilityStatement',
  'CodeSystem',
  'Observation',
  'OperationDefinition',
  'OperationOutcome',
  'Parameters',
  'Patient',
  'StructureDefinition',
  'ValueSet',
]

const statement = (input: CapabilityInput, types: readonly string[]) => ({
  resourceType: 'CapabilityStatement',
  status: 'active',
  date: instant(input.changed),
  publisher: 'Simpul',
  kind: 'instance',
  software: { name: 'Simpul', version: input.version },
  implementation: { description: 'Simpul, a FHIR R4 interoperability server', url: input.settings.base },
  fhirVersion: '4.0.1',
  format: ['application/fhir+json', 'json'],
  // The last one is a Parameters resource: FHIRPath Patch.
  patchFormat: ['application/json-patch+json', 'application/merge-patch+json', 'application/fhir+json'],
  extension: [limitsOf(input.limits)],
  rest: [rest(input, types)],
})

const rest = (input: CapabilityInput, types: readonly string[]) => {
  const routed = new Set(input.routed)
  // POST to the base is one route: the Bundle says which of both it is.
  if (routed.has('batch')) routed.add('transaction')
  const served = (codes: readonly InteractionCode[]) => codes.filter(code => routed.has(code)).map(code => ({ code }))
  const revIncludes = revIncludesOf(input.definitions)
  const common = commonParameters(input.definitions)
  const compartments = compartmentCodes.filter(
    code => routed.has('search-compartment') && input.definitions.compartment(code) !== undefined,
  )
  return {
    mode: 'server',
    documentation: documentationOf(input),
    // Without sign-in scripts of other sites may read this statement and nothing else.
    security: input.auth === 'off' ? { cors: false, description: openText } : input.auth,
    resource: types.map(type => resource(type, served(ofType), revIncludes.get(type) ?? [], input)),
    interaction: served(ofSystem),
    searchParam: common.map(searchParam),
    compartment: compartments.map(code => `http://hl7.org/fhir/CompartmentDefinition/${code.toLowerCase()}`),
  }
}

const compartmentCodes = ['Patient', 'Encounter', 'RelatedPerson', 'Practitioner', 'Device'] as const

const ofType: readonly InteractionCode[] = [
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
]
const ofSystem: readonly InteractionCode[] = ['transaction', 'batch', 'search-system', 'history-system']

// --- texts

const openText =
  'Authorization is off: whoever reaches this server may read and change everything. It therefore listens on a loopback address only.'

const validationTexts = {
  off: 'Validation is off: syntax, resource type, ids and the form of JSON are checked; cardinality, bindings, invariants and profiles are not.',
} as const

const documentationOf = ({ validation, settings }: CapabilityInput): string =>
  [
    validationTexts[validation],
    'Searches are strict: an unknown parameter is an error, unless Prefer: handling=lenient.',
    `Dates without offset are read in ${settings.zone}.`,
  ].join(' ')

const limitsOf = (limits: Limits) => ({
  url: `${canonicalBase}/StructureDefinition/limits`,
  extension: Object.entries(limits).map(([name, value]) => ({ url: name, valueInteger: value })),
})

// --- one resource type

const resource = (
  type: string,
  interaction: readonly { readonly code: string }[],
  searchRevInclude: readonly string[],
  { definitions, settings }: CapabilityInput,
) => {
  const ready = readyParameters(definitions, type)
  const includes = ready.filter(({ type: kind }) => kind === 'reference').map(({ code }) => `${type}:${code}`)
  return {
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    interaction,
    versioning: settings.ifMatchRequired ? 'versioned-update' : 'versioned',
    readHistory: true,
    updateCreate: settings.updateCreate,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: true,
    conditionalDelete: settings.conditionalDelete === 'off' ? 'not-supported' : settings.conditionalDelete,
    referencePolicy: ['literal', 'logical', 'local'],
    searchInclude: ['*', ...includes],
    ...(searchRevInclude.length === 0 ? {} : { searchRevInclude: ['*', ...searchRevInclude] }),
    searchParam: ready.map(searchParam),
  }
}

const readyParameters = (definitions: Definitions, type: string): readonly SearchParameterDefinition[] =>
  registeredParameters(definitions, type).flatMap(({ definition, state }) => (state === 'ready' ? definition : []))

const searchParam = ({ code, url, type }: SearchParameterDefinition) => ({ name: code, definition: url, type })

/** What every type has, and so a search of the whole system too. */
const commonParameters = (definitions: Definitions): readonly SearchParameterDefinition[] => {
  const [first, ...others] = definitions.resourceTypes.map(type => readyParameters(definitions, type))
  const codes = others.map(parameters => new Set(parameters.map(({ code }) => code)))
  return (first ?? []).filter(({ code }) => codes.every(known => known.has(code)))
}

/** Per type, the reference parameters of all types that may refer to it. */
const revIncludesOf = (definitions: Definitions): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>(definitions.resourceTypes.map(type => [type, []]))
  for (const source of definitions.resourceTypes) {
    for (const { code, type, targets } of readyParameters(definitions, source)) {
      if (type !== 'reference') continue
      const referred = targets === undefined || targets.length === 0 ? definitions.resourceTypes : targets
      for (const target of referred) found.get(target)?.push(`${source}:${code}`)
    }
  }
  return found
}
