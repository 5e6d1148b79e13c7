import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deadlineIn } from '../base/deadline.ts'
import { sentence } from '../base/failure-kinds.ts'
import type { Config } from '../config/config.ts'
import { demoBundles, seedVersion } from '../demo/seed.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Perform, Principal } from '../interactions/request.ts'
import type { Administering } from './administering.ts'
import type { Application, UntilStopped } from './application.ts'
import { devSeed } from './dev-seed.ts'
import { portIsFree } from './doctor.ts'
import { exitCodes } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

export type DemoApplication = Application & {
  readonly perform: Perform
  /** Who the server is when it does something by itself: `name` stands in records. */
  readonly source: (name: string) => Principal
}

export type DemoParts = {
  readonly compose: (config: Config, purpose: 'demo' | 'import') => Promise<DemoApplication>
  readonly administer: (config: Config) => Promise<Administering>
  readonly untilStopped: UntilStopped
}

const portsTried = 50

/**
 * `simpul demo`: loopback only, with invented people. Open, its data live in `{SIMPUL_DATA_DIR}/demo.db`, never in `simpul.db`, and are built anew when
 * the seed changed. With `auth` it is closed as a real server is, and has an account for each role; all of that is in `demo-auth.db`, anew at each start, so
 * that the passwords can be shown.
 */
export const demo = async (
  { baseUrl: _, ...given }: Config,
  options: { readonly portWasAsked: boolean; readonly auth: boolean },
  { compose, administer, untilStopped }: DemoParts,
  terminal: Terminal,
): Promise<number> => {
  const { auth } = options
  const path = join(given.dataDir, auth ? 'demo-auth.db' : 'demo.db')
  const host = '127.0.0.1'
  const port = options.portWasAsked ? given.port : await freePort(host, given.port)
  const store = `sqlite:${path}`
  const config: Config = {
    ...given,
    baseUrl: undefined,
    host,
    port,
    auth: auth ? 'smart' : 'off',
    environment: 'development',
    store,
    updateCreate: 'on',
  }
  if (await makeRoom(given.dataDir, path, auth)) {
    await using seeding = await compose(config, 'import')
    await seed(seeding, config)
    await writeFile(`${path}.seed`, seedVersion)
  }
  if (auth) await devSeed(() => administer(config), terminal)
  await using application = await compose(config, 'demo')
  const url = await application.listen()
  for (const line of banner(url, path, auth)) terminal.err(line)
  await untilStopped()
  return exitCodes.good
}

/** True when the store must be seeded: there is none, it was made from other people, or it is to be new. */
const makeRoom = async (dataDir: string, path: string, anew: boolean): Promise<boolean> => {
  await mkdir(dataDir, { recursive: true })
  const seeded = await readFile(`${path}.seed`, 'utf8').catch(() => '')
  if (seeded === seedVersion && !anew) return false
  for (const suffix of ['', '-wal', '-shm', '.seed']) await rm(`${path}${suffix}`, { force: true })
  return true
}

/** All at once: the store commits in groups, and nothing here depends on what is already there. */
const seed = async ({ perform, source }: DemoApplication, config: Config): Promise<void> => {
  const principal = source('demo')
  await Promise.all(demoBundles().map(bundle => put(bundle, perform, principal, config)))
}

const put = async (
  bundle: ReturnType<typeof demoBundles>[number],
  perform: Perform,
  principal: Principal,
  config: Config,
): Promise<void> => {
  // The generator's typed Bundle is a resource like any other from here on.
  const body = { kind: 'parsed', resource: bundle as unknown as Resource } as const
  const outcome = await perform(
    { interaction: 'transaction', parameters: [], prefer: { return: 'minimal', handling: 'strict' }, body },
    { principal, requestId: 'demo-seed', deadline: deadlineIn(config.limits.transactionMs), via: 'internal' },
  )
  if (!outcome.ok) throw new Error(`The demo data were refused: ${sentence(outcome.failure.kind, outcome.failure.values, 'en')}`)
}

const freePort = async (host: string, from: number): Promise<number> => {
  for (let port = from; port < from + portsTried; port++) if (await portIsFree(host, port)) return port
  return 0
}

const banner = (url: string, path: string, auth: boolean): string[] => [
  '',
  ...(auth
    ? [
        '  Simpul demo · hanya untuk dicoba, dengan akun di atas, data rekaan',
        '               for trying out only, with the accounts above, invented people',
      ]
    : ['  Simpul demo · hanya untuk dicoba, tanpa masuk, data rekaan', '               for trying out only, no sign-in, invented people']),
  '',
  `  ${url}/`,
  `  ${url}${auth ? '/account' : '/fhir/Patient?name=siti'}`,
  '',
  `  Data: ${path} · Ctrl+C berhenti / stops`,
  '',
]
