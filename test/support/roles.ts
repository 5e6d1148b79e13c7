import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRoles } from '../../src/auth/roles/read-roles.ts'
import type { RoleTable } from '../../src/auth/roles/role-table.ts'
import { testDefinitions } from './definitions.ts'

/** The document that ships, as JSON. */
export const shippedRoles = (): unknown => JSON.parse(readFileSync(join(import.meta.dirname, '../../src/auth/roles/roles.json'), 'utf8'))

let loaded: RoleTable | undefined

/** The shipped roles as compose loads them, read once per test file. */
export const testRoles = (): RoleTable => {
  if (loaded) return loaded
  const read = readRoles(shippedRoles(), testDefinitions())
  if (!read.ok) throw new Error(read.problems.join('\n'))
  loaded = read.table
  return loaded
}
