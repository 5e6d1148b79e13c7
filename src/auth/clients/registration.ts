import { type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { rangesOf } from '../../config/addresses.ts'
import type { Definitions } from '../../fhir/definitions/definitions.ts'
import { badMembers, Members } from '../members.ts'
import { readClientGrants } from '../policy/client-grants.ts'
import type { RoleTable } from '../roles/role-table.ts'
import { parseScope, type SmartScope } from '../scopes/scope.ts'
import type { Client } from './client.ts'
import { isOriginOf, isRedirectUri, isWebUrl } from './client-uris.ts'
import { readKeySet } from './key-set.ts'

/** What is said of a client when it is registered or changed; all else the registry says. */
export type Registration = Omit<Client, 'id' | 'secrets' | 'status' | 'createdAt' | 'createdBy' | 'approvals'>

export type RegistrationRules = {
  readonly definitions: Definitions
  readonly roles: RoleTable
  /** SIMPUL_ENVIRONMENT=production: no client is marked `development`. */
  readonly production: boolean
}

export const clientTypes = ['public', 'symmetric', 'asymmetric', 'backend', 'resource-server'] as const

const urisMax = 20
const uriMax = 2_000
const nameMax = 200
const scopesMax = 200
const scopeMax = 2_000
const grantsMax = 50

/**
 * A registration from outside. Fails `bad-member` for the first thing that is wrong, with all others behind it; members that nobody knows are wrong too.
 * @see auth.md 10.1
 */
export const readRegistration = (json: unknown, rules: RegistrationRules): Outcome<Registration> => {
  const members = new Members(json)
  const registration = registrationOf(members, rules)
  members.others()
  if (members.faults.length === 0) refuseClashes(registration, members, rules)
  return members.faults.length === 0 ? ok(registration) : badMembers(members.faults)
}

const registrationOf = (members: Members, { definitions, roles, production }: RegistrationRules): Registration => {
  const type = members.neededOneOf('type', clientTypes)
  const applicationType = members.oneOf('applicationType', ['web', 'native']) ?? 'web'
  const development = members.flag('development') === true
  if (development && production) members.wrong('development', rule('not-in-production'))
  const kind = { applicationType, ...(development && { development }) } as const
  const webUrl = { rule: rule('https-url'), holds: (text: string) => isWebUrl(text, kind) }
  const redirect = { rule: rule('redirect-uri'), holds: (text: string) => isRedirectUri(text, kind) }
  const origin = { rule: rule('origin-form'), holds: (text: string) => isOriginOf(text, kind) }
  const absolute = { rule: rule('absolute-uri'), holds: (text: string) => URL.canParse(text) }
  const code = { rule: rule('member-unknown'), holds: (text: string) => /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(text) }
  const granularParams = members.texts('granularParams', 50, 64, code)
  const scope = {
    rule: rule('scope-form'),
    holds: (text: string) => parseScope(text, { definitions, granularParams: new Set(granularParams) }) !== undefined,
  }
  const permission = { rule: rule('member-unknown'), holds: (text: string) => roles.permissions.has(text) }
  const purpose = { rule: rule('member-unknown'), holds: (text: string) => /^[A-Z]{2,20}$/.test(text) }
  return {
    name: members.neededText('name', nameMax),
    type,
    ...kind,
    ...optional('publisher', members.text('publisher', nameMax)),
    ...(members.flag('verifiedPublisher') === true && { verifiedPublisher: true }),
    redirectUris: members.texts('redirectUris', urisMax, uriMax, redirect),
    launchUris: members.texts('launchUris', urisMax, uriMax, webUrl),
    allowedOrigins: members.texts('allowedOrigins', urisMax, uriMax, origin),
    ...optional('postLogoutRedirectUris', filled(members.texts('postLogoutRedirectUris', urisMax, uriMax, redirect))),
    ...optional('backchannelLogoutUri', members.text('backchannelLogoutUri', uriMax, webUrl)),
    scopesAllowed: members.texts('scopesAllowed', scopesMax, scopeMax, scope),
    granularParams,
    ...optional('jwks', keySetOf(members)),
    ...optional('jwksUri', members.text('jwksUri', uriMax, webUrl)),
    jkuAllowed: members.texts('jkuAllowed', urisMax, uriMax, webUrl),
    grants: grantsOf(members, roles),
    ...optional('permissions', filled(members.texts('permissions', 50, 64, permission))),
    appStateSystems: members.texts('appStateSystems', urisMax, uriMax, absolute),
    ...(members.flag('appStateGlobal') === true && { appStateGlobal: true }),
    trust: members.oneOf('trust', ['first-party', 'approved', 'self-registered']) ?? 'approved',
    offline: members.flag('offline') ?? false,
    ...(members.flag('deviceFlow') === true && { deviceFlow: true }),
    ...(members.flag('requireDpop') === true && { requireDpop: true }),
    ...optional('accessTokenMinutes', members.whole('accessTokenMinutes', 5, 60)),
    ...optional('refreshDays', members.whole('refreshDays', 1, 365)),
    ipAllow: addressesOf(members),
    rateClass: members.oneOf('rateClass', ['interactive', 'backend', 'patient-app']) ?? (type === 'backend' ? 'backend' : 'interactive'),
    contacts: members.texts('contacts', 10, nameMax),
    ...optional('termsUri', members.text('termsUri', uriMax, webUrl)),
    ...optional('policyUri', members.text('policyUri', uriMax, webUrl)),
    purpose: members.texts('purpose', 20, 20, purpose),
  }
}

const optional = <K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } =>
  // One member of that name, or none.
  (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: V }

