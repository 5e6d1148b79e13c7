import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { bundle, entry, type Heard, say } from './speak.ts'

// rest-api.md 23, A3: random transactions with circles, conditionals and all forms of references: all or nothing, and no urn is left.

type Made = {
  readonly how: 'post' | 'put' | 'conditional' | 'absolute'
  readonly refers: readonly { readonly to: number; readonly as: 'plain' | 'version' | 'uri' | 'narrative' | 'conditional' | 'extension' }[]
}

const made: fc.Arbitrary<Made> = fc.record({
  how: fc.constantFrom('post', 'put', 'conditional', 'absolute'),
  refers: fc.array(fc.record({ to: fc.nat(), as: fc.constantFrom('plain', 'version', 'uri', 'narrative', 'conditional', 'extension') }), {
    maxLength: 4,
  }),
})
const fault = fc.constantFrom('none', 'none', 'none', 'unresolved', 'no-match', 'wrong-version', 'overlap')

for (const engine of testEngines)
  describe(engine.name, () => {
    let runs = 0

    /** Entry `at` of the Bundle; every instance has an identifier of its own, by which conditionals find it. */
    const fullUrlOf = (run: number, at: number, how: Made['how']): string =>
      how === 'absolute'
        ? `http://emr.example/${run}/Patient/p${at}`
        : `urn:uuid:${String(run).padStart(8, '0')}-0000-4000-8000-${String(at).padStart(12, '0')}`

    const resourceOf = (run: number, at: number, all: readonly Made[]) => {
      const link: unknown[] = []
      const extension: unknown[] = []
      const links: string[] = []
      for (const { to, as } of all[at]?.refers ?? []) {
        const target = to % all.length
        const how = all[target]?.how ?? 'post'
        const url = fullUrlOf(run, target, how)
        if (as === 'plain') link.push({ other: { reference: url }, type: 'seealso' })
        if (as === 'version') link.push({ other: { reference: `${url}/_history/9` }, type: 'seealso' })
        if (as === 'uri') extension.push({ url: 'http://x', valueUri: url })
        if (as === 'extension') extension.push({ url: 'http://x', valueReference: { reference: url } })
        if (as === 'narrative') links.push(`<a href="${url}">x</a>`)
        // Only unconditional entries are there to be found.
        if (as === 'conditional' && how !== 'conditional')
          link.push({ other: { reference: `Patient?identifier=urn:gen|${run}-${target}` }, type: 'seealso' })
      }
      return {
        resourceType: 'Patient',
        ...(all[at]?.how === 'put' ? { id: `g${run}-${at}` } : {}),
        identifier: [{ system: 'urn:gen', value: `${run}-${at}` }],
        ...(link.length > 0 ? { link } : {}),
        ...(extension.length > 0 ? { extension } : {}),
        ...(links.length > 0
          ? { text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${links.join('')}</div>` } }
          : {}),
      }
    }

    const entryOf = (run: number, at: number, all: readonly Made[]) => {
      const how = all[at]?.how ?? 'post'
      const more = {
        fullUrl: fullUrlOf(run, at, how),
        ...(how === 'conditional' ? { ifNoneExist: `identifier=urn:gen|${run}-${at}` } : {}),
      }
      return how === 'put'
        ? entry('PUT', `Patient/g${run}-${at}`, resourceOf(run, at, all), more)
        : entry('POST', 'Patient', resourceOf(run, at, all), more)
    }

    const faultyEntry = (run: number, kind: string) => {
      const observation = (reference: string) => entry('POST', 'Observation', { resourceType: 'Observation', subject: { reference } })
      if (kind === 'unresolved') return [observation('urn:uuid:ffffffff-0000-4000-8000-000000000000')]
      if (kind === 'no-match') return [observation(`Patient?identifier=urn:gen|${run}-nobody`)]
      if (kind === 'wrong-version')
        return [entry('PUT', `Patient/g${run}-x`, { resourceType: 'Patient', id: `g${run}-x` }, { ifMatch: 'W/"7"' })]
      const twice = () => entry('PUT', `Group/g${run}`, { resourceType: 'Group', id: `g${run}` })
      return kind === 'overlap' ? [twice(), twice()] : []
    }

    const checkWritten = async (parts: TestParts, heard: Heard, run: number): Promise<void> => {
      const addresses = heard.body.entry.map((one: { response: { location: string } }) => one.response.location.split('/_history/')[0])
      for (const address of addresses) {
        const { body } = await say(parts, 'GET', address)
        const text = JSON.stringify(body)
        expect(text).not.toContain(`urn:uuid:${String(run).padStart(8, '0')}`)
        expect(text).not.toContain(`http://emr.example/${run}/`)
        expect(text).not.toContain('Patient?')
        for (const [, reference] of text.matchAll(/(?:"reference":|"valueUri":|href=\\)"([^"\\]+)/g))
          expect((await say(parts, 'GET', reference as string)).status).toBe(200)
      }
    }

    test('a transaction is all or nothing, and all its references resolve', async () => {
      await using parts = await testParts({ engine })
      await fc.assert(
        fc.asyncProperty(fc.array(made, { minLength: 1, maxLength: 8 }), fault, fc.boolean(), async (all, kind, twice) => {
          const run = (runs += 1)
          const entries = [...all.map((_, at) => entryOf(run, at, all)), ...faultyEntry(run, kind)]
          const before = await parts.store.counts()
          const heard = await say(parts, 'POST', '', { body: bundle('transaction', entries) })
          if (kind !== 'none') {
            expect(heard.status).toBeGreaterThanOrEqual(400)
            expect(await parts.store.counts()).toEqual(before)
            return
          }
          expect(heard.status).toBe(200)
          expect((await parts.store.counts()).Patient).toBe((before.Patient ?? 0) + all.length)
          await checkWritten(parts, heard, run)
          // A second time its conditional creates find what is there.
          if (twice && all.every(({ how }) => how === 'conditional')) {
            await say(parts, 'POST', '', { body: bundle('transaction', entries) })
            expect((await parts.store.counts()).Patient).toBe((before.Patient ?? 0) + all.length)
          }
        }),
        { numRuns: 150, interruptAfterTimeLimit: 45_000, markInterruptAsFailure: true },
      )
    }, 60_000)
  })
