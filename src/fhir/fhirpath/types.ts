import { type CompileCall, type Compiler, type Next, oneArgument, type Test, Unsupported } from './compiler.ts'
import { testResult } from './existence.ts'
import { referredType } from './reference-type.ts'
import { isAbstractResource, resourceType, type StaticType, systemType } from './static-type.ts'
import type { Expression } from './tree.ts'
import { type Item, isObject, type JsonObject, nothing, type Walk } from './walk.ts'

/** `FHIR.Patient`, `Patient` and `System.Boolean`; a name that is no type is refused. */
const typeNamed = (name: string, { definitions }: Compiler): string => {
  const plain = name.startsWith('FHIR.') ? name.slice('FHIR.'.length) : name
  if (!definitions.type(plain) && !plain.startsWith('System.')) throw new Unsupported(`the type ${name}`)
  return plain
}

const nameIn = (expression: Expression): string => {
  if (expression.kind !== 'member') throw new Unsupported('a type that is no name')
  return expression.of ? `${nameIn(expression.of)}.${expression.name}` : expression.name
}

/**
 * Keeps results of a type or of what derives from it. The `as` operator means the same here: R4 writes `(x as T)` over lists, where a
 * strict engine throws at the second item.
 */
export const narrowed = (of: Expression, name: string, from: StaticType, next: Next, compiler: Compiler): Walk => {
  const wanted = typeNamed(name, compiler)
  return compiler.walk(of, from, type => {
    if (isAbstractResource(type)) return narrowedResource(wanted, next, compiler)
    return isOfType(type.code, wanted, compiler) ? next(type) : nothing
  })
}

const isOfType = (code: string, wanted: string, { definitions }: Compiler): boolean => code === wanted || definitions.isKindOf(code, wanted)

const narrowedResource = (wanted: string, next: Next, compiler: Compiler): Walk => {
  const then = next(resourceType(wanted))
  return (node, resource, out) => {
    if (isObject(node) && typeof node.resourceType === 'string' && isOfType(node.resourceType, wanted, compiler)) then(node, resource, out)
  }
}

/** Whether the one result is of a type; empty when there is none. */
export const typeTest = (of: Expression, name: string, from: StaticType, compiler: Compiler): Test => {
  const wanted = typeNamed(name, compiler)
  if (of.kind === 'call' && of.name === 'resolve') return resolveTest(of.of, wanted, from, compiler)
  return single(compiler.items(of, from), ({ type, value }) => {
    const code = isAbstractResource(type) && isObject(value) && typeof value.resourceType === 'string' ? value.resourceType : type.code
    return isOfType(code, wanted, compiler)
  })
}

type Items = ReturnType<Compiler['items']>

const single =
  (items: Items, holds: (item: Item, resource: JsonObject) => boolean | undefined): Test =>
  (node, resource) => {
    const [item, second] = items(node, resource)
    if (item === undefined) return undefined
    if (second !== undefined) throw new Error('`is` on several items')
    return holds(item, resource)
  }

/** `resolve() is T` is decided from the reference itself; a reference that does not tell its type resolves to nothing. */
const resolveTest = (of: Expression | undefined, wanted: string, from: StaticType, compiler: Compiler): Test => {
  const plain = `${wanted}/`
  const holds = (reference: unknown, resource: JsonObject): boolean | undefined => {
    if (!isObject(reference)) return undefined
    const { reference: text } = reference
    // `Patient/17`, what nearly all references look like, is decided without cutting the text.
    if (typeof text === 'string' && text.startsWith(plain) && text.indexOf('/', plain.length) < 0) return true
    const type = referredType(reference, resource, compiler.definitions)
    return type === undefined ? undefined : isOfType(type, wanted, compiler)
  }
  return of ? single(compiler.items(of, from), ({ value }, resource) => holds(value, resource)) : holds
}

const ofType: CompileCall = (call, from, next, compiler) => narrowed(call.of, nameIn(oneArgument(call)), from, next, compiler)
const is: CompileCall = (call, from, next, compiler) =>
  testResult(typeTest(call.of, nameIn(oneArgument(call)), from, compiler), next(systemType('Boolean')))

/** @see https://hl7.org/fhirpath/N1/#types */
export const types: Readonly<Record<string, CompileCall>> = { ofType, as: ofType, is }
