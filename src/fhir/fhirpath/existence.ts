import { type Call, type CompileCall, type Compiler, type Test, Unsupported } from './compiler.ts'
import { type StaticType, systemType } from './static-type.ts'
import { jsonValue, nothing, type Walk } from './walk.ts'

/** The result of a condition as a value; an empty one has none. */
export const testResult = (test: Test, then: Walk): Walk =>
  then === nothing
    ? nothing
    : (node, resource, out) => {
        const result = test(node, resource)
        if (result !== undefined) then(result, resource, out)
      }

const existenceTest = (call: Call, from: StaticType, compiler: Compiler): Test => {
  const [criteria] = call.arguments
  const of = criteria ? ({ kind: 'call', of: call.of, name: 'where', arguments: call.arguments } as const) : call.of
  const items = compiler.items(of, from)
  return (node, resource) => items(node, resource).length > 0
}

const exists: CompileCall = (call, from, next, compiler) => testResult(existenceTest(call, from, compiler), next(systemType('Boolean')))

const empty: CompileCall = (call, from, next, compiler) => {
  if (call.arguments.length > 0) throw new Unsupported('empty() with arguments')
  const test = existenceTest(call, from, compiler)
  return testResult((node, resource) => !test(node, resource), next(systemType('Boolean')))
}

const not: CompileCall = (call, from, next, compiler) => {
  const test = compiler.test(call.of, from)
  return testResult((node, resource) => negated(test(node, resource)), next(systemType('Boolean')))
}

const negated = (value: boolean | undefined): boolean | undefined => (value === undefined ? undefined : !value)

/** One primitive that has a value, not only an id or extensions. @see https://hl7.org/fhir/R4/fhirpath.html#functions */
const hasValue: CompileCall = (call, from, next, compiler) => {
  const items = compiler.items(call.of, from)
  const test: Test = (node, resource) => {
    const [item, second] = items(node, resource)
    return item !== undefined && second === undefined && item.type.primitive && jsonValue(item.value) !== undefined
  }
  return testResult(test, next(systemType('Boolean')))
}

/** @see https://hl7.org/fhirpath/N1/#existence */
export const existence: Readonly<Record<string, CompileCall>> = { exists, empty, not, hasValue }
