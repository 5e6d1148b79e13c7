/** Two whole servers on one store that share Redis: what ends on one is over on the other, though that one remembers tokens. @see auth.md 8, T5 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TestBrowser } from '../auth/pages/pages-ground.ts'
import { type Clinic, openClinic, tokensFor } from '../clients/clinic.ts'
import { type TestEngine, testEngines } from '../support/engines.ts'
import { freePort } from '../support/free-port.ts'
import { redisIsLeftOut } from '../support/redis-server.ts'
import { type RunningServer, startServer } from '../support/running-server.ts'

const mongodb = testEngines.find(({ name }) => name === 'mongodb')
const whereBoth = mongodb === undefined || redisIsLeftOut ? describe.skip : describe

whereBoth('two nodes over Redis', () => {
  const engine = mongodb as TestEngine // skipped where there is none
  let store: Awaited<ReturnType<TestEngine['address']>>
  let clinic: Clinic
  let other: RunningServer
  let otherBase = ''

  beforeAll(async () => {
    store = await engine.address()
    const [port, otherPort] = [await freePort(), await freePort()]
    const shared = {
      SIMPUL_AUTH: 'smart',
      SIMPUL_STORE: store.address,
      SIMPUL_AUTH_KEK: randomBytes(32).toString('base64'),
      SIMPUL_BASE_URL: `http://127.0.0.1:${port}`,
      SIMPUL_REDIS_URL: process.env.SIMPUL_TEST_REDIS_URL ?? '',
    }
    clinic = await openClinic(
      engine,
      app => ({
        chart: {
          name: 'Grafik Tumbuh',
          type: 'public',
          development: true,
          redirectUris: [`${app}/callback`],
          scopesAllowed: ['openid', 'launch/patient', 'patient/*.rs', 'offline_access'],
          offline: true,
        },
      }),
      { ...shared, SIMPUL_PORT: String(port) },
    )
    otherBase = `http://127.0.0.1:${otherPort}`
    other = await startServer({ ...shared, SIMPUL_PORT: String(otherPort) })
  }, 120_000)
  afterAll(async () => {
    await other?.[Symbol.asyncDispose]()
    await clinic?.[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }, 120_000)

  test('whoever signs out everywhere on one ends tokens on the other, long before it forgets by itself', async () => {
    const browser = new TestBrowser(clinic.base)
    const { access_token } = await tokensFor(clinic, 'chart', 'launch/patient patient/*.rs', clinic.patient, browser)
    const read = async (): Promise<number> =>
      (await fetch(`${otherBase}/fhir/Patient/budi`, { headers: { authorization: `Bearer ${access_token}` } })).status
    expect(await read()).toBe(200)
    await browser.open('/account/security')
    // Known anew at the last moment: it is remembered for five seconds from now.
    expect(await read()).toBe(200)
    const answer = await browser.send('/account/security/end-all')
    expect(answer.path).toBe('/login?why=all')
    // The word of it takes its way over Redis; a hundred answers come in much less than five seconds.
    let status = await read()
    for (let n = 0; n < 100 && status === 200; n++) {
      await sleep(5)
      status = await read()
    }
    expect(status).toBe(401)
    expect((await new TestBrowser(otherBase).open('/account')).path).toContain('/login')
  }, 120_000)
})
