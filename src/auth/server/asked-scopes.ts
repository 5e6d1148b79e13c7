import type { Account } from '../accounts/account.ts'
import { isStaff } from '../accounts/account.ts'
import type { Client } from '../clients/client.ts'
import { personRoles } from '../principal/person.ts'
import type { PrincipalParts } from '../principal/principal-parts.ts'
import { roleLetters } from '../roles/role-letters.ts'
import { grantScopes, type LettersOf } from '../scopes/narrow.ts'
import { hasPlainScope, parseScopes, type SmartScope } from '../scopes/scope.ts'

type ScopeParts = Pick<PrincipalParts, 'ground' | 'definitions' | 'roles'>

export const readScopes = ({ definitions }: ScopeParts, { granularParams }: Client, text: string): readonly SmartScope[] =>
  parseScopes(text, { definitions, granularParams: new Set(granularParams) }).scopes

/** The scopes of a registration. */
const registered = (parts: ScopeParts, client: Client): readonly SmartScope[] => readScopes(parts, client, client.scopesAllowed.join(' '))

/**
 * What a person's application may have of what it asks: requested ∩ registered ∩ what the roles can ever use, where a person is known; nothing of services.
 * @see auth.md 6.3
 */
export const scopesForPerson = (parts: ScopeParts, client: Client, text: string, account?: Account): readonly SmartScope[] =>
  grantScopes({
    asked: readScopes(parts, client, text).filter(scope => fitsPerson(scope, client)),
    client: registered(parts, client),
    ...(account !== undefined && { roles: lettersOf(parts, account) }),
  })

/** What a service may have on its own; it has grants in place of roles, which are asked at each request. */
export const scopesForService = (parts: ScopeParts, client: Client, text: string): readonly SmartScope[] =>
  grantScopes({
    asked: readScopes(parts, client, text).filter(scope => fitsService(scope, client)),
    client: registered(parts, client),
  })

const fitsPerson = (scope: SmartScope, client: Client): boolean => {
  if (scope.kind === 'resource') return scope.level !== 'system'
  if (scope.text === 'offline_access') return client.offline
  return scope.text !== '__admin' || client.trust === 'first-party'
}

const fitsService = (scope: SmartScope, client: Client): boolean => {
  if (scope.kind === 'resource') return scope.level === 'system'
  return scope.text.startsWith('__') && (scope.text !== '__admin' || client.trust === 'first-party')
}

export const lettersOf = ({ roles, ground }: ScopeParts, account: Account): LettersOf => {
  const held = personRoles(roles, account, ground.clock())
  const known = new Map<string, string>()
  return type => {
    const letters = known.get(type) ?? roleLetters(roles, held, type)
    known.set(type, letters)
    return letters
  }
}

/** A patient has to be known: for `launch/patient`, and for every scope that speaks of one. */
export const needsPatient = (scopes: readonly SmartScope[]): boolean =>
  hasPlainScope(scopes, 'launch/patient') || scopes.some(scope => scope.kind === 'resource' && scope.level === 'patient')

export const needsEncounter = (scopes: readonly SmartScope[]): boolean => hasPlainScope(scopes, 'launch/encounter')

/** Whether somebody has to agree. Our own applications in the hands of staff take what the roles give anyway. @see auth.md 7.2 */
export const needsConsent = (client: Client, account: Account, scopes: readonly SmartScope[]): boolean =>
  client.trust !== 'first-party' || !isStaff(account) || hasPlainScope(scopes, 'offline_access')
