import type { Clearance, Grant } from '../roles/role-table.ts'
import type { SmartScope } from '../scopes/scope.ts'

/** A role that is held now, with where it is held. Whoever builds it has looked at periods, and widened organizations to their subtrees. */
export type RoleAssignment = {
  readonly role: string
  /** Ids of Organizations: relation F, and what belongs to nobody's record. */
  readonly organizations?: readonly string[]
  /** Ids of units: relation Q. */
  readonly units?: readonly string[]
  /** Document types of the unit, in place of the role's own. */
  readonly documents?: readonly string[]
}

/** What a client may do on its own, from its registration. `grants` by type. */
export type ClientGrant = {
  readonly grants: ReadonlyMap<string, Grant>
  readonly reach: 'any' | { readonly organizations: readonly string[] } | { readonly groups: readonly string[] }
  /** Purposes of use for which it holds; absent: any. */
  readonly purposes?: readonly string[]
}

/** Nobody in particular, where sign-in is off or a path is open to all. */
export type Anonymous = { readonly kind: 'anonymous' }

/** Who asks, as decisions know them: ids and codes, never a token. */
export type Principal = {
  readonly kind: 'user' | 'patient' | 'client' | 'internal'
  readonly accountId?: string
  /** `Practitioner/17`. */
  readonly fhirUser?: string
  readonly roles: readonly RoleAssignment[]
  readonly clientId?: string
  readonly grantId?: string
  readonly tokenRef: string
  /** Absent only for our own session pages and internal principals. */
  readonly scopes?: readonly SmartScope[]
  /** Ids, without the type. */
  readonly launch: { readonly patient?: string; readonly encounter?: string }
  /** v3-ActReason codes. */
  readonly purpose: readonly string[]
  /** Stable id of the session; absent for offline and system tokens. */
  readonly sessionId?: string
  readonly clearance: Clearance
  /** Ids of patients with an active break-glass of this session and client. */
  readonly emergencies: readonly string[]
  readonly acr: 1 | 2
  readonly factorAt?: number
  /** Ids of the patients whom the user represents (links active and verified); a Patient always represents himself. */
  readonly represents?: readonly string[]
  /** Other names of the user in consents: `PractitionerRole/1`, `CareTeam/1`, `RelatedPerson/1`. */
  readonly alsoKnownAs?: readonly string[]
  /** Of clients and internal principals. */
  readonly grants?: readonly ClientGrant[]
  /** One of the server's own sources: it shows nothing to anybody, so consents do not bind it. */
  readonly ownSource?: true
  /** Named permissions of a client's registration (`queue.display`); users have theirs by roles. */
  readonly permissions?: readonly string[]
  /** Nobody here vouches for the application: it needs a permit by name. */
  readonly outside?: true
  /** Code systems of Basic that the client registered. */
  readonly appStateSystems?: readonly string[]
  /** How often the application may ask; absent: as one that people work with. @see auth.md 16 */
  readonly rateClass?: RateClass
}

export type RateClass = 'interactive' | 'backend' | 'patient-app'

/** Who asked, for logs and records: ids alone. */
export type Asker = {
  readonly principal: string
  readonly client?: string
  readonly account?: string
  /** Says which token it was, and opens nothing. */
  readonly token?: string
}

export const askerOf = (principal: Principal | Anonymous): Asker => {
  if (principal.kind === 'anonymous') return nobody
  const known = askers.get(principal)
  if (known !== undefined) return known
  const told = tellAsker(principal)
  askers.set(principal, told)
  return told
}

const nobody: Asker = { principal: 'anonymous' }
/** Every request tells it several times. */
const askers = new WeakMap<Principal, Asker>()

const tellAsker = ({ kind, clientId, accountId, tokenRef }: Principal): Asker => ({
  principal: kind,
  ...(clientId === undefined ? {} : { client: clientId }),
  ...(accountId === undefined ? {} : { account: accountId }),
  token: tokenRef,
})

/** Id of the user's own resource when it is of that type. */
export const ownId = ({ fhirUser }: Principal, type: string): string | undefined =>
  fhirUser?.startsWith(`${type}/`) === true ? fhirUser.slice(type.length + 1) : undefined

/** The patients that S reaches. */
export const representedBy = (principal: Principal): readonly string[] => {
  const self = ownId(principal, 'Patient')
  return [...new Set([...(self === undefined ? [] : [self]), ...(principal.represents ?? [])])]
}