const filled = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list)

const keySetOf = (members: Members): Registration['jwks'] => {
  const given = members.any('jwks')
  return given === undefined ? undefined : (readKeySet(given) ?? members.wrong('jwks', rule('key-set')))
}

const grantsOf = (members: Members, roles: RoleTable): readonly unknown[] => {
  const given = members.any('grants') ?? []
  if (Array.isArray(given) && given.length <= grantsMax && readClientGrants(given, roles).ok) return given
  members.wrong('grants', rule('client-grants'))
  return []
}

const addressesOf = (members: Members): readonly string[] => {
  const given = members.texts('ipAllow', 32, 50)
  if (given.length > 0 && rangesOf(given.join(',')) === undefined) members.wrong('ipAllow', rule('address-ranges'))
  return given
}

/** What does not go together, once every member by itself is right. */
const refuseClashes = (client: Registration, members: Members, { definitions }: RegistrationRules): void => {
  const { type, development, trust, jwks, jwksUri } = client
  if (development === true && trust === 'first-party') members.wrong('development', rule('development-trust'))
  for (const name of foreignMembers(client)) members.wrong(name, rule('member-not-here', { type }))
  const hasKeys = type === 'asymmetric' || type === 'backend'
  if (jwks !== undefined && jwksUri !== undefined) members.wrong('jwks', rule('keys-once'))
  if (hasKeys && jwks === undefined && jwksUri === undefined) members.wrong('jwks', rule('keys-once'))
  if (isForBrowsers(client) && client.redirectUris.length === 0 && client.deviceFlow !== true)
    members.wrong('redirectUris', rule('member-needed'))
  const granularParams = new Set(client.granularParams)
  client.scopesAllowed.forEach((text, index) => {
    const scope = parseScope(text, { definitions, granularParams })
    const why = scope === undefined ? undefined : scopeClash(scope, client)
    if (why !== undefined) members.wrong(`scopesAllowed[${index}]`, why)
  })
}

const isForBrowsers = ({ type }: Registration): boolean => type === 'public' || type === 'symmetric' || type === 'asymmetric'

/** Members that mean something for another type of client only. */
const foreignMembers = (client: Registration): readonly string[] => {
  const { type } = client
  const browsers = isForBrowsers(client)
  return [
    ...(browsers ? [] : ['redirectUris', 'launchUris', 'postLogoutRedirectUris', 'backchannelLogoutUri', 'deviceFlow']),
    ...(type === 'backend' ? [] : ['grants']),
    ...(type === 'public' || type === 'symmetric' ? ['jwks', 'jwksUri', 'jkuAllowed'] : []),
    ...(browsers || type === 'backend' ? [] : ['scopesAllowed', 'requireDpop']),
  ].filter(name => isGiven(client[name as keyof Registration]))
}

const isGiven = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0)

const houseScopes: ReadonlySet<string> = new Set(['__admin'])

const scopeClash = (scope: SmartScope, { type, trust, offline }: Registration) => {
  if (scope.kind === 'resource') return (scope.level === 'system') === (type === 'backend') ? undefined : rule('scope-of-backend')
  if (houseScopes.has(scope.text)) return trust === 'first-party' ? undefined : rule('scope-of-house')
  if (type === 'backend') return scope.text.startsWith('__') ? undefined : rule('scope-of-backend')
  return scope.text === 'offline_access' && !offline ? rule('scope-offline') : undefined
}

/** Whether a second person with `clients.approve` has to look at it: what reaches data without a user, or what users are not asked about. @see auth.md 10.1 */
export const needsApproval = ({ type, trust, scopesAllowed, permissions = [], appStateGlobal }: Registration): boolean =>
  trust === 'first-party' ||
  type === 'backend' ||
  type === 'resource-server' ||
  permissions.length > 0 ||
  appStateGlobal === true ||
  scopesAllowed.some(scope => scope.startsWith('system/') || scope.startsWith('__'))
