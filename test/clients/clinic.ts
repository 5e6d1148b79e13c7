import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Account, RoleAssignment } from '../../src/auth/accounts/account.ts'
import { acceptInvitation, invite } from '../../src/auth/accounts/invitation.ts'
import { activateClient, addSecret, registerClient, takesSecrets } from '../../src/auth/clients/administration.ts'
import { readRegistration } from '../../src/auth/clients/registration.ts'
import { enrolled, factorRecords, factorsOf, newEnrolment } from '../../src/auth/factors/factor-set.ts'
import { stepAt, totpCode } from '../../src/auth/factors/totp.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { Administering } from '../../src/cli/administering.ts'
import { importFiles } from '../../src/cli/import.ts'
import { compose } from '../../src/compose.ts'
import { composeAdministration } from '../../src/compose/administration.ts'
import { type Config, readConfig } from '../../src/config/config.ts'
import { origin, secretOf, valueOf } from '../auth/accounts-ground.ts'
import { type Answer, TestBrowser, titleOf } from '../auth/pages/pages-ground.ts'
import type { TestEngine } from '../support/engines.ts'
import { startServer } from '../support/running-server.ts'

/**
 * A whole server as people start it, closed, with a few patients; a doctor and a patient who have accounts; and beside it, on an origin of its own, the place
 * where applications of a test live.
 */
export type Clinic = AsyncDisposable & {
  /** Of the server, without a slash at the end. */
  readonly base: string
  readonly fhir: string
  readonly issuer: string
  /** Origin of the applications: `/callback` says nothing, `/fhir-client.js` is the library for browsers, other paths as `pages` says. */
  readonly app: string
  /** Pages of the applications, by path. */
  readonly pages: Map<string, (req: IncomingMessage, res: ServerResponse) => void>
  readonly doctor: Person
  readonly patient: Person
  /** By the name it was given in `openClinic`. */
  client(name: string): Registered
  /** Everything the server said, for failures. */
  said(): string
}

export type Person = {
  readonly account: string
  readonly username: string
  readonly password: string
  /** Once each; without any there is no second factor. */
  readonly backupCodes: string[]
}

export type Registered = { readonly id: string; readonly secret: string }

/** Registrations by name; `app` is the origin of the applications. */
export type Registrations = (app: string) => Readonly<Record<string, object>>

const category = (code: string) => [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] }]
const observation = (id: string, code: string, value: number) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  category: category(code),
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  subject: { reference: 'Patient/budi' },
  valueQuantity: { value, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
})

/** What the clinic keeps. `lain` has never been there. */
const kept = [
  { resourceType: 'Organization', id: 'rs', active: true, type: [{ coding: [{ code: 'prov' }] }], name: 'RS Contoh' },
  { resourceType: 'Practitioner', id: 'sari', active: true, name: [{ text: 'dr. Sari' }] },
  { resourceType: 'Patient', id: 'budi', managingOrganization: { reference: 'Organization/rs' }, name: [{ text: 'Budi Santoso' }] },
  { resourceType: 'Patient', id: 'lain', name: [{ text: 'Budi Lain' }] },
  {
    resourceType: 'Encounter',
    id: 'kunjungan',
    status: 'in-progress',
    class: { code: 'AMB' },
    subject: { reference: 'Patient/budi' },
    serviceProvider: { reference: 'Organization/rs' },
  },
  { resourceType: 'Condition', id: 'asma', subject: { reference: 'Patient/budi' }, code: { text: 'Asma' } },
  { resourceType: 'Condition', id: 'milik-lain', subject: { reference: 'Patient/lain' }, code: { text: 'Demam' } },
  ...[70, 71, 72, 73, 74].map((value, n) => observation(`berat-${n}`, 'vital-signs', value)),
  observation('lab-1', 'laboratory', 5),
]

export const clinicPassword = 'tujuh payung kertas 58'

