import type { FormBody } from './form-body.ts'
import { button, field, form, notice } from './form-parts.ts'
import { type Fragment, type Html, html } from './html.ts'
import { ownId } from './own-record.ts'
import type { EncounterRow, PatientRow } from './parts.ts'
import { choices, detailsOf } from './patient-words.ts'
import { date, dateAndTime } from './shown.ts'
import type { Visit } from './visit.ts'

/** Parts of pages on which somebody chooses a patient, or a visit. What is searched for stands in no address. @see auth.md 7.2, 14 */

const searchMin = 3
const searchMax = 100
const rowsMax = 20

/** Where the forms lead, and what they carry along. */
export type ChoiceForms = { readonly search: string; readonly choose: string; readonly carried?: Fragment }

export type PatientsShown = {
  readonly own: readonly PatientRow[]
  readonly text?: string
  readonly found?: readonly PatientRow[]
  readonly error?: string
  /** The one that was chosen cannot be opened. */
  readonly gone?: boolean
}

/** Staff search; patients choose among themselves and those whom they represent. */
export const isPatientAlone = ({ live }: Visit): boolean => live?.account.value.roles.some(({ role }) => role !== 'patient') === false

export const patientChoice = (visit: Visit, forms: ChoiceForms, shown: PatientsShown): Fragment => [
  shown.gone === true && notice('bad', html`<p>${visit.say('picker.gone')}</p>`),
  shown.own.length > 0 && ownRows(visit, forms, shown.own),
  !isPatientAlone(visit) && searchPart(visit, forms, shown),
]

const ownRows = (visit: Visit, { choose, carried }: ChoiceForms, own: readonly PatientRow[]): Html => {
  const { say } = visit
  const self = ownId(visit, 'Patient')
  const rows = own.map(row => ({
    value: row.id,
    title: row.id === self ? say('picker.self') : say('picker.other', { name: row.name }),
    details: [...(row.id === self ? [row.name] : []), detailsOf(visit, row)].filter(one => one !== '').join(' · '),
  }))
  return html`<h2>${say('picker.whose')}</h2>${form(visit, choose, [carried, choices(rows, 'patient')])}`
}

const searchPart = (visit: Visit, forms: ChoiceForms, { text, found, error }: PatientsShown): Fragment => {
  const { say } = visit
  return [
    html`<search>${form(visit, forms.search, [
      forms.carried,
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
    found !== undefined && foundRows(visit, forms, found),
  ]
}

const foundRows = (visit: Visit, { choose, carried }: ChoiceForms, found: readonly PatientRow[]): Fragment => {
  const { say } = visit
  if (found.length === 0) return html`<div class="beside">${notice('note', html`<p>${say('picker.none')}</p>`)}</div>`
  const rows = found.slice(0, rowsMax).map(row => ({ value: row.id, title: row.name, details: detailsOf(visit, row) }))
  return [
    html`<p class="beside" role="status">${say('picker.found', { count: rows.length })}${found.length >= rowsMax && ` · ${say('picker.more')}`}</p>`,
    form(visit, choose, [carried, choices(rows, 'patient')]),
  ]
}

/** What somebody searches for. `short`: too little of it. */
export const searchText = (sent: FormBody): { readonly text: string; readonly short: boolean } => {
  const text = (sent.one('text') ?? '').normalize('NFC').trim().slice(0, searchMax)
  return { text, short: [...text].length < searchMin }
}

/** The id of a form's patient, where it can be one. */
export const patientIn = (sent: FormBody): string | undefined => {
  const patient = sent.one('patient') ?? ''
  return /^[A-Za-z0-9.-]{1,64}$/.test(patient) ? patient : undefined
}

export const encounterChoice = (visit: Visit, action: string, encounters: readonly EncounterRow[], carried?: Fragment): Html => {
  const { say, language, zone } = visit
  if (encounters.length === 0) return notice('note', html`<p>${say('visit.none')}</p>`)
  const rows = encounters.slice(0, rowsMax).map(({ id, start, end, what }) => ({
    value: id,
    title: start === undefined ? say('visit.undated') : dateAndTime(start, language, zone),
    details: [
      ...(what === undefined ? [] : [what]),
      ...(start === undefined ? [] : [end === undefined ? say('visit.open') : `– ${date(end, language, zone)}`]),
    ].join(' · '),
  }))
  return form(visit, action, [carried, choices(rows, 'encounter')])
}
