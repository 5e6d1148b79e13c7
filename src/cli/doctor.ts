import { access, constants, mkdir, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { type Config, type ConfigProblem, everyone, mayStart, printableConfig } from '../config/config.ts'
import { exitCodes } from './exit-codes.ts'
import { report, type Terminal } from './terminal.ts'

export type Finding = { readonly check: string; readonly state: 'ok' | 'warn' | 'fail'; readonly says: string; readonly remedy?: string }

/** What the doctor is given: the store's own examination stays in the store's room. */
export type DoctorParts = {
  readonly config: { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly problems: readonly ConfigProblem[] }
  readonly examineStore: (config: Config, deep: boolean) => Promise<readonly Finding[]>
  /** Writes anew what can be made from the rest and is lost. */
  readonly repairStore: (config: Config) => Promise<Finding>
  readonly terminal: Terminal
}

/** `repair` comes before `deep`, so that both tell what is left. */
type DoctorOptions = { readonly deep: boolean; readonly repair: boolean; readonly showConfig: boolean }

const freeWarnBytes = 2 * 1024 ** 3

/** `simpul doctor`: one line a check, each with its remedy; exit code 1 when something fails. */
export const doctor = async (parts: DoctorParts, options: DoctorOptions): Promise<number> => {
  const { config, terminal } = parts
  if (!config.ok) {
    for (const { name, rule } of config.problems)
      tell(terminal, {
        check: 'config',
        state: 'fail',
        says: `${name} must be ${rule}.`,
        remedy: 'Correct the variable; docs/operate/configuration.md lists them.',
      })
    return exitCodes.configuration
  }
  if (options.showConfig) for (const [name, value] of Object.entries(printableConfig(config.config))) terminal.out(`${name}=${value}`)
  const findings = [
    node(),
    startable(config.config),
    ...(await folder(config.config.dataDir)),
    await port(config.config),
    ...(options.repair ? [await parts.repairStore(config.config)] : []),
    ...(await parts.examineStore(config.config, options.deep)),
  ]
  for (const finding of findings) tell(terminal, finding)
  return findings.some(finding => finding.state === 'fail') ? exitCodes.failed : exitCodes.good
}

const tell = (terminal: Terminal, finding: Finding): void =>
  report(
    terminal,
    finding,
    `${finding.state.padEnd(5)}${finding.check.padEnd(10)}${finding.says}${finding.remedy ? `\n${' '.repeat(15)}→ ${finding.remedy}` : ''}`,
  )

const node = (): Finding => ({
  check: 'node',
  state: 'ok',
  says: `Node ${process.versions.node}, SQLite ${process.versions.sqlite ?? 'missing'}.`,
})

const startable = (config: Config): Finding => {
  const problem = mayStart(config)
  if (problem !== undefined)
    return {
      check: 'auth',
      state: 'fail',
      says: `The server will not start: ${problem.name} must be ${problem.rule}.`,
      remedy: 'Correct the variable; docs/operate/configuration.md lists them.',
    }
  if (config.auth !== 'off') return { check: 'auth', state: 'ok', says: 'Whoever uses the server signs in.' }
  return {
    check: 'auth',
    state: 'warn',
    says: `SIMPUL_AUTH=off: ${everyone(config)} may read and change everything.`,
    remedy: 'Keep it on loopback and out of reach of patients’ data.',
  }
}

const folder = async (path: string): Promise<Finding[]> => {
  try {
    await mkdir(path, { recursive: true })
    await access(path, constants.W_OK)
    const { bavail, bsize } = await statfs(path)
    const free = bavail * bsize
    const gigabytes = (free / 1024 ** 3).toFixed(1)
    return [
      { check: 'data', state: 'ok', says: 'SIMPUL_DATA_DIR can be written.' },
      free < freeWarnBytes
        ? { check: 'disk', state: 'warn', says: `${gigabytes} GiB free.`, remedy: 'Free space, or move SIMPUL_DATA_DIR to a larger disk.' }
        : { check: 'disk', state: 'ok', says: `${gigabytes} GiB free.` },
    ]
  } catch {
    return [
      {
        check: 'data',
        state: 'fail',
        says: 'SIMPUL_DATA_DIR cannot be written.',
        remedy: 'Create the folder and give this user write access.',
      },
    ]
  }
}

const port = async (config: Config): Promise<Finding> =>
  (await portIsFree(config.host, config.port))
    ? { check: 'port', state: 'ok', says: `Port ${config.port} is free.` }
    : {
        check: 'port',
        state: 'warn',
        says: `Port ${config.port} is taken, perhaps by a running Simpul.`,
        remedy: 'Stop the other program or set SIMPUL_PORT.',
      }

/** Whether a listener could be opened now. */
export const portIsFree = (host: string, wanted: number): Promise<boolean> =>
  new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(wanted, host, () => probe.close(() => resolve(true)))
  })
