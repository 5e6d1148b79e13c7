import type { Principal } from './policy/principal.ts'
import type { Grant, RoleTable } from './roles/role-table.ts'

/**
 * The principal of one of the server's own sources (import, demo records, jobs): it goes through the same policy, by grants of its own. These reach every
 * instance of every type with `letters`, whatever the labels; AuditEvents it reads and never writes. `name` stands in records: `import`.
 */
export const ownSource = (table: RoleTable, name: string, letters = 'crus'): Principal => {
  const grants = new Map([...table.groupOf.keys()].map(type => [type, grantOf(name, type, letters)]))
  return {
    kind: 'internal',
    ownSource: true,
    roles: [],
    tokenRef: `internal ${name}`,
    launch: {},
    purpose: ['SYSDEV'],
    clearance: { anywhere: [{ max: 'V', allowed: ['*'] }], inCare: [], self: [], emergency: [] },
    emergencies: [],
    acr: 1,
    grants: [{ grants, reach: 'any' }],
    permissions: ['consent.override.review'],
  }
}

const grantOf = (name: string, type: string, letters: string): Grant => ({
  name: `${name}/${type}`,
  letters: type === 'AuditEvent' ? letters.replaceAll(/[cud]/g, '') : letters,
  relation: 'A',
  match: [],
  becomes: [],
  without: [],
})
