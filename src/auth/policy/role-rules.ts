import type { AccessFilter } from '../../base/access-filter.ts'
import type { Letter } from '../letters.ts'
import type { Grant, ParamDemand, Relation, RoleTable } from '../roles/role-table.ts'
import { type ClientGrant, ownId, type Principal, type RoleAssignment, representedBy } from './principal.ts'
import { allOf, anyOf, everything, nothing } from './simplify.ts'

/** One grant as it holds for this principal: which stored states it reaches, and which new ones. */
export type RoleRule = {
  readonly name: string
  readonly grant: Grant
  /** Relation and conditions. */
  readonly where: AccessFilter
  /** Conditions of the new state besides. */
  readonly becomes: AccessFilter
}

/** Everything that the principal's roles, duties and client grants allow with this letter and type. None: nothing is allowed. */
export const roleRules = (table: RoleTable, principal: Principal, type: string, letter: Letter): readonly RoleRule[] => {
  if (principal.kind === 'client' || principal.kind === 'internal') return clientRules(table, principal, type, letter)
  const held = principal.roles.flatMap(assignment => heldBy(table, principal, assignment, type))
  const places: Places = new Map()
  return held.flatMap(({ grant, holder }) =>
    grant.letters.includes(letter) ? [ruleOf(grant, { table, principal, type, letter, places, ...holder })] : [],
  )
}

type Holder = Pick<RoleAssignment, 'organizations' | 'units' | 'documents'> & { readonly home?: Exclude<Relation, 'home' | 'O'> }
type Held = { readonly grant: Grant; readonly holder: Holder }

/** A portal user has patients' roles only, whatever else the account holds. */
const heldBy = (table: RoleTable, principal: Principal, assignment: RoleAssignment, type: string): readonly Held[] => {
  const role = table.roles.get(assignment.role)
  if (principal.kind === 'patient' && role?.home !== 'S') return []
  const holder: Holder = {
    organizations: assignment.organizations ?? [],
    units: assignment.units ?? [],
    documents: assignment.documents ?? role?.documents ?? [],
    ...(role?.home !== undefined && { home: role.home }),
  }
  const own = role?.grants.get(type) ?? []
  return [...own, ...permissionGrants(table, assignment.role, type)].map(grant => ({ grant, holder }))
}

/** Some permissions bring a cell along: who may read the audit trail reads AuditEvents. */
const permissionGrants = (table: RoleTable, holder: string, type: string): readonly Grant[] => {
  if (!table.roles.has(holder) && !table.duties.has(holder)) return []
  const found: Grant[] = []
  for (const permission of table.permissions.values()) {
    const grants = permission.grants.size === 0 ? undefined : permission.grants.get(type)
    if (grants && permission.of.includes(holder)) found.push(...grants)
  }
  return found
}

/** What a relation comes to at certain places: roles held at the same ones share it. */
type Places = Map<string, AccessFilter>

type About = {
  readonly table: RoleTable
  readonly principal: Principal
  readonly type: string
  readonly letter: Letter
  readonly places: Places
} & Holder

const ruleOf = (grant: Grant, about: About): RoleRule => ({
  name: grant.name,
  grant,
  where: allOf([withEmergencies(related(grant.relation, about), grant.relation, about), ...demanded(grant.match, about)]),
  becomes: allOf(demanded(grant.becomes, about)),
})

/** Break-glass opens patients beyond the relation, to be read and found; letters and conditions stay. */
const withEmergencies = (filter: AccessFilter, relation: Relation, { table, principal, type, letter }: About): AccessFilter => {
  const opens = (letter === 'r' || letter === 's') && relation !== 'O' && relation !== 'S' && table.aboutPatients.has(type)
  if (!opens || principal.kind !== 'user' || principal.emergencies.length === 0) return filter
  return anyOf([filter, ...principal.emergencies.map((id): AccessFilter => ({ op: 'patient', id }))])
}

