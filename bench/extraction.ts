import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createExtractor } from '../src/fhir/fhirpath/extraction.ts'
import type { Resource } from '../src/fhir/model/resource.ts'
import { narrowedText, oracle } from '../test/fhir/fhirpath/fhirpath-js.ts'
import { testDefinitions } from '../test/support/definitions.ts'
import { testData } from '../test/support/test-data.ts'

/**
 * CPU time of extracting every base search parameter from Synthea resources, beside fhirpath.js on the same expressions, narrowed to the
 * type and as published. Composites count with their components on our side alone. Run: `npx node bench/extraction.ts`, some seconds.
 */
const rounds = 5
const oracleSample = 100

const definitions = testDefinitions()
const extractor = createExtractor(definitions)

const synthea = (): Resource[] => {
  const folder = testData('synthea')
  if (folder === undefined) return []
  const lines = gunzipSync(readFileSync(join(folder, 'bundles-100.ndjson.gz')))
    .toString()
    .split('\n')
    .filter(Boolean)
  return lines.flatMap(line => (JSON.parse(line) as { entry: { resource: Resource }[] }).entry.map(entry => entry.resource))
}

const extractAll = (resource: Resource): void => {
  for (const { extract, components } of extractor(resource.resourceType)) {
    const items = extract(resource)
    if (components) for (const item of items) for (const component of components) component.extract(item, resource)
  }
}

/** Median CPU microseconds per resource, after one round to warm up. */
const microseconds = (resources: readonly Resource[], work: (resource: Resource) => void): number => {
  const times = Array.from({ length: rounds + 1 }, () => {
    const start = process.cpuUsage()
    for (const resource of resources) work(resource)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / resources.length
  })
  return times.slice(1).toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN
}

const peer = (type: string, narrowed: boolean) => {
  const expressions = [...definitions.searchParameters(type).values()].flatMap(({ expression }) => expression ?? [])
  const run = oracle(expressions.flatMap(expression => (narrowed ? narrowedText(type, expression, definitions) : [expression])))
  return (resource: Resource): void => void run(resource)
}

const resources = synthea()
const byType = Map.groupBy(resources, resource => resource.resourceType)
process.stdout.write(`all ${resources.length} resources: ${microseconds(resources, extractAll).toFixed(2)} µs each\n`)
for (const type of ['Patient', 'Observation', 'Encounter']) {
  const some = byType.get(type) ?? []
  const own = microseconds(some, extractAll)
  const [narrowed, published] = [true, false].map(how => microseconds(some.slice(0, oracleSample), peer(type, how)) / own)
  process.stdout.write(
    `${type}: ${own.toFixed(2)} µs; fhirpath.js narrowed ${narrowed?.toFixed(0)} times, published ${published?.toFixed(0)} times\n`,
  )
}
