import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { testEngines } from '../support/engines.ts'
import { startHttp, type TestServer } from '../support/http-server.ts'
import { type TestParts, testParts } from '../support/parts.ts'

/** Sentences in the language of the client, rules included: rest-api.md 6. */

for (const engine of testEngines)
  describe(engine.name, () => {
    let parts: TestParts
    let server: TestServer

    beforeAll(async () => {
      parts = await testParts({ engine })
      server = await startHttp({ perform: parts.perform })
    })
    afterAll(async () => {
      await server[Symbol.asyncDispose]()
      await parts[Symbol.asyncDispose]()
    })

    const json = 'application/fhir+json'
    // biome-ignore format: a table
    const rows: readonly (readonly [method: string, path: string, body: string | undefined, kind: string, en: string, id: string])[] = [
  ['GET', 'Patient?birthdate=soon', undefined, 'bad-parameter',
    'The value of the parameter birthdate is malformed: a date is YYYY, YYYY-MM, YYYY-MM-DD or with a time, after one of the prefixes eq ne gt lt ge le sa eb ap.',
    'Nilai parameter birthdate salah bentuk: tanggal ditulis YYYY, YYYY-MM, YYYY-MM-DD, atau dengan waktu, setelah salah satu awalan eq ne gt lt ge le sa eb ap.'],
  ['GET', 'Patient?_summary=some', undefined, 'bad-parameter',
    'The value of the parameter _summary is malformed: it takes one of true, text, data, count, false.',
    'Nilai parameter _summary salah bentuk: nilainya salah satu dari true, text, data, count, false.'],
  ['POST', 'Patient', '{"resourceType":"Patient",}', 'json-syntax',
    'The body is not JSON: a member name in double quotes is expected (line 1, column 27).',
    'Isi permintaan bukan JSON: di sini seharusnya ada nama anggota dalam tanda petik ganda (baris 1, kolom 27).'],
]

    for (const [method, path, body, kind, en, id] of rows) {
      for (const [language, text] of [
        ['en', en],
        ['id', id],
      ] as const) {
        test(`${method} ${path} fails ${kind} in ${language}`, async () => {
          const headers = { accept: json, 'accept-language': language, ...(body === undefined ? {} : { 'content-type': json }) }
          const answer = await server.send({ method, path: `/fhir/${path}`, headers, ...(body === undefined ? {} : { body }) })
          expect(answer.status).toBe(400)
          expect(answer.headers['content-language']).toBe(language)
          const [issue] = JSON.parse(answer.text).issue
          expect(issue).toMatchObject({ details: { coding: [{ code: kind }], text }, diagnostics: en })
        })
      }
    }
  })
