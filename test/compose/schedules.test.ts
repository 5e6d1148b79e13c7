/** What identity does by itself, as compose starts it in every node; the hands of the clock are the test's. @see auth.md 2.1, 2.5 */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { Account } from '../../src/auth/accounts/account.ts'
import { openKeys } from '../../src/auth/keys/open-keys.ts'
import type { OutgoingMail } from '../../src/auth/pages/mails/mailer.ts'
import { publicAddress } from '../../src/auth/web.ts'
import { ok } from '../../src/base/outcome.ts'
import { startSchedules } from '../../src/compose/schedules.ts'
import { readConfig } from '../../src/config/config.ts'
import { shareInProcess } from '../../src/nodes/in-process.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { type Accounts, accountNow, anAccount, closingAccounts, doctor, kek, openAccounts, valueOf } from '../auth/accounts-ground.ts'
import { testEngines } from '../support/engines.ts'
import { fakeOnly } from '../support/fake-time.ts'
import { testRoles } from '../support/roles.ts'

closingAccounts()
const dayMs = 86_400_000
const minuteMs = 60_000

beforeEach(() => void fakeOnly(['setInterval', 'clearInterval']))
afterEach(() => void jest.useRealTimers())

const admin = { role: 'admin', givenBy: 'cli' } as const

/** So many nodes run until all rounds that begin within `ms` are over. */
const nodesFor = async (accounts: Accounts, ms: number, nodes: number, sent: OutgoingMail[] = [], environment = {}): Promise<void> => {
  const read = readConfig({ SIMPUL_AUTH: 'smart', ...environment })
  if (!read.ok) throw new Error('configuration')
  const { ground } = accounts.parts
  const keys = valueOf(await openKeys({ store: ground.store, kek, clock: ground.clock, random: randomBytes }))
  const shared = shareInProcess()
  const started = Array.from({ length: nodes }, () =>
    startSchedules({
      accounts: { ...accounts.parts, keys },
      address: publicAddress('https://fhir.rs.example'),
      config: read.config,
      events: createEvents(createLogger({ level: 'error', version: '0.0.0' })),
      roles: testRoles(),
      mirror: { due: async () => ok(0), sweep: async () => ok(0), consentsWritten: async () => ok(undefined) } as never, // has tests of its own
      shared,
      clients: { find: async () => undefined } as never, // nobody has an application here
      outgoing: async () => ({ ok: false, why: 'refused' }),
      mailer: { send: async mail => (sent.push(mail), ok(undefined)) },
    }),
  )
  jest.advanceTimersByTime(ms)
  for (const one of started) await one[Symbol.asyncDispose]()
  await shared[Symbol.asyncDispose]()
}

for (const engine of testEngines)
  describe(`schedules (${engine.name})`, () => {
    test('who was long away is told once, whatever the number of nodes, and then let in no more; two administrators stay', async () => {
      const accounts = await openAccounts(engine)
      const away = await anAccount(accounts, 'dr.sari', [doctor])
      const admins: Account[] = []
      for (const name of ['kepala.satu', 'kepala.dua']) admins.push(await anAccount(accounts, name, [admin]))
      const statuses = async () => Promise.all([away, ...admins].map(async ({ id }) => (await accountNow(accounts, id)).status))
      const sent: OutgoingMail[] = []
      accounts.clock.now += 76 * dayMs
      await nodesFor(accounts, 10 * minuteMs, 2, sent)
      // Who was told gets the mail with the next round of mails.
      await nodesFor(accounts, 5_000, 2, sent)
      expect(sent.map(({ to }) => to)).toEqual(['dr.sari@rumah.example'])
      expect(await statuses()).toEqual(['active', 'active', 'active'])
      accounts.clock.now += 14 * dayMs
      await nodesFor(accounts, 10 * minuteMs, 2)
      expect(await statuses()).toEqual(['disabled', 'active', 'active'])
    })

    test('with SIMPUL_AUTH_DORMANT_DAYS=0 nobody is', async () => {
      const accounts = await openAccounts(engine)
      const { id } = await anAccount(accounts, 'dr.sari', [doctor])
      accounts.clock.now += 4000 * dayMs
      await nodesFor(accounts, 10 * minuteMs, 1, [], { SIMPUL_AUTH_DORMANT_DAYS: '0' })
      expect((await accountNow(accounts, id)).status).toBe('active')
    })
  })
