import { randomUUID } from 'node:crypto'
import type { Account } from '../auth/accounts/account.ts'
import { accountsOf } from '../auth/accounts/administration.ts'
import { disableDormant } from '../auth/accounts/dormant.ts'
import { escalateEmergencies } from '../auth/emergencies/escalation.ts'
import { tellPatients } from '../auth/emergencies/notice.ts'
import { officersOf } from '../auth/emergencies/officers.ts'
import type { ClientRegistry } from '../auth/clients/registry.ts'
import type { ConsentMirroring } from '../auth/grants/consent-mirror.ts'
import type { Ground } from '../auth/ground.ts'
import { listProviders } from '../auth/federation/provider-administration.ts'
import { whenDue } from '../auth/leases.ts'
import type { Outgoing } from '../auth/outgoing/outgoing.ts'
import { type NotSent, sendDueMails } from '../auth/pages/mails/delivery.ts'
import type { Mailer } from '../auth/pages/mails/mailer.ts'
import { postNotice } from '../auth/pages/mails/outbox.ts'
import type { RoleTable } from '../auth/roles/role-table.ts'
import { tellApplications } from '../auth/sessions/logout-delivery.ts'
import type { PublicAddress } from '../auth/web.ts'
import { type Outcome, ok } from '../base/outcome.ts'
import type { Config } from '../config/config.ts'
import type { Shared } from '../nodes/shared.ts'
import type { Events } from '../telemetry/events.ts'
import type { ComposedAccounts } from './accounts.ts'

export type SchedulesParts = {
  readonly accounts: ComposedAccounts
  readonly address: PublicAddress
  readonly config: Config
  readonly events: Events
  readonly roles: RoleTable
  readonly mirror: ConsentMirroring
  readonly clients: ClientRegistry
  readonly outgoing: Outgoing
  readonly shared: Pick<Shared, 'onWake'>
  /** Absent: no mail leaves. */
  readonly mailer?: Mailer
}

/** `topic`: news of it begins a round at once. */
type Work = { readonly everyMs: number; readonly topic?: string; readonly run: () => Promise<Outcome<unknown>> }

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** What identity does by itself, from time to time. Disposing waits for what is under way. */
export const startSchedules = (parts: SchedulesParts): AsyncDisposable => {
  const { accounts, address, clients, config, events, roles, mailer, mirror, outgoing, shared } = parts
  const { ground, keys } = accounts
  const { dormantDays, zone } = config
  const notSent = (mail: string, why: NotSent): void => events.mailNotSent({ mail, ...why })
  const officers = () => officersOf(ground, roles)
  const lease = { store: ground.store, clock: ground.clock, holder: randomUUID() }
  const logouts = { ground, issuer: address.issuer, clients, signingKeys: keys.signing, outgoing }
  const daily = { everyMs: 24 * hour, leaseMs: hour }
  const works: readonly Work[] = [
    // In every node: it takes over what others made, and makes what is due.
    { everyMs: 5 * minute, run: () => keys.signing.turn() },
    { everyMs: 5 * minute, run: () => keys.keyring.reload().then(ok) },
    ...(dormantDays === 0
      ? []
      : [{ everyMs: 10 * minute, run: () => whenDue(lease, { name: 'dormancy', ...daily }, () => disableAway(accounts, dormantDays)) }]),
    ...(mailer === undefined ? [] : [{ everyMs: 5 * second, run: () => sendDueMails({ accounts, address, mailer, notSent, officers }) }]),
    // Without mails nobody is told by us: the officer sees on the list who is due.
    ...(mailer === undefined
      ? []
      : [
          {
            everyMs: 5 * minute,
            run: () =>
              whenDue(lease, { name: 'emergency-notices', everyMs: 10 * minute, leaseMs: 10 * minute }, () => tellPatients(ground)),
          },
        ]),
    { everyMs: 5 * second, topic: 'logouts', run: () => tellApplications(logouts) },
    {
      everyMs: 30 * second,
      topic: 'grants',
      run: () => whenDue(lease, { name: 'consents-due', everyMs: 0, leaseMs: 5 * minute }, mirror.due),
    },
    { everyMs: 10 * minute, run: () => whenDue(lease, { name: 'consents-swept', everyMs: hour, leaseMs: hour }, mirror.sweep) },
    { everyMs: 10 * minute, run: () => whenDue(lease, { name: 'emergencies-overdue', ...daily }, () => escalate(ground, zone, events)) },
  ]
  const timers = works.map(work => repeated(work, shared, error => events.bugMet('auth', error)))
  return { [Symbol.asyncDispose]: async () => void (await Promise.all(timers.map(stop => stop()))) }
}

const escalate = async (ground: Ground, zone: string, events: Events): Promise<Outcome<unknown>> => {
  const done = await escalateEmergencies(ground, zone)
  if (done.ok && done.value.reviews + done.value.notices > 0) events.emergenciesOverdue(done.value)
  return done
}

/** Never twice at once; a round that is still under way stands for the next. The answer stops it. */
const repeated = (
  { everyMs, run, topic }: Work,
  shared: Pick<Shared, 'onWake'>,
  failed: (error: unknown) => void,
): (() => Promise<void>) => {
  let underWay: Promise<void> | undefined
  const round = async (): Promise<void> => {
    try {
      const done = await run()
      if (!done.ok) failed(new Error(`It failed: ${done.failure.kind}`))
    } catch (error) {
      failed(error)
    }
  }
  const begin = (): void => {
    underWay ??= round().finally(() => {
      underWay = undefined
    })
  }
  const timer = setInterval(begin, everyMs).unref()
  const deaf = topic === undefined ? () => undefined : shared.onWake(topic, begin)
  return async () => {
    deaf()
    clearInterval(timer)
    await underWay
  }
}

/** Administrators that stay whatever happens, so that somebody can always get in. */
const sparedMax = 2
const lookedAtMax = 1000

const disableAway = async ({ ground }: ComposedAccounts, days: number): Promise<Outcome<unknown>> => {
  const { accounts } = await accountsOf(ground, 'active', lookedAtMax)
  const administrates = ({ roles }: Account): boolean => roles.some(({ role }) => role === 'admin')
  const local = (await listProviders(ground)).flatMap(({ localAdministrators }) => localAdministrators)
  const first = accounts.filter(administrates).slice(0, sparedMax)
  const spared = new Set([...local, ...first.map(({ id }) => id)])
  const done = await disableDormant(ground, days, ({ id }) => spared.has(id), { address: '' })
  if (!done.ok) return done
  for (const { id } of done.value.warned) {
    const posted = await postNotice(ground, 'dormant', id)
    if (!posted.ok) return posted
  }
  return done
}
