/** What compose gives to sign-in, over a whole server: the house, applications with access, patients to choose, mails that go by themselves. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TestBrowser, wordsOf } from '../auth/pages/pages-ground.ts'
import { type MailServer, startMailServer } from '../auth/pages/smtp-ground.ts'
import { type Clinic, openClinic, tokensFor } from '../clients/clinic.ts'
import { testEngines } from '../support/engines.ts'
import { until } from '../support/running-server.ts'

const scope = 'openid launch/patient patient/Patient.rs patient/Observation.rs'

for (const engine of testEngines)
  describe(`sign-in, composed (${engine.name})`, () => {
    let mails: MailServer
    let clinic: Clinic
    beforeAll(async () => {
      mails = await startMailServer()
      clinic = await openClinic(
        engine,
        app => ({
          chart: {
            name: 'Grafik Tumbuh',
            publisher: 'PT Aplikasi Sehat',
            type: 'public',
            development: true,
            redirectUris: [`${app}/callback`],
            scopesAllowed: scope.split(' '),
          },
        }),
        {
          SIMPUL_SMTP_URL: `smtp://127.0.0.1:${mails.port}`,
          SIMPUL_MAIL_FROM: 'RS Contoh <sistem@rs.example>',
          SIMPUL_ZONE: 'Asia/Makassar',
          SIMPUL_AUTH_FACILITY_IDENTIFIER: 'https://fhir.kemkes.go.id/id/organisasi|1000001',
        },
      )
    }, 120_000)
    afterAll(async () => {
      await clinic?.[Symbol.asyncDispose]()
      await mails?.[Symbol.asyncDispose]()
    }, 120_000)

    const json = async (path: string): Promise<unknown> => (await fetch(`${clinic.base}${path}`)).json()

    test('the house is told by its name and identifier, the same in discovery and in the directory of brands', async () => {
      const identifier = { system: 'https://fhir.kemkes.go.id/id/organisasi', value: '1000001' }
      const brands = JSON.stringify(await json('/.well-known/brands.json'))
      for (const words of ['"RS Contoh"', identifier.system, identifier.value, clinic.fhir]) expect(brands).toContain(words)
      expect(await json('/fhir/.well-known/smart-configuration')).toMatchObject({
        user_access_brand_bundle: `${clinic.base}/.well-known/brands.json`,
        user_access_brand_identifier: identifier,
      })
    })

    test('an application is shown with what it may to whoever allowed it, and to nobody else; withdrawn, its token is dead', async () => {
      const browser = new TestBrowser(clinic.base)
      const { access_token } = await tokensFor(clinic, 'chart', scope, clinic.patient, browser)
      const read = async (): Promise<number> =>
        (await fetch(`${clinic.fhir}/Patient/budi`, { headers: { authorization: `Bearer ${access_token}` } })).status
      expect(await read()).toBe(200)
      const page = await browser.open('/account/apps')
      for (const words of ['Grafik Tumbuh', 'PT Aplikasi Sehat', 'Budi Santoso']) expect(wordsOf(page.text)).toContain(words)
      const grant = /name="grant" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
      const stranger = new TestBrowser(clinic.base)
      await tokensFor(clinic, 'chart', scope, clinic.doctor, stranger)
      await stranger.open('/account/apps')
      const action = /action="(\/account\/apps[^"]*)"/.exec(page.text)?.[1] ?? ''
      await stranger.send(action, { grant })
      expect(await read()).toBe(200)
      await browser.open('/account/apps')
      await browser.send(action, { grant })
      expect(await read()).toBe(401)
      expect(wordsOf((await browser.open('/account/apps')).text)).not.toContain('Grafik Tumbuh')
    }, 60_000)

    test('mails go by themselves over SMTP, in the time of the house', async () => {
      const browser = new TestBrowser(clinic.base)
      await browser.open('/login')
      await browser.send('/login', { username: clinic.patient.username, password: clinic.patient.password })
      const told = () => mails.taken.find(({ to, text }) => to.includes('budi@rumah.example') && /WITA/.test(bodyOf(text)))
      await until(() => told() !== undefined)
      expect(told()?.from).toBe('sistem@rs.example')
      expect(bodyOf(told()?.text ?? '')).toContain('RS Contoh')
      expect(clinic.said()).not.toContain('rumah.example')
    }, 90_000)
  })

const bodyOf = (text: string): string => {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const body = rest.join('\r\n\r\n')
  if (/Transfer-Encoding: base64/i.test(head)) return Buffer.from(body, 'base64').toString()
  return body.replace(/=\r\n/g, '')
}
