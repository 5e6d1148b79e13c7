/**
 * Holds house-style section 1: imports only go down, engines are known to compose only, Express to http only, and no file reaches itself.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const root = resolve(import.meta.dirname, '..')
const sourceRoot = join(root, 'src')

/** Room -> floor. A room that is not here fails the test: decide where it stands. */
const floors: Readonly<Record<string, number>> = {
  'main.ts': 4,
  'compose.ts': 4,
  compose: 4,
  'engines.ts': 4,
  http: 3,
  cli: 3,
  interactions: 2,
  demo: 2,
  search: 1,
  storage: 1,
  auth: 1,
  audit: 1,
  nodes: 1,
  fhir: 0,
  base: 0,
  config: 0,
  telemetry: 0,
}

/** Imports between rooms of one floor that the house allows. */
const neighbours = new Set(['storage>search', 'fhir>base', 'config>base', 'telemetry>base'])
/** `search` may know what it searches in, by type only: `storage/port.ts` and `storage/sequence.ts` are open to all above. */
const openFiles = new Set(['storage/port.ts', 'storage/sequence.ts', 'storage/migrations.ts', 'storage/unusable.ts'])

/** Packages and the only rooms that may import them. */
const packageRooms: Readonly<Record<string, readonly string[]>> = {
  express: ['http'],
  'node:sqlite': ['storage/sqlite'],
  winston: ['telemetry'],
  'prom-client': ['telemetry'],
  commander: ['cli'],
  '@lhncbc/ucum-lhc': ['search'],
  fhirpath: ['fhir'],
  mongodb: ['storage/mongodb'],
  ioredis: ['nodes'],
  'rate-limiter-flexible': ['nodes'],
  'oidc-provider': ['auth/server'],
  jose: ['auth'],
  'openid-client': ['auth/federation'],
  helmet: ['http'],
  uqr: ['auth/pages'],
  nodemailer: ['auth/pages'],
}

type Import = { readonly from: string; readonly to: string }

const files = readdirSync(sourceRoot, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
const importPattern = /^\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gm

const imports: readonly Import[] = files.flatMap(file => {
  const text = readFileSync(join(sourceRoot, file), 'utf8')
  return [...text.matchAll(importPattern)].map(match => ({ from: file, to: match[1] ?? match[2] ?? match[3] ?? '' }))
})

const inside = imports
  .filter(({ to }) => to.startsWith('.'))
  .map(({ from, to }) => ({ from, to: relative(sourceRoot, resolve(sourceRoot, dirname(from), to)) }))
const roomOf = (file: string): string => file.split('/')[0] as string

const mayImport = ({ from, to }: Import): boolean => {
  const [here, there] = [roomOf(from), roomOf(to)]
  // An engine's migrations lie beside the code, and only that engine knows them.
  if (to.startsWith('../migrations/')) return from.startsWith(`storage/${to.split('/')[2]}/`)
  if (here === there || here === 'compose.ts' || here === 'compose' || here === 'main.ts' || here === 'engines.ts') return true
  // Top-level folders hold content that the engine's own room reads.
  if (to.startsWith('../migrations/sqlite/')) return from.startsWith('storage/sqlite/')
  if (to.startsWith('storage/sqlite') || to.startsWith('storage/mongodb')) return false
  const [low, high] = [floors[there] as number, floors[here] as number]
  if (openFiles.has(to)) return high >= low
  return low < high || neighbours.has(`${here}>${there}`)
}

describe('the house', () => {
  test('knows the floor of every room', () => {
    expect([...new Set(files.map(roomOf))].filter(room => !(room in floors))).toEqual([])
  })

  test('lets imports only go down', () => {
    expect(inside.filter(one => !mayImport(one))).toEqual([])
  })

  test('keeps each package in its room', () => {
    const strangers = imports.filter(({ from, to }) => {
      const rooms = packageRooms[to]
      return rooms !== undefined && !rooms.some(room => from.startsWith(`${room}/`))
    })
    expect(strangers).toEqual([])
  })

  test('has no file that reaches itself', () => {
    const next = new Map<string, string[]>()
    for (const { from, to } of inside) next.set(from, [...(next.get(from) ?? []), to])
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      if (done.has(file) || path.includes(file)) return
      for (const to of next.get(file) ?? []) visit(to, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    expect(cycles).toEqual([])
  })

  test('does no I/O and reads no clock in fhir and base, but for the one clock', () => {
    const pure = files.filter(file => /^(fhir|base)\//.test(file) && !['base/clock.ts', 'base/deadline.ts', 'base/ids.ts'].includes(file))
    const impure = pure.filter(file =>
      /Date\.now\(\)|new Date\(\)|performance\.now|from 'node:(fs|net|http|child_process|worker_threads)/.test(
        readFileSync(join(sourceRoot, file), 'utf8'),
      ),
    )
    expect(impure).toEqual([])
  })

  test('reads the environment only in main and at the edge of the CLI', () => {
    const readers = files.filter(file => /process\.env/.test(readFileSync(join(sourceRoot, file), 'utf8')))
    expect(readers.filter(file => file !== 'main.ts')).toEqual([])
  })
})
