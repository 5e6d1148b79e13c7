/** Break-glass: auth.md 12.5, T20. */
import { describe, expect, test } from '@jest/globals'
import { breakGlass, type BreakGlass, type BreakGlassParts, endEmergency } from '../../../src/auth/emergencies/break-glass.ts'
import { emergenciesOf, emergenciesOfPatient, emergencyPage, openEmergencies } from '../../../src/auth/emergencies/emergencies.ts'
import type { Fact } from '../../../src/auth/facts.ts'
import { type Emergency, emergencyRecords } from '../../../src/auth/emergencies/emergency.ts'
import { readWords, reviewEmergency } from '../../../src/auth/emergencies/review.ts'
import type { Ground } from '../../../src/auth/ground.ts'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { type TestEngine, testEngines } from '../../support/engines.ts'
import { principalWith } from '../../support/principals.ts'
import { testRoles } from '../../support/roles.ts'
import { type Accounts, closingAccounts, openAccounts, origin, valueOf } from '../accounts-ground.ts'

closingAccounts()

const why = 'Pasien tidak sadar di UGD, riwayat obat diperlukan.'
const asked: BreakGlass = { patient: 'budi', reason: 'ETREAT', words: why }

type Glass = {
  readonly accounts: Accounts
  readonly parts: BreakGlassParts
  readonly changes: () => number
  readonly asked: string[]
  readonly told: Fact[]
}

const open = async (engine: TestEngine): Promise<Glass> => {
  const accounts = await openAccounts(engine)
  const told: Fact[] = []
  const wouldAsk: string[] = []
  let changes = 0
  const parts: BreakGlassParts = {
    ground: {
      ...accounts.parts.ground,
      beside: facts => {
        told.push(...facts)
        return []
      },
    },
    roles: testRoles,
    wouldSee: async (principal, patient) => {
      wouldAsk.push(`${patient} with ${principal.emergencies.join()}`)
      return patient !== 'hidden' && patient !== 'nobody'
    },
    changed: () => {
      changes += 1
    },
  }
  return { accounts, parts, changes: () => changes, asked: wouldAsk, told }
}

const doctorAt = ({ accounts }: Glass, more: Partial<Principal> = {}): Principal => ({
  ...principalWith({ roles: ['doctor'], clientId: 'app-0001', sessionId: 'session-1' }),
  factorAt: accounts.clock.now - 60_000,
  ...more,
})

const waiting = async (ground: Ground, review: Emergency['review']) => (await emergencyPage(ground, { review }, { limit: 10 })).emergencies

const here = { account: 'account-1', session: 'session-1', client: 'app-0001' }

