import type { Definitions } from '../../fhir/definitions/definitions.ts'
import type { ClientRegistry } from '../clients/registry.ts'
import type { Ground } from '../ground.ts'
import type { RoleReach } from '../relations/role-reach.ts'
import type { RoleTable } from '../roles/role-table.ts'
import type { PublicAddress } from '../web.ts'

/** What a principal is made of. `compose` gives the functions; they fail by throwing, and then nobody is let in. */
export type PrincipalParts = {
  readonly ground: Ground
  readonly address: PublicAddress
  readonly definitions: Definitions
  readonly roles: RoleTable
  readonly clients: Pick<ClientRegistry, 'find'>
  /** Places of roles, and whom a user may act for. */
  readonly reach: Pick<RoleReach, 'assignments' | 'represents' | 'alsoKnownAs'>
  /** Ids of patients that an emergency of this session and this client opens now. */
  emergenciesOf(about: EmergencyOf): Promise<readonly string[]>
}

export type EmergencyOf = { readonly account: string; readonly session: string; readonly client?: string }

export type AuthenticateParts = PrincipalParts & {
  /** Counts an unknown token of an address: 20 a minute (`{ name: 'unknown-tokens', most: 20, windowSeconds: 60 }`). */
  unknownToken(address: string): Promise<{ readonly allowed: boolean; readonly resetMs: number }>
}

/** `forget`: something ended, so nothing that is remembered counts any more. Called on a wake-up of the topic `tokens`. */
export type Forgetting = { forget(): void }
