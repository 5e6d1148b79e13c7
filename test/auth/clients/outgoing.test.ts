import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { isOpenInternet } from '../../../src/auth/outgoing/open-internet.ts'
import { createOutgoing, type OutgoingRules } from '../../../src/auth/outgoing/outgoing.ts'
import { selfSigned } from '../../support/certificate.ts'

/** Requests to addresses that somebody else chose. @see auth.md 10.1, 17 T15 */

const closed: Server[] = []
afterEach(async () => {
  await Promise.all(closed.splice(0).map(server => new Promise(done => server.close(done))))
})

const listening = async (server: Server): Promise<number> => {
  closed.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

const ask = (url: string, rules: OutgoingRules, timeoutMs = 2_500) => createOutgoing(rules)({ url, timeoutMs, bodyBytesMax: 1_000 })

const answering = (listener: RequestListener): Promise<number> => listening(createServer(listener))

describe('the open internet', () => {
  for (const address of ['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '2606:4700::1', '2a00:1450:4001::1'])
    test(`${address} is part of it`, () => expect(isOpenInternet(address)).toBe(true))
  for (const address of [
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001:db8::1',
    'ff02::1',
  ])
    test(`${address} is not`, () => expect(isOpenInternet(address)).toBe(false))
})

describe('T15: an address that somebody else chose', () => {
  for (const [url, why] of [
    ['https://127.0.0.1/keys', 'this machine'],
    ['https://[::1]/keys', 'this machine, in IPv6'],
    ['https://2130706433/keys', 'this machine, as one number'],
    ['https://0x7f.1/keys', 'this machine, in hexadecimal'],
    ['https://10.0.0.7/keys', 'a private network'],
    ['https://169.254.169.254/latest/meta-data', 'the metadata of a cloud'],
    ['https://[::ffff:169.254.169.254]/latest', 'the same, inside IPv6'],
    ['http://8.8.8.8/keys', 'not https'],
    ['ftp://8.8.8.8/keys', 'another scheme'],
    ['file:///etc/passwd', 'a file'],
    ['https://user:secret@8.8.8.8/keys', 'a name and a password'],
    ['keys', 'no URL'],
  ] as const)
    test(`is refused: ${why}`, async () => expect(await ask(url, {})).toEqual({ ok: false, why: 'refused' }))

  test('is refused when one of the addresses of its name is private', async () => {
    const resolve = async () => ['8.8.8.8', '192.168.0.5']
    expect(await ask('https://keys.example/', { resolve })).toEqual({ ok: false, why: 'refused' })
  })

  test('is resolved once: the connection goes to what was looked at (DNS rebinding)', async () => {
    const port = await answering((_, res) => res.end('here'))
    let asked = 0
    const resolve = async (): Promise<readonly string[]> => {
      asked += 1
      return asked === 1 ? ['127.0.0.1'] : ['10.9.9.9']
    }
    const answer = await ask(`http://keys.example:${port}/`, { loopback: true, resolve })
    expect(answer.ok && answer.body.toString()).toBe('here')
    expect(asked).toBe(1)
  })

  test('is not followed when it redirects', async () => {
    let followed = false
    const port = await answering((req, res) => {
      if (req.url === '/elsewhere') followed = true
      res.writeHead(302, { location: '/elsewhere' }).end()
    })
    const answer = await ask(`http://127.0.0.1:${port}/`, { loopback: true })
    expect(answer.ok && answer.status).toBe(302)
    expect(followed).toBe(false)
  })

  test('answers at most what it may', async () => {
    const port = await answering((_, res) => res.end('x'.repeat(1_001)))
    expect(await ask(`http://127.0.0.1:${port}/`, { loopback: true })).toEqual({ ok: false, why: 'too-large' })
  })

  test('answers in its time or not at all', async () => {
    const port = await answering((_, res) => void res.write('{'))
    expect(await ask(`http://127.0.0.1:${port}/`, { loopback: true }, 60)).toEqual({ ok: false, why: 'timeout' })
    closed.at(-1)?.emit('end')
    ;(closed.at(-1) as { closeAllConnections?: () => void }).closeAllConnections?.()
  })

  test('resolves in its time or not at all', async () => {
    expect(await ask('https://keys.example/', { resolve: () => new Promise(() => {}) }, 30)).toEqual({ ok: false, why: 'timeout' })
  })

  test('that nobody answers is unreachable', async () => {
    expect(await ask('https://keys.example/', { resolve: async () => [] })).toEqual({ ok: false, why: 'unreachable' })
  })

  test('is reached by https under its name, where its network was named', async () => {
    const certificate = selfSigned('keys.example')
    const port = await listening(createTlsServer(certificate, (req, res) => res.end(req.headers.host)))
    const rules = { allowed: (address: string) => address === '127.0.0.1', resolve: async () => ['127.0.0.1'], ca: [certificate.cert] }
    const answer = await ask(`https://keys.example:${port}/`, rules)
    expect(answer.ok && answer.body.toString()).toBe(`keys.example:${port}`)
    expect(await ask(`http://keys.example:${port}/`, rules)).toEqual({ ok: false, why: 'refused' })
    expect(await ask(`https://other.example:${port}/`, rules)).toEqual({ ok: false, why: 'unreachable' })
  })
})
