import type { Resource } from '../../fhir/model/resource.ts'
import type { RoleAssignment as Held } from '../accounts/account.ts'
import type { RoleAssignment } from '../policy/principal.ts'

export type RoleReachParts = {
  /** Current instances of a type whose reference parameter names one of these (`Organization/1`), at most `limit`; `more` when there are more. */
  readonly referring: (
    type: string,
    param: string,
    targets: readonly string[],
    limit: number,
  ) => Promise<{ readonly found: readonly Resource[]; readonly more: boolean }>
  readonly newest: (type: string, id: string) => Promise<Resource | undefined>
  readonly clock: () => number
}

export type RoleReach = {
  /** Roles held now, each with its organization's whole subtree; without an organization, with all that stand at the top of this installation. */
  assignments(roles: readonly Held[]): Promise<readonly RoleAssignment[]>
  /** Ids of the patients whom this user represents: links that are active and verified. A Patient always represents himself besides. */
  represents(fhirUser: string | undefined): Promise<readonly string[]>
  /** Other names of this user in consents: `PractitionerRole/1`, `CareTeam/1`, `RelatedPerson/1`; for `Principal.alsoKnownAs`. */
  alsoKnownAs(fhirUser: string | undefined): Promise<readonly string[]>
  /** Nothing is remembered any more. */
  forget(): void
}
