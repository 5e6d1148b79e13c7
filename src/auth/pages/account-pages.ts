import { changeDetails } from '../accounts/administration.ts'
import { passwordAgeOf } from '../accounts/account.ts'
import { needsFactor } from '../accounts/account.ts'
import { factorsOf, hasFactor } from '../factors/factor-set.ts'
import { logOut } from '../sessions/sessions.ts'
import { redirect, sendPage } from './answers.ts'
import { type AccountPage, signedIn } from './account-guard.ts'
import { listLeadsTo, startableApps } from './app-start-pages.ts'
import { areFew, noticesOf } from './door.ts'
import { button, form, hidden, notice } from './form-parts.ts'
import { type Html, html } from './html.ts'
import { isLanguage } from './languages.ts'
import { layout } from './layout.ts'
import { messagePage } from './link-pages.ts'
import { ownPath } from './own-path.ts'
import type { GrantedApp } from './parts.ts'
import { consentChoices } from './consent-groups.ts'
import { type Page, type Pages, sendFailure } from './routing.ts'
import { date } from './shown.ts'
import { showStepUp, takeStepUp } from './step-up.ts'
import { giveCookie, takeSession, type Visit } from './visit.ts'

/** The account's home, its apps, and what every page of it has: language, staying, leaving. @see auth.md 9.1, 14 */

const showHome: AccountPage = async ({ visit, live, parts }) => {
  const { say } = visit
  const { ground, rules } = parts.accounts
  const factors = await factorsOf(ground, live.account.key)
  const age = passwordAgeOf(live.account.value, ground.clock(), rules)
  const notices = noticesOf(visit, {
    enrolSoon: needsFactor(live.account.value) && !hasFactor(factors),
    fewBackupCodes: hasFactor(factors) && areFew(factors?.value.backupCodes.length ?? 0),
    ...(age.is === 'ending' ? { passwordDaysLeft: age.daysLeft } : {}),
  })
  const told = (await parts.emergencies?.told?.(live)) ?? []
  const title = say('account.title')
  sendPage(
    visit,
    layout(visit, {
      title,
      width: 'account',
      body: html`
        <h1>${say('account.hello', { user: live.account.value.username ?? '' })}</h1>
        ${notices.map(words => notice('note', html`<p>${words}</p>`))}
        <div class="tiles">
          ${tile('/account/apps', say('account.apps'), say('account.appsHint'))}
          ${tile('/account/security', say('account.security'), say('account.securityHint'))}
          ${told.length > 0 && tile('/account/emergencies', say('btg.mine'), say('btg.mineHint'))}
        </div>`,
    }),
  )
}

const tile = (to: string, title: string, words: string): Html =>
  html`<section class="card"><h2><a href="${to}">${title}</a></h2><p class="lead">${words}</p></section>`

const showApps: AccountPage = async ({ visit, live, parts }) => {
  const { say } = visit
  const [apps, startable] = await Promise.all([parts.apps.list(live.account.key), parts.launches?.list(live) ?? []])
  const names = new Map<string, string>()
  for (const patient of new Set(apps.flatMap(app => app.patient ?? []))) {
    const seen = await parts.patients.byId(live, patient)
    if (seen.ok && seen.value !== undefined) names.set(patient, seen.value.name)
  }
  const title = say(startable.length > 0 ? 'account.apps' : 'apps.title')
  sendPage(
    visit,
    layout(visit, {
      title,
      width: 'account',
      body: html`
        <h1>${title}</h1>
        ${visit.query.get('done') === 'yes' && notice('good', html`<p>${say('apps.revoked')}</p>`)}
        ${startable.length > 0 && [startableApps(visit, startable), html`<h2>${say('apps.title')}</h2>`]}
        ${apps.length === 0 ? html`<div class="card"><p>${say('apps.none')}</p></div>` : apps.map(app => appCard(visit, app, names.get(app.patient ?? '')))}`,
    }),
    200,
    listLeadsTo(visit, startable),
  )
}

