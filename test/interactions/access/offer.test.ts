/** auth.md 12.5 (6): who may break the glass is told that something of the patient is closed to him, and nobody is told more. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Consents } from '../../../src/auth/consent/consents.ts'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { testEngines } from '../../support/engines.ts'
import { askers, type Hospital, noConsents, openHospital } from './hospital.ts'

for (const engine of testEngines)
  describe(engine.name, () => {
    let hospital: Hospital
    /** One who asked that nobody looks. */
    const consents: Consents = { ...noConsents, closesAnything: async (_, patient) => patient === 'closed-by-consent' }
    beforeAll(async () => {
      const patient = (id: string) => ({ resourceType: 'Patient', id, managingOrganization: { reference: 'Organization/rs' } })
      hospital = await openHospital(engine, consents, [patient('open'), patient('closed-by-consent')])
    })
    afterAll(async () => hospital[Symbol.asyncDispose]())

    const rows: readonly (readonly [who: string, url: string, offered: boolean])[] = [
      ['a doctor', 'Observation?patient=siti', true],
      ['a doctor', 'Condition?patient=siti&code=never', true],
      ['a doctor', 'Patient?_id=siti', true],
      ['a doctor', 'Patient/siti/Condition', true],
      ['a doctor', 'Observation?patient=budi', true],
      ['a doctor', 'Observation?patient=open', false],
      ['a doctor', 'Observation?patient=closed-by-consent', true],
      ['a doctor', 'Observation?patient=agus', false],
      ['a doctor', 'Observation?patient=nobody', false],
      ['a doctor', 'Observation?code=8867-4', false],
      ["a doctor who broke the glass for Siti's record", 'Observation?patient=siti', false],
      ['a doctor in an app for everything', 'Observation?patient=siti', true],
      ['a nurse', 'Observation?patient=siti', true],
      ['a receptionist', 'Encounter?patient=siti', false],
      ['billing', 'Encounter?patient=siti', false],
      ['Budi', 'Observation?patient=budi', false],
    ]
    for (const [who, url, offered] of rows)
      test(`${who}, ${url}: ${offered ? 'is offered' : 'is not offered'} emergency access`, async () => {
        const heard = await hospital.ask(askers[who] as Principal, 'GET', url)
        expect(heard.status).toBe(200)
        const outcomes = (heard.body.entry ?? []).filter(({ search }: { search: { mode: string } }) => search.mode === 'outcome')
        const issue = { severity: 'information', code: 'suppressed', details: { coding: [{ code: 'BTG' }, {}] } }
        if (offered) expect(outcomes).toMatchObject([{ resource: { issue: [issue] } }])
        else expect(outcomes).toEqual([])
        expect(heard.body.total).toBe((heard.body.entry ?? []).length - outcomes.length)
      })
  })
