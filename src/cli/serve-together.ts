import cluster from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, drainMsOf } from '../config/config.ts'
import type { Events } from '../telemetry/events.ts'
import { type Application, greeting, stoppingLine, type UntilStopped } from './application.ts'
import { exitCodes } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'
import type { Primary, Together } from './together.ts'
import { work } from './worker.ts'
import { Workers } from './workers.ts'

export type ServingTogether = {
  readonly compose: (config: Config, together?: Together) => Promise<Application>
  readonly composePrimary: (config: Config) => Promise<Primary & { readonly events: Events }>
  readonly untilStopped: UntilStopped
  /** Calls whenever the process is asked to begin anew (SIGHUP). */
  readonly whenRenewed: (begin: () => void) => void
  /** Signals come to the whole group of processes, and are meant for the one that started the others. */
  readonly leaveSignals: () => void
}

/**
 * `simpul serve` with SIMPUL_WORKERS above 1. This process serves nobody: it starts the others, watches over them, holds what must be there
 * once (the writer of SQLite), and ends when it is asked to, when that breaks, or when no worker stays alive.
 */
export const serveTogether = async (config: Config, serving: ServingTogether, terminal: Terminal): Promise<number> => {
  if (cluster.isWorker) {
    serving.leaveSignals()
    return work(serving.compose, config)
  }
  const stopped = serving.untilStopped().then(() => 'stopped' as const)
  await using primary = await serving.composePrimary(config)
  const { events, join, broken } = primary
  const gaveUp = Promise.withResolvers<void>()
  const workers = new Workers({ startedAt: Date.now(), events, gaveUp: gaveUp.resolve, ...(join === undefined ? {} : { join }) })
  try {
    // The first alone: what keeps it from starting would keep them all, and is said once.
    const first = await Promise.race([stopped, workers.start(true)])
    if (first === 'stopped') return exitCodes.good
    if ('code' in first) return first.code
    for (let n = 1; n < config.workers; n++) void workers.start(false)
    for (const line of [...greeting(config, first.url, first.invitation), `${config.workers} processes serve it.`]) terminal.err(line)
    serving.whenRenewed(() => void renew(workers, terminal))
    const why = await Promise.race([stopped, broken.then(() => 'broken' as const), gaveUp.promise.then(() => 'gave up' as const)])
    terminal.err(why === 'stopped' ? stoppingLine : reasons[why])
    workers.drain()
    if (why === 'stopped') await sleep(drainMsOf(config))
    return why === 'stopped' ? exitCodes.good : exitCodes.failed
  } finally {
    await workers.stop()
  }
}

const reasons = {
  broken: 'The writer has ended: nothing more can be written. The server ends, so that it may be started anew.',
  'gave up': 'Processes that serve end again and again. The server ends; its log says how they ended.',
}

const renew = async (workers: Workers, terminal: Terminal): Promise<void> => {
  terminal.err('Each process that serves is replaced in turn.')
  const renewed = await workers.renew()
  if (renewed !== 'under way') terminal.err(outcomes[renewed])
}

const outcomes = {
  all: 'All were replaced.',
  refused: 'A new one did not start, or is of another version: those that are left go on. After an upgrade, start the whole server anew.',
}
