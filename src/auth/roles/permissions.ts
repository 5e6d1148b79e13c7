import { isRecord, isTexts, type Problems, recordOf, refuseOthers } from './json-shape.ts'
import type { Grant, Permission, RoleTable } from './role-table.ts'

type Reading = {
  /** Names of roles and duties. */
  readonly known: ReadonlySet<string>
  readonly cells: (json: unknown, at: string) => ReadonlyMap<string, readonly Grant[]>
}

export const readPermissions = (json: unknown, { known, cells }: Reading, problems: Problems): ReadonlyMap<string, Permission> =>
  new Map(
    Object.entries(recordOf(json, 'permissions', problems)).map(([name, given]) => {
      const at = `permissions.${name}`
      const record = recordOf(given, at, problems)
      refuseOthers(record, ['of', 'second', 'except', 'cells'], at, problems)
      const { of, second, except } = record
      if (!isTexts(of) || of.some(holder => !known.has(holder))) problems.add(`${at}.of is a list of roles and duties`)
      if (second !== undefined && second !== 'same' && !(typeof second === 'string' && known.has(second)))
        problems.add(`${at}.second is "same", a role or a duty`)
      if (except !== undefined && typeof except !== 'string') problems.add(`${at}.except is a text`)
      const permission: Permission = {
        name,
        of: isTexts(of) ? of : [],
        ...(typeof second === 'string' && { second }),
        ...(typeof except === 'string' && { except }),
        grants: isRecord(record.cells) ? cells(record.cells, `${at}.cells`) : new Map(),
      }
      return [name, permission]
    }),
  )

/** The named permissions that these roles and duties hold. */
export const permissionsOf = (table: RoleTable, held: readonly string[]): ReadonlySet<string> =>
  new Set([...table.permissions.values()].filter(({ of }) => of.some(holder => held.includes(holder))).map(({ name }) => name))

/** A pair on one account that may not be, or undefined: who audits does not administer. */
export const clashOf = (table: RoleTable, held: readonly string[]): readonly [duty: string, role: string] | undefined => {
  for (const duty of held) {
    const role = table.duties.get(duty)?.excludes.find(one => held.includes(one))
    if (role !== undefined) return [duty, role]
  }
  return undefined
}
