import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Measured } from './processes.ts'

const run = promisify(execFile)
const program = resolve(import.meta.dirname, '../bin/simpul.js')

/** What `npm start` needs to be closed, and to let one token ask as fast as it can. */
export const closed = (): Readonly<Record<string, string>> => ({
  SIMPUL_AUTH: 'smart',
  SIMPUL_AUTH_KEK: randomBytes(32).toString('base64'),
  SIMPUL_RATE_LIMIT_TOKENS: '10000',
})

/** The program on the store of a running server. */
const simpul = async ({ environment }: Measured, ...argv: string[]): Promise<string> =>
  (await run(process.execPath, [program, ...argv], { env: { PATH: process.env.PATH ?? '', ...environment } })).stdout

/** Puts resources into the store as `simpul import` does: nobody signs in for it. */
export const importInto = async (server: Measured, resources: readonly object[]): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'simpul-bench-import-'))
  const file = join(folder, 'resources.ndjson')
  writeFileSync(file, resources.map(one => JSON.stringify(one)).join('\n'))
  await simpul(server, 'import', file)
  rmSync(folder, { recursive: true })
}

const redirectUri = 'http://127.0.0.1:9/callback'

/** An access token of a doctor of this installation: the whole way through the pages of sign-in, as a browser without script goes it. */
export const doctorsToken = async (server: Measured, scope: string): Promise<string> => {
  const client = await appFor(server, scope)
  const doctor = (await simpul(server, 'dev', 'seed', '--json'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { readonly role: string; readonly username: string; readonly password: string })
    .find(({ role }) => role === 'doctor')
  if (doctor === undefined) throw new Error('There is no account of a doctor')
  const verifier = randomBytes(32).toString('base64url')
  const browser = new Browser(server.base)
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: client,
    redirect_uri: redirectUri,
    scope,
    state: randomBytes(16).toString('hex'),
    aud: `${server.base}/fhir`,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  await browser.open(`/oauth/auth?${asked}`)
  await browser.submit('password', { username: doctor.username, password: doctor.password })
  await browser.submit('arrived')
  await browser.submit('allow')
  return redeemed(server, client, new URL(browser.at).searchParams.get('code') ?? '', verifier)
}

const appFor = async (server: Measured, scope: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'simpul-bench-client-'))
  const file = join(folder, 'client.json')
  const registration = {
    name: 'Bench',
    type: 'public',
    applicationType: 'native',
    redirectUris: [redirectUri],
    scopesAllowed: scope.split(' '),
    trust: 'approved',
  }
  writeFileSync(file, JSON.stringify(registration))
  const [line = ''] = (await simpul(server, 'client', 'create', file, '--json')).trim().split('\n')
  rmSync(folder, { recursive: true })
  return (JSON.parse(line) as { readonly client: { readonly id: string } }).client.id
}

const redeemed = async ({ base }: Measured, client: string, code: string, verifier: string): Promise<string> => {
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, client_id: client, code_verifier: verifier }
  const answer = await fetch(`${base}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) })
  const { access_token: token } = (await answer.json()) as { readonly access_token?: string }
  if (token === undefined) throw new Error(`No token: ${answer.status}`)
  return token
}

/** As much of a browser as forms need: cookies, redirects within the server, the hidden fields of a form. */
class Browser {
  readonly #base: string
  readonly #cookies = new Map<string, string>()
  #page = ''
  at = ''

  constructor(base: string) {
    this.#base = base
  }

  async open(path: string, form?: URLSearchParams): Promise<void> {
    this.at = new URL(path, this.#base).href
    let body = form
    for (let redirects = 0; redirects < 20 && this.at.startsWith(this.#base); redirects++) {
      const answer = await fetch(this.at, {
        method: body === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: { cookie: [...this.#cookies].map(one => one.join('=')).join('; '), origin: this.#base, 'accept-language': 'en' },
        ...(body === undefined ? {} : { body }),
      })
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        this.#cookies.set(name, value)
      }
      this.#page = await answer.text()
      const next = answer.headers.get('location')
      if (next === null) return
      this.at = new URL(next, this.at).href
      body = undefined
    }
  }

  /** Sends the form that has a field of this name, with what stands in it already. */
  async submit(field: string, values: Readonly<Record<string, string>> = {}): Promise<void> {
    const form = this.#page.split('<form').find(part => new RegExp(`name="${field}`).test(part.split('</form>')[0] ?? ''))
    if (form === undefined) throw new Error(`The page has no form with ${field}`)
    const filled = new URLSearchParams()
    for (const [input] of form.split('</form>')[0]?.matchAll(/<(?:input|button)[^>]*>/g) ?? []) {
      const isTicked = !/type="(?:checkbox|radio)"/.test(input) || /\schecked/.test(input)
      const [name, value] = [attribute(input, 'name'), attribute(input, 'value')]
      if (name !== '' && isTicked && (!input.startsWith('<button') || name === field)) filled.append(name, value)
    }
    for (const [name, value] of Object.entries(values)) filled.set(name, value)
    await this.open(unescaped(/action="([^"]*)"/.exec(form)?.[1] ?? ''), filled)
  }
}

const attribute = (tag: string, name: string): string => unescaped(new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? '')

const unescaped = (text: string): string => text.replaceAll('&quot;', '"').replaceAll('&amp;', '&')
