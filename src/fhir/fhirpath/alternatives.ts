import type { Definitions } from '../definitions/definitions.ts'
import type { Expression } from './tree.ts'

/** The alternatives of a search expression (split at top-level `|`) that may apply to a concrete type. */
export const alternativesFor = (type: string, expression: Expression, definitions: Definitions): readonly Expression[] =>
  split(expression).filter(alternative => {
    const leading = leadingName(alternative)
    return leading === undefined || definitions.type(leading)?.kind !== 'resource' || definitions.isKindOf(type, leading)
  })

const split = (expression: Expression): readonly Expression[] =>
  expression.kind === 'binary' && expression.operator === '|' ? [...split(expression.left), ...split(expression.right)] : [expression]

/** The name a path begins with: `Patient` of `Patient.name.given`, `(Observation.value as Quantity)`. */
const leadingName = (expression: Expression): string | undefined => {
  switch (expression.kind) {
    case 'binary':
      return leadingName(expression.left)
    case 'member':
      return expression.of ? leadingName(expression.of) : expression.name
    case 'call':
      return expression.of && leadingName(expression.of)
    case 'indexer':
    case 'type':
    case 'polarity':
      return leadingName(expression.of)
    default:
      return undefined
  }
}
