import { ok, type Outcome } from '../../base/outcome.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { deleteOver, putOver } from '../record-plans.ts'
import { type Account, accountRecords } from './account.ts'
import { accountById } from './find-account.ts'
import { linkRecords, newLink, openLink } from './links.ts'
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

export const confirmEmail = async (
  ground: Ground,
  secret: string,
  origin: Origin,
): Promise<
  Outcome<{ readonly is: 'confirmed'; readonly account: Account; readonly facts: readonly Fact[] } | { readonly is: 'expired' }>
> => {
  const opened = await openLink(ground, 'email', secret)
  const email = opened?.link.value.email
  if (opened === undefined || email === undefined) return ok({ is: 'expired' })
  const { link, account } = opened
  const after = { ...account.value, email }
  const facts: readonly Fact[] = [{ what: 'email-confirmed', account: account.key }]
  const done = await commitFacts(ground, [deleteOver(linkRecords, link), putOver(accountRecords, account, after)], facts, origin)
  if (!done.ok) return done
  return ok(done.value.held ? { is: 'confirmed', account: after, facts } : { is: 'expired' })
}
