import type { Principal } from '../../src/auth/policy/principal.ts'
import { clearanceOf } from '../../src/auth/roles/clearance.ts'
import { parseScopes } from '../../src/auth/scopes/scope.ts'
import type { AccessSubject } from '../../src/base/access-filter.ts'
import { testDefinitions } from './definitions.ts'
import { testRoles } from './roles.ts'

export type Asking = Partial<Omit<Principal, 'scopes' | 'roles'>> & { readonly scope?: string; readonly roles?: readonly string[] }

/**
 * A user of our own pages with these roles at organization `rs`, unit `lab-1`; with `scope`, of the app `app-0001`. The clearance is what the roles bring.
 */
export const principalWith = ({ scope, roles = [], ...rest }: Asking): Principal => ({
  kind: 'user',
  accountId: 'account-1',
  fhirUser: 'Practitioner/me',
  roles: roles.map(role => ({ role, organizations: ['rs'], units: ['lab-1'] })),
  tokenRef: 'token-1',
  launch: {},
  purpose: ['TREAT'],
  clearance: clearanceOf(testRoles(), roles),
  emergencies: [],
  acr: 2,
  ...(scope === undefined
    ? { sessionId: 'session-1' }
    : { clientId: 'app-0001', scopes: parseScopes(scope, { definitions: testDefinitions() }).scopes }),
  ...rest,
})

export const portalUser = (asking: Asking = {}): Principal =>
  principalWith({ kind: 'patient', fhirUser: 'Patient/me', roles: ['patient'], purpose: ['PATRQT'], ...asking })

/** What is known of one state; relations as `facility rs`, `care me`, `confirmed me`, of all its patients unless named `care me:budi`. */
export type Stated = {
  readonly id?: string
  readonly patients?: readonly string[]
  readonly organizations?: readonly string[]
  readonly authors?: readonly string[]
  readonly confidentiality?: number
  readonly sensitivities?: readonly string[]
  readonly relations?: readonly string[]
  /** `category=laboratory`, as filters would ask. */
  readonly params?: readonly string[]
  readonly consent?: boolean
}

export const stateWith = (stated: Stated = {}): AccessSubject => {
  const { relations = [], params = [], consent = true } = stated
  return {
    id: stated.id ?? '1',
    patients: stated.patients ?? ['budi'],
    organizations: stated.organizations ?? [],
    authors: stated.authors ?? [],
    confidentiality: stated.confidentiality ?? 3,
    sensitivities: stated.sensitivities ?? [],
    meets: ({ code, values }) =>
      values.some(value => params.includes(`${code}=${value}`) || params.includes(`${code}=${value.slice(value.lastIndexOf('|') + 1)}`)),
    relates: ({ from, of, confirmed }, patient) => {
      const kinds = confirmed ? ['confirmed'] : from === 'care' ? ['care', 'confirmed'] : [from]
      return of.some(whom => kinds.some(kind => relations.includes(`${kind} ${whom}`) || relations.includes(`${kind} ${whom}:${patient}`)))
    },
    consents: () => consent,
  }
}
