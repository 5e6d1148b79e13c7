import type Provider from 'oidc-provider'
import type { RecordWrite } from '../../storage/port.ts'
import { isStaff } from '../accounts/account.ts'
import type { Client } from '../clients/client.ts'
import { type GrantContext, grantRecords } from '../grants/grant-context.ts'
import { commitFacts } from '../ground.ts'
import { usualPurpose } from '../principal/person.ts'
import { putOver } from '../record-plans.ts'
import { hasPlainScope, renderScopes, type SmartScope } from '../scopes/scope.ts'
import type { LiveSession } from '../sessions/sessions.ts'
import { type Launch, launchRecords } from '../smart/launch-record.ts'
import type { WebOrigin } from '../web.ts'
import type { AuthorizationServerParts } from './server-parts.ts'
import { type Standing, textOf } from './standing.ts'

export type Agreed = {
  readonly standing: Standing & { readonly live: LiveSession }
  readonly scopes: readonly SmartScope[]
  readonly params: Readonly<Record<string, unknown>>
  /** False: specially protected data was asked for at consent, and not ticked. */
  readonly protectedData?: boolean
  readonly from: WebOrigin
}

type LibraryGrant = InstanceType<Provider['Grant']>

/**
 * A new grant, never one of before: its context is written with the facts, and a launch is used up by it. Undefined when the launch was used meanwhile.
 * `into`: the library's grant of this request, which is still empty. @see auth.md 1 D3, 7.2
 */
export const makeGrant = async (
  parts: AuthorizationServerParts,
  provider: Provider,
  { standing, scopes, params, protectedData, from }: Agreed,
  into?: LibraryGrant,
): Promise<LibraryGrant | undefined> => {
  const { client, live, patient, encounter, launch } = standing
  const { ground, address } = parts
  const { session, account } = live
  const now = ground.clock()
  const offline = hasPlainScope(scopes, 'offline_access')
  const expires = offline ? now + offlineMs(client, params) : session.value.endsAt
  const grant = into ?? new provider.Grant({ accountId: account.key, clientId: client.id })
  const text = renderScopes(scopes)
  // All of them are the resource's: the scope of a token comes from there.
  grant.addOIDCScope(text)
  grant.addResourceScope(address.fhir, text)
  Object.assign(grant, { expiresIn: Math.max(1, Math.ceil((expires - now) / 1000)) })
  const id = await grant.save()
  const context: GrantContext = {
    id,
    account: account.key,
    epoch: account.value.epoch,
    client: client.id,
    kind: offline ? 'offline' : 'online',
    session: session.key,
    scopes: text,
    ...(account.value.fhirUser !== undefined && { fhirUser: account.value.fhirUser }),
    ...(patient !== undefined && { patient }),
    ...(encounter !== undefined && { encounter }),
    ...(launch !== undefined && { launch: launch.value.context }),
    ...(protectedData === false && { withoutProtected: true as const }),
    ...(isMirrored(standing) && { mirror: { state: 'due' as const, next: now, tries: 0 } }),
    purpose: purposeOf(params.purpose_of_use, isStaff(account.value) ? 'user' : 'patient'),
    amr: session.value.amr,
    createdAt: now,
    expires,
  }
  const used: readonly RecordWrite[] = launch === undefined ? [] : [putOver<Launch>(launchRecords, launch, { ...launch.value, used: id })]
  const done = await commitFacts(
    ground,
    [putOver(grantRecords, undefined, context), ...used],
    [{ what: 'grant-given', account: account.key, session: session.key, client: client.id }],
    { ...from, client: client.id },
  )
  if (!done.ok) throw new Error('The grant could not be written')
  return done.value.held ? grant : undefined
}

/** What staff let an application do is no consent of the patient, and what is of this house asks for none. @see auth.md 12.3 */
const isMirrored = ({ client, live, patient }: Agreed['standing']): boolean =>
  client.trust !== 'first-party' && patient !== undefined && live.account.value.fhirUser !== undefined && !isStaff(live.account.value)

const dayMs = 86_400_000
const offlineDaysMax = 366

/**
 * Access that outlives the session ends then whatever happens. An app that lives in a browser alone keeps no secret for long, unless what it gets is bound to
 * a key. @see auth.md 7.5, RFC 9449 10
 */
export const offlineMs = ({ type, applicationType, refreshDays, requireDpop }: Client, params: Agreed['params'] = {}): number => {
  const isBound = requireDpop === true || textOf(params.dpop_jkt) !== ''
  return Math.min(refreshDays ?? (type === 'public' && applicationType === 'web' && !isBound ? 1 : 90), offlineDaysMax) * dayMs
}

/** Purposes an application may name without having registered them. A break-glass is none of them: it is opened on our pages. */
const usualPurposes: ReadonlySet<string> = new Set(['TREAT', 'HPAYMT', 'HOPERAT', 'PATRQT'])

const codesOf = (value: unknown): readonly string[] =>
  textOf(value)
    .split(/[ ,]/)
    .filter(code => code !== '' && code !== 'BTG')

/** Whether each purpose is a usual one or one that the client registered. */
export const mayName = ({ purpose }: Client, value: unknown): boolean =>
  codesOf(value).every(code => (purpose.length === 0 ? usualPurposes.has(code) : purpose.includes(code)))

const purposeOf = (value: unknown, kind: 'user' | 'patient'): readonly string[] => {
  const codes = codesOf(value)
  return codes.length === 0 ? usualPurpose(kind) : [...new Set(codes)]
}
