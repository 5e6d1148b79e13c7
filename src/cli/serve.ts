import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, drainMsOf, mayStart } from '../config/config.ts'
import { type Application, greeting, stoppingLine, type UntilStopped } from './application.ts'
import { exitCodes } from './exit-codes.ts'
import type { ServingTogether } from './serve-together.ts'
import type { Terminal } from './terminal.ts'
import type { Together } from './together.ts'

export type Serving = ServingTogether & {
  readonly compose: (config: Config, together?: Together) => Promise<Application>
  readonly untilStopped: UntilStopped
}

/** `simpul serve`: closed until it can be opened, see `mayStart`. */
export const serve = async (config: Config, serving: Serving, terminal: Terminal): Promise<number> => {
  const problem = mayStart(config)
  if (problem !== undefined) {
    terminal.err(`Simpul does not start: ${problem.name} must be ${problem.rule}.`)
    return exitCodes.configuration
  }
  if (config.workers > 1) {
    // One process needs nothing of it, and starts sooner without.
    const { serveTogether } = await import('./serve-together.ts')
    return serveTogether(config, serving, terminal)
  }
  await using application = await serving.compose(config)
  const url = await application.listen()
  for (const line of greeting(config, url, await application.invitation())) terminal.err(line)
  await serving.untilStopped()
  terminal.err(stoppingLine)
  application.drain()
  await sleep(drainMsOf(config))
  return exitCodes.good
}
