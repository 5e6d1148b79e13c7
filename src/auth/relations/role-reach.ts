import type { RoleAssignment as Held } from '../accounts/account.ts'
import type { RoleAssignment } from '../policy/principal.ts'
import { ancestorsOf, givesCare, parentOf, subtreeOf } from './organizations.ts'
import { kindsOfRoles } from './queue.ts'
import { instanceOf } from './references.ts'
import { createRemembered } from './remembered.ts'
import { type Represented, representedBy } from './representation.ts'
import type { RoleReachParts } from './role-reach-parts.ts'

export type RoleReach = {
  /** Roles held now, each with its organization's whole subtree; without an organization, with all of this installation that give care. */
  assignments(roles: readonly Held[]): Promise<readonly RoleAssignment[]>
  /** Ids of the patients whom this user represents: links that are active and verified. A Patient always represents himself besides. */
  represents(fhirUser: string | undefined): Promise<readonly string[]>
  /**
   * Other names of this user in consents, for `Principal.alsoKnownAs`: `PractitionerRole/1`, `RelatedPerson/1`, and the Organizations that those of his roles
   * are part of.
   */
  alsoKnownAs(fhirUser: string | undefined, roles?: readonly Held[]): Promise<readonly string[]>
  /** Nothing is remembered any more. */
  forget(): void
}

const rememberedMs = 30_000
const rememberedMax = 10_000
const organizationsMax = 500
const placesMax = 200
const practitionerRolesMax = 50

type Places = Required<Pick<RoleAssignment, 'organizations' | 'units'>>

/** Where roles reach, and who else somebody is: from the directory of this installation, remembered for 30 seconds. */
export const createRoleReach = (parts: RoleReachParts): RoleReach => {
  const places = createRemembered<Places>(parts.clock, rememberedMs, rememberedMax)
  const people = createRemembered<Represented>(parts.clock, rememberedMs, rememberedMax)
  const names = createRemembered<readonly string[]>(parts.clock, rememberedMs, rememberedMax)
  const represented = (fhirUser: string | undefined): Promise<Represented> =>
    people.of(fhirUser ?? '', () => representedBy(parts, fhirUser))
  return {
    assignments: async roles => {
      const now = parts.clock()
      const held = roles.filter(({ from = now, until = Number.POSITIVE_INFINITY }) => from <= now && now < until)
      return Promise.all(
        held.map(async ({ role, organization, location }): Promise<RoleAssignment> => {
          const key = `${organization ?? ''} ${location ?? ''} ${role}`
          return { role, ...(await places.of(key, () => placesOf(parts, role, organization, location))) }
        }),
      )
    },
    represents: async fhirUser => (await represented(fhirUser)).patients,
    alsoKnownAs: async (fhirUser, roles = []) => {
      const organizations = [...new Set(roles.flatMap(({ organization }) => idOf(organization, 'Organization') ?? []))]
      const key = `${fhirUser ?? ''} ${organizations.join(' ')}`
      return names.of(key, async () => [
        ...(await represented(fhirUser)).relatives,
        ...(await practitionerRolesOf(parts, fhirUser)),
        ...(await Promise.all(organizations.map(id => ancestorsOf(parts, id)))).flat().map(id => `Organization/${id}`),
      ])
    },
    forget: () => {
      for (const memory of [places, people, names]) memory.forget()
    },
  }
}

const idOf = (reference: string | undefined, type: string): string | undefined => {
  const key = reference === undefined ? undefined : instanceOf({ reference })
  return key?.type === type ? key.id : undefined
}

/** Someone whose place is named and cannot be read is nowhere. */
const placesOf = async (
  parts: RoleReachParts,
  role: string,
  organization: string | undefined,
  location: string | undefined,
): Promise<Places> => {
  const root = idOf(organization, 'Organization')
  if (organization !== undefined && root === undefined) return { organizations: [], units: [] }
  const organizations = root === undefined ? await allOrganizations(parts) : await subtreeOf(parts, 'Organization', [root])
  const site = idOf(location, 'Location')
  const sites = site === undefined ? [] : await subtreeOf(parts, 'Location', [site])
  const kind = kindsOfRoles[role]
  const isTop = root === undefined || (await parentOf(parts, root)) === undefined
  // Work that says neither for whom nor where waits for those who do such work at the top: at no part of it would it be found.
  const kinds = kind === undefined ? [] : [...(isTop ? [''] : []), ...organizations].map(at => `${kind}@${at}`)
  return {
    organizations,
    units: [
      ...organizations,
      ...sites.map(id => `Location/${id}`),
      ...(kind === undefined ? [] : await unitsOf(parts, organizations)),
      ...kinds,
    ],
  }
}

const allOrganizations = async ({ all }: RoleReachParts): Promise<readonly string[]> =>
  (await all('Organization', organizationsMax)).filter(givesCare).flatMap(({ id }) => (typeof id === 'string' ? [id] : []))

/** Places and services of these organizations, to which orders can be addressed. */
const unitsOf = async ({ referring }: RoleReachParts, organizations: readonly string[]): Promise<readonly string[]> => {
  if (organizations.length === 0) return []
  const targets = organizations.map(id => `Organization/${id}`)
  const [locations, services] = await Promise.all([
    referring('Location', 'organization', targets, placesMax),
    referring('HealthcareService', 'organization', targets, placesMax),
  ])
  return [...locations.found, ...services.found].map(({ resourceType, id }) => `${resourceType}/${id}`)
}

const practitionerRolesOf = async ({ referring }: RoleReachParts, fhirUser: string | undefined): Promise<readonly string[]> => {
  if (idOf(fhirUser, 'Practitioner') === undefined) return []
  const { found } = await referring('PractitionerRole', 'practitioner', [fhirUser as string], practitionerRolesMax)
  return found.filter(({ active }) => active !== false).map(({ id }) => `PractitionerRole/${id}`)
}
