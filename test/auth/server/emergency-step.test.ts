/** An application is opened for an emergency: auth.md 12.5.2. The authorization server and the pages together, through a browser without script. */
import { describe, expect, test } from '@jest/globals'
import type { Account, RoleAssignment } from '../../../src/auth/accounts/account.ts'
import { emergenciesOf } from '../../../src/auth/emergencies/emergencies.ts'
import { type Emergency, emergencyRecords } from '../../../src/auth/emergencies/emergency.ts'
import { createSigning } from '../../../src/auth/keys/signing.ts'
import { createErrorPage } from '../../../src/auth/pages/error-page.ts'
import { createPages } from '../../../src/auth/pages/pages.ts'
import { createAuthenticate } from '../../../src/auth/principal/authenticate.ts'
import { sessionPrincipal } from '../../../src/auth/principal/person.ts'
import { createAuthorizationServer } from '../../../src/auth/server/authorization-server.ts'
import type { AuthorizationServerParts } from '../../../src/auth/server/server-parts.ts'
import { withProof } from '../../../src/auth/sessions/session.ts'
import { sessionRecords, type Session } from '../../../src/auth/sessions/session.ts'
import { makeLaunch } from '../../../src/auth/smart/launches.ts'
import { ok } from '../../../src/base/outcome.ts'
import { createEmergencyAccess } from '../../../src/compose/emergencies.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor, valueOf, withFactor } from '../accounts-ground.ts'
import { formOf, titleOf, wordsOf } from '../pages/pages-ground.ts'
import { authorizeUrl, Browser, closingOauth, keepClient, openOauth, redeem, serve, sessionCookie, signIn } from './oauth-ground.ts'

closingOauth()
closingAccounts()

const receptionist: RoleAssignment = { role: 'receptionist', organization: 'Organization/1', givenBy: 'cli' }
const words = 'Pasien tidak sadar di UGD, riwayat obat diperlukan.'
const scope = 'launch openid patient/*.rs'

