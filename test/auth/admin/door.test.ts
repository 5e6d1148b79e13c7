import { describe, expect, test } from '@jest/globals'
import { testEngines } from '../../support/engines.ts'
import { closingAccounts } from '../accounts-ground.ts'
import { type AdminGround, closingServers, openAdmin } from './admin-ground.ts'

/** Who is let in to administer, and how it is told to others. @see auth.md 4.3, 9.1, 15 */

closingAccounts()
closingServers()

const engine = testEngines[0] as (typeof testEngines)[0]

describe('the door of administration', () => {
  test('without a token nobody comes in', async () => {
    const { ask } = await openAdmin(engine)
    const answer = await ask(undefined, 'GET', '/admin/users')
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="https://rumah.example/admin"'])
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.json).toMatchObject({ kind: 'login-needed', status: 401, detail: 'This needs an access token.' })
  })

  for (const [what, bearing, status, challenge] of [
    ['an application that is not of this house', { client: 'stranger' }, 403, null],
    [
      'a token without __admin',
      { scope: 'openid user/*.rs' },
      403,
      'Bearer realm="https://rumah.example/admin", error="insufficient_scope", scope="__admin"',
    ],
    [
      'one factor',
      { acr: 1 },
      401,
      'Bearer realm="https://rumah.example/admin", error="insufficient_user_authentication", acr_values="urn:simpul:acr:2", max_age=300',
    ],
  ] as const)
    test(`with ${what} nobody comes in`, async () => {
      const { ask, somebody } = await openAdmin(engine)
      const answer = await ask(await somebody('siti', ['admin'], bearing), 'GET', '/admin/users')
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([status, challenge])
    })

  test('a role that does not hold the permission does not come in, and is told which it is', async () => {
    const { ask, somebody } = await openAdmin(engine)
    const answer = await ask(await somebody('dewi', ['doctor']), 'GET', '/admin/users')
    expect(answer.json).toMatchObject({ kind: 'permission-needed', detail: 'This needs the permission users.manage.' })
  })

  test('D7, T24: whoever administers has letters on no patient data', async () => {
    const { ask, somebody } = await openAdmin(engine)
    const { letters } = (await ask(await somebody('siti', ['admin']), 'GET', '/admin/me')).json as { letters: Record<string, string> }
    for (const type of ['Patient', 'Encounter', 'Observation', 'Condition', 'DocumentReference', 'AuditEvent'])
      expect(letters).not.toHaveProperty(type)
    expect(letters.Organization).toBe('cruds')
  })

  test('/admin/me is for anybody, with one factor, about themselves', async () => {
    const { ask, somebody } = await openAdmin(engine)
    const dewi = await somebody('dewi', ['doctor'], { acr: 1, scope: 'openid' })
    const answer = await ask(dewi, 'GET', '/admin/me')
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({
      account: { id: dewi.id, username: 'dewi', locale: 'id' },
      fhirUser: 'Practitioner/1',
      acr: 'urn:simpul:acr:1',
      roles: ['doctor'],
      permissions: ['break-glass', 'device.assign'],
      features: ['consent'],
    })
    expect((answer.json as { letters: Record<string, string> }).letters).toMatchObject({
      Patient: 'rus',
      Observation: 'crus',
    })
    expect((await ask(await somebody('edi', ['doctor'], { client: 'stranger' }), 'GET', '/admin/me')).status).toBe(403)
  })

  test('a path that is none, a method that is none, a body that is no JSON', async () => {
    const { ask, somebody } = await openAdmin(engine)
    const siti = await somebody('siti', ['admin'])
    for (const [method, path, body, status, kind] of [
      ['GET', '/admin/nothing', undefined, 404, 'unknown-instance'],
      ['GET', '/admin/users/a%2Fb', undefined, 404, 'unknown-instance'],
      ['DELETE', '/admin/users', undefined, 405, 'method-not-allowed'],
      ['POST', '/admin/users', '{', 400, 'bad-member'],
      ['POST', '/admin/users', '[]', 400, 'bad-member'],
      ['POST', '/admin/users', `"${'x'.repeat(70_000)}"`, 413, 'body-too-large'],
    ] as const) {
      const answer = await ask(siti, method, path, body)
      expect([path, answer.status, answer.json.kind]).toEqual([path, status, kind])
    }
  })

  test('every route but the one about oneself asks for a permission', async () => {
    const { ask, somebody } = await openAdmin(engine)
    const edi = await somebody('edi', ['receptionist'])
    const routes: readonly (readonly [string, string])[] = [
      ...(
        ['/admin/users', '/admin/users/x', '/admin/roles', '/admin/clients', '/admin/clients/x', '/admin/keys', '/admin/approvals'] as const
      ).map(path => ['GET', path] as const),
      ...(['/admin/access/explain', '/admin/access-review.csv', '/admin/registration-tokens'] as const).map(path => ['GET', path] as const),
      ...(['disable', 'enable', 'unlock', 'reset-factor', 'log-out', 'invite'] as const).map(
        verb => ['POST', `/admin/users/x/${verb}`] as const,
      ),
      ...(['activate', 'suspend', 'secrets'] as const).map(verb => ['POST', `/admin/clients/x/${verb}`] as const),
      ...(['/admin/users', '/admin/clients', '/admin/keys/rotate', '/admin/approvals/x/approve', '/admin/approvals/x/refuse'] as const).map(
        path => ['POST', path] as const,
      ),
      ['POST', '/admin/registration-tokens'],
      ['DELETE', '/admin/registration-tokens/x'],
      ['DELETE', '/admin/clients/x/secrets/y'],
      ['PUT', '/admin/users/x'],
      ['PUT', '/admin/users/x/roles'],
      ['PUT', '/admin/clients/x'],
    ]
    for (const [method, path] of routes) {
      const answer: Awaited<ReturnType<AdminGround['ask']>> = await ask(edi, method, path)
      expect([method, path, answer.status, answer.json.kind]).toEqual([method, path, 403, 'permission-needed'])
    }
  })
})
