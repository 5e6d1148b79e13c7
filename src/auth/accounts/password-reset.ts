import { type Outcome, ok } from '../../base/outcome.ts'
import type { Rule } from '../../base/rules.ts'
import type { AccountParts } from '../account-parts.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { accountBucket, forgetting } from '../lockout/attempts.ts'
import { newPassword } from '../passwords/new-password.ts'
import { putOver } from '../record-plans.ts'
import { type Account, accountRecords, withPassword } from './account.ts'
import { accountByName } from './find-account.ts'
import { newLink, openLink, spendLink } from './links.ts'
import { foldName } from './names.ts'

/** A mail that is due. Its address is the account's own; nobody else is ever shown the link. */
export type LinkMail = { readonly to: string; readonly locale: Account['locale']; readonly secret: string; readonly account: string }

/**
 * Somebody forgot a password. The same look-ups and writes whether the name is somebody's or not, and the caller answers the same: only
 * where it is an account in use that has an address, a mail is due. The caller limits how often. @see auth.md 2.2, 16
 */
export const requestReset = async (
  ground: Ground,
  name: string,
  origin: Origin,
): Promise<Outcome<{ readonly mail?: LinkMail; readonly facts: readonly Fact[] }>> => {
  const found = await accountByName(ground, name)
  const account = found?.value.status === 'active' ? found.value : undefined
  const to = account?.email
  const { secret, write } = newLink(ground, 'reset', to === undefined ? undefined : account)
  const about = found === undefined ? { name: ground.hash.of('login-name', foldName(name)) } : { account: found.key }
  const facts: readonly Fact[] = [{ what: 'reset-asked', ...about }]
  const done = await commitFacts(ground, [write], facts, origin)
  if (!done.ok) return done
  return ok(
    account === undefined || to === undefined ? { facts } : { mail: { to, locale: account.locale, secret, account: account.id }, facts },
  )
}

export type ResetAnswer =
  | { readonly is: 'reset'; readonly account: Account; readonly facts: readonly Fact[] }
  | { readonly is: 'expired' }
  | { readonly is: 'password-refused'; readonly faults: readonly Rule[] }

/** The new password. All sessions end, a lock is lifted, the link is spent; a refused password leaves the link. Of many who use one link one wins. */
export const resetPassword = async (
  { ground, hashing, rules }: AccountParts,
  secret: string,
  password: string,
  origin: Origin,
): Promise<Outcome<ResetAnswer>> => {
  const opened = await openLink(ground, 'reset', secret)
  if (opened === undefined) return ok({ is: 'expired' })
  const made = await newPassword(hashing, rules, opened.account.value, password)
  if (!made.ok) return made
  if ('faults' in made.value) return ok({ is: 'password-refused', faults: made.value.faults })
  const { stored } = made.value
  const facts: readonly Fact[] = [
    { what: 'password-reset', account: opened.account.key },
    { what: 'unlocked', account: opened.account.key, reason: 'password-reset' },
  ]
  return spendLink<ResetAnswer>(ground, 'reset', secret, async (account, spent) => {
    const after = withPassword(account.value, stored, ground.clock())
    const writes = [spent, putOver(accountRecords, account, after), forgetting(accountBucket(account.key))]
    return { done: await commitFacts(ground, writes, facts, origin), answer: { is: 'reset', account: after, facts } }
  })
}
