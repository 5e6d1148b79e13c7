import { systemClock } from './base/clock.ts'
import { runProgram } from './cli/program.ts'
import type { Terminal } from './cli/terminal.ts'
import { composeAdministration } from './compose/administration.ts'
import { composeCopy } from './compose/copy.ts'
import { compose, composePrimary } from './compose.ts'
import { examineStore, migrationsOf, repairStore } from './engines.ts'

/** The front door: the only place that reads the environment, the arguments and the signals of the process. */
export const main = async (argv: readonly string[]): Promise<void> => {
  const signals = { untilStopped, whenRenewed, leaveSignals }
  const parts = {
    environment: process.env,
    terminal,
    clock: systemClock,
    ...signals,
    compose,
    composePrimary,
    composeCopy,
    administer: composeAdministration,
    examineStore,
    repairStore,
    migrations: migrationsOf,
  }
  process.exitCode = await runProgram(argv, parts)
}

const terminal = (json: boolean): Terminal => ({
  json,
  out: line => process.stdout.write(`${line}\n`),
  err: line => process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}\n` : `${line}\n`),
  ...(process.stderr.isTTY ? { status: (line: string) => process.stderr.write(`\r\u001b[K${line}`) } : {}),
})

/** The first signal asks to stop; a second one ends the process where it stands. */
const untilStopped = (): Promise<void> =>
  new Promise(resolve => {
    const stop = (): void => {
      process.once('SIGINT', () => process.exit(130))
      process.once('SIGTERM', () => process.exit(143))
      resolve()
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  })

/** Not where a terminal may close: that ends the server, as ever. */
const whenRenewed = (begin: () => void): void => {
  if (!process.stdin.isTTY) process.on('SIGHUP', begin)
}

const leaveSignals = (): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)
}
