import type { Condition, DiagnosticReport, Encounter, Observation } from '@medplum/fhirtypes'
import type { Random } from './random.ts'
import { clinics, diagnoses, doctors, laboratoryTests, vitalSigns } from './vocabulary.ts'

type VisitResource = Encounter | Condition | Observation | DiagnosticReport
type Measure = (typeof vitalSigns)[number]
type Visit = {
  readonly id: string
  readonly patient: { readonly reference: string }
  readonly encounter: { readonly reference: string }
  readonly start: number
}

const minutes = 60_000
const days = 24 * 60 * minutes

/** Local time of western Indonesia with its offset, whole minutes. */
const jakartaTime = (ms: number): string => `${new Date(ms + 7 * 60 * minutes).toISOString().slice(0, 19)}+07:00`

/** One visit of a patient: encounter, diagnosis, vital signs and, often, laboratory results. `newest` is the latest possible day (ms). */
export const makeVisit = (random: Random, patientId: string, number: number, newest: number): VisitResource[] => {
  const id = `${patientId}-kunjungan-${number}`
  const start = newest - random.between(0, 700) * days + random.between(0, 8 * 60) * minutes
  const visit: Visit = { id, patient: { reference: `Patient/${patientId}` }, encounter: { reference: `Encounter/${id}` }, start }
  const vitals = vitalSigns.map((measure, i) => observationOf(random, visit, measure, 'vital-signs', `${id}-v${i + 1}`, 10 * minutes))
  const results =
    random.next() < 0.6
      ? laboratoryTests.map((measure, i) => observationOf(random, visit, measure, 'laboratory', `${id}-l${i + 1}`, 90 * minutes))
      : []
  return [
    encounterOf(random, visit),
    conditionOf(random, visit),
    ...vitals,
    ...results,
    ...(results.length > 0 ? [reportOf(visit, results)] : []),
  ]
}

const encounterOf = (random: Random, { id, patient, start }: Visit): Encounter => {
  const clinic = random.pick(clinics)
  const doctor = random.pick(doctors)
  const emergency = clinic.id === 'igd'
  return {
    resourceType: 'Encounter',
    id,
    status: 'finished',
    class: {
      system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
      code: emergency ? 'EMER' : 'AMB',
      display: emergency ? 'emergency' : 'ambulatory',
    },
    subject: patient,
    participant: [{ individual: { reference: `Practitioner/${doctor.id}`, display: `dr. ${doctor.given} ${doctor.family}` } }],
    period: { start: jakartaTime(start), end: jakartaTime(start + random.between(20, 180) * minutes) },
    location: [{ location: { reference: `Location/${clinic.id}`, display: clinic.name } }],
    serviceProvider: { reference: 'Organization/rs-contoh' },
  }
}

const conditionOf = (random: Random, { id, patient, encounter, start }: Visit): Condition => {
  const diagnosis = random.pick(diagnoses)
  return {
    resourceType: 'Condition',
    id: `${id}-diagnosis`,
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: diagnosis.chronic ? 'active' : 'resolved' }],
    },
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'encounter-diagnosis' }] }],
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: diagnosis.code }], text: diagnosis.text },
    subject: patient,
    encounter,
    recordedDate: jakartaTime(start + 15 * minutes),
  }
}

const observationOf = (
  random: Random,
  { patient, encounter, start }: Visit,
  measure: Measure,
  category: string,
  id: string,
  after: number,
): Observation => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: category }] }],
  code: { coding: [{ system: 'http://loinc.org', code: measure.loinc, display: measure.display }], text: measure.text },
  subject: patient,
  encounter,
  effectiveDateTime: jakartaTime(start + after),
  valueQuantity: {
    value: Number((measure.low + random.next() * (measure.high - measure.low)).toFixed(measure.decimals)),
    unit: measure.unit,
    system: 'http://unitsofmeasure.org',
    code: measure.ucum,
  },
})

const reportOf = ({ id, patient, encounter, start }: Visit, results: readonly Observation[]): DiagnosticReport => ({
  resourceType: 'DiagnosticReport',
  id: `${id}-hasil`,
  status: 'final',
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code: 'LAB' }] }],
  code: { text: 'Pemeriksaan laboratorium' },
  subject: patient,
  encounter,
  effectiveDateTime: jakartaTime(start + 90 * minutes),
  issued: jakartaTime(start + 150 * minutes),
  result: results.map(({ id: resultId, code }) => ({ reference: `Observation/${resultId}`, ...(code.text ? { display: code.text } : {}) })),
})
