/** A.12 52: scopes letter by letter for all interactions, update-as-create, conditional forms and entries of batch and transaction among them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { ownSource } from '../../../src/auth/own-source.ts'
import { testEngines } from '../../support/engines.ts'
import { principalWith } from '../../support/principals.ts'
import { testRoles } from '../../support/roles.ts'
import { bundle, entry, type Sent } from '../speak.ts'
import { type Hospital, openHospital } from './hospital.ts'

const location = (id: string, name = 'ward') => ({ resourceType: 'Location', id, name, identifier: [{ system: 'urn:l', value: id }] })
const encoder = new TextEncoder()
const patch = { kind: 'merge-patch', bytes: encoder.encode('{"status":"suspended"}') }

type Row = readonly [what: string, letter: string, method: string, url: string, sent?: Sent]

/** `n` stands for a number that is another in every question, so that each begins alike. */
const rows = (n: number): readonly Row[] => [
  ['read', 'r', 'GET', 'Location/there'],
  ['vread', 'r', 'GET', 'Location/there/_history/1'],
  ['history of an instance', 'r', 'GET', 'Location/there/_history'],
  ['history of a type', 's', 'GET', 'Location/_history'],
  ['history of the system', 's', 'GET', '_history?_type=Location'],
  ['search of a type', 's', 'GET', 'Location?name=ward'],
  ['search of the system', 's', 'GET', '?_type=Location'],
  ['create', 'c', 'POST', 'Location', { body: location('x') }],
  ['conditional create', 'c', 'POST', 'Location', { body: location(`cc${n}`), conditions: { ifNoneExist: `identifier=urn:l|cc${n}` } }],
  ['update', 'u', 'PUT', 'Location/there', { body: location('there', `ward ${n}`) }],
  ['update that creates', 'u', 'PUT', `Location/new${n}`, { body: location(`new${n}`) }],
  ['conditional update', 'u', 'PUT', 'Location?identifier=urn:l|there', { body: location('there', `ward ${n + 0.5}`) }],
  ['conditional update that creates', 'u', 'PUT', `Location?identifier=urn:l|cu${n}`, { body: { ...location(`cu${n}`), id: undefined } }],
  ['patch', 'u', 'PATCH', 'Location/there', { body: patch }],
  ['conditional patch', 'u', 'PATCH', 'Location?identifier=urn:l|there', { body: patch }],
  ['delete', 'd', 'DELETE', 'Location/gone'],
  ['conditional delete', 'd', 'DELETE', 'Location?identifier=urn:l|gone'],
]

const admin = (scope: string): Principal => principalWith({ roles: ['admin'], scope })

