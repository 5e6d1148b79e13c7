import { type Figures, runGets } from '../load.ts'
import type { Measured } from '../processes.ts'

type Found = { readonly entry?: readonly { readonly resource: Record<string, never> }[] }

/** The questions a hospital asks all day, with values that are really in the store. */
export const searchMix = async (server: Measured): Promise<readonly { readonly name: string; readonly paths: readonly string[] }[]> => {
  const ask = async (path: string): Promise<Record<string, never>[]> => {
    const bundle = (await (await fetch(`${server.base}/fhir/${path}`)).json()) as Found
    return (bundle.entry ?? []).map(entry => entry.resource)
  }
  const patients = (await ask('Patient?_count=40')) as unknown as {
    id: string
    birthDate: string
    name: { family: string }[]
    identifier: { system: string; value: string }[]
  }[]
  const each = (path: (patient: (typeof patients)[number]) => string): string[] => patients.map(patient => `/fhir/${path(patient)}`)
  return [
    { name: 'name', paths: each(patient => `Patient?name=${encodeURIComponent((patient.name[0]?.family ?? 'a').slice(0, 4))}`) },
    { name: 'birthdate', paths: each(patient => `Patient?birthdate=${patient.birthDate}`) },
    {
      name: 'identifier',
      paths: each(({ identifier }) => `Patient?identifier=${encodeURIComponent(`${identifier[0]?.system ?? ''}|${identifier[0]?.value}`)}`),
    },
    {
      name: 'code+date',
      paths: ['2010', '2012', '2014', '2016', '2018'].map(year => `/fhir/Observation?code=http%3A%2F%2Floinc.org%7C8302-2&date=ge${year}`),
    },
    { name: 'patient', paths: each(({ id }) => `Observation?patient=Patient/${id}&_count=50`) },
    {
      name: '_include',
      paths: each(({ id }) => `Encounter?patient=Patient/${id}&_include=Encounter:patient&_include=Encounter:service-provider`),
    },
    {
      name: '_sort',
      paths: [
        '/fhir/Observation?_sort=-date',
        '/fhir/Observation?_sort=date',
        '/fhir/Patient?_sort=family',
        '/fhir/Condition?_sort=-onset-date',
      ],
    },
    { name: 'chain', paths: each(patient => `Condition?subject:Patient.family=${encodeURIComponent(patient.name[0]?.family ?? 'a')}`) },
    { name: '_has', paths: ['/fhir/Patient?_has:Condition:patient:code=44054006', '/fhir/Patient?_has:Condition:patient:code=59621000'] },
  ]
}

/** Every kind of question in turn, at 8 connections. */
export const searchCell = async (
  server: Measured,
  seconds: number,
): Promise<{ readonly mix: Figures; readonly kinds: Readonly<Record<string, Figures>> }> => {
  const mix = await searchMix(server)
  const longest = Math.max(...mix.map(({ paths }) => paths.length))
  const turns = Array.from({ length: longest }, (_, i) => mix.map(({ paths }) => paths[i % paths.length] as string)).flat()
  const options = { connections: 8 }
  await runGets(server, turns, { ...options, seconds: 1 })
  const all = await runGets(server, turns, { ...options, seconds })
  const kinds: Record<string, Figures> = {}
  for (const { name, paths } of mix)
    kinds[name] = await runGets(server, paths, { ...options, seconds: Math.max(1, Math.round(seconds / 5)) })
  return { mix: all, kinds }
}
