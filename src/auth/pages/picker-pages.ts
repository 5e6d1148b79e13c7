import { ownId } from './own-record.ts'
import { sendPage } from './answers.ts'
import { doorOf } from './door.ts'
import { sendError } from './error-page.ts'
import { button, field, form, notice } from './form-parts.ts'
import { type Fragment, type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { EncounterRow, PatientRow } from './parts.ts'
import { choices, detailsOf } from './patient-words.ts'
import { type Page, sendFailure } from './routing.ts'
import { date, dateAndTime } from './shown.ts'
import type { Visit } from './visit.ts'

/** For which patient, and for which visit, an application opens. What somebody searches for stands in no address. @see auth.md 7.2, 14 */

const searchMin = 3
const searchMax = 100
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

/** Staff search; patients choose among themselves and those whom they represent. */
const isPatientAlone = ({ live }: Visit): boolean => live?.account.value.roles.some(({ role }) => role !== 'patient') === false

type Shown = {
  readonly own: readonly PatientRow[]
  readonly text?: string
  readonly found?: readonly PatientRow[]
  readonly error?: string
  readonly gone?: boolean
}

const pickerPage = (visit: Visit, shown: Shown): Html => {
  const { say, interaction } = visit
  const { own, error, gone } = shown
  return layout(visit, {
    title: say('picker.title'),
    width: 'list',
    failed: error !== undefined || gone === true,
    here: doorOf(visit),
    body: html`
      <div class="card">
        <h1>${say('picker.title')}</h1>
        <p class="lead">${say('picker.for', { app: interaction?.client.name ?? '' })}</p>
        ${gone === true && notice('bad', html`<p>${say('picker.gone')}</p>`)}
        ${own.length > 0 && ownRows(visit, own)}
        ${!isPatientAlone(visit) && searchPart(visit, shown)}
        ${refuseForm(visit)}
      </div>`,
  })
}

const ownRows = (visit: Visit, own: readonly PatientRow[]): Html => {
  const { say } = visit
  const self = ownId(visit, 'Patient')
  const rows = own.map(row => ({
    value: row.id,
    title: row.id === self ? say('picker.self') : say('picker.other', { name: row.name }),
    details: [...(row.id === self ? [row.name] : []), detailsOf(visit, row)].filter(one => one !== '').join(' · '),
  }))
  return html`<h2>${say('picker.whose')}</h2>${form(visit, `${doorOf(visit)}/patient`, choices(rows, 'patient'))}`
}

const searchPart = (visit: Visit, { text, found, error }: Shown): Fragment => {
  const { say } = visit
  return [
    html`<search>${form(visit, `${doorOf(visit)}/patients`, [
      field({
        name: 'text',
        label: say('picker.search'),
        type: 'search',
        autocomplete: 'off',
        maxlength: searchMax,
        focus: found === undefined,
        ...(text === undefined ? {} : { value: text }),
        ...(error === undefined ? {} : { error }),
      }),
      button(say('picker.button')),
    ])}</search>`,
    found !== undefined && foundRows(visit, found),
  ]
}

const foundRows = (visit: Visit, found: readonly PatientRow[]): Fragment => {
  const { say } = visit
  if (found.length === 0) return html`<div class="beside">${notice('note', html`<p>${say('picker.none')}</p>`)}</div>`
  const rows = found.slice(0, rowsMax).map(row => ({ value: row.id, title: row.name, details: detailsOf(visit, row) }))
  return [
    html`<p class="beside" role="status">${say('picker.found', { count: rows.length })}${found.length >= rowsMax && ` · ${say('picker.more')}`}</p>`,
    form(visit, `${doorOf(visit)}/patient`, choices(rows, 'patient')),
  ]
}

const refuseForm = (visit: Visit): Html =>
  html`<div class="buttons">${form(visit, `${doorOf(visit)}/refuse`, button(visit.say('page.cancel'), 'second'))}</div>`

export const searchPatients: Page = async ({ visit, parts, form }) => {
  const { live, say } = visit
  if (live === undefined || isPatientAlone(visit)) return sendError(visit, { status: 403, about: 'expired' })
  const text = (form.one('text') ?? '').normalize('NFC').trim().slice(0, searchMax)
  const own = await parts.patients.own(live)
  if (!own.ok) return sendFailure(visit, own.failure)
  if ([...text].length < searchMin) return sendPage(visit, pickerPage(visit, { own: own.value, text, error: say('picker.short') }), 422)
  const found = await parts.patients.find(live, text)
  if (!found.ok) return sendFailure(visit, found.failure)
  return sendPage(visit, pickerPage(visit, { own: own.value, text, found: found.value }))
}

/** Chosen is only what the user may open: the id comes from a form. */
export const choosePatient: Page = async ({ visit, parts, form }) => {
  const { live } = visit
  if (live === undefined) return sendError(visit, { status: 400, about: 'expired' })
  const patient = form.one('patient') ?? ''
  const seen = /^[A-Za-z0-9.-]{1,64}$/.test(patient) ? await parts.patients.byId(live, patient) : undefined
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
  const { say, interaction, language, zone } = visit
  const shown = rows.map(({ id, start, end, what }) => ({
    value: id,
    title: start === undefined ? say('visit.undated') : dateAndTime(start, language, zone),
    details: [
      ...(what === undefined ? [] : [what]),
      ...(start === undefined ? [] : [end === undefined ? say('visit.open') : `– ${date(end, language, zone)}`]),
    ].join(' · '),
  }))
  return layout(visit, {
    title: say('visit.title'),
    width: 'list',
    here: doorOf(visit),
    body: html`
      <div class="card">
        <h1>${say('visit.title')}</h1>
        <p class="lead">${say('visit.for', { app: interaction?.client.name ?? '' })}</p>
        ${rows.length === 0 ? notice('note', html`<p>${say('visit.none')}</p>`) : form(visit, `${doorOf(visit)}/encounter`, choices(shown, 'encounter'))}
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
