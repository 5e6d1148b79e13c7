import { type Outcome, ok } from '../../base/outcome.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { putOver } from '../record-plans.ts'
import { type Account, accountRecords } from './account.ts'
import { accountById } from './find-account.ts'
import { newLink, openLink, spendLink } from './links.ts'
import { readEmail } from './names.ts'
import type { LinkMail } from './password-reset.ts'

/** Another e-mail address counts once a link that was sent there came back. */
export const requestEmail = async (
  ground: Ground,
  id: string,
  email: string,
  origin: Origin,
): Promise<
  Outcome<{ readonly is: 'sent'; readonly mail: LinkMail; readonly facts: readonly Fact[] } | { readonly is: 'unknown' | 'malformed' }>
> => {
  const to = readEmail(email)
  const account = await accountById(ground, id)
  if (to === undefined) return ok({ is: 'malformed' })
  if (account === undefined) return ok({ is: 'unknown' })
  const { secret, write } = newLink(ground, 'email', account.value, to)
  const facts: readonly Fact[] = [{ what: 'link-sent', account: id, reason: 'email' }]
  const done = await commitFacts(ground, [write], facts, origin)
  return done.ok ? ok({ is: 'sent', mail: { to, locale: account.value.locale, secret, account: id }, facts }) : done
}

export type EmailAnswer =
  | { readonly is: 'confirmed'; readonly account: Account; readonly facts: readonly Fact[] }
  | { readonly is: 'expired' }

/** The link came back. Of many who use it one wins. */
export const confirmEmail = async (ground: Ground, secret: string, origin: Origin): Promise<Outcome<EmailAnswer>> => {
  const opened = await openLink(ground, 'email', secret)
  const email = opened?.link.value.email
  if (email === undefined) return ok({ is: 'expired' })
  return spendLink<EmailAnswer>(ground, 'email', secret, async (account, spent) => {
    const after = { ...account.value, email }
    const facts: readonly Fact[] = [{ what: 'email-confirmed', account: account.key }]
    const done = await commitFacts(ground, [spent, putOver(accountRecords, account, after)], facts, origin)
    return { done, answer: { is: 'confirmed', account: after, facts } }
  })
}
