import { isVerified } from '../clients/client.ts'
import { sendPage } from './answers.ts'
import { boxesOf, type ConsentBox, type ConsentChoices, type ConsentGroup, consentChoices, tickedScopes } from './consent-groups.ts'
import { doorOf } from './door.ts'
import { sendError } from './error-page.ts'
import { button, form, notice } from './form-parts.ts'
import { type Fragment, type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { makerWords } from './maker-words.ts'
import type { PagesParts, PatientRow } from './parts.ts'
import { detailsOf } from './patient-words.ts'
import { type Page, sendFailure } from './routing.ts'
import { date } from './shown.ts'
import type { Visit } from './visit.ts'

/** What an application asks for, by whom it was made, for whose data, and for how long. @see auth.md 7.2, 14 */
export const showConsent: Page = async ({ visit, parts }) => consent(parts, visit, {})

const consent = async (parts: PagesParts, visit: Visit, { nothing = false }: { readonly nothing?: boolean }): Promise<void> => {
  const { live, interaction } = visit
  if (live === undefined || interaction === undefined) return sendError(visit, { status: 400, about: 'expired' })
  const patient = interaction.patient === undefined ? undefined : await parts.patients.byId(live, interaction.patient)
  if (patient?.ok === false) return sendFailure(visit, patient.failure)
  return sendPage(visit, consentPage(visit, choicesOf(visit), patient?.value, nothing), nothing ? 422 : 200)
}

const choicesOf = ({ interaction, say, language, zone }: Visit): ConsentChoices =>
  consentChoices(interaction?.asked ?? [], {
    say,
    language,
    ...(interaction?.offlineUntil === undefined ? {} : { offlineUntil: date(interaction.offlineUntil, language, zone) }),
  })

const protectedBox = 'protected'

const consentPage = (visit: Visit, choices: ConsentChoices, patient: PatientRow | undefined, nothing: boolean): Html => {
  const { say, interaction, live } = visit
  const app = interaction?.client.name ?? ''
  const title = say('consent.title', { app })
  const time = [choices.offline, choices.online].filter(box => box !== undefined)
  return layout(visit, {
    title,
    width: 'list',
    failed: nothing,
    here: doorOf(visit),
    body: html`
      <div class="card">
        <h1>${title}</h1>
        ${maker(visit)}
        <p class="small">${say('consent.as', { user: live?.account.value.username ?? '' })}</p>
        ${patient !== undefined && whose(visit, patient)}
        ${nothing && notice('bad', html`<p>${say('consent.nothing')}</p>`)}
        ${form(visit, `${doorOf(visit)}/consent`, [
          choices.data.map(group => dataGroup(visit, group)),
          interaction?.asksProtected === true && protectedPart(visit),
          boxes(visit, say('scope.identity'), [...choices.identity]),
          boxes(visit, say('consent.access'), [...choices.special]),
          boxes(visit, say('consent.time'), time),
          html`<p class="small">${say('consent.revoke')}</p>`,
          html`<div class="buttons">${button(say('consent.allow'))}${button(say('consent.deny'), 'second', { name: 'refuse', value: 'yes' })}</div>`,
        ])}
        ${terms(visit)}
      </div>`,
  })
}

const maker = (visit: Visit): Fragment => {
  const { interaction } = visit
  if (interaction === undefined) return undefined
  const { publisher } = interaction.client
  return html`<p class="lead">${makerWords(visit, { ...(publisher === undefined ? {} : { publisher }), verified: isVerified(interaction.client) })}</p>`
}

const whose = (visit: Visit, patient: PatientRow): Html => html`
  <div class="who">
    <p><strong>${visit.say('consent.patient', { patient: patient.name })}</strong><br><span class="small">${detailsOf(visit, patient)}</span></p>
    ${mayChange(visit) && html`<p><a href="${doorOf(visit)}/patient">${visit.say('consent.change')}</a></p>`}
  </div>`

/** Where the application asked for a choice; a launch from a patient's record has made it. */
const mayChange = ({ interaction }: Visit): boolean =>
  interaction?.asked.some(scope => scope.kind === 'plain' && scope.text === 'launch/patient') === true &&
  !interaction.asked.some(scope => scope.kind === 'plain' && scope.text === 'launch')

const dataGroup = (visit: Visit, { title, boxes: rows, instead }: ConsentGroup): Html => html`
  <fieldset>
    <legend>${title}</legend>
    ${visit.interaction?.asksProtected !== true && rows.some(({ sensitive }) => sensitive) && notice('note', html`<p>${visit.say('consent.sensitive')}</p>`)}
    ${rows.map(box => tick(visit, box))}
    ${instead !== undefined && html`<details class="under"><summary>${visit.say('consent.only')}</summary>${instead.map(box => tick(visit, box))}</details>`}
  </fieldset>`

const boxes = (visit: Visit, title: string, rows: readonly ConsentBox[]): Fragment =>
  rows.length > 0 && html`<fieldset><legend>${title}</legend>${rows.map(box => tick(visit, box))}</fieldset>`

const tick = ({ say }: Visit, { id, short, long, technical, sensitive, ticked, insteadOf }: ConsentBox): Html => html`
  <div class="tick">
    <input type="checkbox" id="${id}" name="allow" value="${id}" ${ticked && html`checked`} ${long !== '' && html`aria-describedby="${id}-long"`} ${insteadOf !== undefined && html`data-instead-of="${insteadOf}"`}>
    <label for="${id}">${short}${technical && html` <span class="mark">${say('consent.technical')}</span>`}${sensitive && html` <span class="mark">${say('consent.protected')}</span>`}</label>
    ${long !== '' && html`<p class="hint" id="${id}-long">${long}</p>`}
  </div>`

const protectedPart = (visit: Visit): Html => html`
  <fieldset>
    <legend>${visit.say('consent.protectedTitle')}</legend>
    <div class="tick">
      <input type="checkbox" id="${protectedBox}" name="allow" value="${protectedBox}" aria-describedby="${protectedBox}-long">
      <label for="${protectedBox}">${visit.say('consent.protectedToo')}</label>
      <p class="hint" id="${protectedBox}-long">${visit.say('consent.sensitive')}</p>
    </div>
  </fieldset>`

const terms = ({ say, interaction }: Visit): Fragment => {
  const { termsUri, policyUri } = interaction?.client ?? {}
  const links = [
    ...(policyUri === undefined
      ? []
      : [html`<a href="${policyUri}" rel="noopener noreferrer" target="_blank">${say('consent.policy')}</a>`]),
    ...(termsUri === undefined ? [] : [html`<a href="${termsUri}" rel="noopener noreferrer" target="_blank">${say('consent.terms')}</a>`]),
  ]
  return links.length > 0 && html`<p class="beside small">${links.map((link, at) => (at === 0 ? link : html` · ${link}`))}</p>`
}

export const takeConsent: Page = async ({ visit, parts, form }) => {
  const { req, res, interaction } = visit
  if (interaction === undefined || visit.live === undefined) return sendError(visit, { status: 400, about: 'expired' })
  if (form.one('refuse') !== undefined) return parts.interactions?.refused(req, res)
  const names = new Set(form.all('allow'))
  const choices = choicesOf(visit)
  const scopes = tickedScopes(choices, names)
  if (scopes.length === 0) return consent(parts, visit, { nothing: true })
  // Who ticks protected data by name means it.
  const protectedData = names.has(protectedBox) || boxesOf(choices).some(({ id, sensitive }) => sensitive && names.has(id))
  const choice = interaction.asksProtected === true ? { protectedData } : undefined
  return parts.interactions?.allowed(req, res, scopes, choice)
}
