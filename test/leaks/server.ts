import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { composeHttp } from '../../src/compose/http.ts'
import { records } from '../../src/compose/records.ts'
import { readConfig } from '../../src/config/config.ts'
import { engineOf } from '../../src/engines.ts'
import type { Records, Store } from '../../src/storage/port.ts'
import { testDefinitions } from '../support/definitions.ts'
import type { TestEngine } from '../support/engines.ts'
import { freePort } from '../support/free-port.ts'
import { type TestParts, testParts } from '../support/parts.ts'

/** The whole server with sign-in on a port of this machine, and beside it the open door to the same store, for what tests plant. */
export type ClosedServer = AsyncDisposable & {
  readonly base: string
  /** Of the store. */
  readonly address: string
  readonly store: Store
  /** Sees everything. */
  readonly open: TestParts
  /** How often each method of the store was asked for requests since the last time somebody looked. */
  calls(): Readonly<Record<string, number>>
  send(sent: Sent): Promise<Received>
  /** Where the first administrator makes an account. */
  invitation(): Promise<string | undefined>
}

export type Sent = {
  readonly method?: string
  /** With its query, from the root of the server. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export type Received = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export const startClosed = async (engine: TestEngine, environment: Readonly<Record<string, string>> = {}): Promise<ClosedServer> => {
  const definitions = testDefinitions()
  const folder = mkdtempSync(join(tmpdir(), 'simpul-leaks-'))
  const port = await freePort()
  const where = await engine.address()
  const read = readConfig({
    SIMPUL_PORT: String(port),
    SIMPUL_DATA_DIR: folder,
    SIMPUL_STORE: where.address,
    SIMPUL_SQLITE_SYNCHRONOUS: 'NORMAL',
    SIMPUL_AUTH_KEK: randomBytes(32).toString('hex'),
    SIMPUL_LOG_LEVEL: 'error',
    SIMPUL_CURSOR_SECRET: randomBytes(32).toString('hex'),
    ...environment,
  })
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  const store = await engineOf(read.config).open({ definitions, clock: systemClock, records, config: read.config })
  const { counted, calls } = counting(store)
  const http = await composeHttp(read.config, 'serve', counted, definitions)
  const base = await http.listen()
  const open = await testParts({ engine: { ...engine, open: async () => store }, settings: { base: `${base}/fhir` } })
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  return {
    base,
    address: where.address,
    store,
    open,
    calls,
    send: sent => send(port, agent, sent),
    invitation: http.invitation,
    [Symbol.asyncDispose]: async () => {
      agent.destroy()
      await http.close()
      await store[Symbol.asyncDispose]()
      await where[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What is asked by the clock, for nobody's question: how the store is, whose turn it is, what waits to be sent. */
const byClock = /^(?:health|statistics|\w+ lease|take \w+)$/

const counting = (store: Store) => {
  const asked = new Map<string, number>()
  const note = (name: string): void => void (byClock.test(name) || asked.set(name, (asked.get(name) ?? 0) + 1))
  const counted = new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name === 'records')
        return (...given: Parameters<Store['records']>) => countedRecords(target.records(...given), given[0].name, note)
      return (...given: unknown[]): unknown => {
        note(String(name))
        return Reflect.apply(value, target, given)
      }
    },
  })
  const calls = () => {
    const seen = Object.fromEntries([...asked].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    asked.clear()
    return seen
  }
  return { counted, calls }
}

const countedRecords = (of: Records<object>, name: string, note: (name: string) => void) =>
  new Proxy(of, {
    get: (target, method: keyof Records<object>) => {
      // Every member of Records is a function of what it is asked for.
      const ask = target[method].bind(target) as (...asking: unknown[]) => unknown
      return (...asking: unknown[]) => {
        note(`${method} ${name}`)
        return ask(...asking)
      }
    },
  }) as never

const send = (port: number, agent: Agent, { method = 'GET', path, headers = {}, body }: Sent): Promise<Received> =>
  new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const asked = request({ host: '127.0.0.1', port, method, path, headers: { ...length, ...headers }, agent }, res => {
      const chunks: Buffer[] = []
      res.on('data', chunk => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString('utf8') }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
