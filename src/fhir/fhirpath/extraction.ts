import type { Definitions, SearchParameterDefinition, SearchParamType } from '../definitions/definitions.ts'
import type { Resource } from '../model/resource.ts'
import { alternativesFor } from './alternatives.ts'
import { compilerFor } from './compile.ts'
import { type Compiler, type Next, Unsupported } from './compiler.ts'
import type { Fallback } from './fallback.ts'
import { handWritten } from './hand-written.ts'
import { parse } from './parser.ts'
import { isAbstractResource, resourceType, type StaticType } from './static-type.ts'
import type { Expression } from './tree.ts'
import { type JsonObject, jsonValue, nothing, sequence, type Walk } from './walk.ts'

export type TypedValue = {
  /** FHIR type code: `Coding`, `dateTime`, `code`, `BackboneElement` …; what an expression computes is a `boolean`, `string` or `integer`. */
  readonly type: string
  readonly value: unknown
  /** Path of the element (`Patient.gender`, `Identifier.value`), of a whole resource its type. */
  readonly path?: string
  /** A code's system, where the required binding of its element includes just one. */
  readonly system?: string
}

export type ExtractedParameter = {
  readonly definition: SearchParameterDefinition
  extract(resource: Resource): readonly TypedValue[]
  readonly components?: readonly ExtractedComponent[]
}

export type ExtractedComponent = {
  readonly code: string
  readonly type: SearchParamType
  extract(item: TypedValue, resource: Resource): readonly TypedValue[]
}

export type ExtractorOptions = {
  /** Runs what the compiler does not support; without it such a parameter is skipped. */
  readonly fallback?: Fallback
  /** Told the URL of a parameter that cannot be compiled, or that failed on a resource and was skipped for it. Nothing of the resource. */
  readonly skipped?: (url: string, when: 'compiling' | 'extracting') => void
}

/**
 * Raw values of every search parameter, by concrete resource type; compiled when a type is first asked for. Parameters whose values the
 * server gives itself (`_id`, `_text` …) are left out. Extraction never throws. @see https://hl7.org/fhir/R4/searchparameter.html
 */
export const createExtractor = (
  definitions: Definitions,
  options: ExtractorOptions = {},
): ((type: string) => readonly ExtractedParameter[]) => {
  const types = new Map<string, readonly ExtractedParameter[]>()
  return type => {
    const known = types.get(type)
    if (known) return known
    if (!definitions.isResourceType(type)) return none
    const parameters = parametersOf(type, definitions, options)
    types.set(type, parameters)
    return parameters
  }
}

const none: readonly never[] = Object.freeze([])

const parametersOf = (type: string, definitions: Definitions, options: ExtractorOptions): readonly ExtractedParameter[] => {
  const compiler = compilerFor(resourceType(type), definitions)
  const codes = componentTypes(type, definitions)
  return [...definitions.searchParameters(type).values()].flatMap(definition => {
    const parameter = parameterOf(type, definition, compiler, codes, options)
    return parameter ? [parameter] : []
  })
}

/** Types of parameters by URL: what kind of value a component has. */
const componentTypes = (type: string, definitions: Definitions): ReadonlyMap<string, SearchParamType> =>
  new Map([...definitions.searchParameters(type).values()].map(parameter => [parameter.url, parameter.type]))

const parameterOf = (
  type: string,
  definition: SearchParameterDefinition,
  compiler: Compiler,
  kinds: ReadonlyMap<string, SearchParamType>,
  options: ExtractorOptions,
): ExtractedParameter | undefined => {
  if (definition.expression === undefined) return undefined
  const { url, components } = definition
  const skipped = (when: 'compiling' | 'extracting'): void => options.skipped?.(url, when)
  const extract = extraction(type, definition, compiler, options)
  if (!extract) {
    skipped('compiling')
    return undefined
  }
  if (!components) return { definition, extract }
  return { definition, extract, components: components.map(part => componentOf(part, compiler, kinds, skipped)) }
}

type Evaluate = (resource: Resource) => readonly TypedValue[]

