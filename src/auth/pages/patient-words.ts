import { type Fragment, html } from './html.ts'
import type { PatientRow } from './parts.ts'
import { fhirDate } from './shown.ts'
import type { Visit } from './visit.ts'

/** What tells patients of one name apart. */
export const detailsOf = ({ say, language }: Visit, { birthDate, recordNumber, gender }: PatientRow): string =>
  [
    ...(birthDate === undefined ? [] : [say('picker.born', { date: fhirDate(birthDate, language) })]),
    ...(gender === undefined ? [] : [say(`gender.${gender}`)]),
    ...(recordNumber === undefined ? [] : [say('picker.record', { number: recordNumber })]),
  ].join(' · ')

/** Buttons, each of which chooses one. */
export const choices = (
  rows: readonly { readonly value: string; readonly title: string; readonly details: string }[],
  name: string,
): Fragment =>
  html`<ul class="rows">${rows.map(
    ({ value, title, details }) =>
      html`<li><button type="submit" class="choice" name="${name}" value="${value}"><strong>${title}</strong>${details !== '' && html`<span>${details}</span>`}</button></li>`,
  )}</ul>`
