import type { Compiler, Test } from './compiler.ts'
import type { StaticType } from './static-type.ts'
import type { BinaryOperator, Expression } from './tree.ts'

type Truth = boolean | undefined

const and = (a: Truth, b: Truth): Truth => (a === false || b === false ? false : a === undefined || b === undefined ? undefined : true)
const or = (a: Truth, b: Truth): Truth => (a === true || b === true ? true : a === undefined || b === undefined ? undefined : false)
const xor = (a: Truth, b: Truth): Truth => (a === undefined || b === undefined ? undefined : a !== b)
const implies = (a: Truth, b: Truth): Truth => (a === false || b === true ? true : a === undefined || b === undefined ? undefined : false)

/** @see https://hl7.org/fhirpath/N1/#boolean-logic */
export const connectives: Partial<Record<BinaryOperator, (a: Truth, b: Truth) => Truth>> = { and, or, xor, implies }

export const connected = (
  combine: (a: Truth, b: Truth) => Truth,
  left: Expression,
  right: Expression,
  from: StaticType,
  compiler: Compiler,
): Test => {
  const first = compiler.test(left, from)
  const second = compiler.test(right, from)
  return (node, resource) => combine(first(node, resource), second(node, resource))
}
