import type { Coverage, Patient } from '@medplum/fhirtypes'
import { canonicalBase } from '../base/canonical.ts'
import type { Random } from './random.ts'
import { familyNames, mensNames, places, streets, womensNames } from './vocabulary.ts'

const pad = (value: number, length: number): string => String(value).padStart(length, '0')

/**
 * An invented NIK: the first four digits are 9999, which is no region, then day (plus 40 for women), month and year of birth,
 * and a serial number. @see https://fhir.kemkes.go.id/id/nik (identifier system)
 */
const nikOf = (birthDate: string, female: boolean, serial: number): string => {
  const [year, month, day] = birthDate.split('-') as [string, string, string]
  return `999901${pad(Number(day) + (female ? 40 : 0), 2)}${month}${year.slice(2)}${pad(serial, 4)}`
}

const cardSystem = `${canonicalBase}/sid/bpjs/noka`
const identifierType = (code: 'MR' | 'MB') => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }] })

export type Person = { readonly patient: Patient; readonly coverage?: Coverage }

/** One patient and, for most, the BPJS coverage. `number` counts from 1 and makes ids stable. */
export const makePerson = (random: Random, number: number): Person => {
  const female = random.next() < 0.5
  const given = [random.pick(female ? womensNames : mensNames)]
  if (random.next() < 0.5) given.push(random.pick(female ? womensNames : mensNames))
  const place = random.pick(places)
  const birthDate = `${random.between(1948, 2022)}-${pad(random.between(1, 12), 2)}-${pad(random.between(1, 28), 2)}`
  const bpjs = `000999${pad(number, 7)}`
  const family = random.pick(familyNames)
  const id = `pasien-${pad(number, 3)}`
  const patient: Patient = {
    resourceType: 'Patient',
    id,
    identifier: [
      { use: 'official', system: 'https://fhir.kemkes.go.id/id/nik', value: nikOf(birthDate, female, number) },
      { type: identifierType('MR'), system: `${canonicalBase}/sid/mrn/rs-contoh`, value: `RM-2026-${pad(number, 5)}` },
      { type: identifierType('MB'), system: cardSystem, value: bpjs },
    ],
    active: true,
    name: [{ use: 'official', text: `${given.join(' ')} ${family}`, family, given }],
    telecom: [{ system: 'phone', value: `+62 899 0000 ${pad(number, 4)}`, use: 'mobile' }],
    gender: female ? 'female' : 'male',
    birthDate,
    address: [
      {
        use: 'home',
        line: [`${random.pick(streets)} No. ${random.between(1, 120)}`],
        city: place.city,
        state: place.province,
        postalCode: place.postalCode,
        country: 'ID',
      },
    ],
    managingOrganization: { reference: 'Organization/rs-contoh', display: 'RS Contoh Sehat' },
  }
  return random.next() < 0.85 ? { patient, coverage: coverageOf(id, bpjs, random) } : { patient }
}

const coverageOf = (patientId: string, card: string, random: Random): Coverage => ({
  resourceType: 'Coverage',
  id: `bpjs-${patientId}`,
  identifier: [{ type: identifierType('MB'), system: cardSystem, value: card }],
  status: 'active',
  type: { text: 'Jaminan Kesehatan Nasional' },
  subscriberId: card,
  beneficiary: { reference: `Patient/${patientId}` },
  payor: [{ reference: 'Organization/bpjs-kesehatan', display: 'BPJS Kesehatan' }],
  class: [
    {
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/coverage-class', code: 'class' }] },
      value: String(random.between(1, 3)),
      name: 'Kelas rawat',
    },
  ],
})
