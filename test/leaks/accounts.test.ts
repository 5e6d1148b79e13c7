/** T2, T20: whether there is an account shows in nothing: not in status, words or headers, and not in what is asked of the store. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Account, accountRecords } from '../../src/auth/accounts/account.ts'
import { testEngines } from '../support/engines.ts'
import { type Answer, formOf, TestBrowser } from '../auth/pages/pages-ground.ts'
import { type ClosedServer, startClosed } from './server.ts'

const password = 'tujuh payung kertas 58'
/** Of one length, so that no answer differs by it. */
const names = {
  known: 'sari-wulan',
  locked: 'budi-utomo',
  disabled: 'agus-salim',
  bare: 'dewi-lestr',
  never: 'tono-marto',
  other: 'rina-watie',
}

for (const engine of testEngines)
  describe(engine.name, () => {
    let server: ClosedServer
    beforeAll(async () => {
      server = await startClosed(engine)
      const accounts = server.store.records<Account>(accountRecords)
      const browser = new TestBrowser(server.base)
      const invitation = new URL((await server.invitation()) ?? '').pathname
      await browser.open(invitation)
      const accepted = await browser.send(invitation, { username: names.known, password, again: password })
      if (accepted.status !== 200) throw new Error(`${accepted.status} ${accepted.path}`)
      const { rows } = await accounts.range('status', { from: ['active'], to: ['active'], limit: 2 })
      const made = rows[0]?.value
      if (made === undefined) throw new Error('no account')
      await accounts.put({ ...made, email: `${names.known}@rumah.example` })
      await accounts.put({ ...made, id: 'account-locked', username: names.locked, email: `${names.locked}@rumah.example` })
      await accounts.put({
        ...made,
        id: 'account-disabled',
        username: names.disabled,
        status: 'disabled',
        disabled: { at: 1, by: 'cli', reason: 'left' },
      })
      const { password: _, ...bare } = made
      await accounts.put({ ...bare, id: 'account-bare', username: names.bare, status: 'invited' })
    }, 60_000)
    afterAll(async () => server?.[Symbol.asyncDispose]())

    /** As another browser each time, so that no cookie tells. */
    const heard = async (path: string, form: Readonly<Record<string, string>>, name: string) => {
      const browser = new TestBrowser(server.base)
      await browser.open(path)
      formOf(browser.here?.text ?? '', path)
      server.calls()
      const answer = await browser.sendOnly(path, form)
      return { shown: plain(answer, name), calls: server.calls(), status: answer.status }
    }

    test('login: a wrong password for an account, one that is disabled, one that was never used, and one that nobody has', async () => {
      const tried = async (username: string, typed: string) => heard('/login', { username, password: typed }, username)
      const never = await tried(names.never, 'salah sekali 12345')
      expect(never.status).toBe(422)
      for (const [name, typed] of [
        [names.known, 'salah sekali 12345'],
        [names.disabled, password],
        [names.bare, password],
      ] as const)
        expect([name, await tried(name, typed)]).toEqual([name, never])
    })

    test('login: an account that is locked, and a name that was tried as often', async () => {
      const tried = async (username: string, typed: string) => heard('/login', { username, password: typed }, username)
      for (let n = 0; n < 5; n += 1) {
        const [locked, other] = [await tried(names.locked, 'salah sekali 12345'), await tried(names.other, 'salah sekali 12345')]
        expect([n, locked.shown]).toEqual([n, other.shown])
      }
      // Locked: the right password is no better than a wrong one.
      const [locked, other] = [await tried(names.locked, password), await tried(names.other, password)]
      expect(locked).toEqual(other)
    })

    test('reset: names with and without an account, by name and by address', async () => {
      const asked = async (username: string) => heard('/login/forgotten', { username }, username)
      const never = await asked(names.never)
      expect(never.status).toBe(303)
      expect(await asked(names.known)).toEqual(never)
      expect(await asked(names.bare)).toEqual(never)
      expect(await asked(`${names.known}@rumah.example`)).toEqual(await asked(`${names.never}@rumah.example`))
    })

    test('links that are used, of another kind, and that never were', async () => {
      const used =
        new URL((await server.invitation()) ?? `${server.base}/login/invitation/${'u'.repeat(43)}`).pathname.split('/').at(-1) ?? ''
      for (const kind of ['reset', 'email']) {
        const opened = async (secret: string) => {
          server.calls()
          const answer = await new TestBrowser(server.base).ask(`/login/${kind}/${secret}`)
          return { shown: plain(answer, secret), calls: server.calls() }
        }
        expect([kind, await opened(used)]).toEqual([kind, await opened('n'.repeat(43))])
      }
    })

    test('tokens: unknown, and of a kind that opens nothing', async () => {
      const asked = async (token: string) => {
        const { status, text } = await server.send({ path: '/fhir/Patient/1', headers: { authorization: `Bearer ${token}` } })
        return [status, text]
      }
      expect(await asked('n'.repeat(43))).toEqual(await asked('m'.repeat(43)))
    })
  })

/** Names, tokens of forms and cookies differ by themselves. */
const plain = ({ status, headers, text }: Answer, name: string): string =>
  JSON.stringify([
    status,
    [...headers].filter(
      ([header]) => !/^(?:date|x-request-id|content-length|etag|ratelimit.*|x-ratelimit.*|connection|keep-alive)$/.test(header),
    ),
    text,
  ])
    .replaceAll(name, 'NAME')
    .replaceAll(encodeURIComponent(name), 'NAME')
    .replaceAll(/value=\\"[\w.-]{20,}\\"/g, 'TOKEN')
    .replaceAll(/=[\w.-]{20,};/g, '=COOKIE;')
