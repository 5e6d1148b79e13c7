import { type Figures, runSteps } from '../load.ts'
import type { Measured } from '../processes.ts'

/** An encounter and a measurement that refers to it, all or nothing. */
const bundle = JSON.stringify({
  resourceType: 'Bundle',
  type: 'transaction',
  entry: [
    {
      fullUrl: 'urn:uuid:0b3f7a52-6f0f-4f0e-9a53-0d4c2f1f7a01',
      request: { method: 'POST', url: 'Encounter' },
      resource: {
        resourceType: 'Encounter',
        status: 'in-progress',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
        subject: { reference: 'Patient/bench' },
      },
    },
    {
      request: { method: 'POST', url: 'Observation' },
      resource: {
        resourceType: 'Observation',
        status: 'final',
        code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
        subject: { reference: 'Patient/bench' },
        encounter: { reference: 'urn:uuid:0b3f7a52-6f0f-4f0e-9a53-0d4c2f1f7a01' },
        effectiveDateTime: '2026-01-02T08:10:00+07:00',
        valueQuantity: { value: 72, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
      },
    },
  ],
})

/** Durable transactions of two resources. */
export const transactionCell = (server: Measured, connections: number, seconds: number): Promise<Figures> =>
  runSteps(server, [{ method: 'POST', path: '/fhir', body: bundle }], { connections, seconds, expect: [200] })
