import { isDeepStrictEqual } from 'node:util'
import { randomPKCECodeVerifier } from 'openid-client'
import { type Outcome, ok } from '../../base/outcome.ts'
import type { StoredRecord } from '../../storage/port.ts'
import type { AccountParts } from '../account-parts.ts'
import { changeAccount, withNewEpoch } from '../accounts/change-account.ts'
import { accountById } from '../accounts/find-account.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { logInFromOutside } from '../login.ts'
import type { Browser, LoginAnswer } from '../login-answers.ts'
import { commitRecords, deleteOver, putOver } from '../record-plans.ts'
import type { RoleTable } from '../roles/role-table.ts'
import { newSecret } from '../secrets.ts'
import { endNamed } from './backchannel-logout.ts'
import type { Begun, Federation, FederationRefusal, Finished, Wanted } from './federation.ts'
import {
  type FederationStep,
  federationStepMs,
  federationStepRecords,
  findFederationStep,
  newFederationToken,
  stepPlace,
} from './federation-step.ts'
import { isProviderId, type Provider, providerAs } from './provider.ts'
import { rolesAfter } from './provider-roles.ts'
import type { Providers } from './providers.ts'
import type { Claims, OpenProvider, RelyingParty, Said } from './relying-party.ts'
import { type Subject, subjectOf } from './subject.ts'
import { whose } from './whose.ts'

export type FederationParts = {
  readonly accounts: AccountParts
  /** `SIMPUL_BASE_URL` without a slash at the end. */
  readonly base: string
  readonly roles: RoleTable
  readonly providers: Providers
  readonly relyingParty: RelyingParty
}

export const createFederation = (parts: FederationParts): Federation => ({
  shown: async () => (await parts.providers.active().catch(() => [])).map(({ id, name }) => ({ id, name })),
  begin: (provider, wanted) => begin(parts, provider, wanted),
  finish: (provider, token, query, browser) => finish(parts, provider, token, query, browser),
  loggedOut: (provider, token, origin) => loggedOut(parts, provider, token, origin),
})

/** Of one provider alone: an answer of another never comes to it. */
export const redirectUri = (base: string, provider: string): string => `${base}/login/federation/${provider}/callback`

const tokenMax = 16 * 1024

const begin = async ({ accounts, base, ...parts }: FederationParts, id: string, wanted: Wanted): Promise<Outcome<Begun>> => {
  const { ground } = accounts
  const open = isProviderId(id) ? await parts.providers.open(id) : undefined
  if (open === undefined) return ok({ is: 'unknown' })
  const { token, hash } = newFederationToken(ground)
  const asked = { state: newSecret(ground.random), nonce: newSecret(ground.random), verifier: randomPKCECodeVerifier() }
  const again = wanted.again === true
  const url = await parts.relyingParty.authorizationUrl(open, {
    ...asked,
    redirectUri: redirectUri(base, id),
    again,
    language: wanted.language,
  })
  if (url.is !== 'said') return ok({ is: 'away' })
  const step: FederationStep = {
    hash,
    provider: id,
    state: asked.state,
    nonce: asked.nonce,
    verifier: ground.fields.encrypt(asked.verifier, stepPlace(hash, 'verifier')),
    ...(wanted.invitation === undefined ? {} : { invitation: ground.fields.encrypt(wanted.invitation, stepPlace(hash, 'invitation')) }),
    ...(wanted.uid === undefined ? {} : { uid: wanted.uid }),
    next: wanted.next,
    ...(again ? { again } : {}),
    language: wanted.language,
    expires: ground.clock() + federationStepMs,
  }
  const done = await commitRecords(ground.store, [putOver(federationStepRecords, undefined, step)])
  return done.ok ? ok({ is: 'begun', url: url.value, token }) : done
}

const finish = async (
  parts: FederationParts,
  id: string,
  token: string,
  query: URLSearchParams,
  browser: Browser,
): Promise<Outcome<Finished>> => {
  const { ground } = parts.accounts
  const step = isProviderId(id) ? await findFederationStep(ground, token, id) : undefined
  if (step === undefined) return refused(ground, { id, why: 'over', origin: browser.origin })
  const { next, uid, state } = step.value
  const refuse = (why: FederationRefusal): Promise<Outcome<Finished>> =>
    refused(ground, { id, why, origin: browser.origin, next, ...(uid === undefined ? {} : { uid }) })
  // Whoever does not know the state was not sent by what this browser began, and uses nothing up.
  if (query.getAll('state').join(' ') !== state) return refuse('forged')
  const used = await commitRecords(ground.store, [deleteOver(federationStepRecords, step)])
  if (!used.ok) return used
  const open = used.value.held ? await parts.providers.open(id) : undefined
  if (open === undefined) return refuse('over')
  const claims = await claimsOf(parts, open, step, query)
  if (claims.is !== 'said') return refuse(claims.is)
  const answered = await arrived(parts, open.provider, claims.value, step.value, browser)
  if (!answered.ok) return answered
  if (typeof answered.value === 'string') return refuse(answered.value)
  return ok({ is: 'answered', answer: answered.value, next, ...(uid === undefined ? {} : { uid }) })
}

