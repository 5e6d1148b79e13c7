import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')

/** A server under measurement, in a process of its own. */
export type Measured = {
  readonly base: string
  /** What it was started with. */
  readonly environment?: Readonly<Record<string, string>>
  /** User and system time of the whole process so far, seconds. */
  cpuSeconds(): number
  /** The same of a database that is a process of its own. */
  databaseCpuSeconds?(): number
  residentMiB(): number
  stop(): Promise<void>
}

/** Our server on an empty store in a temporary folder: what `npm start` starts. */
export const startSimpul = async (environment: Readonly<Record<string, string>> = {}): Promise<Measured> => {
  const folder = mkdtempSync(join(tmpdir(), 'simpul-bench-'))
  const port = await freePort()
  const given = { SIMPUL_AUTH: 'off', SIMPUL_PORT: String(port), SIMPUL_DATA_DIR: folder, SIMPUL_LOG_LEVEL: 'warn', ...environment }
  const child = spawn(process.execPath, [join(root, 'bin/simpul.js'), 'serve'], {
    env: { PATH: process.env.PATH, ...given },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const base = `http://127.0.0.1:${port}`
  await untilAnswers(`${base}/health/ready`, child).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  return { ...measured(child, base, () => rmSync(folder, { recursive: true, force: true })), environment: given }
}

/** Bare Express that answers `bytes` of a file. */
export const startFloor = async (file: string): Promise<Measured> => {
  const child = spawn(process.execPath, [join(root, 'bench/floor.ts'), file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [first] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return measured(child, `http://127.0.0.1:${String(first).trim()}`, () => undefined)
}

const ticksPerSecond = 100

/** User and system time of a process, its threads and the processes it started. */
export const cpuSecondsOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const own = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  return childrenOf(pid).reduce((sum, child) => sum + cpuSecondsOf(child), own)
}

const childrenOf = (pid: number): readonly number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap(task =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )

const measured = (child: ChildProcess, base: string, clean: () => void): Measured => ({
  base,
  cpuSeconds: () => cpuSecondsOf(child.pid as number), // it has answered, so it was started
  residentMiB: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
  stop: async () => {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await ended
    clearTimeout(timer)
    clean()
  },
})

const untilAnswers = async (url: string, child: ChildProcess): Promise<void> => {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`The server ended with code ${child.exitCode}.`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    await new Promise(again => setTimeout(again, 50))
  }
  throw new Error(`${url} did not answer within 10 s.`)
}

const freePort = (): Promise<number> =>
  new Promise((take, refuse) => {
    const probe = createServer()
    probe.once('error', refuse)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => take(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** How often this disk makes 4 KiB durable in a second: durable figures mean nothing without it. */
export const fsyncsPerSecond = (): number => {
  const folder = mkdtempSync(join(tmpdir(), 'simpul-fsync-'))
  const file = openSync(join(folder, 'file'), 'w')
  const block = Buffer.alloc(4096, 1)
  const end = performance.now() + 1000
  let count = 0
  for (; performance.now() < end; count++) {
    writeSync(file, block, 0, block.length, (count % 1024) * 4096)
    fdatasyncSync(file)
  }
  closeSync(file)
  rmSync(folder, { recursive: true, force: true })
  return count
}
