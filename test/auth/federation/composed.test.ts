/** The whole server, its command line, and a provider of somebody else. */
import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import type { Open } from '../../../src/cli/administering.ts'
import { createClient } from '../../../src/cli/client.ts'
import { activateProviderById, addProviderOf, listProvidersOf, showProvider, suspendProviderById } from '../../../src/cli/provider.ts'
import type { Terminal } from '../../../src/cli/terminal.ts'
import { composeAdministration } from '../../../src/compose/administration.ts'
import { readConfig } from '../../../src/config/config.ts'
import { startClosed } from '../../leaks/server.ts'
import { testEngines } from '../../support/engines.ts'
import { titleOf } from '../pages/pages-ground.ts'
import { provider, Walker } from './federation-ground.ts'
import { closingProviders, openOutside } from './outside-provider.ts'

closingProviders()

const terminal = (): Terminal & { readonly said: string[] } => {
  const said: string[] = []
  return { said, out: line => void said.push(line), err: line => void said.push(line), json: false }
}

const app = {
  name: 'Grafik Tumbuh',
  type: 'public',
  redirectUris: ['https://app.example/cb'],
  scopesAllowed: ['openid', 'fhirUser', 'launch/patient', 'patient/Patient.rs'],
}

for (const engine of testEngines)
  describe(`${engine.name}: the whole server`, () => {
    test('a provider that the command line added lets the first administrator in, goes on to an application, and ends the session', async () => {
      const key = randomBytes(32).toString('hex')
      await using server = await startClosed(engine, { SIMPUL_AUTH_KEK: key })
      const outside = await openOutside(server.base)
      const config = readConfig({ SIMPUL_PORT: new URL(server.base).port, SIMPUL_STORE: server.address, SIMPUL_AUTH_KEK: key })
      if (!config.ok) throw new Error(JSON.stringify(config.problems))
      const open: Open = () => composeAdministration(config.config)

      const out = terminal()
      const document = JSON.stringify(provider(outside, { logout: true }))
      expect(await addProviderOf(open, async () => document, out)).toBe(0)
      expect(out.said.join('\n')).toContain(`${server.base}/login/federation/sso/callback`)
      expect(await activateProviderById(open, 'sso', out)).toBe(0)
      expect(await listProvidersOf(open, out)).toBe(0)
      expect(out.said.at(-1)).toMatch(/^sso +active /)
      expect(await showProvider(open, 'sso', out)).toBe(0)
      expect(out.said.join('\n')).not.toContain('rahasia')
      expect(await showProvider(open, 'nobody', out)).not.toBe(0)

      const secret = /\/login\/invitation\/(.+)$/.exec((await server.invitation()) ?? '')?.[1]
      outside.people.set('u-1', { amr: ['mfa'] })
      outside.next = 'u-1'
      const first = new Walker(server.base, outside.issuer)
      expect((await first.login(`/login/federation/sso?invitation=${secret}`)).headers.get('location')).toBe('/account')
      expect((await first.ours.open('/account')).status).toBe(200)

      const made = terminal()
      expect(await createClient(open, async () => JSON.stringify(app), made)).toBe(0)
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: made.said[0]?.split(' ')[0] ?? '',
        redirect_uri: 'https://app.example/cb',
        scope: 'openid fhirUser',
        state: 'state-of-the-application',
        aud: `${server.base}/fhir`,
        code_challenge: createHash('sha256').update('v'.repeat(43)).digest('base64url'),
        code_challenge_method: 'S256',
      })
      const other = new Walker(server.base, outside.issuer)
      const login = await other.ours.open(`/oauth/auth?${query}`)
      const door = /^\/login\/[A-Za-z0-9_-]{16,64}$/.exec(new URL(login.path, server.base).pathname)?.[0]
      if (door === undefined) throw new Error(login.path)
      const back = await other.through(await other.begin(`${door}/federation/sso`))
      const consent = await other.ours.open(back)
      expect(titleOf(consent.text)).toContain('Grafik Tumbuh meminta izin')

      await other.theirs.open('/session/end')
      await other.theirs.sendOnly(`${outside.issuer}/session/end/confirm`, { logout: 'yes' })
      expect((await other.ours.ask('/account')).status).toBe(303)
      expect((await first.ours.ask('/account')).status).toBe(200)
      expect(await suspendProviderById(open, 'sso', out)).toBe(0)
      expect((await first.ours.ask('/account')).status).toBe(303)
    })
  })
