import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordWrite } from '../../storage/port.ts'
import { type Account, accountRecords } from '../accounts/account.ts'
import type { KeptAccount } from '../accounts/find-account.ts'
import { spendLink } from '../accounts/links.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { again, putOver, untilHeld } from '../record-plans.ts'
import type { FederationRefusal } from './federation.ts'
import { type Provider, providerAs } from './provider.ts'
import { linkedRecords, linkId, linkOf, linksMax, linksOf, type ProviderLink } from './provider-link.ts'
import { domainOf, type Subject } from './subject.ts'

/** The id of the account that a subject stands for, or why it stands for none. */
export type Whose = { readonly is: 'account'; readonly account: string } | { readonly is: 'nobody'; readonly why: FederationRefusal }

const nobody = (why: FederationRefusal): Outcome<Whose> => ok({ is: 'nobody', why })

/** What federation knows of the one who comes. `invitation`: the secret of one by which they came. */
export type Coming = {
  readonly provider: Provider
  readonly subject: Subject
  readonly invitation?: string
  readonly language: 'id' | 'en'
}

/** By issuer and subject alone; who is not linked yet, by what may link them. @see auth.md 13 */
export const whose = (ground: Ground, coming: Coming, origin: Origin): Promise<Outcome<Whose>> =>
  untilHeld<Whose>(async () => {
    const { provider, subject, invitation } = coming
    const inHouse = provider.emailDomains.length === 0 || isIn(subject, provider.emailDomains)
    if (!inHouse) return nobody('domain')
    const linked = await linkOf(ground, subject.issuer, subject.subject)
    // Somebody who is linked and opens the invitation of somebody else stays who they are.
    if (linked !== undefined) return ok({ is: 'account', account: linked.value.account })
    if (await isAsked(ground, subject)) return nobody('unlinked')
    if (invitation !== undefined) return invited(ground, coming, invitation, origin)
    const found = await inDirectory(ground, provider, subject)
    if (found !== undefined) return linkDirectory(ground, coming, found, origin)
    return provider.unknown === 'create' ? created(ground, coming, origin) : nobody('unlinked')
  })

/** An administrator asked for this link, and nobody has looked at it yet: nothing else links meanwhile. */
const isAsked = async ({ store }: Ground, { issuer, subject }: Subject): Promise<boolean> =>
  (await store.records<ProviderLink>(linkedRecords).get(linkId(issuer, subject))) !== undefined

const isIn = ({ email }: Subject, domains: readonly string[]): boolean => email !== undefined && domains.includes(domainOf(email))

export const newLinkTo = (
  ground: Ground,
  { provider, subject }: { readonly provider: Provider; readonly subject: Pick<Subject, 'issuer' | 'subject'> },
  account: string,
  how: ProviderLink['how'],
  by: string,
): RecordWrite => {
  const link: ProviderLink = {
    id: linkId(subject.issuer, subject.subject),
    issuer: subject.issuer,
    subject: subject.subject,
    provider: provider.id,
    account,
    how,
    createdAt: ground.clock(),
    createdBy: by,
  }
  return putOver(linkedRecords, undefined, link)
}

/** In use from now on, and by a provider. */
export const inUse = (account: Account): Account => ({ ...account, status: 'active', federated: true })

const linkedFact = (account: string, { id }: Provider, reason: ProviderLink['how']): Fact => ({
  what: 'account-linked',
  account,
  by: providerAs(id),
  provider: id,
  reason,
})

const invited = async (ground: Ground, coming: Coming, secret: string, origin: Origin): Promise<Outcome<Whose>> => {
  const { provider } = coming
  const done = await spendLink<Whose>(ground, 'invitation', secret, async (account, spent) => {
    const facts: readonly Fact[] = [{ what: 'account-accepted', account: account.key }, linkedFact(account.key, provider, 'invitation')]
    const records = [
      spent,
      putOver(accountRecords, account, inUse(account.value)),
      newLinkTo(ground, coming, account.key, 'invitation', providerAs(provider.id)),
    ]
    return { done: await commitFacts(ground, records, facts, origin), answer: { is: 'account', account: account.key } }
  })
  if (!done.ok) return done
  return done.value.is === 'expired' ? nobody('over') : ok(done.value)
}

/** The one account with the verified address, where the facility runs the directory. Who administers or audits is linked by people alone. */
const inDirectory = async (ground: Ground, { directoryDomains }: Provider, subject: Subject): Promise<KeptAccount | undefined> => {
  const { email } = subject
  if (email === undefined || !isIn(subject, directoryDomains)) return undefined
  const [found, another] = await withEmail(ground, email)
  if (found === undefined || another !== undefined || found.value.status === 'disabled') return undefined
  if (found.value.roles.some(({ role }) => role === 'admin' || role === 'auditor')) return undefined
  const links = await linksOf(ground, found.key)
  // An address that was given to somebody else later leads nobody to the account of who had it before.
  return links.length >= linksMax || links.some(({ value }) => value.issuer === subject.issuer) ? undefined : found
}

const linkDirectory = async (
  ground: Ground,
  coming: Coming,
  found: KeptAccount,
  origin: Origin,
): Promise<Outcome<Whose> | typeof again> => {
  const { provider } = coming
  const records = [
    putOver(accountRecords, found, inUse(found.value)),
    newLinkTo(ground, coming, found.key, 'directory', providerAs(provider.id)),
  ]
  const done = await commitFacts(ground, records, [linkedFact(found.key, provider, 'directory')], origin)
  if (!done.ok) return done
  return done.value.held ? ok({ is: 'account', account: found.key }) : again
}

/** A new account, without roles until somebody gives one. None where another has the address: that one has to be linked, by people. */
const created = async (ground: Ground, coming: Coming, origin: Origin): Promise<Outcome<Whose> | typeof again> => {
  const { provider, subject, language } = coming
  const { email } = subject
  if (email !== undefined && (await withEmail(ground, email)).length > 0) return nobody('unlinked')
  const by = providerAs(provider.id)
  const id = ground.ids()
  const account: Account = {
    id,
    ...(email === undefined ? {} : { email }),
    locale: language,
    status: 'active',
    federated: true,
    passwordHistory: [],
    roles: [],
    graceUsed: 0,
    epoch: 1,
    createdAt: ground.clock(),
    createdBy: by,
  }
  const facts: readonly Fact[] = [{ what: 'account-accepted', account: id, by }, linkedFact(id, provider, 'creation')]
  const records = [putOver(accountRecords, undefined, account), newLinkTo(ground, coming, id, 'creation', by)]
  const done = await commitFacts(ground, records, facts, origin)
  if (!done.ok) return done
  return done.value.held ? ok({ is: 'account', account: id }) : again
}

const withEmail = async ({ store }: Ground, email: string): Promise<readonly KeptAccount[]> =>
  (await store.records<Account>(accountRecords).range('email', { from: [email], to: [email], limit: 2 })).rows
