import { sendPage } from './answers.ts'
import { doorOf } from './door.ts'
import { sendError } from './error-page.ts'
import { button, form } from './form-parts.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { EncounterRow } from './parts.ts'
import { encounterChoice, isPatientAlone, patientChoice, patientIn, type PatientsShown, searchText } from './patient-choice.ts'
import { type Page, sendFailure } from './routing.ts'
import type { Visit } from './visit.ts'

/** For which patient, and for which visit, an application opens. @see auth.md 7.2, 14 */

const rowsMax = 20

export const showPatients: Page = async ({ visit, parts }) => {
  const { live, interaction } = visit
  if (live === undefined || interaction === undefined) return sendError(visit, { status: 400, about: 'expired' })
  const own = await parts.patients.own(live)
  if (!own.ok) return sendFailure(visit, own.failure)
  const [only, ...more] = own.value
  // Nobody has to choose where there is no choice.
  if (only !== undefined && more.length === 0 && isPatientAlone(visit) && interaction.patient === undefined)
    return parts.interactions?.patientChosen(visit.req, visit.res, only.id)
  return sendPage(visit, pickerPage(visit, { own: own.value }))
}

const pickerPage = (visit: Visit, shown: PatientsShown): Html => {
  const { say, interaction } = visit
  const door = doorOf(visit)
  return layout(visit, {
    title: say('picker.title'),
    width: 'list',
    failed: shown.error !== undefined || shown.gone === true,
    here: door,
    body: html`
      <div class="card">
        <h1>${say('picker.title')}</h1>
        <p class="lead">${say('picker.for', { app: interaction?.client.name ?? '' })}</p>
        ${patientChoice(visit, { search: `${door}/patients`, choose: `${door}/patient` }, shown)}
        ${refuseForm(visit)}
      </div>`,
  })
}

const refuseForm = (visit: Visit): Html =>
  html`<div class="buttons">${form(visit, `${doorOf(visit)}/refuse`, button(visit.say('page.cancel'), 'second'))}</div>`

export const searchPatients: Page = async ({ visit, parts, form }) => {
  const { live, say } = visit
  if (live === undefined || isPatientAlone(visit)) return sendError(visit, { status: 403, about: 'expired' })
  const { text, short } = searchText(form)
  const own = await parts.patients.own(live)
  if (!own.ok) return sendFailure(visit, own.failure)
  if (short) return sendPage(visit, pickerPage(visit, { own: own.value, text, error: say('picker.short') }), 422)
  const found = await parts.patients.find(live, text)
  if (!found.ok) return sendFailure(visit, found.failure)
  return sendPage(visit, pickerPage(visit, { own: own.value, text, found: found.value }))
}

/** Chosen is only what the user may open: the id comes from a form. */
export const choosePatient: Page = async ({ visit, parts, form }) => {
  const { live } = visit
  if (live === undefined) return sendError(visit, { status: 400, about: 'expired' })
  const patient = patientIn(form)
  const seen = patient === undefined ? undefined : await parts.patients.byId(live, patient)
  if (seen?.ok === false) return sendFailure(visit, seen.failure)
  if (seen?.value !== undefined) return parts.interactions?.patientChosen(visit.req, visit.res, seen.value.id)
  const own = await parts.patients.own(live)
  return own.ok ? sendPage(visit, pickerPage(visit, { own: own.value, gone: true }), 422) : sendFailure(visit, own.failure)
}

export const showEncounters: Page = async ({ visit, parts }) => {
  const rows = await encountersOf(visit, parts.patients)
  return rows === undefined ? undefined : sendPage(visit, encounterPage(visit, rows))
}

/** Undefined: the answer was given. */
const encountersOf = async (
  visit: Visit,
  patients: Parameters<Page>[0]['parts']['patients'],
): Promise<readonly EncounterRow[] | undefined> => {
  const { live, interaction } = visit
  if (live === undefined || interaction?.patient === undefined) {
    sendError(visit, { status: 400, about: 'expired' })
    return undefined
  }
  const rows = await patients.encounters(live, interaction.patient)
  if (rows.ok) return rows.value.slice(0, rowsMax)
  sendFailure(visit, rows.failure)
  return undefined
}

const encounterPage = (visit: Visit, rows: readonly EncounterRow[]): Html => {
  const { say, interaction } = visit
  return layout(visit, {
    title: say('visit.title'),
    width: 'list',
    here: doorOf(visit),
    body: html`
      <div class="card">
        <h1>${say('visit.title')}</h1>
        <p class="lead">${say('visit.for', { app: interaction?.client.name ?? '' })}</p>
        ${encounterChoice(visit, `${doorOf(visit)}/encounter`, rows)}
        ${refuseForm(visit)}
      </div>`,
  })
}

/** One of those that were shown, and no other. */
export const chooseEncounter: Page = async ({ visit, parts, form }) => {
  const rows = await encountersOf(visit, parts.patients)
  if (rows === undefined) return
  const chosen = rows.find(({ id }) => id === form.one('encounter'))
  return chosen === undefined
    ? sendPage(visit, encounterPage(visit, rows), 422)
    : parts.interactions?.encounterChosen(visit.req, visit.res, chosen.id)
}
