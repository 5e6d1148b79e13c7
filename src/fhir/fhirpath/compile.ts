import type { Definitions } from '../definitions/definitions.ts'
import { connected, connectives } from './boolean-logic.ts'
import { type CompileCall, type Compiler, type Next, type Test, Unsupported } from './compiler.ts'
import { equality } from './equality.ts'
import { existence, testResult } from './existence.ts'
import { filtering } from './filtering.ts'
import { firstStep, memberStep } from './members.ts'
import { type StaticType, systemType } from './static-type.ts'
import { indexer, subsetting } from './subsetting.ts'
import type { Expression, Literal } from './tree.ts'
import { narrowed, types, typeTest } from './types.ts'
import { type Item, type JsonObject, jsonValue, nothing, sequence, type Walk } from './walk.ts'

const functions = new Map<string, CompileCall>(Object.entries({ ...existence, ...filtering, ...subsetting, ...types }))

/**
 * Compiles expressions to closures over raw JSON, typed by the model. Throws `Unsupported` at what only the fallback engine can run.
 * Unions concatenate; that they would also drop duplicates is left to whoever uses the values.
 */
export const compilerFor = (root: StaticType, definitions: Definitions): Compiler => {
  const compiler: Compiler = {
    definitions,
    root,
    walk: (expression, from, next) => walkOf(expression, from, next, compiler),
    items: (expression, from) => collected(compiler.walk(expression, from, itemOf)),
    test: (expression, from) => testOf(expression, from, compiler),
  }
  return compiler
}

const itemOf: Next = type => (node, _resource, out) => {
  out.push({ value: node, type })
}

const collected =
  (walk: Walk) =>
  (node: unknown, resource: JsonObject): readonly Item[] => {
    const items: Item[] = []
    walk(node, resource, items)
    return items
  }

const focus: Expression = { kind: 'this' }

const walkOf = (expression: Expression, from: StaticType, next: Next, compiler: Compiler): Walk => {
  switch (expression.kind) {
    case 'this':
      return next(from)
    case 'literal':
      return literalWalk(expression.literal, next)
    case 'external':
      return externalWalk(expression.name, next, compiler)
    case 'member':
      if (!expression.of) return firstStep(expression.name, from, next, compiler)
      return compiler.walk(expression.of, from, type => memberStep(expression.name, type, next, compiler))
    case 'call':
      return callOf(expression.name)({ ...expression, of: expression.of ?? focus }, from, next, compiler)
    case 'indexer':
      return indexer(expression.of, expression.index, from, next, compiler)
    case 'type':
      if (expression.operator === 'as') return narrowed(expression.of, expression.type, from, next, compiler)
      return testResult(compiler.test(expression, from), next(systemType('Boolean')))
    case 'binary':
      return binaryWalk(expression, from, next, compiler)
    default:
      throw new Unsupported(expression.kind)
  }
}

const callOf = (name: string): CompileCall => {
  const compileCall = functions.get(name)
  if (!compileCall) throw new Unsupported(`${name}()`)
  return compileCall
}

const binaryWalk = (expression: Expression & { kind: 'binary' }, from: StaticType, next: Next, compiler: Compiler): Walk => {
  const { operator, left, right } = expression
  if (operator === '|') return sequence([compiler.walk(left, from, next), compiler.walk(right, from, next)])
  return testResult(comparison(expression, from, compiler), next(systemType('Boolean')))
}

const comparison = ({ operator, left, right }: Expression & { kind: 'binary' }, from: StaticType, compiler: Compiler): Test => {
  const connective = connectives[operator]
  if (connective) return connected(connective, left, right, from, compiler)
  if (operator !== '=' && operator !== '!=') throw new Unsupported(`the operator ${operator}`)
  const equal = equality(left, right, from, compiler)
  if (operator === '=') return equal
  return (node, resource) => {
    const result = equal(node, resource)
    return result === undefined ? undefined : !result
  }
}

/** The one result as a condition: a boolean is itself, anything else is true. @see https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections */
const testOf = (expression: Expression, from: StaticType, compiler: Compiler): Test => {
  if (expression.kind === 'binary' && expression.operator !== '|') return comparison(expression, from, compiler)
  if (expression.kind === 'type' && expression.operator === 'is') return typeTest(expression.of, expression.type, from, compiler)
  const items = compiler.items(expression, from)
  return (node, resource) => {
    const [item, second] = items(node, resource)
    if (item === undefined) return undefined
    if (second !== undefined) throw new Error('a condition with several results')
    const value = jsonValue(item.value)
    return typeof value === 'boolean' ? value : true
  }
}

const literalWalk = (literal: Literal, next: Next): Walk => {
  if (literal.type === 'empty') return nothing
  if (literal.type === 'boolean') return constant(literal.value, next(systemType('Boolean')))
  if (literal.type === 'string') return constant(literal.text, next(systemType('String')))
  if (literal.type === 'number' && !literal.text.includes('.')) return constant(Number(literal.text), next(systemType('Integer')))
  throw new Unsupported(`${literal.type} literals`)
}

const constant = (value: unknown, then: Walk): Walk => (then === nothing ? nothing : (_node, resource, out) => then(value, resource, out))

const codeSystems: Readonly<Record<string, string>> = {
  ucum: 'http://unitsofmeasure.org',
  sct: 'http://snomed.info/sct',
  loinc: 'http://loinc.org',
}

const externalWalk = (name: string, next: Next, compiler: Compiler): Walk => {
  if (name === 'resource' || name === 'rootResource' || name === 'context') {
    const then = next(compiler.root)
    return then === nothing ? nothing : (_node, resource, out) => then(resource, resource, out)
  }
  if (!Object.hasOwn(codeSystems, name)) throw new Unsupported(`%${name}`)
  return constant(codeSystems[name], next(systemType('String')))
}
