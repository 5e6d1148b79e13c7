/** Mails over SMTP, against a real server. @see RFC 5321, RFC 3207 */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type NotSent, sendDueMails } from '../../../src/auth/pages/mails/delivery.ts'
import type { OutgoingMail } from '../../../src/auth/pages/mails/mailer.ts'
import { type Mail, mailRecords, postLink, postNotice } from '../../../src/auth/pages/mails/outbox.ts'
import { createSmtpMailer } from '../../../src/auth/pages/mails/smtp-mailer.ts'
import { verdictOf } from '../../../src/auth/pages/mails/smtp-verdict.ts'
import { publicAddress } from '../../../src/auth/web.ts'
import { selfSigned } from '../../support/certificate.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, openAccounts, valueOf } from '../accounts-ground.ts'
import { type Behaviour, startMailServer } from './smtp-ground.ts'

closingAccounts()

const from = 'RS Sehat <sistem@rumahsakit.example>'
const mail: OutgoingMail = { id: 'mail-1', to: 'siti@rumah.example', subject: 'Masuk dari perangkat baru: é', text: 'Akun Anda dipakai.\n' }
const local = (port: number, user = '') =>
  createSmtpMailer({ url: `smtp://${user}127.0.0.1:${port}`, from, local: true, patienceMs: 2_000 })
const beyond = (url: string) => createSmtpMailer({ url, from, local: false, patienceMs: 2_000 })
const away = { ok: false, failure: expect.objectContaining({ kind: 'accounts-away' }) }
const gone = { ok: true, value: undefined }

/** As the mail program of the recipient reads it. */
const bodyOf = (text: string): string => {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const body = rest.join('\r\n\r\n')
  return /base64/i.test(head) ? Buffer.from(body, 'base64').toString() : body
}