/** By hand, compiled, or by the fallback; undefined when none of them can. */
const extraction = (
  type: string,
  definition: SearchParameterDefinition,
  compiler: Compiler,
  options: ExtractorOptions,
): Evaluate | undefined => {
  const { url, expression = '' } = definition
  const failed = (): void => options.skipped?.(url, 'extracting')
  const byHand = Object.hasOwn(handWritten, url) ? handWritten[url] : undefined
  if (byHand) return guarded(resource => byHand(resource).map(value => ({ type: 'boolean', value })), failed)
  const walk = compiled(expression, compiler.root, compiler, tree => alternativesFor(type, tree, compiler.definitions))
  if (walk) return collecting(walk, failed)
  const slow = options.fallback && byFallback(options.fallback, expression)
  return slow && guarded(slow, failed)
}

const guarded =
  (evaluate: Evaluate, failed: () => void): Evaluate =>
  resource => {
    try {
      return evaluate(resource)
    } catch {
      failed()
      return none
    }
  }

const byFallback = (fallback: Fallback, expression: string): Evaluate | undefined => {
  try {
    return fallback(expression)
  } catch {
    return undefined
  }
}

const compiled = (
  expression: string,
  from: StaticType,
  compiler: Compiler,
  alternatives: (tree: Expression) => readonly Expression[],
): Walk | undefined => {
  const tree = parse(expression)
  if (!tree.ok) return undefined
  try {
    return sequence(alternatives(tree.value).map(alternative => compiler.walk(alternative, from, typedValue)))
  } catch (error) {
    if (error instanceof Unsupported) return undefined
    throw error
  }
}

/** The end of every walk: the value with what is known of it. A primitive that has only extensions has no value. */
const typedValue: Next = type => {
  const { code, path, system } = type
  const fhirCode = code.startsWith('System.') ? code.slice('System.'.length).toLowerCase() : code
  const known = { ...(path !== undefined && { path }), ...(system !== undefined && { system }) }
  if (isAbstractResource(type)) {
    return (node, _resource, out) => {
      out.push({ type: (node as JsonObject).resourceType ?? code, value: node, ...known })
    }
  }
  return (node, _resource, out) => {
    const value = jsonValue(node)
    if (value !== undefined) out.push({ type: fhirCode, value, ...known })
  }
}

/** One list is kept ready: most parameters of most resources have no value, and then nothing is allocated. */
const collecting = (walk: Walk, failed: () => void): Evaluate => {
  if (walk === nothing) return () => none
  let ready: TypedValue[] = []
  return resource => {
    const out = ready
    try {
      walk(resource, resource, out)
    } catch {
      ready = []
      failed()
      return none
    }
    if (out.length === 0) return none
    ready = []
    return out
  }
}

const componentOf = (
  part: { readonly code: string; readonly url: string; readonly expression: string },
  compiler: Compiler,
  kinds: ReadonlyMap<string, SearchParamType>,
  skipped: (when: 'compiling' | 'extracting') => void,
): ExtractedComponent => {
  const walks = new Map<string, Walk>()
  const walkFrom = (item: TypedValue): Walk => {
    const from = typeOfItem(item, compiler)
    const walk = compiled(part.expression, from, compiler, tree => [tree])
    if (!walk) skipped('compiling')
    return walk ?? nothing
  }
  return {
    code: part.code,
    type: kinds.get(part.url) ?? 'token',
    extract: (item, resource) => {
      const key = `${item.type} ${item.path}`
      const walk = walks.get(key) ?? walkFrom(item)
      walks.set(key, walk)
      const out: TypedValue[] = []
      try {
        walk(item.value, resource, out)
      } catch {
        skipped('extracting')
        return none
      }
      return out
    },
  }
}

/** Items of a composite are whole resources, backbones (found by path) or data types. */
const typeOfItem = ({ type, path }: TypedValue, { definitions }: Compiler): StaticType => {
  if (definitions.isResourceType(type)) return resourceType(type)
  const within = type === 'BackboneElement' || type === 'Element' ? (path ?? type) : type
  return { code: type, within, primitive: definitions.type(type)?.kind === 'primitive', ...(path !== undefined && { path }) }
}
