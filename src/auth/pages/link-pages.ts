import type { Account } from '../accounts/account.ts'
import { confirmEmail } from '../accounts/email-change.ts'
import { acceptInvitation } from '../accounts/invitation.ts'
import { accountByName } from '../accounts/find-account.ts'
import { openLink } from '../accounts/links.ts'
import { foldName } from '../accounts/names.ts'
import { requestReset, resetPassword } from '../accounts/password-reset.ts'
import type { ShownProvider } from '../federation/federation.ts'
import { redirect, sendPage } from './answers.ts'
import { providerButtons, shownProviders } from './federation-pages.ts'
import { button, field, form } from './form-parts.ts'
import { type Fragment, type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { faultsText, passwordPage, passwordTyped } from './login-pages.ts'
import { postLink } from './mails/outbox.ts'
import type { PagesParts } from './parts.ts'
import { type Page, type Pages, sendFailure } from './routing.ts'
import type { Visit } from './visit.ts'

/**
 * What links in mails lead to. Opening one changes nothing, for programs that check mails open them too; the form on the page does.
 * @see auth.md 2.1, 2.2
 */

const showForgotten: Page = async ({ visit }) => sendPage(visit, forgottenPage(visit))

const forgottenPage = (visit: Visit, error?: string): Html => {
  const { say } = visit
  return layout(visit, {
    title: say('forgot.title'),
    failed: error !== undefined,
    body: html`
      <div class="card">
        <h1>${say('forgot.title')}</h1>
        <p class="lead">${say('forgot.hint')}</p>
        ${form(visit, '/login/forgotten', [
          field({
            name: 'username',
            label: say('login.username'),
            autocomplete: 'username',
            focus: true,
            ...(error === undefined ? {} : { error }),
          }),
          button(say('forgot.send')),
        ])}
        <p class="beside"><a href="/login">${say('page.back')}</a></p>
      </div>`,
  })
}

/** The same work and the same answer whether the name is somebody's, and whether it was asked too often. */
const takeForgotten: Page = async ({ visit, parts, form }) => {
  const name = form.one('username') ?? ''
  if (name.trim() === '') return sendPage(visit, forgottenPage(visit, visit.say('page.required')), 422)
  const { ground } = parts.accounts
  // Of one account there is one count, however it is named.
  const subject = (await accountByName(ground, name))?.key ?? ground.hash.of('login-name', foldName(name))
  const may = await (parts.mayAskReset?.(visit.from.address, subject) ?? true)
  if (may) {
    const asked = await requestReset(ground, name, visit.from)
    if (!asked.ok) return sendFailure(visit, asked.failure)
    const posted = await postLink(ground, 'reset', asked.value.mail)
    if (!posted.ok) return sendFailure(visit, posted.failure)
  }
  return redirect(visit.res, '/login/forgotten/sent')
}

const showSent: Page = async ({ visit }) =>
  sendPage(
    visit,
    messagePage(visit, visit.say('forgot.sentTitle'), visit.say('forgot.sent'), html`<a href="/login">${visit.say('page.back')}</a>`),
  )

/** A title, a sentence, and where to go. */
export const messagePage = (visit: Visit, title: string, words: string, onward: Fragment): Html =>
  layout(visit, { title, body: html`<div class="card"><h1>${title}</h1><p class="lead">${words}</p><p class="beside">${onward}</p></div>` })

const deadLink = (visit: Visit, onward: Fragment): void =>
  sendPage(visit, messagePage(visit, visit.say('link.expiredTitle'), visit.say('link.expired'), onward), 410)

const askAgain = (visit: Visit): Html => html`<a href="/login/forgotten">${visit.say('link.newReset')}</a>`

const showReset: Page = async ({ visit, parts, rest }) =>
  (await openLink(parts.accounts.ground, 'reset', rest)) === undefined
    ? deadLink(visit, askAgain(visit))
    : sendPage(visit, resetPage(visit, rest))

const resetPage = (visit: Visit, secret: string, error?: string): Html =>
  passwordPage(visit, { action: `/login/reset/${secret}`, here: `/login/reset/${secret}`, ...(error === undefined ? {} : { error }) })

const takeReset: Page = async ({ visit, parts, form, rest }) => {
  const typed = passwordTyped(visit, form.one('password'), form.one('again'))
  if ('error' in typed) return sendPage(visit, resetPage(visit, rest, typed.error), 422)
  const done = await resetPassword(parts.accounts, rest, typed.password, visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  if (done.value.is === 'expired') return deadLink(visit, askAgain(visit))
  if (done.value.is === 'password-refused') return sendPage(visit, resetPage(visit, rest, faultsText(visit, done.value.faults)), 422)
  return redirect(visit.res, '/login?why=reset')
}

const showInvitation: Page = async ({ visit, parts, rest }) => {
  const opened = await openLink(parts.accounts.ground, 'invitation', rest)
  if (opened === undefined) return deadLink(visit, visit.say('link.askAdmin'))
  return sendPage(visit, invitationPage(visit, rest, opened.account.value.username, await waysIn(parts, opened.account.value), {}))
}

/** How an invited one may come in: with a password, and by which providers. */
type WaysIn = { readonly password: boolean; readonly providers: readonly ShownProvider[] }

const waysIn = async (parts: PagesParts, account: Account): Promise<WaysIn> => ({
  password: (await parts.accounts.localLogin?.(account)) !== 'off',
  providers: await shownProviders(parts),
})

type Wrong = { readonly username?: string; readonly password?: string; readonly typed?: string }

const invitationPage = (
  visit: Visit,
  secret: string,
  username: string | undefined,
  { password, providers }: WaysIn,
  { username: wrongName, password: wrongPassword, typed }: Wrong,
): Html => {
  const { say } = visit
  const path = `/login/invitation/${secret}`
  const title = say('invitation.title', { facility: visit.parts.accounts.rules.facility })
  const buttons = providerButtons(visit, providers, `?invitation=${secret}`)
  if (!password) return messagePage(visit, title, say('federation.only'), buttons)
  const name = field({
    name: 'username',
    label: say('invitation.username'),
    hint: say('invitation.usernameHint'),
    autocomplete: 'username',
    maxlength: 64,
    ...(typed === undefined ? {} : { value: typed }),
    ...(wrongName === undefined ? {} : { error: wrongName }),
  })
  return passwordPage(visit, {
    action: path,
    here: path,
    title,
    ...(providers.length === 0 ? {} : { below: html`<p class="beside">${say('login.or')}</p>${buttons}` }),
    lead: username === undefined ? say('invitation.hint') : say('invitation.hintPassword', { username }),
    button: say('invitation.accept'),
    inside: username === undefined ? name : undefined,
    failed: wrongName !== undefined,
    ...(wrongPassword === undefined ? {} : { error: wrongPassword }),
  })
}

const takeInvitation: Page = async ({ visit, parts, form, rest }) => {
  const { say } = visit
  const opened = await openLink(parts.accounts.ground, 'invitation', rest)
  const dead = (): void => deadLink(visit, say('link.askAdmin'))
  if (opened === undefined) return dead()
  const ways = await waysIn(parts, opened.account.value)
  const typed = form.one('username')
  const again = (wrong: Wrong): void =>
    sendPage(
      visit,
      invitationPage(visit, rest, opened.account.value.username, ways, {
        ...wrong,
        ...(typed === undefined ? {} : { typed: typed.slice(0, 64) }),
      }),
      422,
    )
  if (!ways.password) return again({})
  const password = passwordTyped(visit, form.one('password'), form.one('again'))
  if ('error' in password) return again({ password: password.error })
  const chosen = { password: password.password, ...(typed === undefined ? {} : { username: typed }) }
  const done = await acceptInvitation(parts.accounts, rest, chosen, visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  switch (done.value.is) {
    case 'expired':
      return dead()
    case 'username-refused':
      return again({ username: done.value.why === 'taken' ? say('invitation.taken') : say('invitation.malformed') })
    case 'password-refused':
      return again({ password: faultsText(visit, done.value.faults) })
    default:
      return redirect(visit.res, '/login?why=accepted')
  }
}

const showEmail: Page = async ({ visit, parts, rest }) => {
  const { say } = visit
  if ((await openLink(parts.accounts.ground, 'email', rest)) === undefined)
    return deadLink(visit, html`<a href="/account">${say('page.continue')}</a>`)
  return sendPage(
    visit,
    layout(visit, {
      title: say('email.title'),
      body: html`<div class="card"><h1>${say('email.title')}</h1><p class="lead">${say('email.hint')}</p>${form(visit, `/login/email/${rest}`, button(say('email.confirm')))}</div>`,
    }),
  )
}

const takeEmail: Page = async ({ visit, parts, rest }) => {
  const { say } = visit
  const onward = html`<a href="/account">${say('page.continue')}</a>`
  const done = await confirmEmail(parts.accounts.ground, rest, visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  if (done.value.is === 'expired') return deadLink(visit, onward)
  return sendPage(visit, messagePage(visit, say('email.title'), say('email.done'), onward))
}

export const linkPages: Pages = {
  'GET /login/forgotten': showForgotten,
  'POST /login/forgotten': takeForgotten,
  'GET /login/forgotten/sent': showSent,
  'GET /login/reset/*': showReset,
  'POST /login/reset/*': takeReset,
  'GET /login/invitation/*': showInvitation,
  'POST /login/invitation/*': takeInvitation,
  'GET /login/email/*': showEmail,
  'POST /login/email/*': takeEmail,
}
