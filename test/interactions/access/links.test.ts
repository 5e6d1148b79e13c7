/** rest-api.md 17: a page link is for whom it was given to, as long as the decision about them holds; to others it is a link that is too old. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { testEngines } from '../../support/engines.ts'
import { principalWith } from '../../support/principals.ts'
import { askers, type Hospital, openHospital } from './hospital.ts'

for (const engine of testEngines)
  describe(engine.name, () => {
    let hospital: Hospital
    beforeAll(async () => {
      hospital = await openHospital(engine)
    })
    afterAll(async () => hospital[Symbol.asyncDispose]())

    const doctor = askers['a doctor'] as Principal
    const next = async (who: Principal | undefined, url: string): Promise<string> => {
      const { body } = await hospital.ask(who, 'GET', url)
      const link: string = body.link.find(({ relation }: { relation: string }) => relation === 'next').url
      return link.slice(link.indexOf('/fhir') + 5).replace(/^\//, '')
    }

    const others: readonly (readonly [what: string, who: Principal | undefined, status: number])[] = [
      ['the same user again', { ...doctor }, 200],
      ['the same user with another token', { ...doctor, tokenRef: 'token-2' }, 200],
      ['another account with the same roles', { ...doctor, accountId: 'account-2' }, 410],
      ['the same account in an application', principalWith({ roles: ['doctor'], scope: 'user/*.rs' }), 410],
      ['the same account with fewer roles', principalWith({ roles: ['nurse'] }), 410],
      ['the same account after breaking a glass', { ...doctor, emergencies: ['siti'] }, 410],
      ['nobody in particular, where sign-in is off', undefined, 410],
    ]
    for (const path of ['Observation?_count=1', 'Observation/_history?_count=1', '?_type=Observation,Patient&_count=1'])
      for (const [what, who, status] of others)
        test(`${path}, followed by ${what}: ${status}`, async () => {
          const heard = await hospital.ask(who, 'GET', await next(doctor, path))
          expect(heard).toMatchObject(status === 200 ? { status } : { status, kind: 'expired-cursor' })
        })

    test('a link from when sign-in was off is no one’s', async () => {
      expect((await hospital.ask(doctor, 'GET', await next(undefined, 'Observation?_count=1'))).status).toBe(410)
    })

    test('what was closed since the first page is not on the next', async () => {
      const link = await next(doctor, 'Observation?_sort=_id&_count=3&patient=budi')
      const { meta: _, ...open } = (await hospital.ask(undefined, 'GET', 'Observation/budi-vital')).body
      const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }]
      const first = await hospital.ask(doctor, 'GET', 'Observation?_sort=_id&_count=3&patient=budi')
      expect(first.body.entry.filter(({ search }: { search: { mode: string } }) => search.mode === 'match')).toHaveLength(3)
      await hospital.ask(undefined, 'PUT', 'Observation/budi-vital', { body: { ...open, meta: { security } } })
      const rest = await hospital.ask(doctor, 'GET', link).catch(() => undefined)
      expect(JSON.stringify(rest?.body ?? {})).not.toContain('budi-vital')
    })
  })
