import type { Definitions, Element } from '../definitions/definitions.ts'
import type { Resource } from './resource.ts'

/**
 * Every place of a resource where a Bundle may point to another of its entries: `Reference.reference`, elements of type uri, url, uuid and
 * oid (in extensions too), and narratives. Canonicals, strings and `Extension.url` are no such places.
 * One walk guided by the model, for contained resources and entries of Parameters and Bundles as well.
 * @see https://hl7.org/fhir/R4/http.html#trules
 */
export type ReferencePlace = 'reference' | 'uri' | 'narrative'

/** `holder[member]` is `text`; the visitor may write there. */
export type VisitPlace = (place: ReferencePlace, text: string, holder: Record<string | number, unknown>, member: string | number) => void

type Json = Record<string, unknown>

/** What a member holds: a place, a resource of any type, or an object with members of its own. */
type Step = ReferencePlace | 'resource' | Steps
type Steps = Map<string, Step>

const uriTypes: ReadonlySet<string> = new Set(['uri', 'url', 'uuid', 'oid'])

/** Steps of a model, made at the first use of each type. */
const stepsOf = (definitions: Definitions): ((type: string) => Steps | undefined) => {
  const known = new Map<string, Steps>()
  const paths = new Map<string, Steps>()

  const stepOf = (code: string): Step | undefined => {
    if (uriTypes.has(code)) return 'uri'
    if (code === 'xhtml') return 'narrative'
    if (code === 'Resource') return 'resource'
    return typeSteps(code)
  }

  const add = (steps: Steps, element: Element): void => {
    if (element.contentReference !== undefined) {
      steps.set(element.name, pathSteps(element.contentReference.replace(/^#/, '')))
      return
    }
    if (element.children !== undefined && element.children.length > 0) {
      steps.set(element.name, fill(pathSteps(element.path), element.children))
      return
    }
    const stem = element.name.replace(/\[x\]$/, '')
    for (const { code } of element.types) {
      const member = element.choice ? stem + code.charAt(0).toUpperCase() + code.slice(1) : stem
      const step = stepOf(code)
      if (step !== undefined) steps.set(member, step)
      // A primitive has its extensions beside it.
      if (definitions.type(code)?.kind === 'primitive') steps.set(`_${member}`, typeSteps('Element') ?? new Map())
    }
  }

  const fill = (steps: Steps, elements: readonly Element[]): Steps => {
    if (steps.size === 0) for (const element of elements) add(steps, element)
    return steps
  }

  const pathSteps = (path: string): Steps => {
    const made = paths.get(path) ?? new Map<string, Step>()
    paths.set(path, made)
    return made
  }

  const typeSteps = (name: string): Steps | undefined => {
    const found = known.get(name)
    if (found !== undefined) return found
    const definition = definitions.type(name)
    if (definition === undefined || definition.kind === 'primitive') return undefined
    const steps: Steps = new Map()
    known.set(name, steps)
    fill(steps, definition.elements)
    if (name === 'Reference') steps.set('reference', 'reference')
    if (name === 'Extension') steps.delete('url')
    return steps
  }
  return typeSteps
}

const cache = new WeakMap<Definitions, (type: string) => Steps | undefined>()

/** Calls `visit` for each place that holds a text. */
export const eachReferencePlace = (resource: Resource, definitions: Definitions, visit: VisitPlace): void => {
  let stepsFor = cache.get(definitions)
  if (stepsFor === undefined) {
    stepsFor = stepsOf(definitions)
    cache.set(definitions, stepsFor)
  }
  const steps = stepsFor

  const enter = (value: unknown, step: Step, holder: Record<string | number, unknown>, member: string | number): void => {
    if (typeof value === 'string') {
      if (typeof step === 'string' && step !== 'resource') visit(step, value, holder, member)
    } else if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at += 1) enter(value[at], step, value as unknown as Record<number, unknown>, at)
    } else if (typeof value === 'object' && value !== null) {
      if (step === 'resource') walkResource(value as Json)
      else if (typeof step !== 'string') walk(value as Json, step)
    }
  }
  const walk = (object: Json, known: Steps): void => {
    for (const member in object) {
      const step = known.get(member)
      if (step !== undefined) enter(object[member], step, object, member)
    }
  }
  const walkResource = (inner: Json): void => {
    const known = typeof inner.resourceType === 'string' ? steps(inner.resourceType) : undefined
    if (known !== undefined) walk(inner, known)
  }
  walkResource(resource)
}

/** FHIRPath of a member of an object inside the resource; found by looking, for messages only. */
export const pathOf = (resource: Resource, holder: object, member: string | number): string => {
  const search = (value: unknown, path: string): string | undefined => {
    if (value === holder) return typeof member === 'number' ? `${path}[${member}]` : `${path}.${member}`
    if (Array.isArray(value)) {
      for (const [at, item] of value.entries()) {
        const found = search(item, `${path}[${at}]`)
        if (found !== undefined) return found
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        const found = search(item, `${path}.${name}`)
        if (found !== undefined) return found
      }
    }
    return undefined
  }
  return search(resource, resource.resourceType) ?? resource.resourceType
}