for (const engine of testEngines) {
  describe(`on ${engine.name}`, () => {
    test('opens one patient to one session of one client for 60 minutes', async () => {
      const glass = await open(engine)
      const { parts, accounts } = glass
      const { emergency } = valueOf(await breakGlass(parts, doctorAt(glass), asked, origin))
      expect(emergency.until - emergency.openedAt).toBe(60 * 60_000)
      expect(await emergenciesOf(parts.ground, here)).toEqual(['budi'])
      expect(glass.asked).toEqual(['budi with budi'])
      expect(glass.changes()).toBe(1)
      for (const other of [
        { ...here, session: 'session-2' },
        { ...here, client: 'app-0002' },
        { ...here, account: 'account-2' },
        { account: here.account, session: here.session },
      ])
        expect(await emergenciesOf(parts.ground, other)).toEqual([])
      accounts.clock.now += 60 * 60_000 - 1
      expect(await emergenciesOf(parts.ground, here)).toEqual(['budi'])
      accounts.clock.now += 1
      expect(await emergenciesOf(parts.ground, here)).toEqual([])
      expect((await emergenciesOfPatient(parts.ground, 'budi')).length).toBe(1)
    })

    test('on our own pages there is no client', async () => {
      const glass = await open(engine)
      const { clientId: _, ...doctor } = doctorAt(glass)
      valueOf(await breakGlass(glass.parts, doctor, asked, origin))
      expect(await emergenciesOf(glass.parts.ground, { account: here.account, session: here.session })).toEqual(['budi'])
      expect(await emergenciesOf(glass.parts.ground, here)).toEqual([])
    })

    test('the reason is on record, in words that the store cannot read, and as a fact without them', async () => {
      const glass = await open(engine)
      const { emergency } = valueOf(await breakGlass(glass.parts, doctorAt(glass), asked, origin))
      const kept = await glass.accounts.store.records<Emergency>(emergencyRecords).get(emergency.id)
      expect(JSON.stringify(kept)).not.toContain('sadar')
      const told = [...glass.told]
      expect(kept && valueOf(await readWords(glass.parts.ground, 'officer', kept.value, origin))).toBe(why)
      expect(glass.told.at(-1)).toMatchObject({ what: 'emergency-words-read', by: 'officer', emergency: emergency.id })
      expect(told).toEqual([
        {
          what: 'glass-broken',
          account: 'account-1',
          session: 'session-1',
          client: 'app-0001',
          patient: 'budi',
          emergency: emergency.id,
          reason: 'ETREAT',
          until: emergency.until,
        },
      ])
    })

    test('T20: hidden and unknown patients answer and cost the same', async () => {
      const glass = await open(engine)
      const outcomes = []
      const calls = []
      for (const patient of ['hidden', 'nobody']) {
        glass.accounts.calls()
        const outcome = await breakGlass(glass.parts, doctorAt(glass), { ...asked, patient }, origin)
        outcomes.push(JSON.stringify(outcome).replaceAll(patient, '?'))
        calls.push(glass.accounts.calls())
      }
      expect(outcomes[0]).toBe(outcomes[1])
      expect(outcomes[0]).toContain('unknown-instance')
      expect(calls[0]).toEqual(calls[1])
      expect(await emergenciesOf(glass.parts.ground, here)).toEqual([])
    })

    test('ends when its user says so, and nobody else', async () => {
      const glass = await open(engine)
      const { emergency } = valueOf(await breakGlass(glass.parts, doctorAt(glass), asked, origin))
      const other = await endEmergency(glass.parts, 'account-2', emergency.id, origin)
      expect(other.ok ? '' : other.failure.kind).toBe('unknown-instance')
      expect((await openEmergencies(glass.parts.ground, here)).length).toBe(1)
      glass.accounts.clock.now += 60_000
      const ended = valueOf(await endEmergency(glass.parts, 'account-1', emergency.id, origin))
      expect(ended.facts.map(({ what }) => what)).toEqual(['emergency-ended'])
      expect(await emergenciesOf(glass.parts.ground, here)).toEqual([])
      expect(glass.changes()).toBe(2)
      expect(valueOf(await endEmergency(glass.parts, 'account-1', emergency.id, origin)).facts).toEqual([])
    })

    test('is judged once, by another person', async () => {
      const glass = await open(engine)
      const { ground } = glass.parts
      const { emergency } = valueOf(await breakGlass(glass.parts, doctorAt(glass), asked, origin))
      expect((await waiting(ground, 'open')).map(({ id }) => id)).toEqual([emergency.id])
      const own = await reviewEmergency(ground, 'account-1', emergency.id, 'justified', origin)
      expect(own.ok ? '' : own.failure.kind).toBe('another-person')
      valueOf(await reviewEmergency(ground, 'officer', emergency.id, 'unjustified', origin))
      expect(glass.told.slice(-2).map(({ what, by }) => `${what} by ${by}`)).toEqual([
        'emergency-reviewed by officer',
        'emergency-unjustified by officer',
      ])
      const twice = await reviewEmergency(ground, 'officer', emergency.id, 'justified', origin)
      expect(twice.ok ? '' : twice.failure.kind).toBe('wrong-status')
      expect(await waiting(ground, 'open')).toEqual([])
      expect((await waiting(ground, 'unjustified')).map(({ reviewedBy }) => reviewedBy)).toEqual(['officer'])
    })

    test('opens at most 20 patients at once', async () => {
      const glass = await open(engine)
      for (let n = 0; n < 20; n += 1) valueOf(await breakGlass(glass.parts, doctorAt(glass), { ...asked, patient: `p${n}` }, origin))
      const one = await breakGlass(glass.parts, doctorAt(glass), asked, origin)
      expect(one.ok ? '' : one.failure.kind).toBe('too-many-emergencies')
      expect((await breakGlass(glass.parts, doctorAt(glass), { ...asked, patient: 'p3' }, origin)).ok).toBe(true)
      expect((await emergenciesOf(glass.parts.ground, here)).length).toBe(20)
    })
  })
}

