import { factorsOf, hasFactor } from '../factors/factor-set.ts'
import { acrOf, isFresh } from '../sessions/session.ts'
import { type AccountPage, signedIn, toStepUp } from './account-guard.ts'
import { redirect, sendPage } from './answers.ts'
import { sendError } from './error-page.ts'
import { button, form, notice } from './form-parts.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { emergencyReasons, type PagesParts } from './parts.ts'
import { type Pages, sendFailure } from './routing.ts'
import { dateAndTime, timeOfDay } from './shown.ts'
import type { Visit } from './visit.ts'

/** Emergency access: reason, words, and what will come of it. The page tells nothing of the patient, not even whether there is one. @see auth.md 12.5 */

const wordsMin = 20
const wordsMax = 2_000

/** The visit, with what stands above every page while an emergency of this session is open. */
export const withBanner = async ({ emergencies }: PagesParts, visit: Visit): Promise<Visit> => {
  const { live, say, language, zone } = visit
  const open = live === undefined ? [] : ((await emergencies?.active(live)) ?? [])
  if (open.length === 0) return visit
  const time = timeOfDay(Math.max(...open.map(one => one.until)), language, zone)
  return { ...visit, banner: html`<p class="banner" role="status">${say('btg.active', { time })}</p>` }
}

const showEmergency: AccountPage = async at => {
  if (await isReady(at)) sendPage(at.visit, emergencyPage(at.visit, at.rest, {}))
}

/** Two factors, the second one in the last 5 minutes; who has none sets one up. False: the answer was given. */
const isReady = async ({ visit, live, parts, rest }: Parameters<AccountPage>[0]): Promise<boolean> => {
  if (parts.emergencies === undefined || !/^[A-Za-z0-9.-]{1,64}$/.test(rest)) {
    sendError(visit, { status: 404, about: 'not-found' })
    return false
  }
  const { ground } = parts.accounts
  const { amr } = live.session.value
  if (acrOf(amr) === 2 && isFresh(amr, true, ground.clock())) return true
  const here = `/account/emergency/${rest}`
  if (hasFactor(await factorsOf(ground, live.account.key))) toStepUp(visit, here)
  else redirect(visit.res, `/account/security/factor?next=${encodeURIComponent(here)}`)
  return false
}

type Typed = { readonly reason?: string; readonly words?: string; readonly error?: string; readonly refused?: boolean }

const emergencyPage = (visit: Visit, patient: string, { reason, words, error, refused }: Typed): Html => {
  const { say } = visit
  return layout(visit, {
    title: say('btg.title'),
    width: 'list',
    failed: error !== undefined || refused === true,
    body: html`
      <div class="card">
        <h1>${say('btg.title')}</h1>
        ${notice('bad', html`<p>${say('btg.warn')}</p>`)}
        ${refused === true && notice('bad', html`<p>${say('btg.unknown')}</p>`)}
        ${form(visit, `/account/emergency/${patient}`, [
          html`<fieldset><legend>${say('btg.kind')}</legend>${emergencyReasons.map(
            one =>
              html`<div class="tick"><input type="radio" id="reason-${one}" name="reason" value="${one}" required ${one === reason && html`checked`}><label for="reason-${one}">${say(`btg.${one}`)}</label></div>`,
          )}</fieldset>`,
          html`<div class="field">
            <label for="words">${say('btg.reason')}</label>
            <p class="hint" id="words-hint">${say('btg.hint')}</p>
            <textarea id="words" name="words" rows="4" maxlength="${wordsMax}" minlength="${wordsMin}" required aria-describedby="words-hint" ${error !== undefined && html`aria-invalid="true" aria-errormessage="words-error"`}>${words}</textarea>
            ${error !== undefined && html`<p class="error" id="words-error">${error}</p>`}
          </div>`,
          html`<div class="buttons">${button(say('btg.open'), 'danger')}<a class="button second" href="/account">${say('page.cancel')}</a></div>`,
        ])}
      </div>`,
  })
}

const takeEmergency: AccountPage = async at => {
  if (!(await isReady(at))) return
  const { visit, live, parts, form, rest } = at
  const reason = emergencyReasons.find(one => one === form.one('reason'))
  const words = (form.one('words') ?? '').trim().slice(0, wordsMax)
  const typed = { words, ...(reason === undefined ? {} : { reason }) }
  if (reason === undefined || [...words].length < wordsMin)
    return sendPage(visit, emergencyPage(visit, rest, { ...typed, error: visit.say('btg.short') }), 422)
  const done = await parts.emergencies?.begin(live, rest, { reason, text: words }, visit.from)
  if (done?.ok === false) return sendFailure(visit, done.failure)
  return done?.value === true
    ? redirect(visit.res, '/account')
    : sendPage(visit, emergencyPage(visit, rest, { ...typed, refused: true }), 404)
}

/** What a patient was told of. */
const showMine: AccountPage = async ({ visit, live, parts }) => {
  const { say, language, zone } = visit
  const told = (await parts.emergencies?.told?.(live)) ?? []
  const lines = told.map(({ openedAt, reason }) => html`<li>${dateAndTime(openedAt, language, zone)}: ${say(`btg.${reason}`)}</li>`)
  sendPage(
    visit,
    layout(visit, {
      title: say('btg.mine'),
      width: 'account',
      body: html`<h1>${say('btg.mine')}</h1><div class="card">${lines.length === 0 ? html`<p>${say('btg.never')}</p>` : html`<ul>${lines}</ul>`}</div>`,
    }),
  )
}

export const emergencyPages: Pages = {
  'GET /account/emergencies': signedIn(showMine),
  'GET /account/emergency/*': signedIn(showEmergency),
  'POST /account/emergency/*': signedIn(takeEmergency),
}
