/** The examples of R4 go in by PUT and come back whole, numbers digit for digit: at read, vread, history and search. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { testData } from '../support/test-data.ts'
import { say } from './speak.ts'

const folder = testData('r4-examples')
const files = folder === undefined ? [] : readdirSync(join(folder, 'json')).toSorted()

// biome-ignore lint/suspicious/noExplicitAny: resources of all types
type Json = any
type ReadWithSource = (text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown) => Json

/** JSON whose numbers are the digits they are written with: read without any code of ours. */
const digits = (bytes: Uint8Array): Json =>
  (JSON.parse as ReadWithSource)(Buffer.from(bytes).toString(), (_, value, { source }) =>
    typeof value === 'number' ? { digits: source } : value,
  )

/** Without what the server writes into meta. */
const content = (resource: Json): Json => {
  const { versionId: _v, lastUpdated: _l, source, ...rest } = resource.meta ?? {}
  const meta = { ...rest, ...(source === undefined || source.startsWith('#') ? {} : { source }) }
  const { meta: _m, ...others } = resource
  return Object.keys(meta).length === 0 ? others : { ...others, meta }
}

for (const engine of testEngines)
  describe(engine.name, () => {
    let parts: TestParts
    beforeAll(async () => {
      parts = await testParts({ engine })
    })
    afterAll(() => parts[Symbol.asyncDispose]())

    const asked = async (url: string): Promise<Json> => {
      const { status, answer } = await say(parts, 'GET', url)
      expect(status).toBe(200)
      return digits(answer?.body?.kind === 'json' ? Buffer.concat(answer.body.chunks) : new Uint8Array())
    }

    describe('the examples of R4', () => {
      for (const file of files)
        test(`${file} comes back as it was sent`, async () => {
          const bytes = readFileSync(join(folder as string, 'json', file))
          const sent = digits(bytes)
          const { resourceType: type, id } = sent
          const put = await say(parts, 'PUT', `${type}/${id}`, { body: { kind: 'resource', bytes } })
          expect(put).toMatchObject({ status: 201 })

          const whole = content(sent)
          expect(content(await asked(`${type}/${id}`))).toEqual(whole)
          expect(content(await asked(`${type}/${id}/_history/1`))).toEqual(whole)
          expect((await asked(`${type}/${id}/_history`)).entry.map((one: Json) => content(one.resource))).toEqual([whole])

          // A Binary's data have no place in a searchset.
          if (type === 'Binary') return
          expect((await asked(`${type}?_id=${id}`)).entry?.map((one: Json) => content(one.resource))).toEqual([whole])
        })

      test('are there', () => expect(files.length).toBe(folder === undefined ? 0 : 365))
    })
  })
