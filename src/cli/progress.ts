import type { Clock } from '../base/clock.ts'
import type { Terminal } from './terminal.ts'

/** What long work says of itself; `done` and `total` in the same unit. */
export type Step = { readonly done: number; readonly total: number; readonly count: number; readonly unit: string }

const rewriteMs = 200
const lineMs = 10_000

/** On a terminal one line that is rewritten, otherwise (and with --json) a line every ten seconds. */
export const createProgress = (verb: string, terminal: Terminal, clock: Clock) => {
  const started = clock()
  let told = started
  return (step: Step): void => {
    const now = clock()
    const watched = terminal.status !== undefined && !terminal.json
    if (now - told < (watched ? rewriteMs : lineMs)) return
    told = now
    const seconds = (now - started) / 1000
    const share = step.total === 0 ? 1 : step.done / step.total
    const etaSeconds = share > 0 ? Math.round((seconds / share) * (1 - share)) : 0
    const rate = Math.round(step.count / seconds)
    if (terminal.json)
      terminal.err(
        JSON.stringify({ verb, done: step.count, unit: step.unit, share: Number(share.toFixed(4)), perSecond: rate, etaSeconds }),
      )
    else (watched ? terminal.status : terminal.err)?.(line(verb, share, step, rate, etaSeconds))
  }
}

const line = (verb: string, share: number, step: Step, rate: number, etaSeconds: number): string =>
  `${verb}  ${bar(share)} ${Math.floor(share * 100)
    .toString()
    .padStart(3)} %  ${step.count.toLocaleString('en')} ${step.unit}  ${rate.toLocaleString('en')}/s  ${duration(etaSeconds)} left`

const bar = (share: number): string => '█'.repeat(Math.floor(share * 20)).padEnd(20, '░')

const duration = (seconds: number): string => (seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`)
