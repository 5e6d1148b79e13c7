import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** `simpul serve` as people start it, in a process of its own; with SIMPUL_WORKERS in several. */
export type RunningServer = AsyncDisposable & {
  readonly port: number
  /** Lines of the log with this event, so far. */
  logged(event: string): readonly Readonly<Record<string, unknown>>[]
  /** Everything that was said, for failures. */
  said(): string
  signal(name: NodeJS.Signals): void
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>
}

const startMs = 60_000

/** Resolves when it listens, and as many workers as were wanted do. */
export const startServer = async (environment: Readonly<Record<string, string>>): Promise<RunningServer> => {
  const folder = mkdtempSync(join(tmpdir(), 'simpul-running-'))
  const port = await freePort()
  const child = spawn(process.execPath, [resolve(import.meta.dirname, '../../bin/simpul.js'), 'serve'], {
    env: { PATH: process.env.PATH, SIMPUL_AUTH: 'off', SIMPUL_PORT: String(port), SIMPUL_DATA_DIR: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const server = running(child, port, folder)
  const wanted = Number(environment.SIMPUL_WORKERS ?? 1)
  const stillRuns = (): boolean => child.exitCode === null
  await until(
    () => !stillRuns() || (server.said().includes('listens on') && (wanted === 1 || server.logged('worker-started').length >= wanted)),
  )
  if (!stillRuns()) throw new Error(`The server ended: ${server.said()}`)
  return server
}

const running = (child: ChildProcess, port: number, folder: string): RunningServer => {
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (said += String(part)))
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  return {
    port,
    said: () => said,
    logged: event =>
      said
        .split('\n')
        .filter(line => line.startsWith('{') && line.includes(`"event":"${event}"`))
        .map(line => JSON.parse(line) as Record<string, unknown>),
    signal: name => child.kill(name),
    ended,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      const patience = setTimeout(() => child.kill('SIGKILL'), startMs)
      await ended
      clearTimeout(patience)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Asks again and again, for a minute at most. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  const end = performance.now() + startMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`Waited in vain: ${holds}`)
    await sleep(20)
  }
}

/** What came back. `last`: the connection carries no more. `status` 0: it broke, by `code`. */
export type Reply = { readonly status: number; readonly text: string; readonly last: boolean; readonly code?: string }

/** Longer than any deadline of the server. */
const hangsMs = 70_000

/** A client with one connection that it keeps: workers take connections in turn. */
export class Client {
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(port: number) {
    this.#port = port
  }

  get(path: string): Promise<Reply> {
    return this.send('GET', path)
  }

  send(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const type = text === undefined ? {} : { 'content-type': 'application/fhir+json', 'content-length': Buffer.byteLength(text) }
    return new Promise(resolveReply => {
      const options = {
        host: '127.0.0.1',
        port: this.#port,
        method,
        path,
        agent: this.#agent,
        timeout: hangsMs,
        headers: { ...type, ...headers },
      }
      const broke = (error: Error): void =>
        resolveReply({ status: 0, text: '', last: true, code: String((error as NodeJS.ErrnoException).code) })
      const asked = request(options, answer => {
        let received = ''
        answer.on('data', (part: Buffer) => (received += String(part)))
        answer.on('error', broke)
        answer.on('end', () =>
          resolveReply({ status: answer.statusCode ?? 0, text: received, last: answer.headers.connection === 'close' }),
        )
      })
      asked.on('timeout', () => asked.destroy(Object.assign(new Error('No answer'), { code: 'HANGS' })))
      asked.on('error', broke)
      asked.end(text)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** The body of a reply that has to be a JSON answer. */
export const bodyOf = <T>(reply: Reply): T => {
  if (reply.status === 0) throw new Error(`There was no answer: ${reply.code}`)
  return JSON.parse(reply.text) as T
}
