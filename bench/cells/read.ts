import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Figures, runGets } from '../load.ts'
import { type Measured, startFloor } from '../processes.ts'

const connections = 32

/** A Patient of about 2 KB, read by id; the floor answers the very same bytes. */
export const readCell = async (server: Measured, seconds: number): Promise<{ readonly floor: Figures; readonly read: Figures }> => {
  await put(server, 'Patient/bench', patientOf2KB)
  const bytes = Buffer.from(await (await fetch(`${server.base}/fhir/Patient/bench`)).arrayBuffer())
  const file = join(tmpdir(), `simpul-floor-${process.pid}.json`)
  writeFileSync(file, bytes)
  const floorServer = await startFloor(file)
  await runGets(floorServer, ['/fhir/Patient/bench'], { connections, seconds: 1 })
  await runGets(server, ['/fhir/Patient/bench'], { connections, seconds: 1 })
  const floor = await runGets(floorServer, ['/fhir/Patient/bench'], { connections, seconds })
  const read = await runGets(server, ['/fhir/Patient/bench'], { connections, seconds })
  await floorServer.stop()
  return { floor, read }
}

export const put = async (server: Measured, path: string, resource: object): Promise<void> => {
  const answer = await fetch(`${server.base}/fhir/${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(resource),
  })
  if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`)
}

export const patientOf2KB = {
  resourceType: 'Patient',
  id: 'bench',
  identifier: [
    { use: 'official', system: 'https://fhir.kemkes.go.id/id/nik', value: '9999014101900001' },
    { system: 'https://simpul.example/fhir/sid/bpjs/noka', value: '0009990000001' },
  ],
  active: true,
  name: [{ use: 'official', text: 'Siti Rahmawati', family: 'Rahmawati', given: ['Siti'] }],
  telecom: [{ system: 'phone', value: '+62 899 0000 0001', use: 'mobile' }],
  gender: 'female',
  birthDate: '1990-01-01',
  address: Array.from({ length: 6 }, (_, i) => ({
    use: 'old',
    line: [`Jalan Melati No. ${i + 1}`, 'RT 01 RW 02'],
    city: 'Jakarta Selatan',
    district: 'Kebayoran Baru',
    state: 'DKI Jakarta',
    postalCode: '12110',
    country: 'ID',
  })),
  contact: Array.from({ length: 3 }, (_, i) => ({
    relationship: [{ text: 'Keluarga' }],
    name: { text: `Kontak ${i + 1}` },
    telecom: [{ system: 'phone', value: `+62 899 0000 100${i}` }],
  })),
}
