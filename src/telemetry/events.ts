import { errorShape } from './errors.ts'
import type { Logger } from './logger.ts'

/**
 * Everything the server ever logs: one function for each event. Their fields are types, codes, numbers and ids of our own; a resource, a
 * message or a text from outside has no way in.
 */
export type Events = {
  readonly serverStarted: (fields: { readonly port: number; readonly ms: number }) => void
  readonly serverStopping: () => void
  readonly serverStopped: () => void
  /** What nodes share is reached again (`ok`), or each is on its own (`fallback`); once for each change. */
  readonly sharedTurned: (turn: { readonly state: 'ok' | 'fallback'; readonly lastedMs: number; readonly code?: string }) => void
  /** A process that serves was started, or has ended: asked to (`stopped`), on its own (`died`), or because it did not answer (`hung`). */
  readonly workerStarted: (fields: { readonly worker: number; readonly pid: number; readonly ms: number }) => void
  readonly workerEnded: (fields: WorkerEnd) => void
  /** A connection was closed unread, since it came from nobody who may connect; at most once a minute. */
  readonly connectionRefused: () => void
  /** `fields` is asked only when the line is written. */
  readonly requestAnswered: (status: number, fields: () => RequestFields) => void
  /** The client left before the answer was out. */
  readonly requestAborted: (fields: RequestFields) => void
  /** Something threw: a bug, or infrastructure that broke. */
  readonly bugMet: (room: string, error: unknown, request?: string) => void
  /** Once a day while there are any: emergency accesses that nobody reviewed in time, and patients who were not told in time. */
  readonly emergenciesOverdue: (overdue: { readonly reviews: number; readonly notices: number }) => void
  /** A mail did not go: the mail server is `away`, takes it `later`, or `refused` it for good. `mail`: its id; `code`: the reply of SMTP. */
  readonly mailNotSent: (fields: { readonly mail: string; readonly is: 'away' | 'later' | 'refused'; readonly code?: number }) => void
  readonly audited: (record: AuditLine) => void
}

export type WorkerEnd = {
  readonly worker: number
  readonly pid: number
  readonly why: 'stopped' | 'died' | 'hung'
  readonly code?: number
  readonly signal?: string
}

export type RequestFields = {
  /** Our own id of the request; `correlation` is the client's. */
  readonly request: string
  readonly correlation?: string
  readonly trace?: string
  readonly span?: string
  readonly method: string
  readonly interaction?: string
  readonly resourceType?: string
  readonly id?: string
  readonly status: number
  readonly ms: number
  readonly bytes: number
  readonly failure?: string
  /** Of what lies beside the FHIR API. */
  readonly door?: string
  /** Who asked: a word, and ids of ours. */
  readonly principal?: string
  readonly client?: string
  readonly account?: string
  readonly token?: string
}

/** What the log may know of an audit record: `audit/record.ts` fits. Until the audit room opens this line is its sink. */
export type AuditLine = {
  readonly requestId: string
  readonly via: string
  readonly principal: string
  readonly client?: string
  readonly account?: string
  readonly token?: string
  readonly interaction: string
  readonly type?: string
  readonly status: number
  readonly outcome: 'success' | 'denied' | 'failed'
  readonly ms: number
  readonly touched: readonly unknown[]
}

/** Above this many a second, one request line in ten is written; those of failures all are. */
const linesPerSecondMax = 500
const sampleOneIn = 10
const refusedEveryMs = 60_000

/** Whose ids are as good as a name. */
const personTypes: ReadonlySet<string> = new Set(['Patient', 'Person', 'RelatedPerson', 'Practitioner', 'Coverage'])

const hundredths = (ms: number): number => Math.round(ms * 100) / 100

const withoutPersonId = (fields: RequestFields): RequestFields => {
  if (fields.id === undefined || !personTypes.has(fields.resourceType ?? '')) return fields
  const { id: _, ...rest } = fields
  return rest
}

export const createEvents = (logger: Logger, clock: () => number = () => performance.now()): Events => {
  const isSampledOut = sampler(clock)
  let refusedAtMs = -Infinity
  return {
    serverStarted: fields => logger.write('info', { event: 'server-started', ...fields, pid: process.pid }),
    serverStopping: () => logger.write('info', { event: 'server-stopping' }),
    serverStopped: () => logger.write('info', { event: 'server-stopped' }),
    sharedTurned: ({ state, lastedMs, code }) =>
      logger.write(state === 'ok' ? 'info' : 'warn', {
        event: `redis-${state}`,
        ms: Math.round(lastedMs),
        ...(code === undefined ? {} : { code }),
      }),
    connectionRefused: () => {
      const now = clock()
      if (now - refusedAtMs < refusedEveryMs) return
      refusedAtMs = now
      logger.write('warn', { event: 'connection-refused' })
    },
    emergenciesOverdue: ({ reviews, notices }) => logger.write('warn', { event: 'emergencies-overdue', reviews, notices }),
    mailNotSent: fields => logger.write('warn', { event: 'mail-not-sent', ...fields }),
    workerStarted: fields => logger.write('info', { event: 'worker-started', ...fields }),
    workerEnded: fields => logger.write(fields.why === 'stopped' ? 'info' : 'error', { event: 'worker-ended', ...fields }),
    requestAnswered: (status, tell) => {
      if (!logger.writes('info') || (isSampledOut() && status < 400)) return
      const fields = tell()
      logger.write(fields.status >= 500 ? 'error' : 'info', { event: 'request', ...withoutPersonId(fields), ms: hundredths(fields.ms) })
    },
    requestAborted: fields => logger.write('info', { event: 'request-aborted', ...withoutPersonId(fields), ms: hundredths(fields.ms) }),
    bugMet: (room, error, request) =>
      logger.write('error', { event: 'bug', room, ...(request === undefined ? {} : { request }), error: errorShape(error) }),
    audited: record => {
      const level = record.outcome === 'denied' ? 'warn' : 'debug'
      if (logger.writes(level)) logger.write(level, auditFields(record))
    },
  }
}

/** Counts the requests of the running second. */
const sampler = (clock: () => number): (() => boolean) => {
  let second = -1
  let count = 0
  return () => {
    const now = Math.floor(clock() / 1000)
    if (now !== second) [second, count] = [now, 0]
    count += 1
    return count > linesPerSecondMax && count % sampleOneIn !== 0
  }
}

/** What was touched is told as a count: the ids belong into the audit trail, not into the log. */
const auditFields = (record: AuditLine): Readonly<Record<string, unknown>> => ({
  event: 'audit',
  request: record.requestId,
  via: record.via,
  principal: record.principal,
  ...(record.client === undefined ? {} : { client: record.client }),
  ...(record.account === undefined ? {} : { account: record.account }),
  ...(record.token === undefined ? {} : { token: record.token }),
  interaction: record.interaction,
  ...(record.type === undefined ? {} : { resourceType: record.type }),
  status: record.status,
  outcome: record.outcome,
  ms: hundredths(record.ms),
  count: record.touched.length,
})