for (const engine of testEngines)
  describe(engine.name, () => {
    let hospital: Hospital
    let n = 0
    beforeAll(async () => {
      hospital = await openHospital(engine)
      await hospital.ask(undefined, 'PUT', 'Location/there', { body: location('there') })
    })
    afterAll(async () => hospital[Symbol.asyncDispose]())

    for (const letter of 'cruds')
      for (const at of rows(0).keys())
        test(`user/Location.${letter}: ${rows(0)[at]?.[0]}`, async () => {
          n += 1
          const [, wanted, method, url, sent] = rows(n)[at] as Row
          const principal = admin(`user/Location.${letter}`)
          const heard = await hospital.ask(principal, method, url, sent)
          if (letter === wanted) expect([200, 201, 204]).toContain(heard.status)
          else {
            expect(heard).toMatchObject({ status: 403, kind: 'insufficient-scope' })
            const type = url.startsWith('_history') || url.startsWith('?') ? '*' : 'Location'
            expect(heard.failure?.challenge).toEqual({ error: 'insufficient_scope', scope: `user/${type}.${wanted}` })
          }
        })

    for (const letter of 'cruds')
      test(`user/Location.${letter}: entries of batch and transaction are each their own`, async () => {
        n += 1
        const entries = [
          ['r', entry('GET', 'Location/there')],
          ['s', entry('GET', 'Location?name=ward')],
          ['c', entry('POST', 'Location', { ...location('e'), id: undefined })],
          ['u', entry('PUT', `Location/e${n}`, location(`e${n}`))],
          ['d', entry('DELETE', 'Location/nowhere')],
        ] as const
        const principal = admin(`user/Location.${letter}`)
        const heard = await hospital.ask(principal, 'POST', '', {
          body: bundle(
            'batch',
            entries.map(([, one]) => one),
          ),
        })
        const denied = heard.body.entry.map(({ response }: { response: { status: string } }) => response.status.startsWith('403'))
        expect(denied).toEqual(entries.map(([wanted]) => wanted !== letter))
        for (const [wanted, one] of entries) {
          const whole = await hospital.ask(principal, 'POST', '', { body: bundle('transaction', [one]) })
          expect([wanted, whole.status]).toEqual([wanted, wanted === letter ? 200 : 403])
        }
      })

    test('what was written without the right to read is not shown', async () => {
      const heard = await hospital.ask(admin('user/Location.c'), 'POST', 'Location', { body: location('x') })
      expect(heard).toMatchObject({ status: 201, answer: { location: expect.any(String) } })
      expect(heard.body).toBeUndefined()
    })

    test('a conditional create that finds something shows none of it to who may not read', async () => {
      const sent = { body: location('there'), conditions: { ifNoneExist: 'identifier=urn:l|there' } }
      const heard = await hospital.ask(admin('user/Location.c'), 'POST', 'Location', sent)
      expect(heard.status).toBe(200)
      expect(heard.body).toBeUndefined()
    })

    test('the capabilities are open to all, and nothing else to nobody in particular', async () => {
      const { parts } = hospital
      expect(parts.decide({ kind: 'anonymous' }, 'capabilities', undefined).allow).toBe(true)
    })

    test('own sources write every type and show nothing to anybody', async () => {
      const source = ownSource(testRoles(), 'import')
      const body = bundle('transaction', [
        entry('PUT', 'Patient/own', { resourceType: 'Patient', id: 'own' }),
        entry('POST', 'Observation', { resourceType: 'Observation', status: 'final', code: {}, subject: { reference: 'Patient/own' } }),
      ])
      expect(await hospital.ask(source, 'POST', '', { body })).toMatchObject({ status: 200 })
      expect(await hospital.ask(source, 'POST', 'AuditEvent', { body: { resourceType: 'AuditEvent' } })).toMatchObject({ status: 403 })
      expect(await hospital.ask(source, 'DELETE', 'Patient/own')).toMatchObject({ status: 403 })
    })

    test('an app for one patient learns the smallest scope at its own level', async () => {
      const app = principalWith({ roles: ['doctor'], scope: 'patient/Observation.r', launch: { patient: 'budi' } })
      expect((await hospital.ask(app, 'GET', 'Condition?patient=budi')).failure?.challenge).toEqual({
        error: 'insufficient_scope',
        scope: 'patient/Condition.s',
      })
    })

    test('the scope fhirUser opens one read of oneself, and no more', async () => {
      const app = principalWith({ roles: ['doctor'], scope: 'openid fhirUser' })
      expect(await hospital.ask(app, 'GET', 'Practitioner/me')).toMatchObject({ status: 200 })
      expect(await hospital.ask(app, 'GET', 'Practitioner/other')).toMatchObject({ status: 404 })
      expect(await hospital.ask(app, 'GET', 'Practitioner?_id=me')).toMatchObject({ status: 403 })
    })

    test('a record that cannot be parsed as one the policy knows is denied: an unknown role, a corrupt scope', async () => {
      const nobody: Principal = { ...principalWith({ roles: [] }), roles: [{ role: 'surgeon-general', organizations: ['rs'] }] }
      expect(await hospital.ask(nobody, 'GET', 'Patient/budi')).toMatchObject({ status: 403 })
      const { scopes: _, ...unscoped } = principalWith({ roles: ['doctor'], scope: 'user/*.rs' })
      expect(await hospital.ask(unscoped, 'GET', 'Patient/budi')).toMatchObject({ status: 403 })
    })
  })
