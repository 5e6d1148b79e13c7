import { type Outcome, ok } from '../../base/outcome.ts'
import type { Rule } from '../../base/rules.ts'
import type { AccountParts } from '../account-parts.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { newPassword } from '../passwords/new-password.ts'
import { putOver } from '../record-plans.ts'
import { type Account, accountRecords, withPassword } from './account.ts'
import { type AccountChanged, changeAccount, withNewEpoch } from './change-account.ts'
import { newLink, openLink, spendLink } from './links.ts'
import { readEmail, readUsername } from './names.ts'
import { encryptedPhone } from './phone.ts'

/** How an account begins: somebody invites, and whoever gets the mail chooses a password. There is no other way, and no default account. @see auth.md 2.1 */
export type Invited = Pick<Account, 'locale' | 'roles' | 'fhirUser' | 'clearance' | 'actsForOthers'> & {
  /** Absent: whoever invites hands the link over. */
  readonly email?: string
  readonly username?: string
  readonly phone?: string
}

export type InviteAnswer =
  | {
      readonly is: 'invited'
      readonly account: Account /** For the link of the mail. */
      readonly secret: string
      readonly facts: readonly Fact[]
    }
  | { readonly is: 'malformed'; readonly member: 'username' | 'email' }
  | { readonly is: 'taken' }

/** `by`: id of an account, or a word for a program, such as `cli`. */
export const invite = async (ground: Ground, invited: Invited, by: string, origin: Origin): Promise<Outcome<InviteAnswer>> => {
  const email = invited.email === undefined ? undefined : readEmail(invited.email)
  const username = invited.username === undefined ? undefined : readUsername(invited.username)
  if (invited.email !== undefined && email === undefined) return ok({ is: 'malformed', member: 'email' })
  if (invited.username !== undefined && username === undefined) return ok({ is: 'malformed', member: 'username' })
  const { phone, username: _, email: __, ...rest } = invited
  const id = ground.ids()
  const account: Account = {
    ...rest,
    id,
    ...(email === undefined ? {} : { email }),
    ...(username === undefined ? {} : { username }),
    ...(phone === undefined ? {} : { phone: encryptedPhone(ground, id, phone) }),
    status: 'invited',
    passwordHistory: [],
    graceUsed: 0,
    epoch: 1,
    createdAt: ground.clock(),
    createdBy: by,
  }
  const { secret, write } = newLink(ground, 'invitation', account)
  const facts: readonly Fact[] = [{ what: 'account-invited', account: id, by }]
  const done = await commitFacts(ground, [putOver(accountRecords, undefined, account), write], facts, origin)
  if (!done.ok) return done
  return ok(done.value.held ? { is: 'invited', account, secret, facts } : { is: 'taken' })
}

/** Another link for who did not use theirs; the one before is void. */
export const inviteAgain = async (
  ground: Ground,
  id: string,
  by: string,
  origin: Origin,
): Promise<Outcome<AccountChanged<'not-invited'> & { readonly secret?: string }>> => {
  let secret = ''
  const changed = await changeAccount<'not-invited'>(ground, id, origin, account => {
    if (account.status !== 'invited') return { refused: 'not-invited' }
    const after = withNewEpoch(account)
    const link = newLink(ground, 'invitation', after)
    secret = link.secret
    return { after, facts: [{ what: 'link-sent', account: id, by, reason: 'invitation' }], records: [link.write] }
  })
  return changed.ok && changed.value.is === 'changed' ? ok({ ...changed.value, secret }) : changed
}

export type AcceptAnswer =
  | { readonly is: 'accepted'; readonly account: Account; readonly facts: readonly Fact[] }
  | { readonly is: 'expired' }
  | { readonly is: 'username-refused'; readonly why: 'missing' | 'malformed' | 'taken' }
  | { readonly is: 'password-refused'; readonly faults: readonly Rule[] }

/** The invited one chooses a password, and a user name where the invitation has none. Of many who use one link one wins. */
export const acceptInvitation = async (
  { ground, hashing, rules }: AccountParts,
  secret: string,
  chosen: { readonly username?: string; readonly password: string },
  origin: Origin,
): Promise<Outcome<AcceptAnswer>> => {
  const opened = await openLink(ground, 'invitation', secret)
  if (opened === undefined) return ok({ is: 'expired' })
  const { account } = opened
  const username = account.value.username ?? readUsername(chosen.username ?? '')
  if (username === undefined) return ok({ is: 'username-refused', why: chosen.username === undefined ? 'missing' : 'malformed' })
  const made = await newPassword(hashing, rules, { ...account.value, username }, chosen.password)
  if (!made.ok) return made
  if ('faults' in made.value) return ok({ is: 'password-refused', faults: made.value.faults })
  const { stored } = made.value
  return spendLink<AcceptAnswer>(ground, 'invitation', secret, async (account, spent) => {
    const after: Account = { ...withPassword(account.value, stored, ground.clock()), username, status: 'active' }
    const facts: readonly Fact[] = [{ what: 'account-accepted', account: account.key }]
    const done = await commitFacts(ground, [spent, putOver(accountRecords, account, after)], facts, origin)
    return { done, answer: { is: 'accepted', account: after, facts }, taken: { is: 'username-refused', why: 'taken' } }
  })
}
