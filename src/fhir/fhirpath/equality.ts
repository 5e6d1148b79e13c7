import { type Compiler, type Test, Unsupported } from './compiler.ts'
import type { StaticType } from './static-type.ts'
import type { Expression } from './tree.ts'
import { type Item, jsonValue } from './walk.ts'

/** Types whose equality is that of their JSON values; dates compare by precision, decimals by value, complex types in depth: not here. */
const plain = new Set([
  'System.String',
  'System.Boolean',
  'System.Integer',
  'string',
  'code',
  'id',
  'uri',
  'url',
  'canonical',
  'oid',
  'uuid',
  'markdown',
  'boolean',
  'integer',
  'positiveInt',
  'unsignedInt',
  'base64Binary',
])

/** `=` over whole collections: empty when a side is, false when the counts differ. @see https://hl7.org/fhirpath/N1/#equality */
export const equality = (left: Expression, right: Expression, from: StaticType, compiler: Compiler): Test => {
  demandPlain(left, from, compiler)
  demandPlain(right, from, compiler)
  const first = compiler.items(left, from)
  const second = compiler.items(right, from)
  return (node, resource) => {
    const a = first(node, resource)
    const b = second(node, resource)
    if (a.length === 0 || b.length === 0) return undefined
    return a.length === b.length && a.every((item, i) => sameValue(item, b[i]))
  }
}

const sameValue = (a: Item, b: Item | undefined): boolean => b !== undefined && jsonValue(a.value) === jsonValue(b.value)

const demandPlain = (expression: Expression, from: StaticType, compiler: Compiler): void => {
  compiler.walk(expression, from, type => {
    if (!plain.has(type.code)) throw new Unsupported(`equality of ${type.code}`)
    return () => {}
  })
}