const claimsOf = async (
  { accounts: { ground }, base, relyingParty }: FederationParts,
  open: OpenProvider,
  { key, value }: StoredRecord<FederationStep>,
  query: URLSearchParams,
): Promise<Said<Claims>> => {
  const verifier = await ground.fields.decrypt(value.verifier, stepPlace(key, 'verifier'))
  if (verifier === undefined) return { is: 'forged' }
  const { state, nonce, again } = value
  return relyingParty.claims(open, query, {
    redirectUri: redirectUri(base, open.provider.id),
    state,
    nonce,
    verifier,
    ...(again === true ? { again } : {}),
  })
}

/** Whoever the provider proved, with the roles that it says now; then what is needed here still. */
const arrived = async (
  { accounts, roles }: FederationParts,
  provider: Provider,
  claims: Claims,
  step: FederationStep,
  browser: Browser,
): Promise<Outcome<LoginAnswer | FederationRefusal>> => {
  const { ground } = accounts
  const subject = subjectOf(provider, claims)
  const invitation =
    step.invitation === undefined ? undefined : await ground.fields.decrypt(step.invitation, stepPlace(step.hash, 'invitation'))
  const coming = { provider, subject, language: step.language, ...(invitation === undefined ? {} : { invitation }) }
  const found = await whose(ground, coming, browser.origin)
  if (!found.ok) return found
  if (found.value.is === 'nobody') return ok(found.value.why)
  const { account } = found.value
  const taken = await takeRoles(ground, roles, provider, subject, account, browser.origin)
  if (!taken.ok) return taken
  const { sid, provedAt, twoFactors } = subject
  const session = { provider: provider.id, ...(sid === undefined ? {} : { sid }) }
  const proof = { twoFactors, session, ...(provedAt === undefined ? {} : { provedAt }) }
  const answer = await logInFromOutside(accounts, account, proof, browser)
  if (!answer.ok) return answer
  return ok(answer.value.is === 'refused' ? 'account' : answer.value)
}

/** Roles of the provider as it says them now. Where they change, what was given for the ones before ends. */
const takeRoles = async (
  ground: Ground,
  table: RoleTable,
  provider: Provider,
  { roles: said }: Subject,
  id: string,
  origin: Origin,
): Promise<Outcome<unknown>> => {
  const before = await accountById(ground, id)
  if (before === undefined || isDeepStrictEqual(before.value.roles, rolesAfter(table, provider, before.value.roles, said)))
    return ok(undefined)
  return changeAccount(ground, id, origin, account => {
    const roles = rolesAfter(table, provider, account.roles, said)
    const fact: Fact = { what: 'roles-changed', account: id, by: providerAs(provider.id), provider: provider.id }
    return { after: { ...withNewEpoch(account), roles }, facts: [fact] }
  })
}

const refused = async (
  ground: Ground,
  {
    id,
    why,
    origin,
    next = '/account',
    uid,
  }: { readonly id: string; readonly why: FederationRefusal; readonly origin: Origin; readonly next?: string; readonly uid?: string },
): Promise<Outcome<Finished>> => {
  const provider = isProviderId(id) ? { provider: id } : {}
  const facts: readonly Fact[] = [{ what: 'login-failed', method: 'ext', reason: `provider-${why}`, ...provider }]
  const done = await commitFacts(ground, [], facts, origin)
  return done.ok ? ok({ is: 'refused', why, next, ...(uid === undefined ? {} : { uid }) }) : done
}

const loggedOut = async (
  { accounts: { ground }, providers, relyingParty }: FederationParts,
  id: string,
  token: string,
  origin: Origin,
): Promise<Outcome<'ended' | 'refused' | 'away'>> => {
  const open = isProviderId(id) && token.length <= tokenMax ? await providers.open(id) : undefined
  if (open?.provider.logout !== true) return ok('refused')
  const claims = await relyingParty.verified(open, token)
  if (claims.is !== 'said') return ok(claims.is === 'away' ? 'away' : 'refused')
  const ended = await endNamed(ground, open.provider, claims.value, origin)
  return ended.ok ? ok(ended.value ? 'ended' : 'refused') : ended
}
