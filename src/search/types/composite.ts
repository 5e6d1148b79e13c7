import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import type { SearchParameterDefinition, SearchParamType } from '../../fhir/definitions/definitions.ts'
import type { ExtractedComponent, TypedValue } from '../../fhir/fhirpath/extraction.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import { IndexSink } from '../index-sink.ts'
import { tokenForm } from '../normal-form.ts'
import type { Node, ParamRef, RangeTest } from '../tree.ts'
import { splitValue } from '../value-text.ts'
import { missing } from './missing.ts'
import { type Asked, atParameter, type IndexContext, malformed, type ReadContext, type SearchType, shortName } from './search-type.ts'

type SimpleTypes = Readonly<Record<Exclude<SearchParamType, 'composite'>, SearchType>>

/**
 * Values of several parameters that belong together, `8480-6$gt140`. The components that are compared for equality (tokens, units, references,
 * uris) are joined to a key; one component that is compared by range or by prefix stands beside the key.
 * Where R4 has two ranges (the coordinates of MolecularSequence) the key also holds the component's number, one row and one question for each.
 * @see https://hl7.org/fhir/R4/search.html#composite
 */
export const compositeOf = (types: SimpleTypes): SearchType => ({
  index: () => undefined,
  read: (text, asked, context) => readComposite(text, asked, context, types),
  modifiers: { missing },
})

// --- the index's side

/** One form of a component. */
type Form = { readonly key?: string; readonly range?: { readonly lo: number; readonly hi: number }; readonly text?: string }
const formsMax = 256

/** Adds the rows of each item; `scratch` is cleared for each component. */
export const indexComposite = (
  items: readonly TypedValue[],
  components: readonly ExtractedComponent[],
  resource: Resource,
  types: SimpleTypes,
  sink: IndexSink,
  context: IndexContext,
): void => {
  for (const item of items) {
    const forms = formsOfItem(item, components, resource, types, context)
    for (const row of combine(forms)) sink.composite(row.key, row.rest)
  }
}

/** Read from the last on and no further than the first that has no value: that is mostly the value beside the code. */
const formsOfItem = (
  item: TypedValue,
  components: readonly ExtractedComponent[],
  resource: Resource,
  types: SimpleTypes,
  context: IndexContext,
): readonly (readonly Form[])[] => {
  const all: (readonly Form[])[] = []
  for (const component of components.toReversed()) {
    const forms = formsOfComponent(component, item, resource, types, context)
    if (forms.length === 0) return [[]]
    all.unshift(forms)
  }
  return all
}

const scratch = new IndexSink()

const formsOfComponent = (
  component: ExtractedComponent,
  item: TypedValue,
  resource: Resource,
  types: SimpleTypes,
  context: IndexContext,
): readonly Form[] => {
  if (component.type === 'composite') return []
  const values = component.extract(item, resource)
  if (values.length === 0) return []
  scratch.clear()
  for (const value of values) types[component.type].index(value, scratch, context)
  const { tokens, references, numbers, dates, strings } = scratch.values()
  return [
    ...tokens.flatMap(({ system, code, param }) => (param === '' ? tokenKeys(system, code, component.type) : [])),
    ...references.map(({ type, id }) => ({ key: `${type}/${id}` })),
    ...numbers.map(({ unit, lo, hi }) => ({ ...(component.type === 'quantity' ? { key: unit } : {}), range: { lo, hi } })),
    ...dates.map(({ lo, hi }) => ({ range: { lo, hi } })),
    ...strings.map(({ value }) => ({ text: value })),
  ]
}

/** A token is asked for with and without its system. */
const tokenKeys = (system: string, code: string, type: SearchParamType): readonly Form[] => {
  if (type !== 'token') return [{ key: code }]
  return code === '' ? [] : [{ key: code }, { key: `${system}|${code}` }]
}

type Row = { readonly key: string; readonly rest: Pick<Form, 'range' | 'text'> }

/** Every combination of one form of each component, one row for each range; none when a component has no value, or one item far too many codes. */
const combine = (components: readonly (readonly Form[])[]): readonly Row[] => {
  let rows: readonly (readonly Form[])[] = [[]]
  for (const forms of components) {
    if (rows.length * forms.length > formsMax) return []
    rows = rows.flatMap(row => forms.map(form => [...row, form]))
  }
  return rows.flatMap(rowsOf)
}

