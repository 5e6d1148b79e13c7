import type { RecordDefinition, RecordPosition, RecordWrite } from '../../storage/port.ts'
import type { Method } from '../facts.ts'
import type { Ground, Origin } from '../ground.ts'

/** Every attempt to log in, for the one whose account it is and for the audit. @see auth.md 2.5 */
type LoginEvent = {
  readonly id: string
  readonly at: number
  readonly account?: string
  /** Keyed hash of a name that nobody has. */
  readonly name?: string
  readonly result: 'success' | 'failure'
  readonly reason?: string
  readonly method?: Method
  readonly client?: string
  readonly address: string
  /** Encrypted. */
  readonly userAgent?: string
  readonly deviceKnown: boolean
  readonly country?: string
}

export const loginEventRecords: RecordDefinition = {
  name: 'login_event',
  key: 'id',
  indexes: { account: ['account', 'at'] },
  appendOnly: true,
  ordered: true,
}

const userAgentLengthMax = 512

/** The row of one attempt. */
export const loginEvent = (
  { ids, clock, fields }: Ground,
  origin: Origin,
  about: Pick<LoginEvent, 'account' | 'name' | 'result' | 'reason' | 'method' | 'deviceKnown'>,
): RecordWrite => {
  const id = ids()
  const { address, userAgent, client, country } = origin
  const event: LoginEvent = {
    id,
    at: clock(),
    ...about,
    address,
    ...(userAgent === undefined ? {} : { userAgent: fields.encrypt(userAgent.slice(0, userAgentLengthMax), placeOf(id)) }),
    ...(client === undefined ? {} : { client }),
    ...(country === undefined ? {} : { country }),
  }
  return { record: loginEventRecords.name, put: event, expected: 'none' }
}

/** As its owner sees it. */
export type ShownLogin = Omit<LoginEvent, 'name'>
type LoginPage = { readonly logins: readonly ShownLogin[]; readonly next?: RecordPosition }

export const shownMs = 90 * 86_400_000

/** What happened to an account in the last 90 days, the newest first. `after`: where the page before ended. */
export const loginHistory = async (ground: Ground, account: string, limit: number, after?: RecordPosition): Promise<LoginPage> => {
  const page = await ground.store.records<LoginEvent>(loginEventRecords).range('account', {
    from: [account, ground.clock() - shownMs],
    to: [account],
    descending: true,
    limit,
    ...(after === undefined ? {} : { after }),
  })
  const logins = await Promise.all(page.rows.map(({ value }) => shown(ground, value)))
  const last = page.rows.at(-1)
  return { logins, ...(page.more && last !== undefined ? { next: last.position } : {}) }
}

/** ms of the last success; undefined when there is none among the last attempts: dormant accounts have none. */
export const lastLogin = async ({ store }: Ground, account: string): Promise<number | undefined> => {
  const range = { from: [account], to: [account], descending: true, limit: 1_000 }
  const { rows } = await store.records<LoginEvent>(loginEventRecords).range('account', range)
  return rows.find(({ value }) => value.result === 'success')?.value.at
}

const shown = async ({ fields }: Ground, { userAgent, name: _, ...event }: LoginEvent): Promise<ShownLogin> => {
  const text = userAgent === undefined ? undefined : await fields.decrypt(userAgent, placeOf(event.id))
  return { ...event, ...(text === undefined ? {} : { userAgent: text }) }
}

const placeOf = (id: string) => ({ table: loginEventRecords.name, column: 'userAgent', row: id })