const appCard = (visit: Visit, app: GrantedApp, patient: string | undefined): Html => {
  const { say, language, zone } = visit
  const { data, identity, special } = consentChoices(app.scopes, { say, language })
  const allowed = [...data.flatMap(({ boxes }) => boxes), ...special, ...identity]
  return html`
    <section class="card">
      <h2>${app.name}</h2>
      ${app.publisher !== undefined && html`<p class="small">${say('apps.by', { publisher: app.publisher })}</p>`}
      ${patient !== undefined && html`<p>${say('consent.patient', { patient })}</p>`}
      <p class="small">${say('apps.since', { date: date(app.since, language, zone) })}. ${
        app.offlineUntil === undefined ? say('consent.online') : say('apps.until', { date: date(app.offlineUntil, language, zone) })
      }.</p>
      ${allowed.length > 0 && html`<details><summary>${say('apps.allowed')}</summary><ul>${allowed.map(({ short }) => html`<li>${short}</li>`)}</ul></details>`}
      <div class="actions">${form(visit, '/account/apps/withdraw', [hidden('grant', app.grant), button(say('apps.revoke'), 'danger')], 'inline')}</div>
    </section>`
}

const withdraw: AccountPage = async ({ visit, live, parts, form }) => {
  const done = await parts.apps.withdraw(live.account.key, (form.one('grant') ?? '').slice(0, 256), visit.from)
  return done.ok ? redirect(visit.res, '/account/apps?done=yes') : sendFailure(visit, done.failure)
}

/** Two minutes before the end: whoever presses the button was there, and the request has moved the end on. */
const stay: AccountPage = async ({ visit, form }) => redirect(visit.res, ownPath(form.one('next')))

const leave: AccountPage = async ({ visit, live, parts }) => {
  const done = await logOut(parts.accounts.ground, live, visit.from)
  if (!done.ok) return sendFailure(visit, done.failure)
  takeSession(visit)
  return redirect(visit.res, '/login/goodbye')
}

const showGoodbye: Page = async ({ visit }) => {
  const { say } = visit
  return sendPage(visit, messagePage(visit, say('logout.title'), say('logout.done'), html`<a href="/login">${say('logout.again')}</a>`))
}

const showVerify: AccountPage = async ({ visit, live, parts }) =>
  showStepUp(parts, visit, live, '/account/verify', ownPath(visit.query.get('next') ?? undefined))

const takeVerify: AccountPage = async ({ visit, live, parts, form }) => {
  const next = ownPath(form.one('next'))
  const now = await takeStepUp(parts, visit, live, form, { action: '/account/verify', next })
  if (now !== undefined) redirect(visit.res, next)
}

/** In the browser; and in the account, where somebody is signed in. */
export const chooseLanguage: Page = async ({ visit, parts, form }) => {
  const language = form.one('language')
  if (isLanguage(language)) {
    giveCookie(visit, 'language', language, languageMs)
    const account = visit.live?.account
    if (account !== undefined && account.value.locale !== language) {
      const done = await changeDetails(parts.accounts.ground, account.key, { locale: language }, account.key, visit.from)
      if (!done.ok) return sendFailure(visit, done.failure)
    }
  }
  return redirect(visit.res, ownPath(form.one('next')))
}

const languageMs = 365 * 86_400_000

export const homePages: Pages = {
  'GET /account': signedIn(showHome),
  'GET /account/apps': signedIn(showApps),
  'POST /account/apps/withdraw': signedIn(withdraw),
  'POST /account/stay': signedIn(stay),
  'POST /account/logout': signedIn(leave),
  'GET /account/verify': signedIn(showVerify),
  'POST /account/verify': signedIn(takeVerify),
}

export const aroundLogin: Pages = { 'POST /login/language': chooseLanguage, 'GET /login/goodbye': showGoodbye }
