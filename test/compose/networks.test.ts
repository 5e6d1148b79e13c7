/** auth.md 16: what is counted by address is counted by network where a caller has all addresses of one. */
import { describe, expect, test } from '@jest/globals'
import { TestBrowser } from '../auth/pages/pages-ground.ts'
import { startClosed } from '../leaks/server.ts'
import { testEngines } from '../support/engines.ts'

for (const engine of testEngines)
  describe(engine.name, () => {
    test('unknown tokens from many IPv6 addresses of one network are slowed down like those from one, and neighbours are not', async () => {
      await using server = await startClosed(engine, { SIMPUL_TRUST_PROXY: '127.0.0.1' })
      const ask = async (address: string, token: string): Promise<number> => {
        const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': address }
        return (await server.send({ path: '/fhir/Patient/1', headers })).status
      }
      const answers: number[] = []
      for (let n = 1; n <= 22; n++) answers.push(await ask(`2001:db8:1:2:${n.toString(16)}::${n.toString(16)}`, `guess-${n}`))
      expect(answers).toEqual([...Array<number>(20).fill(401), 429, 429])
      expect(await ask('2001:db8:1:3::1', 'guess')).toBe(401)
    }, 60_000)

    test('links to a new password are asked for five times by one network; then nothing is written, and the answer is the same', async () => {
      await using server = await startClosed(engine, { SIMPUL_TRUST_PROXY: '127.0.0.1' })
      const ask = async (address: string, username: string): Promise<boolean> => {
        const browser = new TestBrowser(server.base, { 'x-forwarded-for': address })
        await browser.open('/login/forgotten')
        server.calls()
        const { status, headers } = await browser.sendOnly('/login/forgotten', { username })
        expect([status, headers.get('location')]).toEqual([303, '/login/forgotten/sent'])
        return server.calls().commit !== undefined
      }
      const written: boolean[] = []
      for (let n = 1; n <= 7; n++) written.push(await ask(`2001:db8:1:2::${n}`, `nobody-${n}`))
      expect(written).toEqual([true, true, true, true, true, false, false])
      expect(await ask('2001:db8:1:3::1', 'nobody-8')).toBe(true)
    }, 60_000)
  })
