import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import type { RecordWrite, StoredRecord } from '../../storage/port.ts'
import { type Account, accountRecords } from '../accounts/account.ts'
import { accountById } from '../accounts/find-account.ts'
import { withNewEpoch } from '../accounts/change-account.ts'
import type { Fact, FactKind } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { again, deleteOver, putOver, untilHeld } from '../record-plans.ts'
import { endAllOf } from './backchannel-logout.ts'
import { type Provider, type ProviderRegistration, providerRecords, providersMax, sealedPlace } from './provider.ts'
import { linkedRecords, linkId, linksMax, linksOf, type ProviderLink } from './provider-link.ts'
import type { ReadProvider } from './read-provider.ts'
import { inUse } from './whose.ts'

/**
 * What administrators do to providers and links. A provider gives accounts and roles away, so nothing of it counts before a second person has looked at it; who may be
 * that person is decided before. @see auth.md 4.3, 13
 */

type Changed = Outcome<Provider>

/** A draft: nobody logs in by it yet. Fails `bad-member` for an id or an issuer that is another's. */
export const addProvider = async (
  ground: Ground,
  { id, registration, secret = '' }: ReadProvider,
  by: string,
  origin: Origin,
): Promise<Changed> => {
  const records = ground.store.records<Provider>(providerRecords)
  if ((await records.range('key', { limit: providersMax })).rows.length >= providersMax) return fail('overloaded', {})
  const sealed = ground.fields.encrypt(secret, sealedPlace(id))
  const provider: Provider = { ...registration, id, status: 'draft', sealed, createdAt: ground.clock(), createdBy: by }
  const done = await commitFacts(ground, [putOver(providerRecords, undefined, provider)], [fact('provider-added', id, by)], origin)
  if (!done.ok) return done
  if (done.value.held) return ok(provider)
  return fail('bad-member', { member: done.value.unique === 'issuer' ? 'issuer' : 'id', rule: rule('of-another-provider') })
}

/** Another registration: in place of a draft's at once, beside that of one in use until a second person has looked at it. */
export const changeProvider = (ground: Ground, { id, registration, secret }: ReadProvider, by: string, origin: Origin): Promise<Changed> =>
  rewrite(ground, id, origin, before => {
    const sealed = secret === undefined ? before.sealed : ground.fields.encrypt(secret, sealedPlace(id))
    const after: Provider =
      before.status === 'draft'
        ? { ...keptOf(before), ...registration, sealed, createdBy: by }
        : { ...before, proposed: { registration, sealed, by, at: ground.clock() } }
    return ok({ after, facts: [fact('provider-changed', id, by)] })
  })

/** Whoever asked for what waits at a provider: for its change, or for it to be used. */
export const askedBy = ({ proposed, createdBy }: Provider): string => proposed?.by ?? createdBy

/** The second person: it is used from now on as it was proposed. Fails `another-person`, and `wrong-status` where nothing waits. */
export const activateProvider = (
  ground: Ground,
  id: string,
  by: string,
  origin: Origin,
  mayBeSecond: (asked: string) => Promise<Outcome<undefined>>,
): Promise<Changed> =>
  rewrite(ground, id, origin, async before => {
    if (before.status === 'active' && before.proposed === undefined) return fail('wrong-status', { status: 'active' })
    const second = await mayBeSecond(askedBy(before))
    if (!second.ok) return second
    const { proposed, ...kept } = before
    const now = proposed === undefined ? kept : { ...keptOf(kept), ...proposed.registration, sealed: proposed.sealed }
    const unable = await unableOf(ground, now.localAdministrators)
    if (unable) return fail('bad-member', { member: 'localAdministrators', rule: rule('two-administrators') })
    return ok({ after: { ...now, status: 'active', approvedBy: by }, facts: [fact('provider-activated', id, by)] })
  })

/** What is not said when it is registered. */
const keptOf = ({ id, status, sealed, createdAt, createdBy, approvedBy }: Provider) => ({
  id,
  status,
  sealed,
  createdAt,
  createdBy,
  ...(approvedBy === undefined ? {} : { approvedBy }),
})

/** Those who keep their password are administrators in use, and have one: else nobody could get in when the provider is away. */
const unableOf = async (ground: Ground, accounts: readonly string[]): Promise<boolean> => {
  for (const id of accounts) {
    const account = (await accountById(ground, id))?.value
    const able = account?.status === 'active' && account.password !== undefined && account.roles.some(({ role }) => role === 'admin')
    if (!able) return true
  }
  return false
}

/** Nobody logs in by it any more, and all sessions that it began end. */
export const suspendProvider = async (ground: Ground, id: string, by: string, origin: Origin): Promise<Changed> => {
  const done = await rewrite(ground, id, origin, before => {
    if (before.status === 'suspended') return fail('wrong-status', { status: before.status })
    return ok({ after: { ...before, status: 'suspended' as const }, facts: [fact('provider-suspended', id, by)] })
  })
  if (!done.ok) return done
  const ended = await endAllOf(ground, done.value, origin)
  return ended.ok ? done : ended
}

export const providerById = ({ store }: Ground, id: string): Promise<StoredRecord<Provider> | undefined> =>
  store.records<Provider>(providerRecords).get(id)

export const listProviders = async ({ store }: Ground): Promise<readonly Provider[]> =>
  (await store.records<Provider>(providerRecords).range('key', { limit: providersMax })).rows.map(({ value }) => value)

