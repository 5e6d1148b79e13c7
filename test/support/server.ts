import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compose } from '../../src/compose.ts'
import { readConfig } from '../../src/config/config.ts'
import { freePort } from './free-port.ts'

/** A whole server on a port of its own and a store in a temporary folder that goes with it. */
export type TestServer = {
  /** `http://127.0.0.1:{port}`, without a slash at the end. */
  readonly url: string
  /** The FHIR base. */
  readonly base: string
  close(): Promise<void>
}

/** What `simpul serve` starts, with `environment` as its variables. */
export const startServer = async (environment: Readonly<Record<string, string>> = {}): Promise<TestServer> => {
  const folder = mkdtempSync(join(tmpdir(), 'simpul-test-'))
  const read = readConfig({
    SIMPUL_AUTH: 'off',
    SIMPUL_PORT: String(await freePort()),
    SIMPUL_LOG_LEVEL: 'error',
    SIMPUL_DATA_DIR: folder,
    ...environment,
  })
  if (!read.ok) throw new Error(read.problems.map(({ name, rule }) => `${name} must be ${rule}`).join('; '))
  const application = await compose(read.config, 'serve')
  const url = await application.listen()
  return {
    url,
    base: `${url}/fhir`,
    close: async () => {
      await application[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
