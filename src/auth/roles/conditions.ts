import type { Definitions } from '../../fhir/definitions/definitions.ts'
import { accessParameters } from './access-parameters.ts'
import { parseClause } from './clause.ts'
import { isRecord, isTexts, type Problems, recordOf, refuseOthers } from './json-shape.ts'
import type { CompileClause, CompiledClause, Grant, GrantObligation, ParamDemand, View } from './role-table.ts'

/** A superscript of the matrix, as data. Type -> demands; with `match`, a type that it does not name is not granted at all. */
type Condition = {
  readonly match?: ReadonlyMap<string, readonly ParamDemand[]>
  readonly becomes?: ReadonlyMap<string, readonly ParamDemand[]>
  readonly elements?: readonly string[]
  readonly without?: readonly string[]
  readonly view?: View
  readonly obligation?: GrantObligation
}

const viewMembers = ['only', 'hide', 'mask', 'uses', 'coded', 'persons']

export const readViews = (json: unknown, definitions: Definitions, problems: Problems): ReadonlyMap<string, View> =>
  new Map(Object.entries(recordOf(json, 'views', problems)).map(([name, view]) => [name, readView(name, view, definitions, problems)]))

const readView = (name: string, json: unknown, definitions: Definitions, problems: Problems): View => {
  const at = `views.${name}`
  const record = recordOf(json, at, problems)
  refuseOthers(record, viewMembers, at, problems)
  const { only, hide, mask, uses, coded, persons } = record
  for (const [member, texts] of Object.entries({ only, hide, mask, persons })) {
    if (texts !== undefined && !isTexts(texts)) problems.add(`${at}.${member} is a list of texts`)
  }
  if (coded !== undefined && coded !== true) problems.add(`${at}.coded is true or absent`)
  if (uses !== undefined && !(isRecord(uses) && Object.values(uses).every(isTexts))) problems.add(`${at}.uses names uses for elements`)
  if (isTexts(persons))
    for (const type of persons) if (!definitions.isResourceType(type)) problems.add(`${at}.persons: ${type} is no resource type`)
  return {
    name,
    ...(isTexts(only) && { only }),
    ...(isTexts(hide) && { hide }),
    ...(isTexts(mask) && { mask }),
    ...(isRecord(uses) && { uses: uses as Readonly<Record<string, readonly string[]>> }), // looked at above
    ...(coded === true && { coded }),
    ...(isTexts(persons) && { persons }),
  }
}

type Known = {
  readonly definitions: Definitions
  readonly lists: ReadonlyMap<string, readonly string[]>
  readonly views: ReadonlyMap<string, View>
}

const conditionMembers = ['match', 'becomes', 'elements', 'without', 'view', 'obligation']
const obligations: ReadonlySet<unknown> = new Set(['first-link', 'patient-copy'])

export const readConditions = (json: unknown, known: Known, problems: Problems): ReadonlyMap<string, Condition> =>
  new Map(
    Object.entries(recordOf(json, 'conditions', problems)).map(([name, one]) => [
      name,
      readCondition(`conditions.${name}`, one, known, problems),
    ]),
  )

const readCondition = (at: string, json: unknown, known: Known, problems: Problems): Condition => {
  const record = recordOf(json, at, problems)
  refuseOthers(record, conditionMembers, at, problems)
  const { match, becomes, elements, without, view, obligation } = record
  for (const [member, texts] of Object.entries({ elements, without })) {
    if (texts !== undefined && (!isTexts(texts) || texts.length === 0)) problems.add(`${at}.${member} is a list of elements, not empty`)
  }
  const found = typeof view === 'string' ? known.views.get(view) : undefined
  if (view !== undefined && found === undefined) problems.add(`${at}.view is not one of the views`)
  if (obligation !== undefined && !obligations.has(obligation)) problems.add(`${at}.obligation is not known`)
  if (Object.keys(record).length === 0) problems.add(`${at} says nothing`)
  return {
    ...(match !== undefined && { match: readDemands(match, `${at}.match`, known, problems) }),
    ...(becomes !== undefined && { becomes: readDemands(becomes, `${at}.becomes`, known, problems) }),
    ...(isTexts(elements) && { elements }),
    ...(isTexts(without) && { without }),
    ...(found && { view: found }),
    ...(obligations.has(obligation) && { obligation: obligation as GrantObligation }), // one of the set
  }
}