/** `registrations` are in use from the start, as if a second person had looked at them. */
export const openClinic = async (
  engine: TestEngine,
  registrations: Registrations,
  environment: Readonly<Record<string, string>> = {},
): Promise<Clinic> => {
  const folder = mkdtempSync(join(tmpdir(), 'simpul-clinic-'))
  const store = await engine.address()
  const said = {
    SIMPUL_AUTH: 'smart',
    SIMPUL_STORE: store.address,
    SIMPUL_DATA_DIR: folder,
    SIMPUL_AUTH_KEK: randomBytes(32).toString('base64'),
    SIMPUL_AUTH_FACILITY: 'RS Contoh',
    ...environment,
  }
  const read = readConfig(said)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  await plant(read.config)
  const applications = await openApplications()
  const administering = await composeAdministration(read.config)
  const doctor = await addPerson(
    administering,
    'dr.sari',
    { role: 'doctor', organization: 'Organization/rs', givenBy: 'cli' },
    'Practitioner/sari',
  )
  const patient = await addPerson(administering, 'budi', { role: 'patient', givenBy: 'cli' }, 'Patient/budi')
  const clients = new Map<string, Registered>()
  for (const [name, document] of Object.entries(registrations(applications.origin)))
    clients.set(name, await register(administering, document))
  await administering[Symbol.asyncDispose]()
  const server = await startServer(said)
  const base = environment.SIMPUL_BASE_URL ?? `http://127.0.0.1:${server.port}`
  return {
    base,
    fhir: `${base}/fhir`,
    issuer: `${base}/oauth`,
    app: applications.origin,
    pages: applications.pages,
    doctor,
    patient,
    client: name => {
      const found = clients.get(name)
      if (found === undefined) throw new Error(`nobody registered ${name}`)
      return found
    },
    said: server.said,
    [Symbol.asyncDispose]: async () => {
      await applications.close()
      await server[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Whoever imports sits at the machine: nobody signs in for it. */
const plant = async (config: Config): Promise<void> => {
  const file = join(config.dataDir, 'clinic.ndjson')
  writeFileSync(file, kept.map(resource => JSON.stringify(resource)).join('\n'))
  const importing = await compose(config, 'import')
  const said: string[] = []
  const terminal = { json: false, out: (line: string) => void said.push(line), err: (line: string) => void said.push(line) }
  const parts = { perform: importing.perform, principal: importing.source('import'), limits: config.limits, clock: systemClock, terminal }
  const code = await importFiles(parts, { paths: [file], parallel: 4 })
  await importing[Symbol.asyncDispose]()
  if (code !== 0) throw new Error(said.join(' '))
}

const addPerson = async (
  { ground, accounts }: Administering,
  username: string,
  role: RoleAssignment,
  fhirUser: string,
): Promise<Person> => {
  const wanted = { email: `${username}@rumah.example`, username, locale: 'en' as const, roles: [role], fhirUser }
  const invited = valueOf(await invite(ground, wanted, 'cli', origin))
  if (invited.is !== 'invited') throw new Error(invited.is)
  const accepted = valueOf(await acceptInvitation(accounts, invited.secret, { password: clinicPassword }, origin))
  if (accepted.is !== 'accepted') throw new Error(accepted.is)
  const { id } = accepted.account
  const backupCodes = role.role === 'patient' ? [] : await addFactor(ground, accepted.account)
  return { account: id, username, password: clinicPassword, backupCodes }
}

const addFactor = async (ground: Administering['ground'], { id }: Account): Promise<string[]> => {
  const begun = newEnrolment(ground, undefined, id, { issuer: 'Test', account: id })
  await ground.store.records(factorRecords).put(begun.after)
  const made = await enrolled(ground, await factorsOf(ground, id), totpCode(secretOf(begun.enrolment.uri), stepAt(ground.clock())))
  if (made === undefined) throw new Error('the first code is wrong')
  await ground.store.records(factorRecords).put(made.after)
  return [...made.backupCodes]
}

const register = async ({ ground, registration }: Administering, document: object): Promise<Registered> => {
  const { client } = valueOf(
    await registerClient(ground, valueOf(readRegistration(document, registration)), { by: 'one', approvedBy: 'another' }, origin),
  )
  if (client.status !== 'active') valueOf(await activateClient(ground, client.id, { by: 'one', approvedBy: 'another' }, origin))
  const secret = takesSecrets(client) ? valueOf(await addSecret(ground, client.id, 'one', origin)).secret : ''
  return { id: client.id, secret }
}

const require = createRequire(import.meta.url)
const libraryForBrowsers = (): string => readFileSync(require.resolve('fhirclient/build/fhir-client.js'), 'utf8')

const openApplications = async () => {
  const pages: Clinic['pages'] = new Map()
  pages.set('/callback', (_req, res) => void res.end('the application'))
  pages.set('/fhir-client.js', (_req, res) => void res.writeHead(200, { 'content-type': 'text/javascript' }).end(libraryForBrowsers()))
  const server = createServer((req, res) => {
    const page = pages.get(new URL(req.url ?? '/', 'http://localhost').pathname)
    if (page === undefined) return void res.writeHead(404).end()
    page(req, res)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    pages,
    // Another site than 127.0.0.1 to browsers, so that no cookie and no leave goes over by itself.
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}

/** Signs in, chooses the patient by the name and allows, in a browser without script; ends where the application gets the browser back. */
export const authorizeBy = async (
  clinic: Clinic,
  url: string,
  person: Person,
  browser = new TestBrowser(clinic.base),
  search = 'Budi',
): Promise<URL> => {
  let page = await browser.open(url)
  for (let steps = 0; steps < 8; steps++) {
    if (page.path.startsWith(`${clinic.app}/`)) return new URL(page.path)
    page = await answer(browser, page, person, search)
  }
  throw new Error(`no end: ${titleOf(page.text)}`)
}

/** Fills whatever form of sign-in is on the page in hand. */
export const answer = (browser: TestBrowser, { text, status }: Answer, person: Person, search: string): Promise<Answer> => {
  const action = (field: string): string | undefined => actionOf(text, field)
  const [password, code, patient, find, allow] = ['password', 'code', 'patient', 'text', 'allow'].map(action)
  if (password !== undefined) return browser.send(password, { username: person.username, password: person.password })
  if (code !== undefined) return browser.send(code, { code: person.backupCodes.pop() ?? '' })
  if (patient !== undefined) return browser.send(patient, {}, ['patient', 'budi'])
  if (find !== undefined) return browser.send(find, { text: search })
  if (allow !== undefined) return browser.send(allow)
  throw new Error(`${status} ${titleOf(text)}`)
}

export type ClinicTokens = {
  readonly access_token: string
  readonly refresh_token?: string
  readonly scope: string
  readonly patient?: string
}

/** By a public client, from the authorization request to the tokens. */
export const tokensFor = async (
  clinic: Clinic,
  client: string,
  scope: string,
  person: Person,
  browser?: TestBrowser,
): Promise<ClinicTokens> => {
  const verifier = randomBytes(32).toString('base64url')
  const { id } = clinic.client(client)
  const redirect_uri = `${clinic.app}/callback`
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: id,
    redirect_uri,
    scope,
    state: randomUUID(),
    aud: clinic.fhir,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const back = await authorizeBy(clinic, `${clinic.issuer}/auth?${asked}`, person, browser)
  const code = back.searchParams.get('code')
  if (code === null) throw new Error(`no code: ${back.search}`)
  const form = { grant_type: 'authorization_code', code, redirect_uri, client_id: id, code_verifier: verifier }
  const answer = await fetch(`${clinic.issuer}/token`, { method: 'POST', body: new URLSearchParams(form) })
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
  return (await answer.json()) as ClinicTokens
}

/** The action of the form that has a field of this name. */
const actionOf = (page: string, field: string): string | undefined => {
  const form = page.split('<form').find(part => new RegExp(`name="${field}"`).test(part.split('</form>')[0] ?? ''))
  return form === undefined ? undefined : (/action="([^"]*)"/.exec(form)?.[1] ?? '').replaceAll('&amp;', '&')
}
