import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { SyntaxFault, type Token, tokensOf } from './lexer.ts'
import { type BinaryOperator, binaryOperators, type Expression } from './tree.ts'

const charactersMax = 10_000
const depthMax = 100
/** Steps and operators of one chain: `a.b.c` is a tree as deep as it is long. */
const chainMax = 500

/**
 * The tree of a FHIRPath expression, the whole normative grammar. Fails with `bad-fhirpath`; expressions over 10,000 characters or nested
 * deeper than 100 are refused, because they also come from outside. @see https://hl7.org/fhirpath/N1/grammar.html
 */
export const parse = (text: string): Outcome<Expression> => {
  if (text.length > charactersMax)
    return fail('bad-fhirpath', { at: charactersMax, rule: rule('at-most-characters', { max: charactersMax }) })
  try {
    return ok(new Parser(tokensOf(text)).whole())
  } catch (fault) {
    if (fault instanceof SyntaxFault) return fail('bad-fhirpath', { at: fault.at, rule: fault.rule })
    throw fault
  }
}

const levelOf = new Map<string, number>(binaryOperators.flatMap((row, level) => row.map(operator => [operator, level] as const)))
const loosest = binaryOperators.length - 1

/** Words that are operators and yet may be names of members. */
const nameWords = new Set(['as', 'contains', 'in', 'is'])
const reserved = new Set(['and', 'or', 'xor', 'implies', 'div', 'mod', 'true', 'false'])
const units = /^(year|month|week|day|hour|minute|second|millisecond)s?$/

class Parser {
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Expression {
    const expression = this.#expression(loosest)
    if (this.#token.kind !== 'end') throw new SyntaxFault(this.#token.at, rule('path-end'))
    return expression
  }

  /** Precedence climbing: everything that binds as tight as `level` or tighter. */
  #expression(level: number): Expression {
    this.#deeper()
    let left = this.#polarity()
    for (let operator = this.#operator(level), length = 0; operator !== undefined; operator = this.#operator(level), length += 1) {
      if (length > chainMax) throw new SyntaxFault(this.#token.at, rule('path-operators', { max: chainMax }))
      this.#next += 1
      left = this.#operation(left, operator)
    }
    this.#depth -= 1
    return left
  }

  #operator(level: number): string | undefined {
    const { kind, text } = this.#token
    if (kind !== 'symbol' && kind !== 'identifier') return undefined
    const own = levelOf.get(text)
    return own !== undefined && own <= level ? text : undefined
  }

  #operation(left: Expression, operator: string): Expression {
    if (operator === 'is' || operator === 'as') return { kind: 'type', operator, of: left, type: this.#typeName() }
    const right = this.#expression((levelOf.get(operator) ?? 0) - 1)
    return { kind: 'binary', operator: operator as BinaryOperator, left, right } // a key of levelOf that is no type operator
  }

  #polarity(): Expression {
    const operator = this.#take('+') ? '+' : this.#take('-') ? '-' : undefined
    if (!operator) return this.#invocations(this.#term())
    this.#deeper()
    const of = this.#polarity()
    this.#depth -= 1
    return { kind: 'polarity', operator, of }
  }

  #invocations(term: Expression): Expression {
    let expression = term
    for (let length = 0; length <= chainMax; length += 1) {
      if (this.#take('.')) expression = this.#invocation(expression)
      else if (this.#take('[')) expression = { kind: 'indexer', of: expression, index: this.#until(']') }
      else return expression
    }
    throw new SyntaxFault(this.#token.at, rule('path-steps', { max: chainMax }))
  }

  #term(): Expression {
    const { kind, text } = this.#token
    if (this.#take('(')) return this.#until(')')
    if (this.#take('{')) {
      this.#demand('}')
      return { kind: 'literal', literal: { type: 'empty' } }
    }
    if (this.#take('%')) return { kind: 'external', name: this.#externalName() }
    if (kind === 'string' || kind === 'date' || kind === 'dateTime' || kind === 'time') {
      this.#next += 1
      return { kind: 'literal', literal: { type: kind, text } }
    }
    if (kind === 'number') return this.#number()
    if (kind === 'identifier' && (text === 'true' || text === 'false')) {
      this.#next += 1
      return { kind: 'literal', literal: { type: 'boolean', value: text === 'true' } }
    }
    return this.#invocation(undefined)
  }

  #number(): Expression {
    const { text } = this.#advance()
    const { kind, text: unit } = this.#token
    if (kind !== 'string' && !(kind === 'identifier' && units.test(unit))) return { kind: 'literal', literal: { type: 'number', text } }
    this.#next += 1
    return { kind: 'literal', literal: { type: 'quantity', text, unit } }
  }

  #invocation(of: Expression | undefined): Expression {
    const { kind, text, at } = this.#token
    if (kind === 'variable') {
      this.#next += 1
      if (text === '$this' || text === '$index' || text === '$total') return { kind: text.slice(1) as 'this' | 'index' | 'total' }
      throw new SyntaxFault(at, rule('path-variable'))
    }
    const name = this.#name()
    const focus = of && { of }
    return this.#take('(') ? { kind: 'call', ...focus, name, arguments: this.#arguments() } : { kind: 'member', ...focus, name }
  }

  #arguments(): Expression[] {
    if (this.#take(')')) return []
    const list = [this.#expression(loosest)]
    while (this.#take(',')) list.push(this.#expression(loosest))
    this.#demand(')')
    return list
  }

  #until(closing: string): Expression {
    const expression = this.#expression(loosest)
    this.#demand(closing)
    return expression
  }

  #typeName(): string {
    const names = [this.#name()]
    while (this.#take('.')) names.push(this.#name())
    return names.join('.')
  }

  #externalName(): string {
    return this.#token.kind === 'string' ? this.#advance().text : this.#name()
  }

  #name(): string {
    const { kind, text, at } = this.#advance()
    const word = kind === 'identifier' && !reserved.has(text) && (!levelOf.has(text) || nameWords.has(text))
    if (!word && kind !== 'delimited') throw new SyntaxFault(at, rule('path-name'))
    return text
  }

  #deeper(): void {
    this.#depth += 1
    if (this.#depth > depthMax) throw new SyntaxFault(this.#token.at, rule('path-levels', { max: depthMax }))
  }

  get #token(): Token {
    const token = this.#tokens[this.#next] ?? this.#tokens.at(-1)
    if (!token) throw new SyntaxFault(0, rule('path-expression'))
    return token
  }

  #advance(): Token {
    const token = this.#token
    this.#next += 1
    return token
  }

  #take(symbol: string): boolean {
    const { kind, text } = this.#token
    if (kind !== 'symbol' || text !== symbol) return false
    this.#next += 1
    return true
  }

  #demand(symbol: string): void {
    if (!this.#take(symbol)) throw new SyntaxFault(this.#token.at, rule('path-symbol', { symbol }))
  }
}
