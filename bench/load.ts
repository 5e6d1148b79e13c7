import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import type { Measured } from './processes.ts'

/** One measured cell. Times in milliseconds. */
export type Figures = {
  readonly operations: number
  readonly perSecond: number
  readonly cpuSecondsPer1000: number
  /** Of the database, where it is a process of its own. */
  readonly databaseCpuSecondsPer1000?: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly errors: number
}

/** What one connection sends, again and again; `setup` may use what the connection saw before (`context`). */
export type Step = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string | ((context: Record<string, unknown>) => string)
  readonly body?: string | ((context: Record<string, unknown>) => string)
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly seen?: (status: number, body: string, context: Record<string, unknown>, headers: Record<string, unknown>) => void
}

/** What the server and its database spend from now on, for each thousand operations. */
export const startMeter = (
  server: Measured,
): ((operations: number) => Pick<Figures, 'cpuSecondsPer1000' | 'databaseCpuSecondsPer1000'>) => {
  const before = server.cpuSeconds()
  const databaseBefore = server.databaseCpuSeconds?.()
  return operations => ({
    cpuSecondsPer1000: ((server.cpuSeconds() - before) / operations) * 1000,
    ...(databaseBefore === undefined
      ? {}
      : { databaseCpuSecondsPer1000: (((server.databaseCpuSeconds?.() ?? 0) - databaseBefore) / operations) * 1000 }),
  })
}

/** Runs `steps` in a loop on every connection for `seconds`. */
export const runSteps = async (
  server: Measured,
  steps: readonly Step[],
  options: { readonly connections: number; readonly seconds: number; readonly expect: readonly number[] },
): Promise<Figures> => {
  const spent = startMeter(server)
  let unexpected = 0
  const result = await autocannon({
    url: server.base,
    connections: options.connections,
    duration: options.seconds,
    requests: steps.map(step => ({
      method: step.method,
      setupRequest: (request: autocannon.Request, context: object) => {
        const seen = context as Record<string, unknown>
        const body = typeof step.body === 'function' ? step.body(seen) : step.body
        return {
          ...request,
          path: typeof step.path === 'function' ? step.path(seen) : step.path,
          ...(body === undefined ? {} : { body }),
          headers: { ...step.headers, ...(body === undefined ? {} : { 'content-type': step.contentType ?? 'application/fhir+json' }) },
        }
      },
      onResponse: (status: number, body: string, context: object, headers: autocannon.Request['headers']) => {
        if (!options.expect.includes(status)) unexpected += 1
        step.seen?.(status, body, context as Record<string, unknown>, headers ?? {})
      },
    })),
  })
  const operations = result.requests.total
  return {
    operations,
    perSecond: operations / result.duration,
    ...spent(operations),
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    errors: result.errors + result.timeouts + unexpected,
  }
}

/**
 * URLs in turn, as fast as it goes. wrk where it is installed: it takes less of the machine than a generator in Node, so it measures
 * the server.
 */
export const runGets = async (
  server: Measured,
  paths: readonly string[],
  options: { readonly connections: number; readonly seconds: number /** `Name: value`. */; readonly headers?: readonly string[] },
): Promise<Figures> => {
  const { headers = [] } = options
  if (!hasWrk())
    return runSteps(
      server,
      paths.map(path => ({ method: 'GET', path, headers: Object.fromEntries(headers.map(line => line.split(': '))) })),
      { ...options, expect: [200] },
    )
  const spent = startMeter(server)
  const text = await outputOf('wrk', [
    '-t1',
    `-c${options.connections}`,
    `-d${options.seconds}s`,
    '--latency',
    ...headers.flatMap(line => ['-H', line]),
    ...wrkTarget(server, paths),
  ])
  const operations = Number(/(\d+) requests in/.exec(text)?.[1])
  const failed = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0) + socketErrors(text)
  return {
    operations,
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    ...spent(operations),
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(text)),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(text)),
    errors: failed,
  }
}

/** One URL needs no script, and is asked faster without. */
const wrkTarget = ({ base }: Measured, paths: readonly string[]): string[] => {
  if (paths.length === 1) return [`${base}${paths[0]}`]
  const list = join(tmpdir(), `simpul-paths-${process.pid}.txt`)
  writeFileSync(list, `${paths.join('\n')}\n`)
  return ['-s', join(import.meta.dirname, 'paths.lua'), base, '--', list]
}

export const hasWrk = (): boolean => spawnSync('wrk', ['-v']).error === undefined

const milliseconds = (match: RegExpExecArray | null): number =>
  Number(match?.[1]) * ({ us: 0.001, ms: 1, s: 1000 }[match?.[2] as 'us' | 'ms' | 's'] ?? Number.NaN)

const socketErrors = (text: string): number =>
  [...(/Socket errors: (.*)/.exec(text)?.[1] ?? '').matchAll(/\d+/g)].reduce((sum, [count]) => sum + Number(count), 0)

const outputOf = (command: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (part: Buffer) => {
      text += String(part)
    })
    child.once('error', reject)
    child.once('close', () => resolve(text))
  })