export const registrationIn = (provider: Provider | ProviderRegistration): ProviderRegistration => {
  const {
    id: _i,
    status: _s,
    sealed: _e,
    createdAt: _a,
    createdBy: _b,
    approvedBy: _p,
    proposed: _o,
    ...registration
  } = provider as Provider
  return registration
}

type Change = Outcome<{ readonly after: Provider; readonly facts: readonly Fact[] }>

/** Changes a provider as it is at that moment. */
const rewrite = (ground: Ground, id: string, origin: Origin, change: (before: Provider) => Change | Promise<Change>): Promise<Changed> =>
  untilHeld<Provider>(async () => {
    const before = await providerById(ground, id)
    if (before === undefined) return fail('unknown-instance', { what: 'provider' })
    const made = await change(before.value)
    if (!made.ok) return made
    const { after, facts } = made.value
    const done = await commitFacts(ground, [putOver(providerRecords, before, after)], facts, origin)
    if (!done.ok) return done
    if (done.value.held) return ok(after)
    return done.value.unique === undefined ? again : fail('bad-member', { member: 'issuer', rule: rule('of-another-provider') })
  })

/** A link that an administrator asks for; it opens nothing before a second person has looked at it. */
export const askLink = async (
  ground: Ground,
  { account: id, provider, subject }: { readonly account: string; readonly provider: string; readonly subject: string },
  by: string,
  origin: Origin,
): Promise<Outcome<ProviderLink>> => {
  const [account, kept] = await Promise.all([accountById(ground, id), providerById(ground, provider)])
  if (account === undefined) return fail('unknown-instance', { what: 'user' })
  if (kept === undefined) return fail('bad-member', { member: 'provider', rule: rule('member-unknown') })
  if ((await linksOf(ground, id)).length >= linksMax)
    return fail('bad-member', { member: 'subject', rule: rule('list-of', { max: linksMax }) })
  const { issuer } = kept.value
  const link: ProviderLink = {
    id: linkId(issuer, subject),
    issuer,
    subject,
    provider,
    account: id,
    how: 'administrator',
    createdAt: ground.clock(),
    createdBy: by,
  }
  const done = await commitFacts(ground, [putOver(linkedRecords, undefined, link)], [linkFact('account-linked', link, by, 'asked')], origin)
  if (!done.ok) return done
  return done.value.held ? ok(link) : fail('bad-member', { member: 'subject', rule: rule('of-another-account') })
}

/** The second person looked at it: from now on the subject is let in as the account, and one that was only invited is in use. */
export const approveLink = (
  ground: Ground,
  account: string,
  id: string,
  by: string,
  origin: Origin,
  mayBeSecond: (asked: string) => Promise<Outcome<undefined>>,
): Promise<Outcome<ProviderLink>> =>
  untilHeld<ProviderLink>(async () => {
    const kept = await linkById(ground, account, id)
    const of = await accountById(ground, account)
    if (kept === undefined || of === undefined) return fail('unknown-instance', { what: 'link' })
    if (kept.value.approvedBy !== undefined || kept.value.how !== 'administrator') return fail('wrong-status', { status: 'active' })
    const second = account === by ? fail('another-person', {}) : await mayBeSecond(kept.value.createdBy)
    if (!second.ok) return second
    const after: ProviderLink = { ...kept.value, approvedBy: by }
    const used = of.value.status === 'disabled' ? { ...of.value, federated: true as const } : inUse(of.value)
    const records = [putOver(linkedRecords, kept, after), putOver(accountRecords, of, used)]
    const done = await commitFacts(ground, records, [linkFact('account-linked', after, by, 'administrator')], origin)
    if (!done.ok) return done
    return done.value.held ? ok(after) : again
  })

/** The subject is nobody's any more, and what the account has open ends. One that nobody can get into any more is invited anew. */
export const unlink = (ground: Ground, account: string, id: string, by: string, origin: Origin): Promise<Outcome<undefined>> =>
  untilHeld<undefined>(async () => {
    const kept = await linkById(ground, account, id)
    if (kept === undefined) return fail('unknown-instance', { what: 'link' })
    const of = await accountById(ground, account)
    const last = (await linksOf(ground, account)).every(link => link.key === id)
    const records: readonly RecordWrite[] = [
      deleteOver(linkedRecords, kept),
      ...(of === undefined ? [] : [putOver(accountRecords, of, withNewEpoch(last ? withoutLinks(of.value) : of.value))]),
    ]
    const done = await commitFacts(ground, records, [linkFact('account-unlinked', kept.value, by, kept.value.how)], origin)
    if (!done.ok) return done
    return done.value.held ? ok(undefined) : again
  })

const withoutLinks = ({ federated: _, ...account }: Account): Account =>
  account.status === 'active' && account.password === undefined ? { ...account, status: 'invited' } : account

const linkById = async ({ store }: Ground, account: string, id: string): Promise<StoredRecord<ProviderLink> | undefined> => {
  const kept = await store.records<ProviderLink>(linkedRecords).get(id)
  return kept?.value.account === account ? kept : undefined
}

const fact = (what: FactKind, provider: string, by: string): Fact => ({ what, provider, by })

const linkFact = (what: FactKind, { account, provider }: ProviderLink, by: string, reason: string): Fact => ({
  what,
  account,
  provider,
  by,
  reason,
})
