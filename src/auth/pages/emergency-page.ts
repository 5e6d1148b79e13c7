import { factorsOf, hasFactor } from '../factors/factor-set.ts'
import { acrOf, isFresh } from '../sessions/session.ts'
import type { LiveSession } from '../sessions/sessions.ts'
import { type AccountPage, signedIn, toStepUp } from './account-guard.ts'
import { redirect, sendPage } from './answers.ts'
import { doorOf } from './door.ts'
import { sendError } from './error-page.ts'
import type { FormBody } from './form-body.ts'
import { button, form, notice } from './form-parts.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { emergencyReasons, type PagesParts } from './parts.ts'
import { type Page, type Pages, sendFailure } from './routing.ts'
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

/** Who opens it, where the form goes, and what there is instead of opening it. */
type Place = {
  readonly visit: Visit
  readonly live: LiveSession
  readonly parts: PagesParts
  readonly patient: string
  /** Path of the page; its form is sent to `action`. */
  readonly here: string
  readonly action: string
  readonly lead?: string
  readonly instead: Html
  readonly done: () => Promise<void> | void
  readonly client?: string
}

type Then = (place: Place, sent: FormBody) => Promise<void>

/** From the account, for our own pages. */
const inAccount =
  (then: Then): AccountPage =>
  async ({ visit, live, parts, form: sent, rest: patient }) => {
    if (parts.emergencies === undefined || !/^[A-Za-z0-9.-]{1,64}$/.test(patient))
      return sendError(visit, { status: 404, about: 'not-found' })
    const here = `/account/emergency/${patient}`
    const instead = html`<a class="button second" href="/account">${visit.say('page.cancel')}</a>`
    return then({ visit, live, parts, patient, here, action: here, instead, done: () => redirect(visit.res, '/account') }, sent)
  }

/** For an application that says it is an emergency. */
const inInteraction =
  (then: Then): Page =>
  async ({ visit, parts, form: sent }) => {
    const { live, interaction, say } = visit
    const patient = interaction?.patient
    if (live === undefined || interaction === undefined || patient === undefined || parts.emergencies === undefined)
      return parts.interactions?.emergencyAnswered(visit.req, visit.res, false)
    const here = doorOf(visit)
    // Whoever goes on without leaves the form empty.
    const instead = html`<button type="submit" class="button second" formaction="${here}/without" formnovalidate>${say('btg.without')}</button>`
    const place: Place = {
      visit,
      live,
      parts,
      patient,
      here,
      action: `${here}/emergency`,
      lead: say('btg.for', { app: interaction.client.name }),
      instead,
      done: () => parts.interactions?.emergencyAnswered(visit.req, visit.res, true),
      client: interaction.client.id,
    }
    return then(place, sent)
  }

const show = async (place: Place): Promise<void> => {
  if (await isReady(place)) sendPage(place.visit, emergencyPage(place, {}))
}

/** Two factors, the second one in the last 5 minutes; who has none sets one up. False: the answer was given. */
const isReady = async ({ visit, live, parts, here }: Place): Promise<boolean> => {
  const { ground } = parts.accounts
  const { amr } = live.session.value
  if (acrOf(amr) === 2 && isFresh(amr, true, ground.clock())) return true
  if (hasFactor(await factorsOf(ground, live.account.key))) toStepUp(visit, here)
  else redirect(visit.res, `/account/security/factor?next=${encodeURIComponent(here)}`)
  return false
}

type Typed = { readonly reason?: string; readonly words?: string; readonly error?: string; readonly refused?: boolean }

const emergencyPage = ({ visit, here, action, lead, instead }: Place, { reason, words, error, refused }: Typed): Html => {
  const { say } = visit
  return layout(visit, {
    title: say('btg.title'),
    width: 'list',
    here,
    failed: error !== undefined || refused === true,
    body: html`
      <div class="card">
        <h1>${say('btg.title')}</h1>
        ${lead !== undefined && html`<p class="lead">${lead}</p>`}
        ${notice('bad', html`<p>${say('btg.warn')}</p>`)}
        ${refused === true && notice('bad', html`<p>${say('btg.unknown')}</p>`)}
        ${form(visit, action, [
          html`<fieldset><legend>${say('btg.kind')}</legend>${emergencyReasons.map(
            one =>
              html`<div class="tick"><input type="radio" id="reason-${one}" name="reason" value="${one}" required ${one === reason && html`checked`}><label for="reason-${one}">${say(`btg.${one}`)}</label></div>`,
          )}</fieldset>`,
          html`<div class="field">
            <label for="words">${say('btg.reason')}</label>
            <p class="hint" id="words-hint">${say('btg.hint')}</p>
            <textarea id="words" name="words" rows="4" maxlength="${wordsMax}" minlength="${wordsMin}" required aria-describedby="words-hint${error !== undefined && ' words-error'}" ${error !== undefined && html`aria-invalid="true"`}>${words}</textarea>
            ${error !== undefined && html`<p class="error" id="words-error">${error}</p>`}
          </div>`,
          html`<div class="buttons">${button(say('btg.open'), 'danger')}${instead}</div>`,
        ])}
      </div>`,
  })
}

const take = async (place: Place, sent: FormBody): Promise<void> => {
  if (!(await isReady(place))) return
  const { visit, live, parts, patient, client } = place
  const reason = emergencyReasons.find(one => one === sent.one('reason'))
  const words = (sent.one('words') ?? '').trim().slice(0, wordsMax)
  const typed = { words, ...(reason === undefined ? {} : { reason }) }
  if (reason === undefined || [...words].length < wordsMin)
    return sendPage(visit, emergencyPage(place, { ...typed, error: visit.say('btg.short') }), 422)
  const why = { reason, text: words, ...(client === undefined ? {} : { client }) }
  const done = await parts.emergencies?.begin(live, patient, why, visit.from)
  if (done?.ok === false) return sendFailure(visit, done.failure)
  return done?.value === true ? place.done() : sendPage(visit, emergencyPage(place, { ...typed, refused: true }), 404)
}

export const showEmergencyStep: Page = inInteraction(show)
export const takeEmergencyStep: Page = inInteraction(take)
export const withoutEmergency: Page = async ({ visit, parts }) => parts.interactions?.emergencyAnswered(visit.req, visit.res, false)

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
  'GET /account/emergency/*': signedIn(inAccount(show)),
  'POST /account/emergency/*': signedIn(inAccount(take)),
}
