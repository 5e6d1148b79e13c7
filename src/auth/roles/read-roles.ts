import type { Definitions } from '../../fhir/definitions/definitions.ts'
import { readClearance } from './clearance.ts'
import { clauseCompiler, readConditions, readViews } from './conditions.ts'
import { isRecord, isTexts, Problems, recordOf, refuseOthers } from './json-shape.ts'
import { type RoleOverrides, withOverrides } from './overrides.ts'
import { readPermissions } from './permissions.ts'
import type { Grant, Role, RoleTable } from './role-table.ts'

export type ReadRoles = { readonly ok: true; readonly table: RoleTable } | { readonly ok: false; readonly problems: readonly string[] }

/**
 * The roles of this installation: what ships (roles.json) with what the deployment changed. Whoever gets problems must not start: a table
 * that is not wholly understood grants nothing.
 */
export const readRoles = (shipped: unknown, definitions: Definitions, overrides?: RoleOverrides): ReadRoles => {
  const problems = new Problems()
  const table = tableFrom(overrides === undefined ? shipped : withOverrides(shipped, overrides, problems), definitions, problems)
  return problems.found.length === 0 ? { ok: true, table } : { ok: false, problems: problems.found }
}

const tableFrom = (json: unknown, definitions: Definitions, problems: Problems): RoleTable => {
  const { version, groups, unbound, lists, views, conditions, roles, duties, permissions } = recordOf(json, 'roles', problems)
  if (typeof version !== 'string' || version === '') problems.add('version is missing')
  const typesOf = readGroups(groups, definitions, problems)
  const readLists = readTextLists(lists, 'lists', problems)
  const readViewTable = readViews(views, definitions, problems)
  const compile = clauseCompiler({
    definitions,
    typesOf,
    conditions: readConditions(conditions, { definitions, lists: readLists, views: readViewTable }, problems),
  })
  const dutyTable = new Map(
    Object.entries(recordOf(duties, 'duties', problems)).map(([name, duty]) => {
      const excludes: unknown = isRecord(duty) ? duty.excludes : undefined
      if (!isTexts(excludes)) problems.add(`duties.${name}: excludes is a list of roles`)
      return [name, { excludes: isTexts(excludes) ? excludes : [] }] as const
    }),
  )
  const roleTable = new Map(
    Object.entries(recordOf(roles, 'roles', problems)).map(
      ([name, role]) => [name, readRole(name, role, { typesOf, compile, problems })] as const,
    ),
  )
  const known = new Set([...roleTable.keys(), ...dutyTable.keys()])
  return {
    version: typeof version === 'string' ? version : '',
    groupOf: new Map([...typesOf].flatMap(([group, types]) => types.map(type => [type, group] as const))),
    aboutPatients: typesAboutPatients(definitions),
    unbound: new Set(readTypes(unbound, 'unbound', definitions, problems)),
    views: readViewTable,
    roles: roleTable,
    duties: dutyTable,
    permissions: readPermissions(
      permissions,
      { known, cells: (cells, at) => readCells(cells, at, { typesOf, compile, problems }) },
      problems,
    ),
    compile,
  }
}

/** Each of the resource types stands in exactly one group. */
const readGroups = (json: unknown, definitions: Definitions, problems: Problems): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map(
    Object.entries(recordOf(json, 'groups', problems)).map(([group, types]) => [
      group,
      readTypes(types, `groups.${group}`, definitions, problems),
    ]),
  )
  const places = new Map<string, string[]>()
  for (const [group, types] of groups) for (const type of types) places.set(type, [...(places.get(type) ?? []), group])
  for (const type of definitions.resourceTypes) {
    const found = places.get(type) ?? []
    if (found.length !== 1)
      problems.add(`groups: ${type} stands in ${found.length === 0 ? 'none' : found.join(' and ')}, but each type has exactly one`)
  }
  return groups
}

const readTypes = (json: unknown, at: string, definitions: Definitions, problems: Problems): readonly string[] => {
  if (!isTexts(json)) {
    problems.add(`${at} is a list of resource types`)
    return []
  }
  for (const type of json) if (!definitions.isResourceType(type)) problems.add(`${at}: ${type} is no resource type`)
  return json
}

