import type { RecordDefinition, RecordWrite } from '../../storage/port.ts'
import type { Fact, FactKind } from '../facts.ts'
import type { Ground } from '../ground.ts'
import { absoluteMs } from './session.ts'

/**
 * That sessions ended, for the applications that asked to hear of it. It is written with what ended them, names the account, and becomes one notice for each
 * session and application, which stays until it is delivered or given up. @see OpenID Connect Back-Channel Logout 1.0
 */
export type LogoutNotice = {
  /** Of one for an application: session and client, so that nobody is told twice. */
  readonly id: string
  readonly account: string
  /** Absent: who has to hear of it is still to be looked up. */
  readonly about?: { readonly session: string; readonly client: string }
  /** ms: not before. Absent: it is done, and stays so long as the same end could be told again. */
  readonly due?: number
  readonly tries: number
  readonly expires: number
}

export const logoutNoticeRecords: RecordDefinition = { name: 'logout_notice', key: 'id', indexes: { due: ['due'] }, expires: 'expires' }

/** Grants older than this belong to sessions that were over before. */
export const lookedBackMs = absoluteMs + 3_600_000
/** Longer than any end is looked back for. */
export const noticeMs = 2 * lookedBackMs

/** Facts after which sessions of the account are over: one of them, some, or all. */
const endings: ReadonlySet<FactKind> = new Set([
  'logged-out',
  'logged-out-everywhere',
  'session-displaced',
  'disowned',
  'account-disabled',
  'account-changed',
  'account-unlinked',
  'roles-changed',
  'password-changed',
  'password-reset',
  'factor-reset',
])

export const endsSessions = ({ what, account }: Fact): boolean => account !== undefined && endings.has(what)

/** What facts leave to be told, for `Ground.beside`: it stands and falls with what ended the sessions. */
export const logoutsBeside =
  ({ ids, clock }: Pick<Ground, 'ids' | 'clock'>) =>
  (facts: readonly Fact[]): readonly RecordWrite[] => {
    const accounts = new Set(facts.filter(endsSessions).flatMap(({ account }) => account ?? []))
    return [...accounts].map(account => {
      const now = clock()
      const notice: LogoutNotice = { id: ids(), account, due: now, tries: 0, expires: now + noticeMs }
      return { record: logoutNoticeRecords.name, put: notice, expected: 'none' as const }
    })
  }
