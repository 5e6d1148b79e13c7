/** The verbs as a shell sees them: what they print, what they leave behind, how they exit. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { examples } from '../../src/demo/start-page.ts'
import { testEngines } from '../support/engines.ts'
import { freePort } from '../support/free-port.ts'

// A test starts several programs, one after the other: on a crowded machine each takes its time.
jest.setTimeout(60_000)

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'simpul-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Ended = { readonly code: number; readonly out: string; readonly err: string }

const start = (argv: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
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
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number, out, err }))
  const says = async (words: string): Promise<string> => {
    while (!err.includes(words) && child.exitCode === null) await new Promise(again => setTimeout(again, 20))
    return err
  }
  return { child, ended, says }
}

const run = (argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> => start(argv, environment).ended

describe('simpul', () => {
  test('explains itself and every verb, exit 0', async () => {
    const { code, out } = await run(['--help'])
    expect(code).toBe(0)
    for (const verb of ['serve', 'demo', 'import', 'doctor', 'version']) {
      expect(out).toContain(verb)
      expect(await run([verb, '--help'])).toMatchObject({ code: 0 })
    }
  })

  const refused: readonly (readonly [argv: readonly string[], environment: Record<string, string>, code: number, says: string])[] = [
    [['nonsense'], {}, 64, 'unknown command'],
    [['import'], {}, 64, 'missing required argument'],
    [['import', 'x.ndjson', '--parallel', '0'], {}, 64, 'whole number from 1 to 64'],
    [['import', 'no-such.ndjson'], {}, 64, 'does not exist'],
    [['serve'], { SIMPUL_HOST: '0.0.0.0' }, 78, 'SIMPUL_BASE_URL must be an https address'],
    [['serve'], { SIMPUL_AUTH: 'off', SIMPUL_HOST: '0.0.0.0' }, 78, 'SIMPUL_HOST must be a loopback address'],
    [['serve'], { SIMPUL_AUTH: 'off', SIMPUL_PROT: '1' }, 78, 'SIMPUL_PROT must be a name'],
    [['doctor'], { SIMPUL_PORT: 'x' }, 78, ''],
  ]
  for (const [argv, environment, code, says] of refused) {
    test(`${argv.join(' ')} ${JSON.stringify(environment)} ends with ${code}`, async () => {
      const ended = await run(argv, environment)
      expect(ended.code).toBe(code)
      expect(ended.err).toContain(says)
      expect(ended.err).not.toContain('    at ')
    })
  }

  test('version tells all versions as one JSON object', async () => {
    const { code, out } = await run(['version', '--json'])
    expect(code).toBe(0)
    expect(Object.keys(JSON.parse(out))).toEqual(['simpul', 'fhir', 'node', 'sqlite'])
  })
})

for (const engine of testEngines)
  describe(`simpul import (${engine.name})`, () => {
    /** A store of its own for each test, by the variables that name it. */
    const given: AsyncDisposable[] = []
    const storeOfItsOwn = async (name: string): Promise<Readonly<Record<string, string>>> => {
      const store = await engine.address()
      given.push(store)
      return { SIMPUL_STORE: store.address, SIMPUL_DATA_DIR: join(folder, `${name}-${engine.name}`) }
    }
    afterAll(async () => {
      for (const store of given) await store[Symbol.asyncDispose]()
    })

    const patient = (n: number): string => JSON.stringify({ resourceType: 'Patient', name: [{ family: `Orang ${n}` }] })
    const visit = JSON.stringify({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          fullUrl: 'urn:uuid:9b7a2f7e-1111-4222-8333-444455556666',
          request: { method: 'POST', url: 'Patient' },
          resource: { resourceType: 'Patient' },
        },
        {
          request: { method: 'POST', url: 'Encounter' },
          resource: { resourceType: 'Encounter', subject: { reference: 'urn:uuid:9b7a2f7e-1111-4222-8333-444455556666' } },
        },
      ],
    })
    const file = (name: string, content: string | Uint8Array): string => {
      writeFileSync(join(folder, name), content)
      return name
    }

    test('takes in Bundles and resources, names what it refuses without its content, and ends with 2; the doctor finds the store whole', async () => {
      const lines = file(
        'mixed.ndjson.gz',
        gzipSync(
          [visit, patient(1), '{"resourceType":"Patient","gender":', '{"resourceType":"Unicorn","name":"rahasia"}', patient(2)].join('\n'),
        ),
      )
      const environment = await storeOfItsOwn('mixed')
      const { code, out, err } = await run(['import', lines, '--json', '--rejects', `rejected-${engine.name}.ndjson`], environment)
      expect(JSON.parse(out)).toMatchObject({ documents: 3, resources: 4, types: { Encounter: 1, Patient: 3 }, refused: 2 })
      const rejected = readFileSync(join(folder, `rejected-${engine.name}.ndjson`), 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as { line: number; code: string })
      expect(rejected.map(({ line, code: id }) => [line, id])).toEqual([
        [3, 'json-syntax'],
        [4, 'unknown-resource-type'],
      ])
      expect(err + JSON.stringify(rejected)).not.toContain('rahasia')
      expect(code).toBe(2)

      const examined = await run(['doctor', '--deep', '--json'], {
        ...environment,
        SIMPUL_AUTH: 'off',
        SIMPUL_PORT: String(await freePort()),
      })
      const findings = examined.out
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as { check: string; state: string })
      expect(findings.filter(({ state }) => state === 'fail')).toEqual([])
      expect(findings.map(({ check }) => check)).toEqual(['node', 'auth', 'data', 'disk', 'port', 'store'])
      expect(examined.code).toBe(0)
    })

    test('goes on where it stopped, and takes nothing in twice even when the mark is lost', async () => {
      const environment = await storeOfItsOwn('resumed')
      rmSync(join(folder, 'people.resume'), { force: true })
      const lines = file('people.ndjson', Array.from({ length: 30 }, (_, n) => patient(n)).join('\n'))
      const first = await run(['import', lines, '--json', '--resume', 'people.resume'], environment)
      expect(JSON.parse(first.out)).toMatchObject({ resources: 30, skipped: 0 })
      const again = await run(['import', lines, '--json', '--resume', 'people.resume'], environment)
      expect(JSON.parse(again.out)).toMatchObject({ resources: 0, skipped: 30 })
      // As if the process had died before it noted how far it came.
      const { run: id } = JSON.parse(readFileSync(join(folder, 'people.resume'), 'utf8')) as { run: string }
      writeFileSync(join(folder, 'people.resume'), JSON.stringify({ run: id, lines: {} }))
      const third = await run(['import', lines, '--json', '--resume', 'people.resume'], environment)
      expect(JSON.parse(third.out)).toMatchObject({ resources: 0, skipped: 30, refused: 0 })
    })

    test('creates nothing the second time when the creates are conditional', async () => {
      const environment = await storeOfItsOwn('conditional')
      const entry = {
        request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=http://x|1' },
        resource: { resourceType: 'Patient', identifier: [{ system: 'http://x', value: '1' }] },
      }
      const bundle = file('conditional.json', JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [entry] }))
      await run(['import', bundle], environment)
      await run(['import', bundle], environment)
      const port = String(await freePort())
      const { child, ended, says } = start(['serve'], { ...environment, SIMPUL_AUTH: 'off', SIMPUL_PORT: port })
      await says('listens on')
      const answer = (await (await fetch(`http://127.0.0.1:${port}/fhir/Patient?_summary=count`)).json()) as { total: number }
      child.kill('SIGTERM')
      await ended
      expect(answer.total).toBe(1)
    })
  })

