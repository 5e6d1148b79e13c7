import { type Figures, runGets } from '../load.ts'
import type { Measured } from '../processes.ts'
import { doctorsToken, importInto } from '../sign-in.ts'
import { patientOf2KB, put } from './read.ts'

const connections = 32
/** Of a second each, taken in turn: what else the machine does meets both alike. */
const roundSeconds = 1

const facility = {
  resourceType: 'Organization',
  id: 'bench',
  active: true,
  type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code: 'prov' }] }],
  name: 'Bench',
}
const doctor = { resourceType: 'Practitioner', id: 'demo-doctor', active: true, name: [{ text: 'Demo' }] }

/** The same read by id: of a server that is open, and by a doctor with a token, of a patient known to the facility. */
export const signedInCell = async (
  open: Measured,
  closed: Measured,
  seconds: number,
): Promise<{ readonly open: Figures; readonly doctor: Figures }> => {
  const patient = { ...patientOf2KB, managingOrganization: { reference: 'Organization/bench' } }
  await put(open, 'Patient/bench', patient)
  await importInto(closed, [facility, doctor, patient])
  const token = await doctorsToken(closed, 'openid fhirUser user/Patient.rs')
  const read = (server: Measured, headers: readonly string[]): Promise<Figures> =>
    runGets(server, ['/fhir/Patient/bench'], { connections, seconds: roundSeconds, headers })
  const authorization = [`Authorization: Bearer ${token}`]
  const rounds = Math.max(3, Math.round(seconds))
  // Both warm up as long as they are measured: what Node compiles is no part of a read.
  for (let round = 0; round < rounds; round++) {
    await read(open, [])
    await read(closed, authorization)
  }
  const figures = { open: [] as Figures[], doctor: [] as Figures[] }
  for (let round = 0; round < rounds; round++) {
    figures.open.push(await read(open, []))
    figures.doctor.push(await read(closed, authorization))
  }
  return { open: middle(figures.open), doctor: middle(figures.doctor) }
}

/** The round whose throughput is the median. */
const middle = (figures: readonly Figures[]): Figures =>
  figures.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(figures.length / 2)] as Figures