describe('who may, and how', () => {
  const [engine] = testEngines as readonly [TestEngine, ...TestEngine[]]
  type Row = readonly [why: string, principal: (glass: Glass) => Principal, asked: Partial<BreakGlass>, kind: string]
  const rows: readonly Row[] = [
    ['a nurse', glass => ({ ...doctorAt(glass), roles: [{ role: 'nurse' }] }), {}, 'ok'],
    ['a receptionist', glass => ({ ...doctorAt(glass), roles: [{ role: 'receptionist' }] }), {}, 'permission-needed'],
    ['an administrator', glass => ({ ...doctorAt(glass), roles: [{ role: 'admin' }] }), {}, 'permission-needed'],
    ['a patient', glass => ({ ...doctorAt(glass), kind: 'patient' }), {}, 'permission-needed'],
    ['a service', glass => ({ ...doctorAt(glass), kind: 'client', permissions: ['break-glass'] }), {}, 'permission-needed'],
    ['a doctor with one factor', glass => doctorAt(glass, { acr: 1 }), {}, 'step-up-needed'],
    [
      'a doctor whose factor is exactly five minutes old',
      glass => doctorAt(glass, { factorAt: glass.accounts.clock.now - 300_000 }),
      {},
      'ok',
    ],
    ['a doctor whose factor is older', glass => doctorAt(glass, { factorAt: glass.accounts.clock.now - 300_001 }), {}, 'step-up-needed'],
    [
      'a doctor without a session',
      glass => {
        const { sessionId: _, ...rest } = doctorAt(glass)
        return rest
      },
      {},
      'permission-needed',
    ],
    ['another reason', doctorAt, { reason: 'penasaran' }, 'bad-parameter'],
    ['a reason of ours', doctorAt, { reason: 'unable-to-consent' }, 'ok'],
    ['too few words', doctorAt, { words: '   perlu melihat      ' }, 'bad-parameter'],
    ['exactly 20 characters', doctorAt, { words: 'x'.repeat(20) }, 'ok'],
    ['a novel', doctorAt, { words: 'x'.repeat(2_001) }, 'bad-parameter'],
    ['15 minutes', doctorAt, { minutes: 15 }, 'ok'],
    ['240 minutes', doctorAt, { minutes: 240 }, 'ok'],
    ['14 minutes', doctorAt, { minutes: 14 }, 'bad-parameter'],
    ['241 minutes', doctorAt, { minutes: 241 }, 'bad-parameter'],
    ['half minutes', doctorAt, { minutes: 20.5 }, 'bad-parameter'],
  ]
  test('row by row', async () => {
    const glass = await open(engine)
    for (const [who, principal, more, kind] of rows) {
      glass.told.splice(0)
      const outcome = await breakGlass(glass.parts, principal(glass), { ...asked, ...more }, origin)
      expect([who, outcome.ok ? 'ok' : outcome.failure.kind]).toEqual([who, kind])
      expect(glass.told.length).toBe(outcome.ok ? 1 : 0)
    }
  })

  test('a stale factor is told how to become fresh', async () => {
    const glass = await open(engine)
    const outcome = await breakGlass(glass.parts, doctorAt(glass, { acr: 1 }), asked, origin)
    expect(outcome.ok ? undefined : outcome.failure.challenge).toEqual({
      error: 'insufficient_user_authentication',
      acr_values: 'urn:simpul:acr:2',
      max_age: '300',
    })
  })
})
