import { type Config, everyone, mayStart, withoutCredentials } from '../config/config.ts'
import { exitCodes } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

/** A composed server, as far as the verbs need it. */
export type Application = AsyncDisposable & {
  /** Listens and answers the URL it is reached at, without a slash at the end. */
  listen(): Promise<string>
}

/** Resolves when the process is asked to end (SIGINT, SIGTERM). */
export type UntilStopped = () => Promise<void>

/** `simpul serve`: closed until it can be opened, see `mayStart`. */
export const serve = async (
  config: Config,
  compose: (config: Config) => Promise<Application>,
  terminal: Terminal,
  untilStopped: UntilStopped,
): Promise<number> => {
  const problem = mayStart(config)
  if (problem !== undefined) {
    terminal.err(`Simpul does not start: ${problem.name} must be ${problem.rule}.`)
    return exitCodes.configuration
  }
  await using application = await compose(config)
  const url = await application.listen()
  terminal.err(`Simpul listens on ${url}/fhir. SIMPUL_AUTH=off: ${everyone(config)} may read and change everything.`)
  terminal.err(`Data: ${withoutCredentials(config.store ?? `sqlite:${config.dataDir}/simpul.db`)}`)
  await untilStopped()
  terminal.err('Stopping: requests under way are finished first.')
  return exitCodes.good
}
