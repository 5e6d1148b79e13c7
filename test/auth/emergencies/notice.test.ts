/** Who is told of emergency access, and when: auth.md 12.5.4, 12.5.5. */
import { describe, expect, test } from '@jest/globals'
import type { RoleAssignment } from '../../../src/auth/accounts/account.ts'
import { accountRecords } from '../../../src/auth/accounts/account.ts'
import { type BrokenGlass, breakGlass } from '../../../src/auth/emergencies/break-glass.ts'
import { emergenciesOfPatient, emergencyById, emergencyPage } from '../../../src/auth/emergencies/emergencies.ts'
import { type Emergency, emergencyRecords } from '../../../src/auth/emergencies/emergency.ts'
import { escalateEmergencies } from '../../../src/auth/emergencies/escalation.ts'
import { notePatientTold, postponeNotice, reasonIn, tellPatients } from '../../../src/auth/emergencies/notice.ts'
import { officersOf } from '../../../src/auth/emergencies/officers.ts'
import { readWords, reviewDue, reviewEmergency } from '../../../src/auth/emergencies/review.ts'
import type { Fact } from '../../../src/auth/facts.ts'
import type { Ground } from '../../../src/auth/ground.ts'
import { sendDueMails } from '../../../src/auth/pages/mails/delivery.ts'
import type { OutgoingMail } from '../../../src/auth/pages/mails/mailer.ts'
import { mailsBeside } from '../../../src/auth/pages/mails/outbox.ts'
import { reencryptEverything } from '../../../src/auth/reencrypt.ts'
import { publicAddress } from '../../../src/auth/web.ts'
import { ok, type Outcome } from '../../../src/base/outcome.ts'
import { type TestEngine, testEngines } from '../../support/engines.ts'
import { principalWith } from '../../support/principals.ts'
import { testRoles } from '../../support/roles.ts'
import { type Accounts, anAccount, closingAccounts, doctor, openAccounts, origin, patient, valueOf } from '../accounts-ground.ts'

closingAccounts()

const hour = 3_600_000
const day = 24 * hour
const zone = 'Asia/Jakarta'
const words = 'Pasien tidak sadar di UGD, riwayat obat diperlukan.'
const why = 'Pemberitahuan dapat membahayakan penyelidikan kekerasan.'
const officer: RoleAssignment = { role: 'data-protection-officer', givenBy: 'cli' }
const auditor: RoleAssignment = { role: 'auditor', givenBy: 'cli' }
const admin: RoleAssignment = { role: 'admin', givenBy: 'cli' }

type House = {
  readonly accounts: Accounts
  readonly ground: Ground
  readonly facts: Fact[]
  /** By somebody with a second factor of now. */
  open(patient: string): Promise<BrokenGlass>
  /** Sends all that is due. */
  mails(): Promise<readonly OutgoingMail[]>
  kept(id: string): Promise<Emergency>
}

const openHouse = async (engine: TestEngine): Promise<House> => {
  const accounts = await openAccounts(engine)
  const facts: Fact[] = []
  const base = accounts.parts.ground
  const ground: Ground = { ...base, beside: mailsBeside(base), told: told => void facts.push(...told) }
  const opener = { ...principalWith({ roles: ['doctor'], clientId: 'app-0001', sessionId: 'session-1' }), accountId: 'opener' }
  return {
    accounts,
    ground,
    facts,
    open: async patientId =>
      valueOf(
        await breakGlass(
          { ground, roles: testRoles, wouldSee: async () => true, changed: () => undefined },
          { ...opener, factorAt: accounts.clock.now },
          { patient: patientId, reason: 'ETREAT', words },
          origin,
        ),
      ),
    mails: async () => {
      const sent: OutgoingMail[] = []
      const mailer = { send: async (mail: OutgoingMail) => (sent.push(mail), ok(undefined)) }
      const parts = {
        accounts: accounts.parts,
        address: publicAddress('https://rumah.example'),
        mailer,
        officers: () => officersOf(ground, testRoles()),
      }
      for (let round = 0; round < 2; round++) valueOf(await sendDueMails(parts))
      return sent
    },
    kept: async id => {
      const kept = await accounts.store.records<Emergency>(emergencyRecords).get(id)
      if (kept === undefined) throw new Error('no such emergency')
      return kept.value
    },
  }
}

const inUse = async ({ accounts }: House, name: string, role: RoleAssignment, fhirUser?: string): Promise<string> => {
  const { id } = await anAccount(accounts, name, [role])
  const records = accounts.store.records(accountRecords)
  const kept = await records.get(id)
  if (kept !== undefined && fhirUser !== undefined) valueOf(await records.put({ ...kept.value, fhirUser }))
  return id
}

const kindOf = (outcome: Outcome<unknown>): string => (outcome.ok ? 'ok' : outcome.failure.kind)