describe('a mail server', () => {
  test('takes a mail as it was written, once, with our sender', async () => {
    await using server = await startMailServer()
    expect(await local(server.port).send(mail)).toEqual(gone)
    expect(server.taken).toHaveLength(1)
    const [one] = server.taken
    expect(one).toMatchObject({ to: ['siti@rumah.example'], from: 'sistem@rumahsakit.example', secure: false })
    expect(one?.text).toMatch(/^From: RS Sehat <sistem@rumahsakit.example>\r$/m)
    expect(one?.text).toMatch(/^Auto-Submitted: auto-generated\r$/m)
    expect(one?.text).toMatch(/^Message-ID: <mail-1@simpul.invalid>\r$/m)
    expect(one?.text).toMatch(/^Subject: =\?UTF-8\?/m)
    expect(bodyOf(one?.text ?? '').trim()).toBe('Akun Anda dipakai.')
  })

  test('gets no second recipient and no header from an address', async () => {
    await using server = await startMailServer()
    for (const to of ['siti@rumah.example, semua@rumah.example', 'siti@rumah.example\r\nBcc: semua@rumah.example'])
      await local(server.port).send({ ...mail, to })
    for (const { to, text } of server.taken) {
      expect(to).not.toContain('semua@rumah.example')
      expect(to.length).toBeLessThan(2)
      expect(text).not.toMatch(/^Bcc:/m)
    }
  })

  const replies: readonly (readonly [string, Behaviour, unknown])[] = [
    [
      'a mailbox that is full waits',
      { recipient: () => ({ code: 452, text: '4.2.2 full' }) },
      { ok: true, value: { is: 'later', code: 452 } },
    ],
    ['greylisting waits', { mail: () => ({ code: 451, text: '4.7.1 later' }) }, { ok: true, value: { is: 'later', code: 451 } }],
    [
      'an unknown mailbox is refused for good',
      { recipient: () => ({ code: 550, text: '5.1.1 no such user' }) },
      { ok: true, value: { is: 'refused', code: 550 } },
    ],
    [
      'a mail that is not taken is refused for good',
      { mail: () => ({ code: 554, text: '5.6.0 no' }) },
      { ok: true, value: { is: 'refused', code: 554 } },
    ],
    [
      'relaying denied is about us, and waits',
      { recipient: () => ({ code: 554, text: '5.7.1 relay access denied' }) },
      { ok: true, value: { is: 'later', code: 554 } },
    ],
    ['a server that closes down is away', { recipient: () => ({ code: 421, text: '4.3.2 closing' }) }, away],
    ['a server that wants a sign-in is away', { options: { authOptional: false } }, away],
    [
      'a sender that is not taken is away, since no other mail would go',
      { options: { onMailFrom: (_address, _session, done) => done(Object.assign(new Error('5.1.8 sender'), { responseCode: 550 })) } },
      away,
    ],
    ['a connection that is cut is away', { recipient: () => 'cut' }, away],
    ['a connection that is cut at the mail is away', { mail: () => 'cut' }, away],
  ]
  for (const [name, behaviour, expected] of replies)
    test(name, async () => {
      await using server = await startMailServer(behaviour)
      expect(await local(server.port).send(mail)).toEqual(expected)
      expect(server.taken).toEqual([])
    })

  test('is not asked about what is no address: that mail goes never', async () => {
    await using server = await startMailServer()
    for (const to of ['', '@', 'siti@'])
      expect([to, await local(server.port).send({ ...mail, to })]).toEqual([
        to,
        { ok: true, value: { is: 'refused', code: expect.any(Number) } },
      ])
  })

  test('that is not there is away', async () => {
    const { port } = await startMailServer().then(async server => (await server[Symbol.asyncDispose](), server))
    expect(await local(port).send(mail)).toEqual(away)
  })

  test('that never says a word is away after a while', async () => {
    const silent = createServer(socket => socket.on('error', () => undefined))
    await new Promise<void>(done => silent.listen(0, '127.0.0.1', done))
    const mailer = createSmtpMailer({
      url: `smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      from,
      local: true,
      patienceMs: 200,
    })
    expect(await mailer.send(mail)).toEqual(away)
    await new Promise(done => silent.close(done))
  })

  test('knows us by name and password, decoded from the address', async () => {
    const known: unknown[] = []
    const options: Behaviour['options'] = {
      allowInsecureAuth: true,
      authOptional: false,
      onAuth: ({ username, password }, _session, done) => {
        known.push([username, password])
        return password === 'p@ss/w' ? done(null, { user: username }) : done(Object.assign(new Error('no'), { responseCode: 535 }))
      },
    }
    await using server = await startMailServer({ options })
    expect(await local(server.port, 'sistem%40rs:p%40ss%2Fw@').send(mail)).toEqual(gone)
    expect(await local(server.port, 'sistem%40rs:wrong@').send(mail)).toEqual(away)
    expect(server.taken.map(({ user }) => user)).toEqual(['sistem@rs'])
    expect(known).toContainEqual(['sistem@rs', 'p@ss/w'])
  })
})

describe('TLS', () => {
  const { key, cert } = selfSigned('mail.rumahsakit.example')
  const before = getCACertificates('default')
  const trusting = async (): Promise<void> => setDefaultCACertificates([...before, cert])
  beforeAll(() => setDefaultCACertificates(before))
  afterAll(() => setDefaultCACertificates(before))
  const upgrading = { key, cert, disabledCommands: [] }

  test('is used where the server of this machine offers it', async () => {
    await using server = await startMailServer({ options: upgrading })
    expect(await local(server.port).send(mail)).toEqual(gone)
    expect(server.taken[0]?.secure).toBe(true)
  })

  test('is demanded beyond this machine: nothing is said to a server without, and none is believed that nobody vouches for', async () => {
    await using plain = await startMailServer()
    expect(await beyond(`smtp://127.0.0.1:${plain.port}`).send(mail)).toEqual(away)
    await using upgraded = await startMailServer({ options: upgrading })
    expect(await beyond(`smtp://127.0.0.1:${upgraded.port}`).send(mail)).toEqual(away)
    await using secure = await startMailServer({ options: { key, cert, secure: true } })
    expect(await beyond(`smtps://127.0.0.1:${secure.port}`).send(mail)).toEqual(away)
    expect([...plain.taken, ...upgraded.taken, ...secure.taken]).toEqual([])
    await trusting()
    expect(await beyond(`smtp://127.0.0.1:${upgraded.port}`).send(mail)).toEqual(gone)
    expect(await beyond(`smtps://127.0.0.1:${secure.port}`).send(mail)).toEqual(gone)
    expect([...upgraded.taken, ...secure.taken].map(one => one.secure)).toEqual([true, true])
  })

  test('keeps name and password from a server without it', async () => {
    let heard = ''
    const server = createServer(socket => {
      socket.on('error', () => undefined)
      socket.write('220 hello\r\n')
      socket.on('data', part => {
        heard += String(part)
        socket.write(String(part).startsWith('EHLO') ? '250-hello\r\n250 AUTH PLAIN LOGIN\r\n' : '502 no\r\n')
      })
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    expect(await beyond(`smtp://sistem:rahasia@127.0.0.1:${(server.address() as AddressInfo).port}`).send(mail)).toEqual(away)
    expect(heard).toMatch(/^EHLO [^\r]*\r\nSTARTTLS\r\n$/)
    await new Promise(done => server.close(done))
  })
})

test('a failure without a reply is about the server, whatever it says', () => {
  for (const failure of [
    {},
    { command: 'RCPT TO' },
    { responseCode: 550 },
    { responseCode: 550, command: 'EHLO' },
    { responseCode: '550', command: 'DATA' },
  ])
    expect(verdictOf(failure)).toEqual({ is: 'away' })
})

for (const engine of testEngines)
  describe(`the outbox over SMTP (${engine.name})`, () => {
    const outbox = async (behaviour: Behaviour) => {
      const accounts = await openAccounts(engine, { facility: 'RS Sehat' })
      const server = await startMailServer(behaviour)
      const { ground } = accounts.parts
      const told: (readonly [string, NotSent])[] = []
      const parts = {
        accounts: accounts.parts,
        address: publicAddress('https://fhir.rs.example'),
        mailer: local(server.port),
        notSent: (id: string, why: NotSent) => void told.push([id, why]),
      }
      const round = async (afterMs = 0): Promise<number> => {
        accounts.clock.now += afterMs
        return valueOf(await sendDueMails(parts))
      }
      const left = async (): Promise<readonly Mail[]> =>
        (await ground.store.records<Mail>(mailRecords).range('due', { limit: 100 })).rows.map(({ value }) => value)
      return { accounts, ground, server, told, round, left, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
    }

    test('a link goes once, and lies nowhere any more', async () => {
      await using box = await outbox({})
      const { id } = await anAccount(box.accounts, 'siti')
      valueOf(await postLink(box.ground, 'reset', { account: id, to: 'siti@rumah.example', secret: 'rahasia-tautan', locale: 'id' }))
      expect([await box.round(), await box.round(600_000)]).toEqual([1, 0])
      expect(box.server.taken.map(({ to }) => to)).toEqual([['siti@rumah.example']])
      expect(await box.left()).toEqual([])
    })

    test('a mail that is deferred goes later, while another one goes at once', async () => {
      let deferred = 0
      await using box = await outbox({
        recipient: address =>
          address.startsWith('siti') && deferred++ === 0 ? { code: 451, text: '4.7.1 siti@rumah.example later' } : undefined,
      })
      for (const name of ['siti', 'budi']) valueOf(await postNotice(box.ground, 'dormant', (await anAccount(box.accounts, name)).id))
      expect([await box.round(), await box.round()]).toEqual([1, 0])
      expect(box.told.map(([, why]) => why)).toEqual([{ is: 'later', code: 451 }])
      expect(JSON.stringify(box.told)).not.toContain('rumah.example')
      expect(await box.round(31_000)).toBe(1)
      expect(box.server.taken.map(({ to }) => to[0]).toSorted()).toEqual(['budi@rumah.example', 'siti@rumah.example'])
      expect(await box.left()).toEqual([])
    })

    test('a mail that is refused for good is tried once', async () => {
      await using box = await outbox({ recipient: () => ({ code: 550, text: '5.1.1 nobody' }) })
      valueOf(await postNotice(box.ground, 'dormant', (await anAccount(box.accounts, 'siti')).id))
      expect([await box.round(), await box.round(86_400_000)]).toEqual([0, 0])
      expect(box.told.map(([, why]) => why)).toEqual([{ is: 'refused', code: 550 }])
      expect([box.server.connections.all, await box.left()]).toEqual([1, []])
    })

    test('while the server is away one try a round is enough, and nothing is lost', async () => {
      let open = false
      await using box = await outbox({ recipient: () => (open ? undefined : 'cut') })
      for (const name of ['siti', 'budi', 'wati'])
        valueOf(await postNotice(box.ground, 'dormant', (await anAccount(box.accounts, name)).id))
      expect(await box.round()).toBe(0)
      expect(box.told.map(([, why]) => why)).toEqual([{ is: 'away' }])
      expect(await box.left()).toHaveLength(3)
      open = true
      expect((await box.round()) + (await box.round(31_000))).toBe(3)
      expect(box.server.connections.most).toBe(1)
    })

    test('two nodes send each mail once', async () => {
      await using box = await outbox({})
      for (const name of ['siti', 'budi', 'wati'])
        valueOf(await postNotice(box.ground, 'dormant', (await anAccount(box.accounts, name)).id))
      const sent = await Promise.all([box.round(), box.round()])
      expect(sent.reduce((sum, n) => sum + n)).toBe(3)
      expect(box.server.taken.map(({ to }) => to[0]).toSorted()).toEqual(['budi@rumah.example', 'siti@rumah.example', 'wati@rumah.example'])
    })
  })
