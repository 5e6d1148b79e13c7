import { type FactorSet, factorsOf } from '../factors/factor-set.ts'
import { needsFactor } from '../accounts/account.ts'
import { loginHistory, type ShownLogin } from '../sessions/login-history.ts'
import type { Session } from '../sessions/session.ts'
import { userAgentFamily } from '../sessions/session.ts'
import { type LiveSession, sessionsOf } from '../sessions/sessions.ts'
import type { AccountPage } from './account-guard.ts'
import { sendPage } from './answers.ts'
import { button, form, hidden, notice } from './form-parts.ts'
import { type Fragment, type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { date, dateAndTime } from './shown.ts'
import type { Visit } from './visit.ts'

/** Account security: password, second factor, e-mail, sessions, history of logins, and the way out of all of it. @see auth.md 2.4, 2.5, 3, 14 */

const sessionsMax = 50
const historyRows = 20

/** What was done, as `?done=` says it. */
const donePhrases: Readonly<Record<string, (visit: Visit) => string>> = {
  password: ({ say }) => say('security.passwordDone'),
  removed: ({ say }) => say('security.removed'),
  needed: ({ say }) => say('security.factorNeeded'),
  session: ({ say }) => say('security.ended'),
  email: ({ say }) => say('security.emailSent'),
}

export const showSecurity: AccountPage = async ({ visit, live, parts }) => {
  const { say } = visit
  const { ground } = parts.accounts
  const { key: id, value: account } = live.account
  const factors = (await factorsOf(ground, id))?.value
  const sessions = (await sessionsOf(ground, id)).filter(
    one => one.epoch === account.epoch && Math.min(one.expires, one.endsAt) > ground.clock(),
  )
  const history = await loginHistory(ground, id, historyRows, positionOf(id, visit.query.get('after')))
  const done = visit.query.get('done') ?? ''
  const phrase = Object.hasOwn(donePhrases, done) ? donePhrases[done]?.(visit) : undefined
  sendPage(
    visit,
    layout(visit, {
      title: say('security.title'),
      width: 'account',
      body: html`
        <h1>${say('security.title')}</h1>
        ${phrase !== undefined && notice('good', html`<p>${phrase}</p>`)}
        <section class="card">
          <h2>${say('security.ways')}</h2>
          ${passwordRow(visit, live)}
          ${factorRow(visit, live, factors)}
          ${emailRow(visit, live)}
        </section>
        ${sessionsCard(visit, live, sessions.slice(0, sessionsMax))}
        ${historyCard(visit, history)}`,
    }),
  )
}

const row = (title: string, words: Fragment, actions: Fragment): Html => html`
  <div class="fact">
    <div><h3>${title}</h3><p class="small">${words}</p></div>
    <div class="actions">${actions}</div>
  </div>`

const link = (to: string, words: string): Html => html`<a class="button second" href="${to}">${words}</a>`

const passwordRow = ({ say, language, zone }: Visit, { account }: LiveSession): Html => {
  const changed = account.value.passwordChangedAt
  return row(
    say('security.password'),
    changed !== undefined && say('security.changed', { date: date(changed, language, zone) }),
    link('/account/security/password', say('security.changePassword')),
  )
}

const factorRow = (visit: Visit, { account }: LiveSession, factors: FactorSet | undefined): Html => {
  const { say, language, zone } = visit
  const totp = factors?.totp
  if (factors === undefined || totp === undefined)
    return row(say('security.factor'), say('security.factorOff'), link('/account/security/factor', say('security.setUp')))
  const words = `${say('security.factorOn', { date: date(totp.enrolledAt, language, zone) })}. ${say('security.codesLeft', { count: factors.backupCodes.length })}.`
  return row(say('security.factor'), words, [
    form(visit, '/account/security/backup-codes', button(say('security.newCodes'), 'second'), 'inline'),
    link('/account/security/factor', say('security.replace')),
    !needsFactor(account.value) && form(visit, '/account/security/factor/remove', button(say('security.remove'), 'danger'), 'inline'),
  ])
}

const emailRow = ({ say }: Visit, { account }: LiveSession): Html =>
  row(say('security.email'), account.value.email ?? say('security.noEmail'), link('/account/security/email', say('security.changeEmail')))

const sessionsCard = (visit: Visit, live: LiveSession, sessions: readonly Session[]): Html => {
  const { say } = visit
  return html`
    <section class="card">
      <h2>${say('security.sessions')}</h2>
      ${sessions.map(one => sessionRow(visit, one, one.id === live.session.key))}
      <div class="fact">
        <p class="small">${say('security.allHint')}</p>
        <div class="actions">${form(visit, '/account/security/end-all', button(say('logout.all'), 'danger'), 'inline')}</div>
      </div>
    </section>`
}

const sessionRow = (visit: Visit, { id, userAgentFamily: family, createdAt, seenAt }: Session, here: boolean): Html => {
  const { say, language, zone } = visit
  const words = say('security.began', { date: dateAndTime(createdAt, language, zone), seen: dateAndTime(seenAt, language, zone) })
  const end = form(visit, '/account/security/end', [hidden('session', id), button(say('security.end'), 'second')], 'inline')
  return html`
    <div class="fact">
      <div><h3>${familyName(visit, family)}${here && html` <span class="mark">${say('security.here')}</span>`}</h3><p class="small">${words}</p></div>
      <div class="actions">${!here && end}</div>
    </div>`
}

const familyNames: Readonly<Record<string, string>> = { Edg: 'Edge', OPR: 'Opera', SamsungBrowser: 'Samsung Internet' }
const familyName = ({ say }: Visit, family: string | undefined): string =>
  family === undefined || family === 'other' ? say('browser.other') : (familyNames[family] ?? family)

const historyCard = (visit: Visit, { logins, next }: Awaited<ReturnType<typeof loginHistory>>): Html => {
  const { say } = visit
  return html`
    <section class="card">
      <h2>${say('security.history')}</h2>
      ${
        logins.length === 0
          ? html`<p>${say('security.historyNone')}</p>`
          : html`<table class="history">
        <thead><tr><th scope="col">${say('security.when')}</th><th scope="col">${say('security.result')}</th><th scope="col">${say('security.browser')}</th><th scope="col">${say('security.address')}</th></tr></thead>
        <tbody>${logins.map(one => historyRow(visit, one))}</tbody>
      </table>`
      }
      ${next !== undefined && html`<p class="beside"><a href="/account/security?after=${next.slice(1).join('.')}">${say('security.older')}</a></p>`}
      <div class="fact">
        <p class="small">${say('security.notMeHint')}</p>
        <div class="actions">${form(visit, '/account/security/disown', button(say('security.notMe'), 'danger'), 'inline')}</div>
      </div>
    </section>`
}

const historyRow = (visit: Visit, { at, result, deviceKnown, userAgent, address }: ShownLogin): Html => {
  const { say, language, zone } = visit
  const fresh = result === 'success' && !deviceKnown && html` <span class="mark">${say('security.newDevice')}</span>`
  return html`<tr><td>${dateAndTime(at, language, zone)}</td><td>${say(`security.${result}`)}${fresh}</td><td>${familyName(visit, userAgent === undefined ? undefined : userAgentFamily(userAgent))}</td><td>${address}</td></tr>`
}

/** Where the page before ended: instant and id of its last row. Anything else begins at the newest. */
const positionOf = (account: string, text: string | null): readonly (string | number)[] | undefined => {
  const [, at, id] = /^(\d{1,16})\.([A-Za-z0-9-]{1,64})$/.exec(text ?? '') ?? []
  return at === undefined || id === undefined ? undefined : [account, Number(at), id]
}
