/** What the doctor says of a store, on every engine, without a server and without passwords. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { create } from '../storage/contract-store.ts'
import { freePort } from '../support/free-port.ts'
import { migratingEngines } from '../support/migrating.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'simpul-doctor-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Finding = { readonly check: string; readonly state: string; readonly says: string }

const doctor = async (store: string, ...options: readonly string[]): Promise<{ readonly code: number; readonly out: string }> => {
  const env = {
    PATH: process.env.PATH ?? '',
    SIMPUL_AUTH: 'off',
    SIMPUL_DATA_DIR: folder,
    SIMPUL_STORE: store,
    SIMPUL_PORT: String(await freePort()),
  }
  return new Promise(done => {
    execFile(process.execPath, [join(root, 'bin/simpul.js'), 'doctor', ...options], { cwd: folder, env }, (error, out, err) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, out: out + err }),
    )
  })
}
const ofStore = (out: string): readonly Finding[] =>
  out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Finding)
    .filter(({ check }) => check === 'store')

for (const engine of migratingEngines)
  describe(`simpul doctor on ${engine.name}`, () => {
    afterAll(() => engine.close())

    test('says that a new store is none yet, then what it holds, then that it is whole', async () => {
      const address = engine.address()
      const store = engine.name === 'sqlite' ? `sqlite:${address}` : address
      expect(ofStore((await doctor(store, '--json')).out)).toEqual([
        { check: 'store', state: 'ok', says: expect.stringMatching(/first start (makes|fills) it/) },
      ])
      const opened = await engine.open(address, () => Date.UTC(2026, 10, 21, 8))
      await create(opened, { id: 'a', identifiers: ['1'] })
      await opened[Symbol.asyncDispose]()
      const [known] = ofStore((await doctor(store, '--json')).out)
      expect(known).toMatchObject({ state: 'ok', says: expect.stringMatching(/^1 resources, \d+ migrations\./) })
      const repaired = await doctor(store, '--repair', '--json')
      expect(repaired.out).toContain('"check":"repair","state":"ok"')
      const deep = await doctor(store, '--deep', '--json')
      expect([deep.code, ofStore(deep.out)]).toEqual([
        0,
        [{ check: 'store', state: 'ok', says: expect.stringContaining('Every version is indexed') }],
      ])
    }, 60_000)
  })

test('simpul doctor says what mends a MongoDB that does not answer, and never a password', async () => {
  const store = 'mongodb://app:geheim@127.0.0.1:1/simpul?serverSelectionTimeoutMS=300&tlsCertificateKeyFilePassword=geheim'
  const { code, out } = await doctor(store, '--deep', '--config')
  expect(code).toBe(1)
  expect(out).toContain('SIMPUL_STORE=mongodb://***@127.0.0.1:1/simpul')
  expect(out).not.toContain('geheim')
}, 60_000)

test('says of sign-in what is so: who signs in, that nobody does, or why the server would not start', async () => {
  const env = async (given: Readonly<Record<string, string>>) => ({
    PATH: process.env.PATH ?? '',
    SIMPUL_DATA_DIR: folder,
    SIMPUL_STORE: `sqlite:${join(folder, 'none.db')}`,
    SIMPUL_PORT: String(await freePort()),
    ...given,
  })
  const ofAuth = async (given: Readonly<Record<string, string>>): Promise<string> => {
    const options = { cwd: folder, env: await env(given) }
    const out = await new Promise<string>(done => {
      execFile(process.execPath, [join(root, 'bin/simpul.js'), 'doctor'], options, (_error, said) => done(said))
    })
    return out.split('\n').find(line => line.slice(5).startsWith('auth')) ?? ''
  }
  expect(await ofAuth({ SIMPUL_AUTH: 'smart' })).toBe('ok   auth      Whoever uses the server signs in.')
  expect(await ofAuth({ SIMPUL_AUTH: 'off' })).toMatch(/^warn auth {6}SIMPUL_AUTH=off: everyone on this machine/)
  expect(await ofAuth({ SIMPUL_AUTH: 'off', SIMPUL_HOST: '0.0.0.0' })).toMatch(/^fail auth {6}The server will not start: SIMPUL_HOST/)
})