const rowsOf = (forms: readonly Form[]): readonly Row[] => {
  const key = joinKey(forms.flatMap(form => form.key ?? []))
  const beside = forms.flatMap(({ range, text }): readonly Row['rest'][] => (range ? [{ range }] : text === undefined ? [] : [{ text }]))
  if (beside.length === 0) return [{ key, rest: {} }]
  return beside.map((rest, number) => ({ key: numbered(key, number), rest }))
}

/** The second range of one composite is told apart by its key. */
const numbered = (key: string, number: number): string => (number === 0 ? key : `${key}$${number + 1}`)

const joinKey = (parts: readonly string[]): string => parts.map(part => (part.includes('$') ? part.replaceAll('$', '\\$') : part)).join('$')

// --- the question's side

/** What a component asks for: a part of the key, a test, a prefix. */
type Wanted = { readonly key?: string; readonly test?: RangeTest; readonly prefix?: string }

const readComposite = (text: string, asked: Asked, context: ReadContext, types: SimpleTypes): Outcome<Node> => {
  const components = componentsOf(asked, context)
  const texts = splitValue(text, '$')
  if (texts.length !== components.length) return malformed(asked.name, rule('composite-parts', { count: components.length }))
  let rows: readonly (readonly Wanted[])[] = [[]]
  for (const [number, component] of components.entries()) {
    const wanted = readComponent(texts[number] as string, asked, component, context, types)
    if (!wanted.ok) return wanted
    rows = rows.flatMap(row => wanted.value.map(form => [...row, form]))
    if (rows.length > context.alternativesMax)
      return fail('too-many-values', { parameter: shortName(asked.name), max: context.alternativesMax }, atParameter(asked.name))
  }
  return ok({ op: 'or', of: rows.map(row => nodeOf(asked.param, row)) })
}

/** The definitions of the components; a component names its parameter by URL. */
const componentsOf = ({ param, definition }: Asked, { definitions }: ReadContext): readonly SearchParameterDefinition[] => {
  const known = definitions.searchParameters(param.type)
  return (definition.components ?? []).flatMap(({ code, url }) => known.get(code) ?? [...known.values()].find(one => one.url === url) ?? [])
}

const readComponent = (
  text: string,
  asked: Asked,
  component: SearchParameterDefinition,
  context: ReadContext,
  types: SimpleTypes,
): Outcome<readonly Wanted[]> => {
  if (text === '') return malformed(asked.name, rule('composite-part-empty'))
  if (component.type === 'composite') return malformed(asked.name, rule('composite-in-composite'))
  const param: ParamRef = { type: asked.param.type, code: component.code, kind: component.type }
  const node = types[component.type].read(text, { name: asked.name, param, definition: component }, context)
  return node.ok ? wantedOf(node.value, asked.name) : node
}

/** What a node of a simple type asks of a composite's row. */
const wantedOf = (node: Node, name: string): Outcome<readonly Wanted[]> => {
  switch (node.op) {
    case 'token':
      if (node.code === undefined) return malformed(name, rule('composite-token'))
      return ok([{ key: node.system === undefined ? node.code : `${node.system}|${node.code}` }])
    case 'reference':
      return ok([{ key: `${node.type}/${node.id}` }])
    case 'uri':
      return ok([{ key: node.uri }])
    case 'number':
    case 'date':
      return ok([{ test: node.test }])
    case 'quantity':
      return ok([{ key: node.unit, test: node.test }])
    case 'string':
      return ok([{ prefix: node.text }])
    case 'or':
      return allWanted(node.of, name)
    default:
      return malformed(name, rule('not-in-composite'))
  }
}

const allWanted = (nodes: readonly Node[], name: string): Outcome<readonly Wanted[]> => {
  const all: Wanted[] = []
  for (const node of nodes) {
    const wanted = wantedOf(node, name)
    if (!wanted.ok) return wanted
    all.push(...wanted.value)
  }
  return ok(all)
}

const nodeOf = (param: ParamRef, row: readonly Wanted[]): Node => {
  const key = joinKey(row.flatMap(wanted => wanted.key ?? []))
  const beside = row.filter(wanted => wanted.test !== undefined || wanted.prefix !== undefined)
  if (beside.length === 0) return { op: 'composite', param, key: tokenForm(key) }
  const nodes = beside.map(
    ({ test, prefix }, number): Node => ({
      op: 'composite',
      param,
      key: tokenForm(numbered(key, number)),
      ...(test === undefined ? {} : { test }),
      ...(prefix === undefined ? {} : { prefix }),
    }),
  )
  return nodes.length === 1 ? (nodes[0] as Node) : { op: 'and', of: nodes }
}
