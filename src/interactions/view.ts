import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import { stringify } from '../fhir/model/json.ts'
import { type Subset, subset } from '../fhir/model/subset.ts'
import { type ResultParameters, resultParameters } from '../search/result-parameters.ts'
import type { StoredVersion } from '../storage/port.ts'
import type { Parts } from './parts.ts'
import { badParameter, type Readers, readParameters } from './read-parameters.ts'
import type { Parameter } from './request.ts'
import { isWholeSight, type Sight, seenBy } from './sight.ts'
import { parseStored } from './stored-resource.ts'

/** How much of a resource is shown. @see https://hl7.org/fhir/R4/search.html#summary */
export type View = {
  readonly summary?: 'false' | 'true' | 'text' | 'data' | 'count'
  /** Names of elements; `Type.element` concerns that type alone. */
  readonly elements?: readonly string[]
}

type ViewParts = Pick<Parts, 'definitions' | 'limits'>

/**
 * The stored bytes themselves when nothing reduces them; else the resource as the caller sees it, then with the elements asked for, and the tag
 * SUBSETTED.
 */
export const textOf = (version: StoredVersion, view: View, sight: Sight, parts: ViewParts): Uint8Array => {
  const how = reductionOf(version.type, view)
  return how === undefined && isWholeSight(sight) ? version.text : reduced(version, how, sight, parts)
}

export const reduced = (
  version: Pick<StoredVersion, 'type' | 'id' | 'versionId' | 'text'>,
  how: Subset | undefined,
  sight: Sight,
  parts: ViewParts,
): Uint8Array => {
  const seen = seenBy(parseStored(version, parts), sight, parts)
  return Buffer.from(stringify(how === undefined ? seen : subset(seen, parts.definitions, how)))
}

/** How the view reduces a resource of `type`; undefined when it shows all of it. */
export const reductionOf = (type: string, { summary, elements }: View): Subset | undefined => {
  if (summary === 'true' || summary === 'text' || summary === 'data') return { summary }
  const names = elements?.flatMap(name => elementOf(type, name))
  return names === undefined || names.length === 0 ? undefined : { elements: names }
}

const elementOf = (type: string, name: string): string | readonly [] => {
  const plain = name.replace(/\[x\]$/, '')
  const dot = plain.indexOf('.')
  if (dot < 0) return plain
  return plain.slice(0, dot) === type ? plain.slice(dot + 1) : []
}

/** `_summary` and `_elements`, read as a search of `types` reads them. */
export const viewReaders = (types: readonly string[], parts: ViewParts): Readers<View> => {
  const read = (value: string, name: string): Outcome<View> => {
    const results: ResultParameters = { includes: [], revincludes: [] }
    const done = resultParameters[name]?.read({ name, value, modifier: undefined }, results, { types, ...parts })
    return done === undefined || done.ok ? ok(viewOf(results)) : done
  }
  return { _summary: read, _elements: read }
}

const viewOf = ({ summary, elements }: ResultParameters): View => ({
  ...(summary === undefined ? {} : { summary }),
  ...(elements === undefined ? {} : { elements }),
})

export const checkView = ({ summary, elements }: View): Outcome<undefined> =>
  summary === undefined || elements === undefined
    ? ok(undefined)
    : fail('parameter-clash', { first: '_summary', second: '_elements' }, { location: ['http._summary'] })

/** The parameters of an interaction that answers with one resource. Fails on any but those of the view. */
export const readView = (parameters: readonly Parameter[], type: string, where: string, parts: ViewParts): Outcome<View> => {
  const view = readParameters(parameters, viewReaders([type], parts), where)
  if (!view.ok) return view
  const checked = checkViewOfOne(view.value)
  return checked.ok ? view : checked
}

/** One resource can be reduced, not counted. */
export const checkViewOfOne = (view: View): Outcome<undefined> =>
  view.summary === 'count' ? badParameter('_summary', rule('one-of', { words: 'true, text, data, false' })) : checkView(view)
