import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes'
import { makePerson } from './people.ts'
import { seededRandom } from './random.ts'
import { makeVisit } from './visits.ts'
import { clinics, doctors, staff } from './vocabulary.ts'

/** Raised when the demo people change: an older demo store is then built anew. */
export const seedVersion = '2026-11-21.2'

const newestVisit = Date.UTC(2026, 10, 20, 1)
const people = 50

/** The demo hospital as transaction bundles of PUTs: the house first, then one bundle a patient. Same bytes on every machine. */
export const demoBundles = (): readonly Bundle[] => {
  const random = seededRandom(20_261_121)
  const patients = Array.from({ length: people }, (_, i) => {
    const { patient, coverage } = makePerson(random, i + 1)
    const visits = Array.from({ length: random.between(1, 4) }, (_, n) =>
      makeVisit(random, patient.id as string, n + 1, newestVisit),
    ).flat()
    return transactionOf([patient, ...(coverage ? [coverage] : []), ...visits])
  })
  return [transactionOf(house()), ...patients]
}

const house = (): Resource[] => [
  { resourceType: 'Organization', id: 'rs-contoh', active: true, name: 'RS Contoh Sehat' },
  {
    resourceType: 'Organization',
    id: 'bpjs-kesehatan',
    active: true,
    type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code: 'pay' }] }],
    name: 'BPJS Kesehatan',
  },
  ...clinics.map(
    ({ id, name }): Resource => ({
      resourceType: 'Location',
      id,
      status: 'active',
      name,
      managingOrganization: { reference: 'Organization/rs-contoh' },
    }),
  ),
  ...doctors.map(
    ({ id, given, family }): Resource => ({
      resourceType: 'Practitioner',
      id,
      active: true,
      name: [{ prefix: ['dr.'], given: [given], family }],
    }),
  ),
  // Who the accounts for trials belong to (`simpul dev seed`).
  ...staff.map(
    ({ role, given, family }): Resource => ({
      resourceType: 'Practitioner',
      id: `demo-${role}`,
      active: true,
      name: [{ given: [given], family }],
    }),
  ),
]

const transactionOf = (resources: readonly Resource[]): Bundle => ({
  resourceType: 'Bundle',
  type: 'transaction',
  entry: resources.map(
    (resource): BundleEntry => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }),
  ),
})
