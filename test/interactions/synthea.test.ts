import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { deadlineIn } from '../../src/base/deadline.ts'
import { eachReferencePlace } from '../../src/fhir/model/reference-places.ts'
import type { Resource } from '../../src/fhir/model/resource.ts'
import { testDefinitions } from '../support/definitions.ts'
import { testEngines } from '../support/engines.ts'
import { testParts } from '../support/parts.ts'
import { testData } from '../support/test-data.ts'
import { say } from './speak.ts'

// 100 whole patient records as transactions: everything is in, and what pointed inside its Bundle points to what was made of it.

type SyntheaBundle = { readonly entry: readonly { readonly fullUrl: string; readonly resource: Resource }[] }

const folder = testData('synthea')

const referencesOf = (resource: Resource): string[] => {
  const found: string[] = []
  eachReferencePlace(resource, testDefinitions(), (place, text) => place === 'reference' && found.push(text))
  return found
}

const whenThere = folder === undefined ? describe.skip : describe
for (const engine of testEngines)
  whenThere(`100 bundles of Synthea (${engine.name})`, () => {
    test('are all in, and every reference inside a Bundle resolves', async () => {
      await using parts = await testParts({ engine })
      const lines = gunzipSync(readFileSync(join(folder as string, 'bundles-100.ndjson.gz')))
        .toString('utf8')
        .trim()
        .split('\n')
      const expected: Record<string, number> = {}
      let checked = 0
      for (const line of lines) {
        const { entry } = JSON.parse(line) as SyntheaBundle
        const heard = await say(parts, 'POST', '', { body: line, context: { deadline: deadlineIn(60_000) } })
        expect(heard).toMatchObject({ status: 200, issues: [] })
        const addresses: string[] = heard.body.entry.map(
          (one: { response: { location: string } }) => one.response.location.split('/_history/')[0],
        )
        const addressOf = new Map(entry.map(({ fullUrl }, at) => [fullUrl, addresses[at] as string]))
        const stored = await parts.store.newestMany(
          addresses.map(address => {
            const [type = '', id = ''] = address.split('/')
            return { type, id }
          }),
        )
        const before = entry.map(({ resource }) => referencesOf(resource))
        // One comparison for each Bundle: 30,000 cost more than the Bundles.
        expect(stored.map(one => referencesOf(JSON.parse(Buffer.from(one?.text ?? []).toString()) as Resource))).toEqual(
          before.map(references => references.map(reference => addressOf.get(reference) ?? reference)),
        )
        checked += before.flat().filter(reference => addressOf.has(reference)).length
        for (const { resource } of entry) expected[resource.resourceType] = (expected[resource.resourceType] ?? 0) + 1
      }
      expect(await parts.store.counts()).toEqual(expected)
      expect(Object.values(expected).reduce((sum, count) => sum + count, 0)).toBe(29_156)
      expect(checked).toBe(99_654)
    }, 180_000)
  })
