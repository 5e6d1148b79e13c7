import type { Member } from '../definitions/definitions.ts'
import type { Compiler, Next } from './compiler.ts'
import { isAbstractResource, memberType, resourceType, type StaticType } from './static-type.ts'
import { choiceStep, isObject, nothing, objectStep, primitiveStep, sequence, twinStep, type Walk } from './walk.ts'

/** One step of a path. @see https://hl7.org/fhirpath/N1/#path-selection */
export const memberStep = (name: string, from: StaticType, next: Next, compiler: Compiler): Walk => {
  if (isAbstractResource(from)) return dispatched(name, next, compiler)
  const walk = elementStep(name, from, next, compiler)
  return from.primitive ? twinStep(walk) : walk
}

/** A choice becomes a fixed list of JSON members, one for each of its types. */
const elementStep = (name: string, from: StaticType, next: Next, compiler: Compiler): Walk => {
  const members = [...compiler.definitions.members(from.within)].filter(([, { element }]) => element.name === name)
  const steps = members.map(([jsonName, member]) => [jsonName, jsonStep(jsonName, member, next, compiler)] as const)
  return steps[0] && members[0]?.[1].element.choice ? choiceStep(new Map(steps)) : sequence(steps.map(([, walk]) => walk))
}

const jsonStep = (jsonName: string, member: Member, next: Next, { definitions }: Compiler): Walk => {
  const type = memberType(member, definitions)
  return type.primitive ? primitiveStep(jsonName, next(type)) : objectStep(jsonName, next(type))
}

/** Members of a resource whose type only its value tells; compiled when a type is first met, at most once for each of the 146. */
const dispatched = (name: string, next: Next, compiler: Compiler): Walk => {
  const walks = new Map<string, Walk>()
  return (node, resource, out) => {
    const type = isObject(node) ? node.resourceType : undefined
    if (typeof type !== 'string' || !compiler.definitions.isResourceType(type)) return
    const walk = walks.get(type) ?? memberStep(name, resourceType(type), next, compiler)
    walks.set(type, walk)
    walk(node, resource, out)
  }
}

/** A path may begin with the name of the type it starts from, or of a base of it: `Patient.name`, `Resource.id`. Elements begin small. */
export const firstStep = (name: string, from: StaticType, next: Next, compiler: Compiler): Walk => {
  if (!/^[A-Z]/.test(name)) return memberStep(name, from, next, compiler)
  return compiler.definitions.isKindOf(from.code, name) ? next(from) : nothing
}
