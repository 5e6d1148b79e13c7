import type { Outcome } from '../../base/outcome.ts'
import { clause, type Rule } from '../../base/rules.ts'
import { passwordAgeOf } from '../accounts/account.ts'
import { accountById } from '../accounts/find-account.ts'
import { giveCode, giveNewPassword, logIn } from '../login.ts'
import type { ShownProvider } from '../federation/federation.ts'
import type { LoginAnswer } from '../login-answers.ts'
import { beginEnrolment, finishEnrolment } from '../login-enrolment.ts'
import { findStep, stepMs } from '../login-steps.ts'
import { passwordLengthMin } from '../passwords/password-rules.ts'
import { redirect, sendPage } from './answers.ts'
import { arrive, backupCodesPage, doorOf, within } from './door.ts'
import { enrolmentPage } from './enrolment-page.ts'
import { federationStart, providerButtons, shownProviders } from './federation-pages.ts'
import { button, field, form, hidden, notice } from './form-parts.ts'
import { type Fragment, type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { ownPath } from './own-path.ts'
import type { PagesParts } from './parts.ts'
import { type Page, type Pages, sendFailure } from './routing.ts'
import { endOther, stepPaths } from './session-change.ts'
import { browserOf, cookieIn, giveCookie, takeCookie, type Visit, withSession } from './visit.ts'

/** The steps of a login, each a page of its own. The token of a login under way is in a cookie, so that it stands in no address and in no page. @see auth.md 2 */

/** Why somebody comes (back) to the first page, as `?why=` says it: words of ours, whatever stands there. */
const reasons: Readonly<Record<string, { readonly words: (visit: Visit) => string; readonly kind: 'note' | 'good' }>> = {
  session: { words: ({ say, parts }) => say('login.session', { minutes: parts.accounts.rules.idleMinutes }), kind: 'note' },
  ended: { words: ({ say }) => say('login.ended'), kind: 'note' },
  over: { words: ({ say }) => say('login.over'), kind: 'note' },
  reset: { words: ({ say }) => say('login.reset'), kind: 'good' },
  accepted: { words: ({ say }) => say('login.accepted'), kind: 'good' },
  all: { words: ({ say }) => say('logout.doneAll'), kind: 'good' },
  disowned: { words: ({ say }) => say('security.notMeDone'), kind: 'good' },
}

export const showLogin: Page = async ({ visit, parts }) => {
  if (visit.live !== undefined && visit.interaction === undefined) return redirect(visit.res, nextOf(visit))
  const why = visit.query.get('why') ?? ''
  const said = Object.hasOwn(reasons, why) ? reasons[why] : undefined
  const words = said && notice(said.kind, html`<p>${said.words(visit)}</p>`)
  sendPage(visit, loginPage(visit, { words, next: nextOf(visit), providers: await shownProviders(parts) }))
}

const nextOf = ({ query }: Visit): string => ownPath(query.get('next') ?? undefined)

const loginPage = (
  visit: Visit,
  {
    words,
    next = '/account',
    name,
    providers,
  }: { readonly words?: Fragment; readonly next?: string; readonly name?: string; readonly providers: readonly ShownProvider[] },
  failed = false,
): Html => {
  const { say, parts, interaction } = visit
  const title = say('login.title', { facility: parts.accounts.rules.facility })
  return layout(visit, {
    title,
    failed,
    here: within(visit, '', next),
    body: html`
      <div class="card">
        <h1>${title}</h1>
        ${interaction !== undefined && html`<p class="lead">${say('login.for', { app: interaction.client.name })}</p>`}
        ${interaction?.again === 'other-user' && notice('note', html`<p>${say('login.other')}</p>`)}
        ${interaction?.again === 'login' && notice('note', html`<p>${say('login.again')}</p>`)}
        ${words}
        ${form(visit, doorOf(visit), [
          hidden('next', next),
          field({
            name: 'username',
            label: say('login.username'),
            autocomplete: 'username',
            focus: true,
            ...(name === undefined ? {} : { value: name }),
          }),
          field({
            name: 'password',
            label: say('login.password'),
            type: 'password',
            autocomplete: 'current-password',
            maxlength: 512,
            reveal: revealOf(visit),
          }),
          button(say('login.button')),
        ])}
        <p class="beside"><a href="/login/forgotten">${say('login.forgot')}</a></p>
        ${providers.length > 0 && html`<p class="beside">${say('login.or')}</p>`}
        ${providerButtons(visit, providers, interaction === undefined ? `?next=${encodeURIComponent(next)}` : '')}
      </div>`,
  })
}

export const revealOf = ({ say }: Visit) => ({ show: say('page.show'), hide: say('page.hide') })

const giveName: Page = async ({ visit, parts, form }) => {
  const name = form.one('username') ?? ''
  const next = ownPath(form.one('next'))
  const answer = await logIn(parts.accounts, { name, password: form.one('password') ?? '' }, browserOf(visit))
  const providers = await shownProviders(parts)
  return proceed(parts, visit, answer, next, () =>
    sendPage(
      visit,
      loginPage(
        visit,
        { words: notice('bad', html`<p>${visit.say('login.failed')}</p>`), next, name: name.slice(0, 254), providers },
        true,
      ),
      422,
    ),
  )
}

/** Goes on with what a step answered. `wrong` shows its page again. */
const proceed = async (
  parts: PagesParts,
  visit: Visit,
  outcome: Outcome<LoginAnswer>,
  next: string,
  wrong: (answer: LoginAnswer) => void,
): Promise<void> => {
  if (!outcome.ok) return sendFailure(visit, outcome.failure)
  const answer = outcome.value
  switch (answer.is) {
    case 'needed': {
      giveCookie(visit, 'step', answer.token, stepMs)
      const path = within(visit, stepPaths[answer.needed], next)
      if (answer.backupCodes === undefined) return redirect(visit.res, path)
      const link = html`<a class="button first" href="${path}">${visit.say('mfa.codesSaved')}</a>`
      return sendPage(visit, backupCodesPage(visit, answer.backupCodes, link))
    }
    case 'session':
      await endOther(visit, answer.account.id)
      return arrive(parts, await withSession(visit, answer), answer, next)
    case 'expired':
      takeCookie(visit, 'step')
      return redirect(visit.res, `${within(visit, '', undefined)}?why=over`)
    default:
      return wrong(answer)
  }
}

const tokenOf = (visit: Visit): string => cookieIn(visit, 'step') ?? ''

/** Pages of steps are for whoever is in the middle of a login. */
const atStep =
  (page: Page): Page =>
  async at =>
    tokenOf(at.visit) === '' ? redirect(at.visit.res, `${doorOf(at.visit)}?why=over`) : page(at)

const showCode: Page = async ({ visit }) =>
  sendPage(visit, codePage(visit, { action: within(visit, '/code', undefined), next: nextOf(visit), backup: visit.query.has('backup') }))

/** Six digits or, on the same form, a backup code: both are taken in either. */
export const codePage = (
  visit: Visit,
  asked: { readonly action: string; readonly next: string; readonly backup: boolean; readonly error?: string; readonly stepUp?: boolean },
): Html => {
  const { say } = visit
  const { action, next, backup, error, stepUp = false } = asked
  const title = say(stepUp ? 'stepup.title' : 'mfa.title')
  const to = `${action}?next=${encodeURIComponent(next)}`
  return layout(visit, {
    title,
    failed: error !== undefined,
    here: to,
    body: html`
      <div class="card code">
        <h1>${title}</h1>
        ${stepUp && html`<p class="lead">${say('stepup.hint')}</p>`}
        ${form(visit, action, [
          hidden('next', next),
          backup && hidden('kind', 'backup'),
          field({
            name: 'code',
            label: say(backup ? 'mfa.backupLabel' : 'mfa.label'),
            hint: say(backup ? 'mfa.backupHint' : 'mfa.hint'),
            autocomplete: backup ? 'off' : 'one-time-code',
            inputmode: backup ? 'text' : 'numeric',
            maxlength: 32,
            focus: true,
            ...(error === undefined ? {} : { error }),
          }),
          button(say('mfa.verify')),
        ])}
        <p class="beside"><a href="${backup ? to : `${to}&backup=1`}">${say(backup ? 'mfa.app' : 'mfa.backup')}</a></p>
      </div>`,
  })
}

const takeCode: Page = async ({ visit, parts, form }) => {
  const next = ownPath(form.one('next'))
  const answer = await giveCode(parts.accounts, tokenOf(visit), form.one('code') ?? '', browserOf(visit))
  return proceed(parts, visit, answer, next, () =>
    sendPage(
      visit,
      codePage(visit, {
        action: within(visit, '/code', undefined),
        next,
        backup: form.one('kind') === 'backup',
        error: visit.say('mfa.failed'),
      }),
      422,
    ),
  )
}

const showEnrolment: Page = async ({ visit, parts }) => {
  const begun = await beginEnrolment(parts.accounts, tokenOf(visit))
  if (!begun.ok) return sendFailure(visit, begun.failure)
  if (begun.value.is === 'expired') return redirect(visit.res, `${doorOf(visit)}?why=over`)
  return sendPage(
    visit,
    enrolmentPage(visit, { action: within(visit, '/enrol', undefined), next: nextOf(visit), enrolment: begun.value.enrolment }),
  )
}

const takeEnrolment: Page = async ({ visit, parts, form }) => {
  const next = ownPath(form.one('next'))
  const answer = await finishEnrolment(parts.accounts, tokenOf(visit), form.one('code') ?? '', browserOf(visit))
  return proceed(parts, visit, answer, next, () =>
    sendPage(visit, enrolmentPage(visit, { action: within(visit, '/enrol', undefined), next, failed: true }), 422),
  )
}

const showPassword: Page = async ({ visit, parts }) => sendPage(visit, duePage(visit, nextOf(visit), await whyDue(parts, visit)))

const takePassword: Page = async ({ visit, parts, form }) => {
  const next = ownPath(form.one('next'))
  const typed = passwordTyped(visit, form.one('password'), form.one('again'))
  const lead = await whyDue(parts, visit)
  if ('error' in typed) return sendPage(visit, duePage(visit, next, lead, typed.error), 422)
  const answer = await giveNewPassword(parts.accounts, tokenOf(visit), typed.password, browserOf(visit))
  return proceed(parts, visit, answer, next, refused =>
    sendPage(visit, duePage(visit, next, lead, refused.is === 'password-refused' ? faultsText(visit, refused.faults) : undefined), 422),
  )
}

/** Because it is too old, or because somebody said so. */
const whyDue = async ({ accounts }: PagesParts, visit: Visit): Promise<string> => {
  const { ground, rules } = accounts
  const step = await findStep(ground, tokenOf(visit))
  const account = step === undefined ? undefined : await accountById(ground, step.value.account)
  const old = account !== undefined && passwordAgeOf(account.value, ground.clock(), rules).is === 'expired'
  return old ? visit.say('login.expired', { days: rules.passwordDays }) : visit.say('password.due')
}

const duePage = (visit: Visit, next: string, lead: string, error?: string): Html =>
  passwordPage(visit, {
    action: within(visit, '/password', undefined),
    here: within(visit, '/password', next),
    lead,
    inside: hidden('next', next),
    ...(error === undefined ? {} : { error }),
  })

/** A page with a new password, typed twice. */
export const passwordPage = (
  visit: Visit,
  asked: {
    readonly action: string
    readonly here: string
    readonly title?: string
    readonly lead?: string
    readonly button?: string
    readonly inside?: Fragment
    /** After the form. */
    readonly below?: Fragment
    readonly error?: string
    /** Other than the password's. */
    readonly failed?: boolean
  },
): Html => {
  const { say } = visit
  const { action, here, title = say('password.title'), lead, inside, error } = asked
  return layout(visit, {
    title,
    failed: error !== undefined || asked.failed === true,
    here,
    body: html`
      <div class="card">
        <h1>${title}</h1>
        ${lead !== undefined && html`<p class="lead">${lead}</p>`}
        ${form(visit, action, [inside, passwordFields(visit, error), button(asked.button ?? say('password.save'))])}
        ${asked.below}
      </div>`,
  })
}

const passwordFields = (visit: Visit, error: string | undefined): Fragment => {
  const { say } = visit
  const shared = { type: 'password', autocomplete: 'new-password', maxlength: 512, reveal: revealOf(visit) } as const
  return [
    field({
      ...shared,
      name: 'password',
      label: say('password.new'),
      hint: say('password.hint', { min: passwordLengthMin }),
      ...(error === undefined ? {} : { error }),
    }),
    field({ ...shared, name: 'again', label: say('password.again') }),
  ]
}

export const passwordTyped = (
  { say }: Visit,
  password: string | undefined,
  again: string | undefined,
): { readonly password: string } | { readonly error: string } => {
  if (password === undefined || password === '') return { error: say('page.required') }
  return password === again ? { password } : { error: say('password.unlike') }
}

export const faultsText = ({ say, language }: Visit, faults: readonly Rule[]): string =>
  say('password.refused', { faults: faults.map(fault => clause(fault, language)).join('; ') })

/** At `/login` and, for an application, at `/login/{uid}`. */
export const loginSteps: Pages = {
  'GET ': showLogin,
  'POST ': giveName,
  'GET /code': atStep(showCode),
  'POST /code': atStep(takeCode),
  'GET /enrol': atStep(showEnrolment),
  'POST /enrol': atStep(takeEnrolment),
  'GET /password': atStep(showPassword),
  'POST /password': atStep(takePassword),
  ...federationStart,
}
