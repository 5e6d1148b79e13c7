/** A FHIRPath expression as parsed, before any type is known. @see https://hl7.org/fhirpath/N1/grammar.html */
export type Expression =
  | { readonly kind: 'literal'; readonly literal: Literal }
  | { readonly kind: 'this' | 'index' | 'total' }
  /** `%resource`, `%vs-name` (written `` %`vs-name` ``). */
  | { readonly kind: 'external'; readonly name: string }
  /** Without `of`: a member of the focus, or the name of its type. */
  | { readonly kind: 'member'; readonly of?: Expression; readonly name: string }
  | { readonly kind: 'call'; readonly of?: Expression; readonly name: string; readonly arguments: readonly Expression[] }
  | { readonly kind: 'indexer'; readonly of: Expression; readonly index: Expression }
  | { readonly kind: 'polarity'; readonly operator: '+' | '-'; readonly of: Expression }
  | { readonly kind: 'type'; readonly operator: 'is' | 'as'; readonly of: Expression; readonly type: string }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }

export type Literal =
  | { readonly type: 'empty' }
  | { readonly type: 'boolean'; readonly value: boolean }
  /** Numbers, dates and times as written, without `@`: their precision is part of their meaning. */
  | { readonly type: 'string' | 'number' | 'date' | 'dateTime' | 'time'; readonly text: string }
  | { readonly type: 'quantity'; readonly text: string; readonly unit: string }

/** From the tightest to the loosest; operators of one row bind alike, from the left. */
export const binaryOperators = [
  ['*', '/', 'div', 'mod'],
  ['+', '-', '&'],
  ['is', 'as'],
  ['|'],
  ['<=', '<', '>', '>='],
  ['=', '~', '!=', '!~'],
  ['in', 'contains'],
  ['and'],
  ['or', 'xor'],
  ['implies'],
] as const

export type BinaryOperator = Exclude<(typeof binaryOperators)[number][number], 'is' | 'as'>
