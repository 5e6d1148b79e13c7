import type { EncounterRow, PatientDirectory, PatientRow } from '../auth/pages/parts.ts'
import { type Principal, representedBy } from '../auth/policy/principal.ts'
import type { LiveSession } from '../auth/sessions/sessions.ts'
import { type Outcome, ok } from '../base/outcome.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Asking } from './asking.ts'

/** Patients and visits as whoever is signed in may see them, for the pages that let them choose. @see auth.md 7.2 */
export type PatientDirectoryParts = {
  readonly asking: Asking
  /** Somebody on our own pages. */
  readonly principalOf: (live: LiveSession) => Promise<Principal>
}

const rowsMax = 20

export const createPatientDirectory = ({ asking, principalOf }: PatientDirectoryParts): PatientDirectory => ({
  find: async (live, text) => {
    const principal = await principalOf(live)
    const found = new Map<string, PatientRow>()
    for (const parameters of waysToFind(text.trim())) {
      const page = await asking.search(principal, 'Patient', { ...parameters, _count: String(rowsMax) })
      if (!page.ok) return page
      for (const patient of page.value) if (patient.id !== undefined) found.set(patient.id, patientRow(patient))
    }
    return ok([...found.values()].slice(0, rowsMax))
  },
  own: async live => {
    const principal = await principalOf(live)
    const rows: PatientRow[] = []
    for (const id of representedBy(principal).slice(0, rowsMax)) {
      const patient = await asking.read(principal, 'Patient', id)
      if (!patient.ok) return patient
      if (patient.value !== undefined) rows.push(patientRow(patient.value))
    }
    return ok(rows)
  },
  byId: async (live, id): Promise<Outcome<PatientRow | undefined>> => {
    const patient = await asking.read(await principalOf(live), 'Patient', id)
    return patient.ok && patient.value !== undefined ? ok(patientRow(patient.value)) : (patient as Outcome<undefined>)
  },
  encounters: async (live, patient) => {
    const parameters = { patient: `Patient/${patient}`, _sort: '-date', _count: String(rowsMax) }
    const page = await asking.search(await principalOf(live), 'Encounter', parameters)
    return page.ok ? ok(page.value.map(encounterRow)) : page
  },
})

/** What people type who look for somebody: a birth date, or a name or the number of a record. */
const waysToFind = (text: string): readonly Readonly<Record<string, string>>[] => {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return [{ birthdate: text }]
  const value = text.replace(/[\\,$|]/g, sign => `\\${sign}`)
  const byNumber = /^\S{3,}$/.test(text) ? [{ identifier: value }] : []
  return /^[\d.\-/]+$/.test(text) ? byNumber : [...byNumber, { name: value }]
}

const genders = ['male', 'female', 'other', 'unknown'] as const

const patientRow = (patient: Resource): PatientRow => {
  const { id = '', birthDate } = patient
  const recordNumber = recordsOf(patient.identifier).find(isRecordNumber)?.value
  const gender = genders.find(one => one === patient.gender)
  return {
    id,
    name: nameOf(patient),
    ...(typeof birthDate === 'string' ? { birthDate } : {}),
    ...(typeof recordNumber === 'string' ? { recordNumber } : {}),
    ...(gender === undefined ? {} : { gender }),
  }
}

/** @see http://terminology.hl7.org/CodeSystem/v2-0203 */
const isRecordNumber = ({ type }: Json): boolean => recordsOf((type as Json | undefined)?.coding).some(({ code }) => code === 'MR')

/** The official one, else the first. */
const nameOf = ({ name }: Resource): string => {
  const names = recordsOf(name)
  const { text, given, family } = names.find(({ use }) => use === 'official') ?? names[0] ?? {}
  if (typeof text === 'string') return text
  return [...(Array.isArray(given) ? given : []), family].filter(part => typeof part === 'string').join(' ')
}

const encounterRow = ({ id = '', period, class: kind, serviceType, type }: Resource): EncounterRow => {
  const { start, end } = (period ?? {}) as Json
  const [since, until] = [instantOf(start), instantOf(end)]
  const what = textOf(serviceType) ?? recordsOf(type).map(textOf).find(Boolean) ?? (kind as Json | undefined)?.display
  return {
    id,
    ...(since === undefined ? {} : { start: since }),
    ...(until === undefined ? {} : { end: until }),
    ...(typeof what === 'string' ? { what } : {}),
  }
}

type Json = Readonly<Record<string, unknown>>

const recordsOf = (value: unknown): readonly Json[] =>
  (Array.isArray(value) ? value : []).filter((one): one is Json => typeof one === 'object' && one !== null)

const textOf = (concept: unknown): string | undefined => {
  const { text, coding } = (concept ?? {}) as Json
  const display = typeof text === 'string' ? text : recordsOf(coding)[0]?.display
  return typeof display === 'string' ? display : undefined
}

const instantOf = (value: unknown): number | undefined => {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
