/** auth.md 7.7: state that an app keeps in a Basic, told apart by the systems of codes that its client registered. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { testEngines } from '../../support/engines.ts'
import { principalWith } from '../../support/principals.ts'
import { type Hospital, openHospital } from './hospital.ts'

const app = (clientId: string, ...appStateSystems: string[]) => ({
  ...principalWith({ roles: ['doctor'], scope: 'user/Basic.cruds' }),
  clientId,
  appStateSystems,
})
const basic = (system: string, more: object = {}) => ({
  resourceType: 'Basic',
  code: { coding: [{ system, code: 'settings' }] },
  subject: { reference: 'Practitioner/me' },
  ...more,
})

for (const engine of testEngines)
  describe(engine.name, () => {
    let hospital: Hospital
    beforeAll(async () => {
      hospital = await openHospital(engine)
    })
    afterAll(async () => hospital[Symbol.asyncDispose]())

    const own = app('app-1', 'https://one.example/state')
    const other = app('app-2', 'https://two.example/state')

    test('an app keeps, finds and changes its own, and no other app sees it', async () => {
      const made = await hospital.ask(own, 'POST', 'Basic', { body: basic('https://one.example/state') })
      expect(made.status).toBe(201)
      const { id } = made.body
      const url = 'Basic?code=https://one.example/state|settings&subject=Practitioner/me'
      expect((await hospital.ask(own, 'GET', url)).body.entry).toHaveLength(1)
      expect((await hospital.ask(other, 'GET', url)).body.entry).toBeUndefined()
      expect((await hospital.ask(other, 'GET', `Basic/${id}`)).status).toBe(404)
      const body = basic('https://one.example/state', { id, created: '2026-11-21' })
      expect(await hospital.ask(own, 'PUT', `Basic/${id}`, { body })).toMatchObject({ status: 412, kind: 'if-match-required' })
      expect((await hospital.ask(own, 'PUT', `Basic/${id}`, { body, conditions: { ifMatch: 'W/"1"' } })).status).toBe(200)
      expect((await hospital.ask(other, 'PUT', `Basic/${id}`, { body, conditions: { ifMatch: 'W/"2"' } })).status).toBe(404)
    })

    const refused: readonly (readonly [what: string, body: object, status: number])[] = [
      ['a system of another app', basic('https://two.example/state'), 403],
      [
        'two codings',
        basic('', {
          code: {
            coding: [
              { system: 'https://one.example/state', code: 'a' },
              { system: 'https://one.example/state', code: 'b' },
            ],
          },
        }),
        403,
      ],
      ['nobody', basic('https://one.example/state', { subject: undefined }), 403],
      ['a thing', basic('https://one.example/state', { subject: { reference: 'Location/1' } }), 403],
      [
        'somebody elsewhere',
        basic('https://one.example/state', { subject: { reference: 'https://elsewhere.example/fhir/Patient/1' } }),
        403,
      ],
      ['too much', basic('https://one.example/state', { text: { status: 'generated', div: `<div>${'x'.repeat(256 * 1024)}</div>` } }), 413],
    ]
    for (const [what, body, status] of refused)
      test(`is not kept: ${what}`, async () => expect((await hospital.ask(own, 'POST', 'Basic', { body })).status).toBe(status))
  })