const readTextLists = (json: unknown, at: string, problems: Problems): ReadonlyMap<string, readonly string[]> =>
  new Map(
    Object.entries(recordOf(json, at, problems)).map(([name, texts]) => {
      if (!isTexts(texts) || texts.length === 0) problems.add(`${at}.${name} is a list of texts, not empty`)
      return [name, isTexts(texts) ? texts : []]
    }),
  )

type Reading = {
  readonly typesOf: ReadonlyMap<string, readonly string[]>
  readonly compile: RoleTable['compile']
  readonly problems: Problems
}

const homes: ReadonlySet<unknown> = new Set(['A', 'F', 'C', 'Q', 'S'])

const readRole = (name: string, json: unknown, reading: Reading): Role => {
  const record = recordOf(json, `roles.${name}`, reading.problems)
  refuseOthers(record, ['home', 'documents', 'clearance', 'cells', 'technical'], `roles.${name}`, reading.problems)
  const { home, documents = [], clearance, cells, technical = false } = record
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) reading.problems.add('roles: a name is small letters, digits and hyphens')
  if (home !== undefined && !homes.has(home)) reading.problems.add(`roles.${name}.home is one of A, F, C, Q, S`)
  if (!isTexts(documents)) reading.problems.add(`roles.${name}.documents is a list of tokens`)
  const grants = readCells(cells, `roles.${name}.cells`, reading, name)
  if (technical !== true && technical !== false) reading.problems.add(`roles.${name}.technical is true or false`)
  if (technical === true) refuseClinical(name, grants, reading)
  return {
    name,
    ...(homes.has(home) && { home: home as Exclude<Role['home'], undefined> }), // one of the set
    documents: isTexts(documents) ? documents : [],
    clearance: readClearance(clearance, `roles.${name}.clearance`, reading.problems),
    grants,
  }
}

/** Technical administration and clinical access are separate (D7). */
const technicalTypes: ReadonlySet<string> = new Set(['Measure', 'Subscription'])

const refuseClinical = (name: string, grants: ReadonlyMap<string, readonly Grant[]>, { typesOf, problems }: Reading): void => {
  const open = new Set([...(typesOf.get('G17') ?? []), ...(typesOf.get('G18') ?? []), ...technicalTypes])
  for (const type of grants.keys()) if (!open.has(type)) problems.add(`roles.${name}: a technical role has no access to ${type}`)
}

/** Group -> clauses becomes type -> grants. */
const readCells = (
  json: unknown,
  at: string,
  { typesOf, compile, problems }: Reading,
  owner = at,
): ReadonlyMap<string, readonly Grant[]> => {
  const grants = new Map<string, Grant[]>()
  for (const [group, clauses] of Object.entries(recordOf(json, at, problems))) {
    const within = typesOf.get(group)
    if (within === undefined) problems.add(`${at}: there is no group ${group}`)
    else if (!isTexts(clauses)) problems.add(`${at}.${group} is a list of clauses`)
    else {
      for (const [place, clause] of clauses.entries()) {
        const compiled = compile(clause, { name: `${owner}/${group}/${place + 1}`, within })
        if (!compiled.ok) problems.add(`${at}.${group}: "${clause}": ${compiled.problem}`)
        else for (const [type, grant] of compiled.grants) grants.set(type, [...(grants.get(type) ?? []), grant])
      }
    }
  }
  return grants
}

/** Parameters that say *this is about the patient*: those of which the privacy compartment is made. */
const aboutPatient = ['patient', 'subject', 'beneficiary', 'individual']

/**
 * Types that can be about a patient. Beside those with such a parameter: what carries other resources, or speaks of them, and may therefore
 * speak of patients without a parameter that says so. Their instances are never taken for nobody's by their type alone.
 */
const typesAboutPatients = (definitions: Definitions): ReadonlySet<string> => {
  const carriers = [
    'Patient',
    'Binary',
    'Bundle',
    'Group',
    'Linkage',
    'MessageHeader',
    'Parameters',
    'OperationOutcome',
    'Subscription',
    'EnrollmentResponse',
    'PaymentNotice',
    'PaymentReconciliation',
    'VerificationResult',
    'CatalogEntry',
  ]
  const named = definitions.resourceTypes.filter(type => {
    const params = definitions.searchParameters(type)
    const actor = type === 'Appointment' || type === 'AppointmentResponse' ? ['actor'] : []
    return [...aboutPatient, ...actor].some(code => params.get(code)?.targets?.includes('Patient') === true)
  })
  return new Set([...carriers, ...named])
}
