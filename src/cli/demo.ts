import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deadlineIn } from '../base/deadline.ts'
import { sentence } from '../base/failure-kinds.ts'
import type { Config } from '../config/config.ts'
import { demoBundles, seedVersion } from '../demo/seed.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Perform } from '../interactions/request.ts'
import type { Application, UntilStopped } from './application.ts'
import { portIsFree } from './doctor.ts'
import { exitCodes } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

export type DemoApplication = Application & { readonly perform: Perform }

const portsTried = 50

/**
 * `simpul demo`: loopback only, open, with invented people. Its data live in `{SIMPUL_DATA_DIR}/demo.db`, never in `simpul.db`,
 * and are built anew when the seed changed.
 */
export const demo = async (
  given: Config,
  options: { readonly portWasAsked: boolean },
  compose: (config: Config) => Promise<DemoApplication>,
  terminal: Terminal,
  untilStopped: UntilStopped,
): Promise<number> => {
  const path = join(given.dataDir, 'demo.db')
  const host = '127.0.0.1'
  const port = options.portWasAsked ? given.port : await freePort(host, given.port)
  const fresh = await makeRoom(given.dataDir, path)
  await using application = await compose({ ...given, host, port, auth: 'off', store: `sqlite:${path}`, updateCreate: 'on' })
  if (fresh) await seed(application.perform, given)
  await writeFile(`${path}.seed`, seedVersion)
  const url = await application.listen()
  for (const line of banner(url, path)) terminal.err(line)
  await untilStopped()
  return exitCodes.good
}

/** True when the store must be seeded: there is none, or it was made from other people. */
const makeRoom = async (dataDir: string, path: string): Promise<boolean> => {
  await mkdir(dataDir, { recursive: true })
  const seeded = await readFile(`${path}.seed`, 'utf8').catch(() => '')
  if (seeded === seedVersion) return false
  for (const suffix of ['', '-wal', '-shm', '.seed']) await rm(`${path}${suffix}`, { force: true })
  return true
}

/** All at once: the store commits in groups, and nothing here depends on what is already there. */
const seed = async (perform: Perform, config: Config): Promise<void> => {
  await Promise.all(demoBundles().map(bundle => put(bundle, perform, config)))
}

const put = async (bundle: ReturnType<typeof demoBundles>[number], perform: Perform, config: Config): Promise<void> => {
  // The generator's typed Bundle is a resource like any other from here on.
  const body = { kind: 'parsed', resource: bundle as unknown as Resource } as const
  const outcome = await perform(
    { interaction: 'transaction', parameters: [], prefer: { return: 'minimal', handling: 'strict' }, body },
    { principal: { kind: 'anonymous' }, requestId: 'demo-seed', deadline: deadlineIn(config.limits.transactionMs), via: 'internal' },
  )
  if (!outcome.ok) throw new Error(`The demo data were refused: ${sentence(outcome.failure.kind, outcome.failure.values, 'en')}`)
}

const freePort = async (host: string, from: number): Promise<number> => {
  for (let port = from; port < from + portsTried; port++) if (await portIsFree(host, port)) return port
  return 0
}

const banner = (url: string, path: string): string[] => [
  '',
  '  Simpul demo · hanya untuk dicoba, tanpa masuk, data rekaan',
  '               for trying out only, no sign-in, invented people',
  '',
  `  ${url}/`,
  `  ${url}/fhir/Patient?name=siti`,
  '',
  `  Data: ${path} · Ctrl+C berhenti / stops`,
  '',
]