for (const engine of testEngines) {
  describe(`on ${engine.name}`, () => {
    test('the officers hear of it at once, in their language, with ids alone', async () => {
      const house = await openHouse(engine)
      await inUse(house, 'petugas', officer)
      await inUse(house, 'pengawas', auditor)
      await house.mails()
      const { emergency } = await house.open('budi')
      const sent = await house.mails()
      expect(sent.map(({ to, subject }) => [to, subject])).toEqual([['petugas@rumah.example', 'Akses darurat dibuka']])
      const text = sent[0]?.text ?? ''
      for (const said of ['budi', emergency.id, 'opener', 'https://rumah.example/admin/emergencies']) expect(text).toContain(said)
      for (const unsaid of ['sadar', 'obat', 'ETREAT']) expect(text).not.toContain(unsaid)
      expect(await house.mails()).toEqual([])
    })

    test('where there is no officer who may review hears of it, else who manages accounts; while there is nobody it waits', async () => {
      for (const [roles, to] of [
        [[auditor, admin], 'orang0'],
        [[admin, doctor], 'orang0'],
      ] as const) {
        const house = await openHouse(engine)
        for (const [index, role] of roles.entries()) await inUse(house, `orang${index}`, role)
        await house.open('budi')
        expect((await house.mails()).map(mail => mail.to)).toEqual([`${to}@rumah.example`])
      }
      const empty = await openHouse(engine)
      await empty.open('budi')
      expect(await empty.mails()).toEqual([])
      await inUse(empty, 'petugas', officer)
      empty.accounts.clock.now += hour
      expect((await empty.mails()).map(({ to }) => to)).toEqual(['petugas@rumah.example'])
    })

    test('the patient is told after 48 hours by mail and in the account; of two rounds at once one does it', async () => {
      const house = await openHouse(engine)
      await inUse(house, 'budi', patient, 'Patient/budi')
      await inUse(house, 'lain', patient, 'Patient/lain')
      const { emergency } = await house.open('budi')
      house.accounts.clock.now += 48 * hour - 1
      expect(valueOf(await tellPatients(house.ground))).toBe(0)
      house.accounts.clock.now += 1
      const rounds = await Promise.all([tellPatients(house.ground), tellPatients(house.ground)])
      expect(rounds.reduce((sum, round) => sum + valueOf(round), 0)).toBe(1)
      const sent = await house.mails()
      expect(sent.map(({ to, subject }) => [to, subject])).toEqual([['budi@rumah.example', 'Data Anda dibuka dengan akses darurat']])
      expect(sent[0]?.text).not.toContain('opener')
      expect((await house.kept(emergency.id)).notice).toMatchObject({ state: 'told', told: { by: 'server', at: house.accounts.clock.now } })
      expect(house.facts.filter(({ what }) => what === 'patient-told')).toHaveLength(1)
    })

    test('a patient without an account stays on the list of the officer, who tells and says so', async () => {
      const house = await openHouse(engine)
      const { emergency } = await house.open('tanpa-akun')
      house.accounts.clock.now += 60 * hour
      expect(valueOf(await tellPatients(house.ground))).toBe(0)
      const due = async () => (await emergencyPage(house.ground, { notice: 'due' }, { limit: 10 })).emergencies.map(({ id }) => id)
      expect(await due()).toEqual([emergency.id])
      expect(kindOf(await notePatientTold(house.ground, 'opener', emergency.id, origin))).toBe('another-person')
      valueOf(await notePatientTold(house.ground, 'officer', emergency.id, origin))
      expect(await due()).toEqual([])
      expect(kindOf(await notePatientTold(house.ground, 'officer', emergency.id, origin))).toBe('wrong-status')
    })

    test('the officer puts it off with a reason, 30 days at most, and the store cannot read the reason', async () => {
      const house = await openHouse(engine)
      await inUse(house, 'budi', patient, 'Patient/budi')
      const { emergency } = await house.open('budi')
      const { now } = house.accounts.clock
      for (const [until, reason, by, kind] of [
        [now + day, 'singkat', 'officer', 'bad-parameter'],
        [now, why, 'officer', 'bad-parameter'],
        [Number.NaN, why, 'officer', 'bad-parameter'],
        [now + 30 * day + 1, why, 'officer', 'bad-parameter'],
        [now + day, why, 'opener', 'another-person'],
      ] as const)
        expect(kindOf(await postponeNotice(house.ground, by, emergency.id, { until, reason }, origin))).toBe(kind)
      valueOf(await postponeNotice(house.ground, 'officer', emergency.id, { until: now + 10 * day, reason: why }, origin))
      const kept = await house.kept(emergency.id)
      expect(JSON.stringify(kept)).not.toContain('kekerasan')
      expect(await reasonIn(house.ground, kept)).toBe(why)
      expect(kept.notice.due).toBe(now + 11 * day)
      house.accounts.clock.now = now + 10 * day - 1
      expect(valueOf(await tellPatients(house.ground))).toBe(0)
      house.accounts.clock.now += 1
      expect(valueOf(await tellPatients(house.ground))).toBe(1)
      expect(kindOf(await postponeNotice(house.ground, 'officer', emergency.id, { until: now + 20 * day, reason: why }, origin))).toBe(
        'wrong-status',
      )
    })

    test('what nobody reviewed within 3 working days is told the officers, with how many and nothing else', async () => {
      const house = await openHouse(engine)
      await inUse(house, 'petugas', officer)
      const { emergency } = await house.open('budi')
      await house.mails()
      // A Saturday: Monday, Tuesday, Wednesday.
      house.accounts.clock.now = emergency.openedAt + 4 * day - 1
      expect(valueOf(await escalateEmergencies(house.ground, zone))).toEqual({ reviews: 0, notices: 1 })
      await house.mails()
      house.accounts.clock.now += 1
      expect(valueOf(await escalateEmergencies(house.ground, zone))).toEqual({ reviews: 1, notices: 1 })
      const [mail] = await house.mails()
      expect(mail?.subject).toBe('Akses darurat belum selesai ditangani')
      expect(mail?.text).toContain('1 akses darurat belum dinilai')
      expect(mail?.text).not.toContain('budi')
      valueOf(await reviewEmergency(house.ground, 'officer', emergency.id, 'justified', origin))
      valueOf(await notePatientTold(house.ground, 'officer', emergency.id, origin))
      expect(valueOf(await escalateEmergencies(house.ground, zone))).toEqual({ reviews: 0, notices: 0 })
      expect(await house.mails()).toEqual([])
    })

    test('rows of before patients were told are listed as due, told, reviewed and encrypted anew like the others', async () => {
      const house = await openHouse(engine)
      const records = house.accounts.store.records<Omit<Emergency, 'notice'>>(emergencyRecords)
      const opened = await Promise.all(['budi', 'ani', 'wati'].map(id => house.open(id)))
      const [budi = '', ani = '', wati = ''] = opened.map(({ emergency }) => emergency.id)
      for (const { emergency } of opened) {
        const { notice: _, ...before } = emergency
        valueOf(await records.put(before))
      }
      const due = opened[0]?.emergency.notice
      const page = await emergencyPage(house.ground, { review: 'open' }, { limit: 10 })
      expect(new Map(page.emergencies.map(({ id, notice }) => [id, notice]))).toEqual(new Map([budi, ani, wati].map(id => [id, due])))
      expect((await emergenciesOfPatient(house.ground, 'budi')).map(({ notice }) => notice)).toEqual([due])
      expect(valueOf(await emergencyById(house.ground, budi)).notice).toEqual(due)
      valueOf(await notePatientTold(house.ground, 'officer', budi, origin))
      expect((await house.kept(budi)).notice.state).toBe('told')
      // From then on the schedule knows of it.
      valueOf(await reviewEmergency(house.ground, 'officer', ani, 'justified', origin))
      expect((await emergencyPage(house.ground, { notice: 'due' }, { limit: 10 })).emergencies.map(({ id }) => id)).toEqual([ani])
      valueOf(await house.accounts.keyring.rotate('fields'))
      valueOf(await reencryptEverything(house.ground))
      expect((await house.kept(wati)).notice).toEqual(due)
    })

    test('a new data key takes along what was written', async () => {
      const house = await openHouse(engine)
      const { emergency } = await house.open('budi')
      valueOf(await postponeNotice(house.ground, 'officer', emergency.id, { until: house.accounts.clock.now + day, reason: why }, origin))
      valueOf(await house.accounts.keyring.rotate('fields'))
      valueOf(await reencryptEverything(house.ground))
      const kept = await house.kept(emergency.id)
      expect([kept.words, kept.notice.postponed?.reason ?? ''].every(sealed => house.ground.fields.isCurrent(sealed))).toBe(true)
      expect([valueOf(await readWords(house.ground, 'officer', kept, origin)), await reasonIn(house.ground, kept)]).toEqual([words, why])
    })
  })
}

describe('3 working days', () => {
  const at = (text: string): number => Date.parse(`${text}+07:00`)
  for (const [opened, due] of [
    ['2026-11-16T10:00', '2026-11-19T10:00'],
    ['2026-11-18T10:00', '2026-11-23T10:00'],
    ['2026-11-20T23:59', '2026-11-25T23:59'],
    ['2026-11-21T00:00', '2026-11-25T00:00'],
    ['2026-11-22T12:00', '2026-11-25T12:00'],
  ] as const)
    test(`${opened} -> ${due}`, () => expect(reviewDue({ openedAt: at(opened) }, zone)).toBe(at(due)))
})
