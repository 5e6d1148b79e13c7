import { stepUp } from '../account-security.ts'
import type { LiveSession } from '../sessions/sessions.ts'
import { findSession } from '../sessions/sessions.ts'
import { factorsOf, hasFactor } from '../factors/factor-set.ts'
import { sendPage } from './answers.ts'
import type { FormBody } from './form-body.ts'
import { button, field, form, hidden } from './form-parts.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { codePage, revealOf } from './login-pages.ts'
import type { PagesParts } from './parts.ts'
import { sendFailure } from './routing.ts'
import { browserOf, cookieIn, giveCookie, type Visit } from './visit.ts'

/** Somebody who is signed in proves it anew: by a second factor, or by the password where the account has none. @see auth.md 2.4 */
export const showStepUp = async (parts: PagesParts, visit: Visit, live: LiveSession, action: string, next: string): Promise<void> =>
  sendPage(visit, await stepUpPage(parts, visit, live, { action, next, backup: visit.query.has('backup') }))

type Asked = { readonly action: string; readonly next: string; readonly backup: boolean; readonly error?: string }

const stepUpPage = async (parts: PagesParts, visit: Visit, live: LiveSession, asked: Asked): Promise<Html> =>
  hasFactor(await factorsOf(parts.accounts.ground, live.account.key))
    ? codePage(visit, { ...asked, stepUp: true })
    : passwordStepPage(visit, asked)

const passwordStepPage = (visit: Visit, { action, next, error }: Asked): Html => {
  const { say } = visit
  return layout(visit, {
    title: say('stepup.title'),
    failed: error !== undefined,
    here: `${action}?next=${encodeURIComponent(next)}`,
    body: html`
      <div class="card">
        <h1>${say('stepup.title')}</h1>
        <p class="lead">${say('stepup.hint')}</p>
        ${form(visit, action, [
          hidden('next', next),
          field({
            name: 'password',
            label: say('login.password'),
            type: 'password',
            autocomplete: 'current-password',
            maxlength: 512,
            focus: true,
            reveal: revealOf(visit),
            ...(error === undefined ? {} : { error }),
          }),
          button(say('mfa.verify')),
        ])}
      </div>`,
  })
}

/** The session under its new cookie; undefined when the answer was given. */
export const takeStepUp = async (
  parts: PagesParts,
  visit: Visit,
  live: LiveSession,
  form: FormBody,
  to: { readonly action: string; readonly next: string },
): Promise<LiveSession | undefined> => {
  const password = form.one('password')
  const given = password === undefined ? { code: form.one('code') ?? '' } : { password }
  const done = await stepUp(parts.accounts, cookieIn(visit, 'sid') ?? '', given, browserOf(visit))
  if (!done.ok) {
    sendFailure(visit, done.failure)
    return undefined
  }
  const answer = done.value
  if (answer.is === 'stepped-up') {
    giveCookie(visit, 'sid', answer.cookie)
    return findSession(parts.accounts.ground, answer.cookie)
  }
  const { say } = visit
  const error = answer.is === 'refused' ? say('stepup.refused') : password === undefined ? say('mfa.failed') : say('stepup.password')
  sendPage(visit, await stepUpPage(parts, visit, live, { ...to, backup: form.one('kind') === 'backup', error }), 422)
  return undefined
}