for (const engine of testEngines)
  describe(`on ${engine.name}`, () => {
    const openHouse = async (role: RoleAssignment = doctor) => {
      const oauth = await openOauth(engine)
      await keepClient(oauth)
      const { ground } = oauth.parts
      const visits = { accounts: oauth.accounts.parts, address: oauth.parts.address, forms: createSigning(oauth.accounts.keyring, 'forms') }
      const parts: AuthorizationServerParts = {
        ...oauth.parts,
        emergenciesOf: about => emergenciesOf(ground, about),
        renderError: createErrorPage(visits),
      }
      const server = createAuthorizationServer(parts)
      const asked: string[] = []
      const glass = {
        ground,
        roles: () => parts.roles,
        changed: () => undefined,
        wouldSee: async (
          { clientId, emergencies }: { readonly clientId?: string; readonly emergencies: readonly string[] },
          patient: string,
        ) => {
          asked.push(`${patient} with ${emergencies.join()} as ${clientId ?? 'the user'}`)
          return patient === '1'
        },
      }
      const pages = createPages({
        ...visits,
        interactions: server.interactions,
        patients: {
          find: async () => ok([]),
          own: async () => ok([]),
          byId: async (_live, id) => ok({ id, name: 'Siti Aminah' }),
          encounters: async () => ok([]),
        },
        apps: { list: async () => [], withdraw: async () => ok(false) },
        emergencies: createEmergencyAccess(glass, live => sessionPrincipal(parts, live)),
      })
      serve(oauth, '/login', pages.login)
      serve(oauth, '/account', pages.account)
      serve(oauth, '/oauth', server.handler)
      const account: Account = await anAccount(oauth.accounts, 'petugas', [role])
      const { backupCodes } = await withFactor(oauth.accounts, account.id)
      const { cookie, session } = await signIn(oauth, account)
      const browser = new Browser(oauth)
      browser.cookies.set(`${sessionCookie} /`, { path: '/', value: cookie })
      /** The page that comes of a launch. */
      const launched = async (given: Readonly<Record<string, string>> = { purpose_of_use: 'BTG' }) => {
        const live = {
          session: { key: session.id, value: session, revision: 0 },
          account: { key: account.id, value: account, revision: 0 },
        }
        const made = valueOf(await makeLaunch(parts, await sessionPrincipal(parts, live), { clientId: 'app-0001', patient: '1' }))
        if (made.is !== 'made') throw new Error(made.why)
        const request = authorizeUrl(oauth, { scope, launch: made.launch, ...given })
        return { request, ...(await visit(request.url)) }
      }
      const visit = async (url: string, init: RequestInit = {}) => {
        const { response, location, url: at } = await browser.walk(url, init)
        return { status: response.status, text: await response.text(), url: at, location }
      }
      const send = (page: { readonly text: string; readonly url: string }, step: string, values: Readonly<Record<string, string>> = {}) => {
        const { origin, pathname } = new URL(page.url)
        const action = step.startsWith('/account') ? step : `${/\/login\/[\w-]+/.exec(pathname)?.[0]}${step}`
        const form = new URLSearchParams(formOf(page.text, action.replace('/without', '/emergency')))
        for (const [name, value] of Object.entries(values)) form.set(name, value)
        const headers = { 'content-type': 'application/x-www-form-urlencoded', origin }
        return visit(`${origin}${action}`, { method: 'POST', body: form.toString(), headers })
      }
      /** As if the second factor had been used an hour ago. */
      const grownStale = async (): Promise<void> => {
        const records = ground.store.records<Session>(sessionRecords)
        const kept = await records.get(session.id)
        if (kept === undefined) throw new Error('no session')
        const before = ground.clock() - 3_600_000
        valueOf(await records.put({ ...kept.value, amr: withProof(withProof([], 'pwd', before), 'otp', before) }))
      }
      const open = () => emergenciesOf(ground, { account: account.id, session: session.id, client: 'app-0001' })
      return { oauth, launched, send, open, asked, ground, backupCodes, grownStale, authenticate: createAuthenticate(parts) }
    }

    const titles = { emergency: 'Akses darurat', consent: 'Growth Chart' }

    test('opens our screen before consent: reason, words, and then the emergency is the application’s, for this session', async () => {
      const { oauth, launched, send, open, asked, ground, authenticate } = await openHouse()
      const screen = await launched()
      expect([titleOf(screen.text).split(' · ')[0], screen.status]).toEqual([titles.emergency, 200])
      expect(wordsOf(screen.text)).toContain('Growth Chart dibuka untuk keadaan darurat.')
      const short = await send(screen, '/emergency', { reason: 'ETREAT', words: 'gawat' })
      expect([short.status, await open(), asked]).toEqual([422, [], []])
      const consent = await send(short, '/emergency', { reason: 'ETREAT', words })
      expect(titleOf(consent.text)).toContain(titles.consent)
      expect([await open(), asked]).toEqual([['1'], ['1 with 1 as the user']])
      const { rows } = await ground.store.records<Emergency>(emergencyRecords).range('review', { from: ['open'], to: ['open'], limit: 10 })
      expect(rows.map(({ value }) => [value.client, value.patient, value.reason])).toEqual([['app-0001', '1', 'ETREAT']])
      const done = await send(consent, '/consent')
      const { status, body } = await redeem(oauth, done.location?.searchParams.get('code') ?? '', screen.request)
      expect([status, body.patient]).toEqual([200, '1'])
      expect(await authenticate(`Bearer ${body.access_token}`, '192.0.2.7')).toMatchObject({ value: { emergencies: ['1'] } })
      // It is open: another launch needs no other one.
      expect(titleOf((await launched()).text)).toContain(titles.consent)
    })

    test('grants nothing by itself: who goes on without has what is usual', async () => {
      const { oauth, launched, send, open, authenticate } = await openHouse()
      const screen = await launched()
      const consent = await send(screen, '/without')
      expect([titleOf(consent.text).includes(titles.consent), await open()]).toEqual([true, []])
      // The form that was open before does nothing any more.
      const late = await send(
        { ...screen, url: consent.url, text: screen.text.replaceAll(/\/login\/[\w-]+/g, new URL(consent.url).pathname) },
        '/emergency',
        { reason: 'ETREAT', words },
      )
      expect([titleOf(late.text).includes(titles.consent), await open()]).toEqual([true, []])
      const done = await send(late, '/consent')
      const { body } = await redeem(oauth, done.location?.searchParams.get('code') ?? '', screen.request)
      expect(await authenticate(`Bearer ${body.access_token}`, '192.0.2.7')).toMatchObject({ value: { emergencies: [] } })
    })

    test('asks for a second factor of the last five minutes first, and comes back', async () => {
      const { launched, send, open, grownStale, backupCodes } = await openHouse()
      await grownStale()
      const verify = await launched()
      expect(new URL(verify.url).pathname).toBe('/account/verify')
      const screen = await send(verify, '/account/verify', { code: backupCodes[0] ?? '', kind: 'backup' })
      expect(titleOf(screen.text)).toContain(titles.emergency)
      await send(screen, '/emergency', { reason: 'unable-to-consent', words })
      expect(await open()).toEqual(['1'])
    })

    test('is not asked of who may not, nor without the word, nor in silence', async () => {
      const house = await openHouse()
      for (const purpose_of_use of ['TREAT', ''])
        expect(titleOf((await house.launched(purpose_of_use === '' ? {} : { purpose_of_use })).text)).toContain(titles.consent)
      const silent = await house.launched({ purpose_of_use: 'BTG', prompt: 'none' })
      expect(silent.location?.searchParams.get('error')).toBe('interaction_required')
      const other = await openHouse(receptionist)
      const { text } = await other.launched()
      expect([titleOf(text).includes(titles.emergency), await other.open()]).toEqual([false, []])
    })
  })
