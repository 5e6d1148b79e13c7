import { describe, expect, test } from '@jest/globals'
import { breakGlass } from '../../../src/auth/emergencies/break-glass.ts'
import { testEngines } from '../../support/engines.ts'
import { principalWith } from '../../support/principals.ts'
import { closingAccounts, origin, valueOf } from '../accounts-ground.ts'
import { type AdminGround, closingServers, openAdmin, type Somebody } from './admin-ground.ts'

/** Emergency access, for who reviews it and for who tells the patient. @see auth.md 12.5 */

closingAccounts()
closingServers()

const words = 'Pasien tidak sadar di UGD, riwayat obat diperlukan.'
const why = 'Pemberitahuan dapat membahayakan penyelidikan kekerasan.'

const opened = async ({ admin }: AdminGround, by: string, patient = 'budi'): Promise<string> => {
  const principal = {
    ...principalWith({ roles: ['doctor'], clientId: 'app-0001', sessionId: 'session-1' }),
    accountId: by,
    factorAt: admin.ground.clock(),
  }
  const parts = { ground: admin.ground, roles: () => admin.roles, wouldSee: async () => true, changed: () => undefined }
  return valueOf(await breakGlass(parts, principal, { patient, reason: 'ETREAT', words }, origin)).emergency.id
}

for (const engine of testEngines)
  describe(engine.name, () => {
    test('an officer sees what waits, reads why, judges it, and says when the patient knows', async () => {
      const ground = await openAdmin(engine)
      const { ask, somebody, facts, clock } = ground
      const wati = await somebody('wati', ['data-protection-officer'])
      const id = await opened(ground, 'opener')
      facts.splice(0)
      const list = await ask(wati, 'GET', '/admin/emergencies')
      expect(list.json.emergencies).toMatchObject([
        {
          id,
          account: 'opener',
          patient: 'budi',
          reason: 'ETREAT',
          review: 'open',
          reviewDue: '2026-11-25T08:00:00.000Z',
          notice: { state: 'due' },
        },
      ])
      expect(list.text).not.toContain('sadar')
      expect((await ask(wati, 'GET', `/admin/emergencies/${id}`)).json.emergency).toMatchObject({ id, words })
      const until = new Date(clock.now + 5 * 86_400_000).toISOString()
      const postponed = await ask(wati, 'POST', `/admin/emergencies/${id}/postpone`, { until, reason: why })
      expect([postponed.status, postponed.json.emergency]).toEqual([
        200,
        expect.objectContaining({ notice: expect.objectContaining({ from: until }) }),
      ])
      expect(postponed.text).not.toContain('kekerasan')
      expect((await ask(wati, 'GET', `/admin/emergencies/${id}`)).json.emergency).toMatchObject({ postponedFor: why })
      const judged = await ask(wati, 'POST', `/admin/emergencies/${id}/review`, { judgement: 'unjustified' })
      expect(judged.json.emergency).toMatchObject({ review: 'unjustified', reviewedBy: wati.id })
      expect((await ask(wati, 'GET', '/admin/emergencies')).json.emergencies).toEqual([])
      expect((await ask(wati, 'GET', '/admin/emergencies?review=unjustified')).json.emergencies).toHaveLength(1)
      expect((await ask(wati, 'GET', '/admin/emergencies?notice=due')).json.emergencies).toHaveLength(1)
      expect((await ask(wati, 'POST', `/admin/emergencies/${id}/told`)).json.emergency).toMatchObject({
        notice: { state: 'told', told: { by: wati.id } },
      })
      expect((await ask(wati, 'GET', '/admin/emergencies?notice=due')).json.emergencies).toEqual([])
      expect(facts.map(({ what }) => what)).toEqual([
        'emergency-words-read',
        'patient-notice-postponed',
        'emergency-words-read',
        'emergency-reviewed',
        'emergency-unjustified',
        'patient-told',
      ])
    })

    test('nobody judges what he opened himself, and each route asks for its permission', async () => {
      const ground = await openAdmin(engine)
      const { ask, somebody } = ground
      const people = {
        officer: await somebody('wati', ['data-protection-officer']),
        auditor: await somebody('abi', ['auditor']),
        admin: await somebody('siti', ['admin']),
        doctor: await somebody('dewi', ['doctor']),
      }
      const id = await opened(ground, people.officer.id)
      const status = async (who: Somebody, method: string, path: string, body?: object) =>
        (await ask(who, method, `/admin/emergencies${path}`, body)).status
      for (const who of [people.admin, people.doctor]) {
        for (const path of ['', `/${id}`]) expect(await status(who, 'GET', path)).toBe(403)
        for (const path of ['review', 'postpone', 'told']) expect(await status(who, 'POST', `/${id}/${path}`, {})).toBe(403)
      }
      expect(await status(people.auditor, 'POST', `/${id}/told`)).toBe(403)
      const own = await ask(people.officer, 'POST', `/admin/emergencies/${id}/review`, { judgement: 'justified' })
      expect([own.status, own.json.kind]).toEqual([403, 'another-person'])
      expect((await ask(people.officer, 'POST', `/admin/emergencies/${id}/told`)).json.kind).toBe('another-person')
      expect((await ask(people.auditor, 'POST', `/admin/emergencies/${id}/review`, { judgement: 'good' })).status).toBe(400)
      expect(await status(people.auditor, 'POST', `/${id}/review`, { judgement: 'justified' })).toBe(200)
      expect(await status(people.auditor, 'POST', `/${id}/review`, { judgement: 'justified' })).toBe(409)
      expect(await status(people.auditor, 'GET', '/unknown')).toBe(404)
    })
  })
