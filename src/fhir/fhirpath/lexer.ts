import { type Rule, rule } from '../../base/rules.ts'

/** The lexical half of the FHIRPath grammar. @see https://hl7.org/fhirpath/N1/#lexical-elements */
export type Token = {
  readonly kind: 'identifier' | 'delimited' | 'string' | 'number' | 'date' | 'dateTime' | 'time' | 'variable' | 'symbol' | 'end'
  /** Strings and delimited identifiers without quotes and escapes, dates without `@`. */
  readonly text: string
  /** Place of the first character, from 0. */
  readonly at: number
}

/** Thrown inside the room only: `parse` turns it into a failure. */
export class SyntaxFault extends Error {
  readonly at: number
  readonly rule: Rule
  constructor(at: number, rule: Rule) {
    super(`${rule.rule} at ${at}`)
    this.at = at
    this.rule = rule
  }
}

const date = String.raw`\d{4}(?:-\d{2}(?:-\d{2})?)?`
const time = String.raw`\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?`

// biome-ignore format: a table
const patterns = [
  ['blank', String.raw`\s+|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/`],
  ['time', `@T${time}`],
  ['dateTime', String.raw`@${date}T(?:${time}(?:Z|[+-]\d{2}:\d{2})?)?`],
  ['date', `@${date}`],
  ['number', String.raw`\d+(?:\.\d+)?`],
  ['identifier', '[A-Za-z_][A-Za-z0-9_]*'],
  ['delimited', String.raw`\x60(?:[^\\\x60]|\\.)*\x60`],
  ['string', String.raw`'(?:[^\\']|\\.)*'`],
  ['variable', String.raw`\$[a-z]+`],
  ['symbol', String.raw`<=|>=|!=|!~|[-+*\/&|<>=~.,()\[\]{}%]`],
] as const

const scanner = new RegExp(patterns.map(([kind, pattern]) => `(?<${kind}>${pattern})`).join('|'), 'y')

/** All tokens, an `end` last. Throws `SyntaxFault`. */
export const tokensOf = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    scanner.lastIndex = at
    const found = scanner.exec(text)
    if (!found?.groups) throw new SyntaxFault(at, rule('path-token'))
    const [kind] = patterns.find(([name]) => found.groups?.[name] !== undefined) ?? ['blank']
    if (kind !== 'blank') tokens.push({ kind, text: meaning(kind, found[0], at), at })
    at += found[0].length
  }
  return [...tokens, { kind: 'end', text: '', at }]
}

const meaning = (kind: Token['kind'], text: string, at: number): string => {
  if (kind === 'string' || kind === 'delimited') return unescaped(text.slice(1, -1), at)
  if (kind === 'time') return text.slice('@T'.length)
  if (kind === 'date' || kind === 'dateTime') return text.slice('@'.length)
  return text
}

const escapes: Readonly<Record<string, string>> = { f: '\f', n: '\n', r: '\r', t: '\t' }

const unescaped = (text: string, at: number): string =>
  text.replace(/\\(u[0-9A-Fa-f]{4}|[\s\S])/g, (_, code: string) => {
    if (code.length === 5) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    if (/[`'"\\/]/.test(code)) return code
    const character = escapes[code]
    if (character === undefined) throw new SyntaxFault(at, rule('path-escape'))
    return character
  })
