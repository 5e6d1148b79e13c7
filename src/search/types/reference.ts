import { isId } from '../../base/ids.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { parseReference } from '../../fhir/model/references.ts'
import type { IndexSink } from '../index-sink.ts'
import { tokenForm } from '../normal-form.ts'
import type { Node, ParamRef } from '../tree.ts'
import { unescapeValue } from '../value-text.ts'
import { missing } from './missing.ts'
import { atParameter, type IndexContext, malformed, type Read, type SearchType, shortName } from './search-type.ts'
import { readToken } from './token.ts'

const read: Read = (text, asked, context) =>
  readReference(unescapeValue(text), asked.definition.targets ?? context.definitions.resourceTypes, asked, context)

/**
 * References to our own instances are rows of their own; all others (URLs, canonicals, urns, exact versions) are tokens under the same parameter.
 * @see https://hl7.org/fhir/R4/search.html#reference
 */
export const reference: SearchType = {
  index({ value }, sink, context) {
    if (typeof value === 'string') indexCanonical(value, sink, context)
    else if (typeof value === 'object' && value !== null) indexReference(value as Reference, sink, context)
  },
  read,
  modifiers: {
    missing,
    not: { read, negated: true },
    identifier: { read: (text, { name, param }) => readToken(text, name, companion(param)) },
    above: 'unsupported',
    below: 'unsupported',
    in: 'unsupported',
    'not-in': 'unsupported',
    text: 'unsupported',
  },
  typeModifier: type => (text, asked, context) => {
    const whole = unescapeValue(text)
    const given = parseReference(whole, context.base)
    const fits = isId(whole) || (given.kind === 'local' && given.type === type)
    return fits ? readReference(whole, [type], asked, context) : malformed(asked.name, rule('must-refer-to', { type }))
  },
}

/** Where `Reference.identifier` is kept. */
const identifierSuffix = ':identifier'
const companion = ({ type, code }: ParamRef): ParamRef => ({ type, code: code + identifierSuffix, kind: 'token' })

const readReference = (
  text: string,
  types: readonly string[],
  { name, param }: Parameters<Read>[1],
  context: Parameters<Read>[2],
): Outcome<Node> => {
  if (isId(text)) return ofAnyType(text, types, name, param, context.alternativesMax)
  const parsed = parseReference(text, context.base)
  switch (parsed.kind) {
    case 'local':
      if (!context.definitions.isResourceType(parsed.type)) return malformed(name, rule('reference-type'))
      if (parsed.versionId !== undefined) return ok({ op: 'token', param, code: versionText(parsed.type, parsed.id, parsed.versionId) })
      return ok({ op: 'reference', param, type: parsed.type, id: parsed.id })
    case 'absolute':
      return ok({ op: 'token', param, code: tokenForm(parsed.url) })
    case 'urn':
      return ok({ op: 'token', param, code: tokenForm(parsed.urn) })
    default:
      return malformed(name, rule('reference-form'))
  }
}

const ofAnyType = (id: string, types: readonly string[], name: string, param: ParamRef, alternativesMax: number): Outcome<Node> => {
  if (types.length === 1) return ok({ op: 'reference', param, type: types[0] as string, id })
  if (types.length > alternativesMax)
    return fail('too-many-values', { parameter: shortName(name), max: alternativesMax }, atParameter(name))
  return ok({ op: 'or', of: types.map(type => ({ op: 'reference', param, type, id })) })
}

const versionText = (type: string, id: string, versionId: string | number): string => tokenForm(`${type}/${id}/_history/${versionId}`)

type Reference = { readonly reference?: unknown; readonly identifier?: { readonly system?: unknown; readonly value?: unknown } }

const indexReference = ({ reference: text, identifier }: Reference, sink: IndexSink, context: IndexContext): void => {
  if (typeof text === 'string') indexLiteral(text, sink, context)
  if (typeof identifier?.value === 'string')
    sink.token(typeof identifier.system === 'string' ? identifier.system : '', identifier.value, identifierSuffix)
}

const indexLiteral = (text: string, sink: IndexSink, { base, definitions }: IndexContext): void => {
  const parsed = parseReference(text, base)
  if (parsed.kind === 'absolute') sink.token('', parsed.url)
  else if (parsed.kind === 'urn') sink.token('', parsed.urn)
  else if (parsed.kind === 'local' && definitions.isResourceType(parsed.type)) {
    sink.reference(parsed.type, parsed.id)
    if (parsed.versionId !== undefined) sink.token('', versionText(parsed.type, parsed.id, parsed.versionId))
  }
}

/** With and without version, and as reference when it lies under our own base. */
const indexCanonical = (text: string, sink: IndexSink, context: IndexContext): void => {
  const bar = text.indexOf('|')
  const url = bar > 0 ? text.slice(0, bar) : text
  if (url.startsWith('#') || url === '') return
  if (bar > 0) sink.token('', text)
  const parsed = parseReference(url, context.base)
  if (parsed.kind === 'local' && context.definitions.isResourceType(parsed.type)) sink.reference(parsed.type, parsed.id)
  else sink.token('', url)
}
