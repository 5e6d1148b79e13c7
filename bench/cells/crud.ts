import { type Figures, runSteps, type Step } from '../load.ts'
import type { Measured } from '../processes.ts'

const patient = { reference: 'Patient/bench' }
const coding = (system: string, code: string) => ({ coding: [{ system, code }] })

/** Nine small but honest resources; the loop makes four requests with each. */
const resources: readonly Record<string, unknown>[] = [
  {
    resourceType: 'Patient',
    name: [{ family: 'Santoso', given: ['Budi'] }],
    gender: 'male',
    birthDate: '1980-05-17',
    identifier: [{ system: 'https://fhir.kemkes.go.id/id/nik', value: '9999011705800002' }],
  },
  {
    resourceType: 'Location',
    status: 'active',
    name: 'Poli Umum',
    type: [coding('http://terminology.hl7.org/CodeSystem/v3-RoleCode', 'OF')],
  },
  {
    resourceType: 'Organization',
    active: true,
    name: 'Klinik Contoh',
    identifier: [{ system: 'http://sys-ids.kemkes.go.id/organization/1', value: 'K-1' }],
  },
  { resourceType: 'Practitioner', active: true, name: [{ family: 'Prameswari', given: ['Anisa'], prefix: ['dr.'] }] },
  {
    resourceType: 'Encounter',
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: patient,
    period: { start: '2026-01-02T08:00:00+07:00', end: '2026-01-02T08:30:00+07:00' },
  },
  {
    resourceType: 'Observation',
    status: 'final',
    category: [coding('http://terminology.hl7.org/CodeSystem/observation-category', 'vital-signs')],
    code: coding('http://loinc.org', '8867-4'),
    subject: patient,
    effectiveDateTime: '2026-01-02T08:10:00+07:00',
    valueQuantity: { value: 72, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
  },
  {
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: coding('http://sys-ids.kemkes.go.id/kfa', '93000001'),
    subject: patient,
    authoredOn: '2026-01-02',
  },
  {
    resourceType: 'Claim',
    status: 'active',
    type: coding('http://terminology.hl7.org/CodeSystem/claim-type', 'institutional'),
    use: 'claim',
    patient,
    created: '2026-01-02',
    provider: { reference: 'Organization/bench' },
    priority: coding('http://terminology.hl7.org/CodeSystem/processpriority', 'normal'),
    insurance: [{ sequence: 1, focal: true, coverage: { reference: 'Coverage/bench' } }],
  },
  {
    resourceType: 'ExplanationOfBenefit',
    status: 'active',
    type: coding('http://terminology.hl7.org/CodeSystem/claim-type', 'institutional'),
    use: 'claim',
    patient,
    created: '2026-01-02',
    insurer: { reference: 'Organization/bench' },
    provider: { reference: 'Organization/bench' },
    outcome: 'complete',
    insurance: [{ focal: true, coverage: { reference: 'Coverage/bench' } }],
  },
]

/** POST, GET, PUT and DELETE of nine types: 36 requests, three quarters of them durable writes. */
export const crudCell = (server: Measured, seconds: number): Promise<Figures> =>
  runSteps(server, resources.flatMap(stepsFor), { connections: 32, seconds, expect: [200, 201, 204] })

const stepsFor = (resource: Record<string, unknown>): Step[] => {
  const type = String(resource.resourceType)
  const path = (context: Record<string, unknown>): string => `/fhir/${type}/${context[type]}`
  return [
    {
      method: 'POST',
      path: `/fhir/${type}`,
      body: JSON.stringify(resource),
      seen: (_status, _body, context, headers) => {
        context[type] = /\/([^/]+)\/_history\//.exec(String(headers.Location ?? headers.location))?.[1]
      },
    },
    { method: 'GET', path },
    { method: 'PUT', path, body: context => JSON.stringify({ ...resource, id: context[type], language: 'id' }) },
    { method: 'DELETE', path },
  ]
}
