import { allLetters } from '../letters.ts'
import type { RoleTable } from './role-table.ts'

/** Letters that these roles may ever use of a type, whatever the relation; `*` for all types together. For scopes and for menus. */
export const roleLetters = (table: RoleTable, roles: readonly string[], type: string): string => {
  const grants = roles.flatMap(name => {
    const role = table.roles.get(name)
    return type === '*' ? [...(role?.grants.values() ?? [])].flat() : (role?.grants.get(type) ?? [])
  })
  return allLetters([...grants.map(({ letters }) => letters), ...broughtAlong(table, roles, type)])
}

const broughtAlong = (table: RoleTable, held: readonly string[], type: string): readonly string[] =>
  [...table.permissions.values()].flatMap(({ of, grants }) =>
    of.some(holder => held.includes(holder)) ? (grants.get(type) ?? []).map(({ letters }) => letters) : [],
  )

/** Letters that anybody may ever use of a type. */
export const anyonesLetters = (table: RoleTable, type: string): string => roleLetters(table, [...table.roles.keys()], type)
