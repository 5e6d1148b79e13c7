/** The verbs that administer, on a store that a server may be using. @see auth.md 2.1, 4.3, 10.1, 11 */
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { accountsOf } from '../../src/auth/accounts/administration.ts'
import { acceptInvitation, invite } from '../../src/auth/accounts/invitation.ts'
import { openLink } from '../../src/auth/accounts/links.ts'
import { approve } from '../../src/auth/admin/approvals.ts'
import { clientById } from '../../src/auth/clients/administration.ts'
import { breakGlass } from '../../src/auth/emergencies/break-glass.ts'
import type { Administering } from '../../src/cli/administering.ts'
import { type ProgramParts, runProgram } from '../../src/cli/program.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { composeAdministration } from '../../src/compose/administration.ts'
import { readConfig } from '../../src/config/config.ts'
import { valueOf } from '../auth/accounts-ground.ts'
import { type TestEngine, testEngines } from '../support/engines.ts'
import { principalWith } from '../support/principals.ts'

const folder = mkdtempSync(join(tmpdir(), 'simpul-administer-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Ended = { readonly code: number; readonly out: readonly string[]; readonly err: string }

/** A new, empty store, and the verbs on it. */
const onStore = async (engine: TestEngine) => {
  const leased = await engine.address()
  const dataDir = mkdtempSync(join(folder, 'data-'))
  const environment: Record<string, string> = {
    SIMPUL_STORE: leased.address,
    SIMPUL_DATA_DIR: dataDir,
    ...(engine.name === 'mongodb' ? { SIMPUL_AUTH_KEK: randomBytes(32).toString('base64') } : {}),
  }
  const run = async (line: string, more: Readonly<Record<string, string>> = {}): Promise<Ended> => {
    const [out, err]: [string[], string[]] = [[], []]
    const terminal = (json: boolean): Terminal => ({ json, out: text => void out.push(text), err: text => void err.push(text) })
    // Of main's parts these verbs use no others.
    const parts = { environment: { ...environment, ...more }, terminal, administer: composeAdministration } as unknown as ProgramParts
    return { code: await runProgram(line.split(' '), parts), out, err: err.join('\n') }
  }
  const open = async (): Promise<Administering> => {
    const read = readConfig(environment)
    if (!read.ok) throw new Error('the configuration is wrong')
    return composeAdministration(read.config)
  }
  return { run, open, dataDir, environment, [Symbol.asyncDispose]: () => leased[Symbol.asyncDispose]() }
}

const document = (name: string, json: object): string => {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(json))
  return path
}
const app = document('app.json', {
  name: 'Grafik',
  type: 'symmetric',
  redirectUris: ['https://grafik.example/cb'],
  scopesAllowed: ['patient/*.rs'],
})
const service = document('service.json', {
  name: 'Penyalur',
  type: 'backend',
  jwksUri: 'https://penyalur.example/jwks',
  scopesAllowed: ['system/Observation.rs'],
})
/** Each verb opens the store anew: on a crowded machine that takes its time. */
const patientMs = 120_000

const json = (ended: Ended): readonly Record<string, unknown>[] => ended.out.map(line => JSON.parse(line))

const brokenGlass = async (open: () => Promise<Administering>): Promise<string> => {
  await using parts = await open()
  const { ground } = parts
  const principal = { ...principalWith({ roles: ['doctor'], sessionId: 'session-1' }), factorAt: ground.clock() }
  const glass = { ground, roles: () => parts.roles, wouldSee: async () => true, changed: () => undefined }
  const asked = { patient: 'budi', reason: 'ETREAT', words: 'Pasien tidak sadar di UGD, riwayat obat diperlukan.' }
  return valueOf(await breakGlass(glass, principal, asked, { address: '' })).emergency.id
}

const officer = async (open: () => Promise<Administering>): Promise<void> => {
  await using parts = await open()
  const roles = [{ role: 'data-protection-officer', givenBy: 'host' }]
  const invited = valueOf(
    await invite(parts.ground, { email: 'wati@rumah.example', username: 'wati', locale: 'id', roles }, 'host', { address: '' }),
  )
  if (invited.is !== 'invited') throw new Error(invited.is)
  valueOf(await acceptInvitation(parts.accounts, invited.secret, { password: 'tujuh payung kertas 58' }, { address: '' }))
}

for (const engine of testEngines)
  describe(engine.name, () => {
    test(
      'admin invite prints a link that works once within 30 minutes, and again a new one',
      async () => {
        await using store = await onStore(engine)
        const first = await store.run('admin invite siti@rumah.example')
        expect([first.code, first.out.length, first.err]).toEqual([0, 1, 'The link works for 30 minutes and only once.'])
        expect(first.out[0]).toMatch(/^http:\/\/127\.0\.0\.1:8080\/login\/invitation\/[A-Za-z0-9_-]{43}$/)
        const second = await store.run('admin invite Siti@Rumah.example')
        await using parts = await store.open()
        const opened = async ({ out }: Ended) => openLink(parts.ground, 'invitation', String(out[0]).split('/').at(-1) ?? '')
        expect(await opened(first)).toBeUndefined()
        expect((await opened(second))?.account.value).toMatchObject({ status: 'invited', roles: [{ role: 'admin', givenBy: 'host' }] })
        expect((await store.run('admin invite siti')).err).toMatch(/^e-mail is not usable: it is an e-mail address/)
      },
      patientMs,
    )

    test(
      'while two administrators are in use, a third one waits for one of them, and the host is nobody',
      async () => {
        await using store = await onStore(engine)
        for (const name of ['siti', 'budi']) {
          const invited = await store.run(`admin invite ${name}@rumah.example`)
          await using parts = await store.open()
          const secret = String(invited.out[0]).split('/').at(-1) ?? ''
          const taken = valueOf(
            await acceptInvitation(parts.accounts, secret, { username: name, password: 'tujuh payung kertas 58' }, { address: 'x' }),
          )
          expect(taken.is).toBe('accepted')
        }
        const third = await store.run('admin invite edi@rumah.example --json')
        const [{ approval }] = json(third) as [{ approval: string }]
        expect(third.err).toContain(`waits for an administrator to approve ${approval}`)
        expect(await store.run(`approve ${approval}`)).toMatchObject({
          code: 1,
          err: expect.stringContaining('Two or more accounts hold the permission roles.manage'),
        })
        expect((await store.run('approve')).out).toHaveLength(1)
        expect(await store.run(`approve ${approval} --refuse`)).toMatchObject({ code: 0, out: ['Refused.'] })
        expect(await store.run('approve')).toMatchObject({ out: [], err: 'Nothing waits for a second person.' })
      },
      patientMs,
    )

    test(
      'dev seed makes an account for each role, once',
      async () => {
        await using store = await onStore(engine)
        const seeded = await store.run('dev seed --json')
        expect(json(seeded).map(({ username }) => username)).toEqual(expect.arrayContaining(['demo-admin', 'demo-doctor', 'demo-patient']))
        expect(json(seeded).every(({ password }) => typeof password === 'string' && password.length === 20)).toBe(true)
        expect(json(await store.run('dev seed --json')).every(({ is }) => is === 'there')).toBe(true)
        expect((await store.run('user list --status active --json')).out).toHaveLength(seeded.out.length)
      },
      patientMs,
    )

    test(
      'people are stopped, let in and given roles',
      async () => {
        await using store = await onStore(engine)
        await store.run('dev seed')
        expect(json(await store.run('user disable demo-nurse --reason left --json'))).toMatchObject([{ status: 'disabled' }])
        expect((await store.run('user list --status disabled')).out).toHaveLength(1)
        expect(await store.run('user disable demo-nurse')).toMatchObject({
          code: 1,
          err: 'This cannot be done while the status is disabled.',
        })
        expect(await store.run('user disable demo-admin')).toMatchObject({ code: 1, err: expect.stringContaining('users.manage') })
        expect(await store.run('user disable nobody')).toMatchObject({ code: 1, err: 'user is not known.' })
        for (const action of ['enable', 'unlock', 'reset-factor'])
          expect((await store.run(`user ${action} demo-nurse@demo.example`)).code).toBe(0)
        expect(await store.run('user roles demo-nurse king')).toMatchObject({
          code: 1,
          err: expect.stringMatching(/^roles\[0\]\.role is not usable/),
        })
        const asked = json(await store.run('user roles demo-nurse doctor@Organization/1 nurse --json'))
        const id = String(asked[0]?.approval)
        // There is somebody who can be the second person, so the host is not both.
        expect(await store.run(`approve ${id}`)).toMatchObject({ code: 1, err: expect.stringContaining('Another person') })
        await using parts = await store.open()
        const [admin] = (await accountsOf(parts.ground, 'active', 50)).accounts.filter(({ username }) => username === 'demo-admin')
        valueOf(await approve(parts, id, String(admin?.id), { address: 'x' }))
        expect(json(await store.run('user roles demo-nurse --json'))).toMatchObject([
          {
            roles: [
              { role: 'doctor', organization: 'Organization/1', approvedBy: admin?.id },
              { role: 'nurse', givenBy: 'host' },
            ],
          },
        ])
      },
      patientMs,
    )

    test(
      'dev seed refuses where others could reach the accounts',
      async () => {
        await using store = await onStore(engine)
        for (const more of [{ SIMPUL_BASE_URL: 'https://rs.example' }, { SIMPUL_ENVIRONMENT: 'production' }])
          expect((await store.run('dev seed', more)).code).toBe(3)
        expect((await store.run('user list')).out).toEqual([])
      },
      patientMs,
    )

    test(
      'clients: an app is in use with its secret, a service waits; a server that has the store open hears of it',
      async () => {
        await using store = await onStore(engine)
        await using server = await store.open()
        const [{ client, secret }] = json(await store.run(`client create ${app} --json`)) as [{ client: { id: string }; secret: string }]
        expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
        expect((await clientById(server.ground, client.id))?.value.status).toBe('active')
        const [waiting] = json(await store.run(`client create ${service} --json`)) as [
          { client: { id: string; status: string }; approval: string },
        ]
        expect(waiting.client.status).toBe('draft')
        expect((await store.run(`approve ${waiting.approval}`)).code).toBe(0)
        expect((await clientById(server.ground, waiting.client.id))?.value.status).toBe('active')
        expect((await store.run('client list')).out).toHaveLength(2)
        const again = await store.run(`client secret ${client.id}`)
        expect(again.out[0]).toMatch(/^[A-Za-z0-9_-]{43}$/)
        expect((await store.run(`client show ${client.id}`)).out.join('')).not.toContain(String(again.out[0]))
        expect((await store.run(`client suspend ${client.id}`)).code).toBe(0)
        expect((await clientById(server.ground, client.id))?.value.status).toBe('suspended')
        expect((await store.run(`client activate ${client.id}`)).code).toBe(0)
        expect(await store.run('client show nobody')).toMatchObject({ code: 1, err: 'client is not known.' })
        const wrong = document('wrong.json', { name: 'X', type: 'public', redirectUris: ['http://x.example'] })
        expect(await store.run(`client create ${wrong}`)).toMatchObject({
          code: 1,
          err: expect.stringMatching(/^redirectUris\[0\] is not usable/),
        })
      },
      patientMs,
    )

    test(
      'keys: shown, announced, replaced, and everything encrypted anew',
      async () => {
        await using store = await onStore(engine)
        await store.run(`client create ${app}`)
        expect((await store.run('keys status')).out).toHaveLength(6)
        expect((await store.run('keys rotate')).out.filter(line => line.startsWith('id tokens'))).toHaveLength(2)
        expect(json(await store.run('keys rotate-data fields --json'))).toEqual([{ key: 'fields-2', renewed: 3, missed: 0, unreadable: 0 }])
        expect((await store.run('keys rotate-data pepper')).out[0]).toMatch(/^pepper-2 is used/)
        expect((await store.run('keys rotate-data secrets')).code).toBe(64)
        const to = join(folder, `next-${engine.name}.key`)
        writeFileSync(to, randomBytes(32).toString('base64'), { mode: 0o600 })
        if (engine.name === 'sqlite') {
          const kek = join(store.dataDir, 'auth.key')
          const before = readFileSync(kek, 'utf8')
          expect((await store.run('keys rotate-kek')).code).toBe(0)
          expect(readFileSync(kek, 'utf8')).not.toBe(before)
        } else expect((await store.run('keys rotate-kek')).code).toBe(64)
        expect((await store.run(`keys rotate-kek --to ${to}`)).code).toBe(0)
        // T28: with the key of before nothing opens any more, and nothing is written.
        expect(await store.run('keys status')).toMatchObject({ code: 78, err: expect.stringMatching(/^The key encryption key given is/) })
        expect((await store.run('keys status', { SIMPUL_AUTH_KEK: readFileSync(to, 'utf8') })).code).toBe(0)
      },
      patientMs,
    )

    test(
      'T28: of a store that several machines share, another one is refused until it has the key',
      async () => {
        if (engine.name === 'sqlite') return
        await using store = await onStore(engine)
        const { SIMPUL_AUTH_KEK: _, ...without } = store.environment
        const at = (folder: string) => {
          const read = readConfig({ ...without, SIMPUL_DATA_DIR: folder })
          if (!read.ok) throw new Error('the configuration is wrong')
          return composeAdministration(read.config)
        }
        const [here, there] = [mkdtempSync(join(tmpdir(), 'simpul-key-')), mkdtempSync(join(tmpdir(), 'simpul-key-'))]
        await (await at(here))[Symbol.asyncDispose]()
        await expect(at(there)).rejects.toThrow('is gone; restore it')
        copyFileSync(join(here, 'auth.key'), join(there, 'auth.key'))
        await (await at(there))[Symbol.asyncDispose]()
        for (const folder of [here, there]) rmSync(folder, { recursive: true })
      },
      patientMs,
    )

    test(
      'emergencies: the host sees what waits, and judges only where no account but the one that opened it could',
      async () => {
        await using store = await onStore(engine)
        expect(await store.run('emergencies list')).toMatchObject({ code: 0, out: [], err: 'Nothing waits for a review.' })
        const id = await brokenGlass(store.open)
        expect((await store.run('emergencies list')).out).toEqual([
          expect.stringMatching(new RegExp(`^${id}  .*ETREAT +review by .*patient told by`)),
        ])
        expect(json(await store.run('emergencies list --notices --json'))).toMatchObject([{ id, patient: 'budi', review: 'open' }])
        expect(await store.run(`emergencies told ${id}`)).toMatchObject({ code: 0, out: [expect.stringContaining('patient told')] })
        expect(await store.run(`emergencies review ${id} justified`)).toMatchObject({
          code: 0,
          out: [expect.stringContaining('justified')],
        })
        const next = await brokenGlass(store.open)
        await officer(store.open)
        expect(await store.run(`emergencies review ${next} justified`)).toMatchObject({
          code: 1,
          err: expect.stringContaining('consent.override.review'),
        })
        expect(await store.run(`emergencies postpone ${next} 2026-12-31 x`)).toMatchObject({
          code: 1,
          err: expect.stringContaining('privacy.requests'),
        })
      },
      patientMs,
    )
  })