const readDemands = (json: unknown, at: string, known: Known, problems: Problems): ReadonlyMap<string, readonly ParamDemand[]> =>
  new Map(
    Object.entries(recordOf(json, at, problems)).map(([type, params]) => {
      const demands = Object.entries(recordOf(params, `${at}.${type}`, problems)).map(([code, values]): ParamDemand => {
        const place = `${at}.${type}.${code}`
        if (!isDemandable(type, code, known.definitions)) problems.add(`${place} is no parameter that a condition can ask`)
        return { code, values: readValues(values, place, known.lists, problems) }
      })
      return [type, demands]
    }),
  )

/** A list by its name, or the values themselves. */
const readValues = (json: unknown, at: string, lists: Known['lists'], problems: Problems): readonly string[] => {
  const values = typeof json === 'string' ? lists.get(json) : json
  if (isTexts(values) && values.length > 0) return values
  problems.add(`${at} is the name of a list, or a list of values`)
  return []
}

const demandableTypes: ReadonlySet<string> = new Set(['token', 'reference', 'string', 'date', 'uri'])

const isDemandable = (type: string, code: string, definitions: Definitions): boolean => {
  if (!definitions.isResourceType(type)) return false
  const definition =
    definitions.searchParameters(type).get(code) ?? accessParameters.find(one => one.code === code && one.base.includes(type))
  return definition !== undefined && demandableTypes.has(definition.type)
}

/** Nobody deletes these: mistakes become entered-in-error, and removal is an operation of its own. AuditEvents are not even changed. */
const keptGroups: ReadonlySet<string> = new Set([
  'G1',
  'G3',
  'G4',
  'G5',
  'G6',
  'G7',
  'G8',
  'G9',
  'G10',
  'G11',
  'G12',
  'G13',
  'G14',
  'G15',
  'G19',
  'G22',
])

export const clauseCompiler = (known: {
  readonly definitions: Definitions
  readonly typesOf: ReadonlyMap<string, readonly string[]>
  readonly conditions: ReadonlyMap<string, Condition>
}): CompileClause => {
  const kept = new Set([...keptGroups].flatMap(group => known.typesOf.get(group) ?? []))
  return (text, { name, within }) => {
    const clause = parseClause(text)
    if (clause === undefined) return refused('it is no clause')
    const types = clause.types?.flatMap(one => known.typesOf.get(one) ?? [one]) ?? within
    if (types === undefined) return refused('it names no type')
    const stranger = types.find(type => !known.definitions.isResourceType(type) || (within !== undefined && !within.includes(type)))
    if (stranger !== undefined) return refused(`${stranger} is not in this group`)
    if (clause.letters.includes('d') && types.some(type => kept.has(type))) return refused('clinical resources are not deleted')
    if (types.includes('AuditEvent') && /[cu]/.test(clause.letters)) return refused('an AuditEvent is not written')
    const conditions = clause.conditions.map(one => known.conditions.get(one))
    if (conditions.includes(undefined)) return refused('it names a condition that is not there')
    const named = conditions as readonly Condition[] // none undefined
    if (named.filter(({ view }) => view).length > 1) return refused('it has two views')
    if (named.filter(({ obligation }) => obligation).length > 1) return refused('it has two obligations')
    const grants = types.flatMap(type => grantOf(type, { name, ...clause }, named) ?? [])
    if (grants.length === 0) return refused('its conditions leave nothing of it')
    return { ok: true, grants: new Map(grants) }
  }
}

const refused = (problem: string): CompiledClause => ({ ok: false, problem })

type Head = Pick<Grant, 'name' | 'letters' | 'relation'>

/** Undefined when a condition cannot hold for the type: it has no such parameter, so nothing of it is granted. */
const grantOf = (
  type: string,
  { name, letters, relation }: Head,
  conditions: readonly Condition[],
): readonly [string, Grant][] | undefined => {
  if (conditions.some(({ match }) => match !== undefined && !match.has(type))) return undefined
  const limits = conditions.flatMap(({ elements }) => (elements ? [elements] : []))
  const view = conditions.find(condition => condition.view)?.view
  const obligation = conditions.find(condition => condition.obligation)?.obligation
  const grant: Grant = {
    name,
    letters,
    relation,
    match: conditions.flatMap(({ match }) => match?.get(type) ?? []),
    becomes: conditions.flatMap(({ becomes }) => becomes?.get(type) ?? []),
    without: conditions.flatMap(({ without }) => without ?? []),
    ...(limits.length > 0 && { elements: limits.reduce((a, b) => a.filter(element => b.includes(element))) }),
    ...(view && { view }),
    ...(obligation && { obligation }),
  }
  return [[type, grant]]
}
