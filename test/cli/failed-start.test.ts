/** auth.md 1, 11: a start that is refused once connections stand ends the process, with its sentence and exit code. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { testEngines } from '../support/engines.ts'
import { freePort } from '../support/free-port.ts'
import { redisIsLeftOut } from '../support/redis-server.ts'
import { startServer } from '../support/running-server.ts'

const program = resolve(import.meta.dirname, '../../bin/simpul.js')
/** A process that still runs then was not going to end. */
const patienceMs = 60_000

type Ended = { readonly code: number | string | null; readonly said: string }

const simpul = (environment: Readonly<Record<string, string>>, ...argv: string[]): Promise<Ended> =>
  new Promise(done =>
    execFile(
      process.execPath,
      [program, ...argv],
      { env: { PATH: process.env.PATH ?? '', ...environment }, timeout: patienceMs, killSignal: 'SIGKILL' },
      (error, out, err) => done({ code: error === null ? 0 : (error.code ?? error.signal ?? null), said: out + err }),
    ),
  )

;(redisIsLeftOut ? describe.skip : describe)('a start that is refused', () => {
  for (const engine of testEngines)
    describe(`on ${engine.name}`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'simpul-refused-'))
      let store: Awaited<ReturnType<typeof engine.address>>
      let environment: Record<string, string> = {}

      beforeAll(async () => {
        store = await engine.address()
        environment = {
          SIMPUL_AUTH: 'smart',
          SIMPUL_STORE: store.address,
          SIMPUL_DATA_DIR: folder,
          SIMPUL_REDIS_URL: process.env.SIMPUL_TEST_REDIS_URL ?? '',
          SIMPUL_AUTH_KEK: randomBytes(32).toString('base64'),
          SIMPUL_PORT: `${await freePort()}`,
        }
        await using first = await startServer({ ...environment, SIMPUL_BASE_URL: 'https://rumah.example' })
        first.signal('SIGTERM')
        expect(await first.ended).toBe(0)
      }, 120_000)
      afterAll(async () => {
        await store?.[Symbol.asyncDispose]()
        rmSync(folder, { recursive: true, force: true })
      })

      const otherKey = { SIMPUL_AUTH_KEK: randomBytes(32).toString('base64') }
      const otherAddress = { SIMPUL_BASE_URL: 'https://lain.example' }
      for (const [argv, why, other, sentence] of [
        ['serve', 'another key', otherKey, 'Start with that one'],
        ['user list', 'another key', otherKey, 'Start with that one'],
        ['serve', 'another address', otherAddress, 'SIMPUL_BASE_URL must be https://rumah.example'],
      ] as const)
        test(
          `simpul ${argv} with ${why}`,
          async () => {
            const { code, said } = await simpul({ ...environment, SIMPUL_BASE_URL: 'https://rumah.example', ...other }, ...argv.split(' '))
            expect(said).toContain(sentence)
            expect(code).toBe(exitCodes.configuration)
          },
          2 * patienceMs,
        )
    })
})
