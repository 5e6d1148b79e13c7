/**
 * `simpul migrate` as a shell sees it, and a server that starts on a schema that is not its own.
 * @see operate.md 14 and 22
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { freePort } from '../support/free-port.ts'
import { migratingEngines } from '../support/migrating.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'simpul-migrate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const start = (argv: readonly string[], environment: Readonly<Record<string, string>>) => {
  const child = spawn(process.execPath, [join(root, 'bin/simpul.js'), ...argv], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', SIMPUL_DATA_DIR: join(folder, 'data'), ...environment },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', part => {
    out += part
  })
  child.stderr.on('data', part => {
    err += part
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, out, err }))
  return { child, ended, said: () => err }
}
const run = (argv: readonly string[], environment: Readonly<Record<string, string>>) => start(argv, environment).ended

type Told = { readonly number: number; readonly name: string; readonly state: string; readonly at?: string }
const told = (out: string): readonly Told[] =>
  out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Told)

for (const engine of migratingEngines)
  describe(`simpul migrate on ${engine.name}`, () => {
    afterAll(() => engine.close())
    const { known } = engine
    const clock = () => Date.UTC(2026, 10, 21, 8)
    const storeAt = (address: string): string => (engine.name === 'sqlite' ? `sqlite:${address}` : address)
    const newer = async (): Promise<string> => {
      const address = engine.address()
      await using migrations = await engine.at(address, clock, [...known, engine.later(known.length + 1, 'future')])
      await migrations.up()
      return storeAt(address)
    }

    test('two processes bring one store up at the same time: both good, both tell the same', async () => {
      const environment = { SIMPUL_STORE: storeAt(engine.address()) }
      const before = await run(['migrate', 'status', '--json'], environment)
      expect([before.code, told(before.out).map(({ state }) => state)]).toEqual([0, known.map(() => 'pending')])
      const both = await Promise.all([1, 2].map(() => run(['migrate', 'up', '--json'], environment)))
      expect(both.map(({ code }) => code)).toEqual([0, 0])
      expect(told(both[0]?.out ?? '').map(({ number, name, state }) => ({ number, name, state }))).toEqual(
        known.map(({ number, name }) => ({ number, name, state: 'done' })),
      )
      expect(both[1]?.out).toBe(both[0]?.out)
      const after = await run(['migrate', 'status'], environment)
      expect(after).toMatchObject({ code: 0, err: expect.stringContaining('as this version needs it') })
      expect(after.out).toMatch(/^0001 {2}initial +done +\d{4}-/)
    }, 60_000)

    test('a store newer than the program is refused by migrate and serve, exit 3, with what to do', async () => {
      const environment = { SIMPUL_STORE: await newer(), SIMPUL_AUTH: 'off', SIMPUL_PORT: String(await freePort()) }
      const says = `The store has migration ${known.length + 1}-future, which this version does not know; use a newer one`
      for (const verb of [['migrate', 'status'], ['migrate', 'up'], ['serve']]) {
        const { code, err } = await run(verb, environment)
        expect([verb, code, err.trim()]).toEqual([verb, 3, says])
      }
    }, 60_000)

    test('a server told to wait is not there until somebody brought the store up', async () => {
      const port = String(await freePort())
      const environment = { SIMPUL_STORE: storeAt(engine.address()), SIMPUL_AUTH: 'off', SIMPUL_PORT: port, SIMPUL_MIGRATE: 'wait' }
      const { child, ended, said } = start(['serve'], environment)
      const isThere = () =>
        fetch(`http://127.0.0.1:${port}/health/ready`).then(
          ({ ok }) => ok,
          () => false,
        )
      const status = await run(['migrate', 'status', '--json'], environment)
      expect([told(status.out).map(({ state }) => state), await isThere()]).toEqual([known.map(() => 'pending'), false])
      await run(['migrate', 'up'], environment)
      while (!said().includes('listens on') && child.exitCode === null) await new Promise(again => setTimeout(again, 20))
      expect(await isThere()).toBe(true)
      child.kill('SIGTERM')
      expect((await ended).code).toBe(0)
    }, 60_000)
  })

describe('simpul migrate', () => {
  const rows: readonly (readonly [argv: readonly string[], store: string, code: number, says: string])[] = [
    [['migrate'], 'sqlite:x.db', 64, 'missing required argument'],
    [['migrate', 'down'], 'sqlite:x.db', 64, 'Allowed choices are status, up'],
    [['migrate', 'up'], 'mongodb://u:geheim@127.0.0.1/', 78, 'SIMPUL_STORE must be sqlite:{path} or mongodb://{hosts}/{database}'],
    [['migrate', 'up'], 'mongodb://u:geheim@127.0.0.1/admin', 78, 'SIMPUL_STORE must name a database of its own'],
    [['migrate', 'up'], 'mongodb://u:geheim@127.0.0.1:1/x?serverSelectionTimeoutMS=300', 5, 'No MongoDB answers at 127.0.0.1:1/x.'],
    [['serve'], 'mongodb://u:geheim@127.0.0.1:1/x?serverSelectionTimeoutMS=300', 5, 'No MongoDB answers at 127.0.0.1:1/x.'],
  ]
  for (const [argv, store, code, says] of rows)
    test(`${argv.join(' ')} on ${store} ends with ${code} and tells no password`, async () => {
      const ended = await run(argv, { SIMPUL_STORE: store, SIMPUL_AUTH: 'off' })
      expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(says)])
      expect(ended.err + ended.out).not.toContain('geheim')
    }, 30_000)
})
