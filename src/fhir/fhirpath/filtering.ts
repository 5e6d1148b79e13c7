import { type CompileCall, oneArgument } from './compiler.ts'
import { nothing } from './walk.ts'

const where: CompileCall = (call, from, next, compiler) =>
  compiler.walk(call.of, from, type => {
    const then = next(type)
    if (then === nothing) return nothing
    const test = compiler.test(oneArgument(call), type)
    return (node, resource, out) => {
      if (test(node, resource) === true) then(node, resource, out)
    }
  })

const select: CompileCall = (call, from, next, compiler) =>
  compiler.walk(call.of, from, type => compiler.walk(oneArgument(call), type, next))

/** `extension(url)` is short for `extension.where(url = …)`. @see https://hl7.org/fhir/R4/fhirpath.html#functions */
const extension: CompileCall = (call, from, next, compiler) => {
  const of = { kind: 'member', of: call.of, name: 'extension' } as const
  const url = { kind: 'member', name: 'url' } as const
  const criteria = { kind: 'binary', operator: '=', left: url, right: oneArgument(call) } as const
  return where({ name: 'where', of, arguments: [criteria] }, from, next, compiler)
}

/** @see https://hl7.org/fhirpath/N1/#filtering-and-projection */
export const filtering: Readonly<Record<string, CompileCall>> = { where, select, extension }
