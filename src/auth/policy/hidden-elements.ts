import type { AccessFilter } from '../../base/access-filter.ts'
import type { Definitions, SearchParameterDefinition } from '../../fhir/definitions/definitions.ts'
import type { View } from '../roles/role-table.ts'
import type { FieldRules, RowViews } from './field-rules.ts'
import { allOf, anyOf } from './simplify.ts'
import { memberNamed, verdictOf } from './view.ts'

/**
 * Whether all that stands at the path, above or below, is seen by every layer: what a patch may name. Steps are JSON names without places
 * in lists; no step is the whole resource.
 */
export const isShownWhole = (views: RowViews, type: string, steps: readonly string[], definitions: Definitions): boolean =>
  views.every(layer => layer.some(view => seesWhole(view, type, steps, definitions)))

const seesWhole = (view: View, type: string, steps: readonly string[], definitions: Definitions): boolean =>
  endsWell(view, type, steps, definitions, false)

/** What a search asks of a parameter: its values, its words or what else stands beside them (`code:text`, `subject:identifier`), or which comes first. */
export type Looking = 'values' | 'companion' | 'order'

type Look = { readonly parts: readonly string[]; readonly masked: boolean }

/** Masked values are found by whoever knows them: a registrar looks a patient up by the number on his card. Their order would tell more than that. */
const lookOf = (type: SearchParameterDefinition['type'], looking: Looking): Look =>
  looking === 'companion' ? { parts: [], masked: false } : { parts: partsIndexed[type] ?? [], masked: looking === 'values' }

const findsBy = (view: View, type: string, steps: readonly string[], { parts, masked }: Look, definitions: Definitions): boolean =>
  endsWell(view, type, steps, definitions, masked) ||
  (parts.length > 0 && parts.every(part => endsWell(view, type, [...steps, part], definitions, masked)))

/** What the index takes of an element that is shown in part; of everything else all. Words of a concept and identifiers in references are apart. */
const partsIndexed: Readonly<Partial<Record<SearchParameterDefinition['type'], readonly string[]>>> = {
  token: ['coding'],
  reference: ['reference'],
  date: ['start', 'end'],
}

const endsWell = (view: View, type: string, steps: readonly string[], definitions: Definitions, masked: boolean): boolean => {
  if (view.persons?.includes(type) === false) return true
  let within = type
  let path = ''
  for (const [index, name] of steps.entries()) {
    // A FHIRPath names a choice without its type; all of its types are of one view.
    const member = memberNamed(definitions, within, name) ?? choiceNamed(definitions, within, name)
    if (member === undefined) return false
    path = path === '' ? member.element.name : `${path}.${member.element.name}`
    const verdict = verdictOf(view, { type, path, depth: index + 1, name, member })
    if (verdict === 'show') return true
    if (verdict !== 'inside') return masked && verdict === 'mask'
    within = member.within
  }
  return false
}

const choiceNamed = (definitions: Definitions, within: string, name: string): ReturnType<typeof memberNamed> => {
  const members = [...definitions.members(within).values()].filter(({ element }) => element.choice && element.name === name)
  return members[0]
}

/**
 * The rows in which a caller sees what a search parameter looks at: a conjunct of every query that uses it. `all` where nothing is hidden, `none`
 * where the search must be refused, for its answers would tell what is hidden.
 */
export const searchableWhere = (
  rules: FieldRules,
  type: string,
  parameter: SearchParameterDefinition,
  definitions: Definitions,
  looking: Looking = 'values',
): AccessFilter => {
  if (rules.length === 0) return { op: 'all' }
  const paths = pathsOf(parameter, type)
  const look = lookOf(parameter.type, looking)
  return allOf(
    rules.map(layer =>
      anyOf(
        layer.flatMap(({ where, view }) =>
          view === undefined || paths?.every(steps => findsBy(view, type, steps, look, definitions)) === true ? [where] : [],
        ),
      ),
    ),
  )
}

/** Of the resource itself: in every view. */
const ofEveryResource: ReadonlySet<string> = new Set(['_id', '_lastUpdated'])

const functionCall = /\.(?:where|exists|resolve|as|ofType|is|first|last|extension)\b.*$/

/** Element names that the expression begins with, for this type; undefined when that cannot be told. */
const pathsOf = ({ code, expression }: SearchParameterDefinition, type: string): readonly (readonly string[])[] | undefined => {
  if (ofEveryResource.has(code)) return []
  if (expression === undefined) return undefined
  const heads = new Set([type, 'Resource', 'DomainResource'])
  const found: string[][] = []
  for (const [text] of expression.matchAll(/\b[A-Z]\w*(?:\.\w+)*/g)) {
    const [head = '', ...steps] = text.replace(functionCall, '').split('.')
    if (heads.has(head)) found.push(steps)
  }
  return found.length === 0 ? undefined : found
}