describe('simpul demo', () => {
  test('comes up with invented people, takes another port when its own is taken, and stops on a signal', async () => {
    const environment = { SIMPUL_DATA_DIR: join(folder, 'demo') }
    const { child, ended, says } = start(['demo'], environment)
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(await says('/fhir/Patient'))?.[0] ?? ''
    const second = start(['demo'], { SIMPUL_DATA_DIR: join(folder, 'second-demo') })
    const otherUrl = /http:\/\/127\.0\.0\.1:\d+/.exec(await second.says('/fhir/Patient'))?.[0]
    expect(otherUrl).not.toBe(url)
    second.child.kill('SIGINT')
    const page = await (await fetch(`${url}/`)).text()
    expect(page.match(/href="\/fhir\//g)?.length).toBeGreaterThan(examples.length)
    for (const [, href] of page.matchAll(/href="(\/fhir\/[^"]+)"/g)) {
      const answer = await fetch(`${url}${(href as string).replaceAll('&#38;', '&')}`)
      const body = (await answer.json()) as { resourceType: string; total?: number; entry?: unknown[] }
      expect([href, answer.status]).toEqual([href, 200])
      if (body.resourceType === 'Bundle' && !(href as string).includes('_summary=count'))
        expect([href, (body.entry ?? []).length > 0]).toEqual([href, true])
    }
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
    expect((await second.ended).code).toBe(0)
  }, 60_000)
})

describe('a server that cannot start', () => {
  test('says in one line that its port is taken, exit 3', async () => {
    const port = String(await freePort())
    const environment = { SIMPUL_AUTH: 'off', SIMPUL_PORT: port, SIMPUL_DATA_DIR: join(folder, 'port') }
    const first = start(['serve'], environment)
    await first.says('listens on')
    const { code, err } = await run(['serve'], { ...environment, SIMPUL_DATA_DIR: join(folder, 'other-port') })
    first.child.kill('SIGTERM')
    await first.ended
    expect([code, err.trim()]).toEqual([3, 'The port is taken, perhaps by another Simpul. Stop it, or set SIMPUL_PORT to another one.'])
  })

  test('says in one line that its file is no store, exit 1; the doctor says what to do', async () => {
    const environment = {
      SIMPUL_AUTH: 'off',
      SIMPUL_PORT: String(await freePort()),
      SIMPUL_DATA_DIR: folder,
      SIMPUL_STORE: `sqlite:${join(folder, 'no-store.db')}`,
    }
    writeFileSync(join(folder, 'no-store.db'), 'this is a letter, not a database, and long enough to look like one'.repeat(20))
    const { code, err } = await run(['serve'], environment)
    expect([code, err.trim()]).toEqual([1, 'Simpul cannot go on: file is not a database. "npx simpul doctor" may know more.'])
    const { out } = await run(['doctor'], environment)
    expect(out).toContain('The file is no store of Simpul.')
  })
})

describe('simpul doctor', () => {
  test('shows the configuration with secrets hidden', async () => {
    const { out } = await run(['doctor', '--config'], { SIMPUL_AUTH: 'off', SIMPUL_CURSOR_SECRET: 'geheim'.repeat(10) })
    expect(out).toContain('SIMPUL_CURSOR_SECRET=***')
    expect(out).not.toContain('geheim')
  })
})