const related = (relation: Relation, about: About): AccessFilter => {
  const { table, principal, type, home, organizations = [], units = [] } = about
  if (relation === 'A') return everything
  if (relation === 'O') return principal.fhirUser === undefined ? nothing : { op: 'author', ref: principal.fhirUser }
  if (table.unbound.has(type)) return everything
  const ofPatients = table.aboutPatients.has(type)
  if (relation === 'home') {
    if (!ofPatients) return everything
    return anyOf([{ op: 'patientless' }, home === undefined ? nothing : related(home, about)])
  }
  if (relation === 'S') return ofPatients ? ofSelf(principal, type) : nothing
  const key = `${relation} ${organizations.join()} ${units.join()}`
  const known = about.places.get(key)
  if (known) return known
  const filter = atPlaces(relation, about)
  about.places.set(key, filter)
  return filter
}

/** Patients in relation to the places of the role; what is about nobody belongs to its owners. */
const atPlaces = (relation: 'F' | 'C' | 'Q', about: About): AccessFilter => {
  const owners = (relation === 'Q' ? about.units : about.organizations) ?? []
  const owned: AccessFilter = owners.length === 0 ? nothing : { op: 'owner', organizations: owners }
  if (!about.table.aboutPatients.has(about.type)) return owned
  return anyOf([...inRelation(relation, about), allOf([{ op: 'patientless' }, owned])])
}

const inRelation = (relation: 'F' | 'C' | 'Q', { principal, organizations = [], units = [] }: About): readonly AccessFilter[] => {
  if (relation === 'F') return organizations.length === 0 ? [] : [{ op: 'patients', from: 'facility', of: organizations }]
  if (relation === 'Q') return units.length === 0 ? [] : [{ op: 'patients', from: 'queue', of: units }]
  const practitioner = ownId(principal, 'Practitioner')
  return practitioner === undefined ? [] : [{ op: 'patients', from: 'care', of: [practitioner] }]
}

/** What is also about someone else stays closed, but for AuditEvents: each patient has a copy of his own. */
const ofSelf = (principal: Principal, type: string): AccessFilter =>
  anyOf(
    representedBy(principal).map((id): AccessFilter => (type === 'AuditEvent' ? { op: 'patient', id } : { op: 'patient', id, only: true })),
  )

const demanded = (demands: readonly ParamDemand[], about: About): readonly AccessFilter[] =>
  demands.map(({ code, values }) => {
    const own = values.flatMap(value => ownValues(value, about))
    return own.length === 0 ? nothing : { op: 'param', code, values: own }
  })

const ownValues = (value: string, { principal, documents = [] }: About): readonly string[] => {
  if (value === '{user}') return principal.fhirUser === undefined ? [] : [principal.fhirUser]
  return value === '{documents}' ? documents : [value]
}

const clientRules = (table: RoleTable, principal: Principal, type: string, letter: Letter): readonly RoleRule[] =>
  (principal.grants ?? []).flatMap(client => {
    const grant = client.grants.get(type)
    if (grant?.letters.includes(letter) !== true || !servesPurpose(client, principal)) return []
    const about: About = { table, principal, type, letter, places: new Map() }
    return [
      {
        name: grant.name,
        grant,
        where: allOf([reached(client, about), ...demanded(grant.match, about)]),
        becomes: allOf(demanded(grant.becomes, about)),
      },
    ]
  })

const servesPurpose = ({ purposes }: ClientGrant, { purpose }: Principal): boolean =>
  purposes === undefined || (purpose.length > 0 && purpose.every(code => purposes.includes(code)))

const reached = ({ reach }: ClientGrant, about: About): AccessFilter => {
  if (reach === 'any') return everything
  if ('organizations' in reach) return related('F', { ...about, organizations: reach.organizations })
  return about.table.aboutPatients.has(about.type)
    ? reach.groups.length === 0
      ? nothing
      : { op: 'patients', from: 'group', of: reach.groups }
    : nothing
}
