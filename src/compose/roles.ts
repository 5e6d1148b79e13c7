import { readFileSync } from 'node:fs'
import { readRoles } from '../auth/roles/read-roles.ts'
import type { RoleTable } from '../auth/roles/role-table.ts'
import type { Config } from '../config/config.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'

/** The roles of this installation. Throws what is wrong with them: a policy in doubt opens nothing. */
export const loadRoles = ({ doctorRelation, nurseRelation }: Config, definitions: Definitions): RoleTable => {
  const shipped: unknown = JSON.parse(readFileSync(new URL('../auth/roles/roles.json', import.meta.url), 'utf8'))
  const careOnly = [...(doctorRelation === 'care' ? ['doctor'] : []), ...(nurseRelation === 'care' ? ['nurse'] : [])]
  const read = readRoles(shipped, definitions, { careOnly })
  if (!read.ok) throw new Error(`The roles cannot be used: ${read.problems.join('; ')}`)
  return read.table
}
