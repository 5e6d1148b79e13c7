import { beginFactor, changePassword, disown, finishFactor, removeFactor, renewBackupCodes } from '../account-security.ts'
import { logOutEverywhere } from '../accounts/administration.ts'
import { requestEmail } from '../accounts/email-change.ts'
import { logOut, sessionById, sessionsOf } from '../sessions/sessions.ts'
import { isFresh } from '../sessions/session.ts'
import { factorsOf, hasFactor } from '../factors/factor-set.ts'
import { type AccountPage, signedIn, toStepUp } from './account-guard.ts'
import { redirect, sendPage } from './answers.ts'
import { backupCodesPage } from './door.ts'
import { enrolmentPage } from './enrolment-page.ts'
import { button, field, form } from './form-parts.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { faultsText, passwordPage, passwordTyped } from './login-pages.ts'
import { postLink } from './mails/outbox.ts'
import { ownPath } from './own-path.ts'
import { type Pages, sendFailure } from './routing.ts'
import { showSecurity } from './security-page.ts'
import { cookieIn, giveCookie, takeSession, type Visit } from './visit.ts'

/** What *Account security* does. What is weighty asks for a proof of the last 5 minutes first. @see auth.md 2.4, 3 */

const home = '/account/security'
const cookieOf = (visit: Visit): string => cookieIn(visit, 'sid') ?? ''
const ended = (visit: Visit): void => redirect(visit.res, '/login?why=ended')

/** A page that only whoever proved it in the last 5 minutes sees. */
const fresh =
  (path: string, page: AccountPage): AccountPage =>
  async at => {
    const { live, parts, visit } = at
    const { ground } = parts.accounts
    const factor = hasFactor(await factorsOf(ground, live.account.key))
    if (isFresh(live.session.value.amr, factor, ground.clock())) return page(at)
    const next = visit.query.get('next')
    return toStepUp(visit, next === null ? path : `${path}?next=${encodeURIComponent(ownPath(next))}`)
  }

const newPasswordPage = (visit: Visit, error?: string): Html =>
  passwordPage(visit, { action: `${home}/password`, here: `${home}/password`, ...(error === undefined ? {} : { error }) })

const showNewPassword: AccountPage = async ({ visit }) => sendPage(visit, newPasswordPage(visit))

