import { isRecord, isTexts, type Problems, refuseOthers } from './json-shape.ts'

/**
 * What a deployment changes of the shipped roles. `file` is the document that the admin API keeps (two persons), `relations` and `registry`
 * come from variables.
 */
export type RoleOverrides = {
  /** `{ version, lists, conditions, roles }`: a list or condition replaces the one of its name; of a shipped role only cells are replaced, whole. */
  readonly file?: unknown
  /** Roles of which F is tightened to C. */
  readonly careOnly?: readonly string[]
  /** A registry node: the registrar reaches all patients. */
  readonly registry?: boolean
}

type Json = Readonly<Record<string, unknown>>

/** The shipped document with the changes in it; it is read and checked like any other afterwards. */
export const withOverrides = (shipped: unknown, { file, careOnly = [], registry = false }: RoleOverrides, problems: Problems): unknown => {
  if (!isRecord(shipped)) return shipped
  const changed = file === undefined ? shipped : withFile(shipped, file, problems)
  const tightened = careOnly.reduce((json, role) => withRelation(json, role, ['F', 'C'], problems), changed)
  return registry ? withRelation(tightened, 'registrar', ['F', 'A'], problems) : tightened
}

const withFile = (shipped: Json, file: unknown, problems: Problems): Json => {
  if (!isRecord(file)) {
    problems.add('overrides are not an object')
    return shipped
  }
  refuseOthers(file, ['version', 'lists', 'conditions', 'roles'], 'overrides', problems)
  if (typeof file.version !== 'string' || file.version === '') problems.add('overrides.version is missing')
  return {
    ...shipped,
    version: `${String(shipped.version)}+${String(file.version)}`,
    lists: joined(shipped.lists, file.lists, 'overrides.lists', problems),
    conditions: joined(shipped.conditions, file.conditions, 'overrides.conditions', problems),
    roles: withRoles(shipped.roles, file.roles, problems),
  }
}

const joined = (shipped: unknown, given: unknown, at: string, problems: Problems): unknown => {
  if (given === undefined) return shipped
  if (isRecord(given) && isRecord(shipped)) return { ...shipped, ...given }
  problems.add(`${at} is not an object`)
  return shipped
}

/** Shipped roles keep what is not a cell, and all cells that are not named; others are new. */
const withRoles = (shipped: unknown, given: unknown, problems: Problems): unknown => {
  if (given === undefined || !isRecord(shipped)) return shipped
  if (!isRecord(given)) {
    problems.add('overrides.roles is not an object')
    return shipped
  }
  const roles: Record<string, unknown> = { ...shipped }
  for (const [name, role] of Object.entries(given)) {
    const known = Object.hasOwn(shipped, name) ? shipped[name] : undefined
    if (!isRecord(known)) roles[name] = role
    else if (!isRecord(role) || !isRecord(role.cells)) problems.add(`overrides.roles.${name}: of a shipped role only cells change`)
    else {
      refuseOthers(role, ['cells'], `overrides.roles.${name}`, problems)
      roles[name] = { ...known, cells: { ...(isRecord(known.cells) ? known.cells : {}), ...role.cells } }
    }
  }
  return roles
}

const withRelation = (json: Json, name: string, [from, to]: readonly [string, string], problems: Problems): Json => {
  const role = isRecord(json.roles) && Object.hasOwn(json.roles, name) ? json.roles[name] : undefined
  if (!isRecord(role) || !isRecord(role.cells)) {
    problems.add(`there is no role ${name} whose relation could change`)
    return json
  }
  const cells = Object.fromEntries(
    Object.entries(role.cells).map(([group, clauses]) => [
      group,
      isTexts(clauses) ? clauses.map(clause => clause.replace(`@${from}`, `@${to}`)) : clauses,
    ]),
  )
  const home = role.home === from ? { home: to } : {}
  return { ...json, roles: { ...(json.roles as Json), [name]: { ...role, ...home, cells } } }
}
