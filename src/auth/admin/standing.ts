import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import type { Account, RoleAssignment } from '../accounts/account.ts'
import { badMembers, Members } from '../members.ts'
import { clashOf } from '../roles/permissions.ts'
import type { RoleTable } from '../roles/role-table.ts'
import { type Standing, standingOf } from './approvals.ts'

const rolesMax = 20
const sensitivitiesMax = 50
const levels = ['U', 'L', 'M', 'N', 'R', 'V'] as const

const reference = (types: string, example: string) => ({
  rule: rule('reference-such-as', { example }),
  holds: (text: string) => new RegExp(`^(?:${types})/[A-Za-z0-9.-]{1,64}$`).test(text),
})
const fhirUser = reference('Practitioner|Patient|RelatedPerson|Person', 'Practitioner/1')
const organization = reference('Organization', 'Organization/1')
const location = reference('Location', 'Location/1')
const code = { rule: rule('member-unknown'), holds: (text: string) => /^[A-Z][A-Z0-9_-]{0,39}$/.test(text) }

/**
 * What somebody's data reach shall be: `{ roles?, fhirUser?, clearance?, actsForOthers? }`. What is not named stays; null takes away. Fails `bad-member`, and
 * `duty-clash` for a pair that one account cannot hold.
 */
export const readStanding = (members: Members, before: Standing, table: RoleTable, by: string): Outcome<Standing> => {
  const given = members.any('roles')
  const roles = given === undefined ? before.roles : rolesOf(given, members, before.roles, table, by)
  const user = members.any('fhirUser') === null ? null : members.text('fhirUser', 100, fhirUser)
  const clearance = clearanceOf(members)
  const acts = members.flag('actsForOthers')
  if (members.faults.length > 0) return badMembers(members.faults)
  const clash = clashOf(
    table,
    roles.map(({ role }) => role),
  )
  if (clash !== undefined) return fail('duty-clash', { duty: clash[0], role: clash[1] })
  const after = {
    roles,
    fhirUser: kept(user, before.fhirUser),
    clearance: kept(clearance, before.clearance),
    actsForOthers: acting(acts, before),
  }
  // Members without a value are left out.
  return ok(standingOf(after as Standing))
}

const kept = <T>(given: T | null | undefined, before: T | undefined): T | undefined => (given === null ? undefined : (given ?? before))

const acting = (given: boolean | undefined, { actsForOthers }: Standing): true | undefined =>
  (given ?? actsForOthers === true) ? true : undefined

/** A role that is held already, at the same place and for the same time, keeps who gave it. */
const rolesOf = (
  given: unknown,
  members: Members,
  before: readonly RoleAssignment[],
  table: RoleTable,
  by: string,
): readonly RoleAssignment[] => {
  if (!Array.isArray(given) || given.length > rolesMax) {
    members.wrong('roles', rule('list-of', { max: rolesMax }))
    return before
  }
  const known = { rule: rule('role-known'), holds: (text: string) => table.roles.has(text) || table.duties.has(text) }
  return given.map((one: unknown, index) => {
    const role = new Members(one, members.faults, `roles[${index}]`)
    const name = role.neededText('role', 64, known)
    const where = { organization: role.text('organization', 100, organization), location: role.text('location', 100, location) }
    const when = { from: instantOf(role, 'from'), until: instantOf(role, 'until') }
    // A list that was read comes back as it was shown.
    for (const shown of ['givenBy', 'approvedBy']) role.any(shown)
    role.others()
    const wanted = Object.fromEntries(Object.entries({ role: name, ...where, ...when }).filter(([, value]) => value !== undefined))
    const held = before.find(one => isSame(one, wanted))
    return held ?? ({ ...wanted, role: name, givenBy: by } satisfies RoleAssignment)
  })
}

const isSame = ({ givenBy: _, approvedBy: __, ...held }: RoleAssignment, wanted: Readonly<Record<string, unknown>>): boolean => {
  const names = new Set([...Object.keys(held), ...Object.keys(wanted)])
  return [...names].every(name => held[name as keyof typeof held] === wanted[name])
}

/** ms */
export const instantOf = (members: Members, name: string): number | undefined => {
  const text = members.text(name, 40)
  if (text === undefined) return undefined
  const ms = /^\d{4}-\d{2}-\d{2}(?:T|$)/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? members.wrong(name, rule('instant-or-date')) : ms
}

const clearanceOf = (members: Members): Account['clearance'] | null => {
  const given = members.any('clearance')
  if (given === undefined || given === null) return given
  const clearance = new Members(given, members.faults, 'clearance')
  const confidentiality = clearance.neededOneOf('confidentiality', levels)
  const sensitivities = clearance.texts('sensitivities', sensitivitiesMax, 40, code)
  clearance.others()
  return { confidentiality, sensitivities }
}
