import { isRecord, isTexts, Problems, refuseOthers } from '../roles/json-shape.ts'
import type { Grant, RoleTable } from '../roles/role-table.ts'
import type { ClientGrant } from './principal.ts'

export type ReadClientGrants =
  | { readonly ok: true; readonly grants: readonly ClientGrant[] }
  | { readonly ok: false; readonly problems: readonly string[] }

/**
 * The grants of a client's registration: `{ "clause": "Observation cu if laboratory", "reach": "any" | { "organizations": [] } | { "groups": [] },
 * "purposes"?: [] }`. The clause is written as in roles.json, without a relation; groups of types may stand for their types. One bad
 * grant refuses all.
 */
export const readClientGrants = (json: unknown, table: RoleTable): ReadClientGrants => {
  const problems = new Problems()
  const list = Array.isArray(json) ? json : []
  if (!Array.isArray(json)) problems.add('grants are a list')
  const grants = list.flatMap((given: unknown, index) => readGrant(given, `grants[${index}]`, table, problems) ?? [])
  return problems.found.length === 0 ? { ok: true, grants } : { ok: false, problems: problems.found }
}

const readGrant = (json: unknown, at: string, table: RoleTable, problems: Problems): ClientGrant | undefined => {
  if (!isRecord(json) || typeof json.clause !== 'string') {
    problems.add(`${at}.clause is missing`)
    return undefined
  }
  refuseOthers(json, ['clause', 'reach', 'purposes'], at, problems)
  const { clause, purposes } = json
  const reach = readReach(json.reach)
  if (reach === undefined) problems.add(`${at}.reach is "any", organizations or groups`)
  if (purposes !== undefined && !isTexts(purposes)) problems.add(`${at}.purposes is a list of codes`)
  if (clause.includes('@')) problems.add(`${at}.clause has no relation: reach says whom it reaches`)
  const compiled = table.compile(clause, { name: `client/${clause.replaceAll(' ', '.')}` })
  if (!compiled.ok) problems.add(`${at}.clause: ${compiled.problem}`)
  if (!compiled.ok || reach === undefined) return undefined
  const relation: Grant['relation'] = reach === 'any' ? 'A' : 'F'
  return {
    grants: new Map([...compiled.grants].map(([type, grant]) => [type, { ...grant, relation }])),
    reach,
    ...(isTexts(purposes) && { purposes }),
  }
}

const readReach = (json: unknown): ClientGrant['reach'] | undefined => {
  if (json === 'any') return json
  if (!isRecord(json) || Object.keys(json).length !== 1) return undefined
  if (isTexts(json.organizations)) return { organizations: json.organizations }
  return isTexts(json.groups) ? { groups: json.groups } : undefined
}
