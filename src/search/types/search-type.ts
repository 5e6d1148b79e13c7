import { type Failure, fail, type Outcome } from '../../base/outcome.ts'
import type { Rule } from '../../base/rules.ts'
import type { Definitions, SearchParameterDefinition } from '../../fhir/definitions/definitions.ts'
import type { TypedValue } from '../../fhir/fhirpath/extraction.ts'
import type { IndexSink } from '../index-sink.ts'
import type { Node, ParamRef } from '../tree.ts'

/**
 * Both sides of a search parameter type: what a raw value becomes in the index, and what a text becomes in the tree. They stand in one file
 * because they must agree.
 */
export type SearchType = {
  /** Adds the index values of one raw value. Never fails: what makes no sense is left out. */
  readonly index: (value: TypedValue, sink: IndexSink, context: IndexContext) => void
  /** Reads one alternative of a value (still escaped) without modifier. */
  readonly read: Read
  /** The row of this type in the table of modifiers (storage-and-search.md 9). What is not named here does not exist for the type. */
  readonly modifiers: Readonly<Record<string, Modifier>>
  /** Whether a resource type may stand as modifier: `subject:Patient`. */
  readonly typeModifier?: (targetType: string) => Read
}

export type IndexContext = {
  readonly definitions: Definitions
  /** Our own base URL, without a slash at the end. */
  readonly base: string
  /** IANA name; dates without offset are read in it. */
  readonly zone: string
}

export type ReadContext = IndexContext & { /** ms */ readonly now: number; readonly alternativesMax: number }

/** The parameter a text is read for. `name` is what the client wrote, for messages. */
export type Asked = { readonly name: string; readonly param: ParamRef; readonly definition: SearchParameterDefinition }

export type Read = (text: string, asked: Asked, context: ReadContext) => Outcome<Node>

/** `unsupported`: R4 has it, this server not yet. `negated`: what is read for all alternatives together must not hold. */
export type Modifier = 'unsupported' | { readonly read: Read; readonly negated?: true }

const nameCharactersMax = 128

/** Where a failure about the parameter `name` points to. */
export const atParameter = (name: string): { readonly location: readonly string[] } => ({ location: [`http.${shortName(name)}`] })

/** Names come from outside: a message carries at most 128 characters of one. */
export const shortName = (name: string): string => (name.length <= nameCharactersMax ? name : `${name.slice(0, nameCharactersMax)}…`)

export const malformed = (name: string, rule: Rule): { readonly ok: false; readonly failure: Failure } =>
  fail('bad-parameter', { parameter: shortName(name), rule }, atParameter(name))
