import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Resource } from '../../src/fhir/model/resource.ts'
import { writeLastUpdated } from '../../src/fhir/model/stored-form.ts'
import { newVersion } from '../../src/interactions/write.ts'
import type { LoadedVersion, Store } from '../../src/storage/port.ts'
import { firstSeqOf, msOfSeq } from '../../src/storage/sequence.ts'
import type { TestParts } from './parts.ts'
import type { Known } from './store-searches.ts'

/** Beside Synthea's types those that have the kinds of parameters Synthea lacks: numbers, uris, canonicals, composites of all sorts. */
const exampleTypes =
  /^(?:RiskAssessment|ValueSet|CodeSystem|StructureDefinition|MolecularSequence|Questionnaire|QuestionnaireResponse|Group|List|Appointment|Location|Observation|Patient)-/

/**
 * Versions of real resources, as a store loads them: `bundles` whole records of Synthea, their links resolved to the ids that their full URLs
 * hold, and examples of R4. Three come each minute, so that instants tell them apart and sometimes do not. Later every seventh is changed and
 * every twenty-ninth deleted.
 */
export const realVersions = (
  synthea: string,
  examples: string | undefined,
  bundles: number,
  parts: TestParts,
): readonly LoadedVersion[] => {
  const all = [...(examples === undefined ? [] : exampleResources(examples)), ...syntheaResources(synthea, bundles)]
  // Practitioners and organisations come in many records.
  const resources = [...new Map(all.map(resource => [`${resource.resourceType}/${resource.id}`, resource])).values()]
  const start = firstSeqOf(Date.UTC(2026, 0, 5, 1))
  const perMinute = firstSeqOf(60_000) - firstSeqOf(0)
  const seqAt = (at: number): number => start + Math.floor(at / 3) * perMinute + (at % 3)
  const first = resources.map((resource, at) => versionOf(resource, 1, seqAt(at), parts))
  const changed = resources
    .filter((_, at) => at % 7 === 3)
    .map((resource, at) => versionOf(marked(resource), 2, seqAt(resources.length + at), parts))
  const gone = first
    .filter((_, at) => at % 29 === 5 && at % 7 !== 3)
    .map((version, at) => deletionOf(version, seqAt(resources.length + changed.length + at)))
  return [...first, ...changed, ...gone]
}

const marked = (resource: Resource): Resource => {
  const { tag = [], ...meta } = resource.meta ?? {}
  return { ...resource, meta: { ...meta, tag: [{ system: 'urn:changed', code: 'yes' }, ...tag] } }
}

const deletionOf = ({ values: _, ...version }: LoadedVersion, seq: number): LoadedVersion => ({
  ...version,
  versionId: 2,
  method: 'DELETE',
  text: new Uint8Array(0),
  seq,
})

/** Into an empty store, block after block. */
export const loadAll = async (store: Store, versions: readonly LoadedVersion[]): Promise<void> => {
  for (let at = 0; at < versions.length; at += 1000) {
    const block = versions.slice(at, at + 1000).map(version => ({ ...version, text: version.text.slice() }))
    const loaded = await store.load(block)
    if (!loaded.ok || !loaded.value.held) throw new Error(`The store does not load the versions from ${at} on: ${JSON.stringify(loaded)}`)
  }
}

export const knownOf = ({ type, id, seq, values }: LoadedVersion): readonly Known[] =>
  values === undefined ? [] : [{ type, id, lastUpdated: msOfSeq(seq), values }]

const syntheaResources = (folder: string, bundles: number): readonly Resource[] => {
  const lines = gunzipSync(readFileSync(join(folder, 'bundles-100.ndjson.gz')))
    .toString('utf8')
    .trim()
    .split('\n')
  // Evenly over the order by size.
  const step = Math.max(1, Math.floor(lines.length / bundles))
  return lines
    .filter((_, at) => at % step === 0)
    .slice(0, bundles)
    .flatMap(resourcesOf)
}

type Bundle = { readonly entry: readonly { readonly fullUrl: string; readonly resource: Resource }[] }
const urn = 'urn:uuid:'

const resourcesOf = (line: string): readonly Resource[] => {
  const { entry } = JSON.parse(line) as Bundle
  const addresses = new Map(entry.map(({ fullUrl, resource }) => [fullUrl, `${resource.resourceType}/${fullUrl.slice(urn.length)}`]))
  const resolved = JSON.parse(line.replace(/urn:uuid:[0-9a-f-]{36}/g, found => addresses.get(found) ?? found)) as Bundle
  return resolved.entry.map(({ fullUrl, resource }) => ({ ...resource, id: fullUrl.slice(fullUrl.indexOf('/') + 1) }))
}

const exampleResources = (folder: string): readonly Resource[] =>
  readdirSync(join(folder, 'json'))
    .filter(name => exampleTypes.test(name))
    .toSorted()
    .map(name => JSON.parse(readFileSync(join(folder, 'json', name), 'utf8')) as Resource)

const versionOf = (resource: Resource, versionId: number, seq: number, parts: TestParts): LoadedVersion => {
  const as = { type: resource.resourceType, id: resource.id ?? '', versionId, method: 'PUT' as const }
  const made = newVersion(resource, as, {}, parts)
  if (!made.ok) throw new Error(made.failure.kind)
  const { lastUpdatedOffset, ...version } = made.value.version
  writeLastUpdated(version.text, lastUpdatedOffset, msOfSeq(seq))
  return { ...version, seq }
}