const takeNewPassword: AccountPage = async ({ visit, parts, form }) => {
  const typed = passwordTyped(visit, form.one('password'), form.one('again'))
  if ('error' in typed) return sendPage(visit, newPasswordPage(visit, typed.error), 422)
  const done = await changePassword(parts.accounts, cookieOf(visit), typed.password, visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  const answer = done.value
  switch (answer.is) {
    case 'ended':
      return ended(visit)
    case 'not-fresh':
      return toStepUp(visit, `${home}/password`)
    case 'password-refused':
      return sendPage(visit, newPasswordPage(visit, faultsText(visit, answer.faults)), 422)
    default:
      giveCookie(visit, 'sid', answer.cookie)
      return redirect(visit.res, `${home}?done=password`)
  }
}

const showFactor: AccountPage = async ({ visit, parts }) => {
  const next = ownPath(visit.query.get('next') ?? home)
  const begun = await beginFactor(parts.accounts, cookieOf(visit))
  if (!begun.ok) return sendFailure(visit, begun.failure)
  if (begun.value.is === 'ended') return ended(visit)
  if (begun.value.is === 'not-fresh') return toStepUp(visit, `${home}/factor`)
  return sendPage(visit, enrolmentPage(visit, { action: `${home}/factor`, next, enrolment: begun.value.enrolment }))
}

const takeFactor: AccountPage = async ({ visit, parts, form }) => {
  const next = ownPath(form.one('next') ?? home)
  const done = await finishFactor(parts.accounts, cookieOf(visit), form.one('code') ?? '', visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  const answer = done.value
  if (answer.is === 'ended') return ended(visit)
  if (answer.is === 'wrong-code') return sendPage(visit, enrolmentPage(visit, { action: `${home}/factor`, next, failed: true }), 422)
  giveCookie(visit, 'sid', answer.cookie)
  return sendPage(visit, backupCodesPage(visit, answer.backupCodes, saved(visit, next)))
}

const saved = ({ say }: Visit, next: string): Html => html`<a class="button first" href="${next}">${say('mfa.codesSaved')}</a>`

const renewCodes: AccountPage = async ({ visit, parts }) => {
  const done = await renewBackupCodes(parts.accounts, cookieOf(visit), visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  const answer = done.value
  if (answer.is === 'ended') return ended(visit)
  if (answer.is === 'not-fresh') return toStepUp(visit, home)
  if (answer.is === 'none') return redirect(visit.res, home)
  return sendPage(visit, backupCodesPage(visit, answer.backupCodes, saved(visit, home)))
}

const takeAwayFactor: AccountPage = async ({ visit, parts }) => {
  const done = await removeFactor(parts.accounts, cookieOf(visit), visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  const answer = done.value
  if (answer.is === 'ended') return ended(visit)
  if (answer.is === 'not-fresh') return toStepUp(visit, home)
  return redirect(visit.res, answer.is === 'none' ? home : `${home}?done=${answer.is}`)
}

const emailPage = (visit: Visit, error?: string, typed?: string): Html => {
  const { say } = visit
  return layout(visit, {
    title: say('security.changeEmail'),
    failed: error !== undefined,
    body: html`
      <div class="card">
        <h1>${say('security.changeEmail')}</h1>
        <p class="lead">${say('security.emailHint')}</p>
        ${form(visit, `${home}/email`, [
          field({
            name: 'email',
            label: say('security.newEmail'),
            type: 'email',
            inputmode: 'email',
            autocomplete: 'email',
            ...(typed === undefined ? {} : { value: typed }),
            ...(error === undefined ? {} : { error }),
          }),
          html`<div class="buttons">${button(say('page.save'))}<a class="button second" href="${home}">${say('page.cancel')}</a></div>`,
        ])}
      </div>`,
  })
}

const showEmail: AccountPage = async ({ visit }) => sendPage(visit, emailPage(visit))

const takeEmail: AccountPage = async ({ visit, live, parts, form }) => {
  const typed = (form.one('email') ?? '').slice(0, 254)
  const { ground } = parts.accounts
  const done = await requestEmail(ground, live.account.key, typed, visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  if (done.value.is !== 'sent') return sendPage(visit, emailPage(visit, visit.say('security.emailMalformed'), typed), 422)
  const posted = await postLink(ground, 'email', done.value.mail)
  if (!posted.ok) return sendFailure(visit, posted.failure)
  return redirect(visit.res, `${home}?done=email`)
}

/** One session of the account, and of no other. */
const endOne: AccountPage = async ({ visit, live, parts, form }) => {
  const { ground } = parts.accounts
  const asked = form.one('session')
  // Looked for among his own: a session of somebody else costs what one costs that never was.
  const own = (await sessionsOf(ground, live.account.key)).find(({ id }) => id === asked)
  const other = own && (await sessionById(ground, own.id))
  if (other === undefined) return redirect(visit.res, home)
  const done = await logOut(ground, other, visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  return redirect(visit.res, `${home}?done=session`)
}

const endAll: AccountPage = async ({ visit, live, parts }) => {
  const { key } = live.account
  const done = await logOutEverywhere(parts.accounts.ground, key, key, visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  takeSession(visit)
  return redirect(visit.res, '/login?why=all')
}

const notMe: AccountPage = async ({ visit, live, parts }) => {
  const done = await disown(parts.accounts.ground, live.account.key, visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  takeSession(visit)
  return redirect(visit.res, '/login?why=disowned')
}

export const securityPages: Pages = {
  [`GET ${home}`]: signedIn(showSecurity),
  [`GET ${home}/password`]: signedIn(fresh(`${home}/password`, showNewPassword)),
  [`POST ${home}/password`]: signedIn(takeNewPassword),
  [`GET ${home}/factor`]: signedIn(fresh(`${home}/factor`, showFactor)),
  [`POST ${home}/factor`]: signedIn(takeFactor),
  [`POST ${home}/factor/remove`]: signedIn(takeAwayFactor),
  [`POST ${home}/backup-codes`]: signedIn(renewCodes),
  [`GET ${home}/email`]: signedIn(fresh(`${home}/email`, showEmail)),
  [`POST ${home}/email`]: signedIn(fresh(`${home}/email`, takeEmail)),
  [`POST ${home}/end`]: signedIn(endOne),
  [`POST ${home}/end-all`]: signedIn(endAll),
  [`POST ${home}/disown`]: signedIn(notMe),
}
