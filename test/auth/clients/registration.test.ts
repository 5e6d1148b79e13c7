import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isOriginOf, isRedirectUri } from '../../../src/auth/clients/client-uris.ts'
import { needsApproval, readRegistration } from '../../../src/auth/clients/registration.ts'
import { testDefinitions } from '../../support/definitions.ts'
import { testRoles } from '../../support/roles.ts'

/** What may be said of an application. @see auth.md 10.1 */

const rules = { definitions: testDefinitions(), roles: testRoles(), production: false }
const key = { ...generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }), kid: 'one' }
const web = {
  name: 'Grafik Tumbuh',
  type: 'public',
  redirectUris: ['https://grafik.example/cb'],
  scopesAllowed: ['launch/patient', 'patient/*.rs'],
}
const backend = {
  name: 'Penyalur',
  type: 'backend',
  jwks: { keys: [key] },
  scopesAllowed: ['system/Observation.rs'],
  grants: [{ clause: 'Observation rs', reach: 'any' }],
}

const faultsOf = (json: unknown, given: Partial<typeof rules> = {}): readonly string[] => {
  const read = readRegistration(json, { ...rules, ...given })
  if (read.ok) return []
  const { failure } = read
  return [failure, ...(failure.more ?? [])].map(({ values }) => `${values.member} ${(values.rule as { rule: string }).rule}`)
}

describe('redirect URIs', () => {
  const rows: readonly (readonly [string, 'web' | 'native' | 'development', boolean])[] = [
    ['https://app.example/cb', 'web', true],
    ['https://app.example/cb?x=1', 'web', true],
    ['https://app.example/cb#x', 'web', false],
    ['https://user@app.example/cb', 'web', false],
    ['https://*.app.example/cb', 'web', false],
    ['http://app.example/cb', 'web', false],
    ['http://127.0.0.1/cb', 'web', false],
    ['http://localhost:4567/inferno/oauth2/static/redirect', 'web', false],
    ['http://localhost:4567/inferno/oauth2/static/redirect', 'development', true],
    ['http://127.0.0.1:4567/cb', 'development', true],
    ['http://10.0.0.1/cb', 'development', false],
    ['http://127.0.0.1/cb', 'native', true],
    ['http://[::1]/cb', 'native', true],
    ['http://localhost/cb', 'native', false],
    ['http://127.0.0.1.example.com/cb', 'native', false],
    ['id.example.app:/cb', 'native', true],
    ['id.example.app:/cb', 'web', false],
    ['app:/cb', 'native', false],
    ['javascript:alert(1)', 'native', false],
    ['data:text/html,x', 'native', false],
    ['/cb', 'web', false],
    ['https://app.example/c b', 'web', false],
    ['https://app.example/\u0000', 'web', false],
  ]
  for (const [uri, kind, good] of rows)
    test(`${uri} of a ${kind} client is ${good ? 'taken' : 'refused'}`, () =>
      expect(
        isRedirectUri(
          uri,
          kind === 'native'
            ? { applicationType: 'native' }
            : { applicationType: 'web', ...(kind === 'development' && { development: true }) },
        ),
      ).toBe(good))

  for (const [origin, good] of [
    ['https://app.example', true],
    ['https://app.example:8443', true],
    ['https://app.example:443', false],
    ['https://app.example/', false],
    ['https://APP.example', false],
    ['http://app.example', false],
    ['null', false],
    ['*', false],
  ] as const)
    test(`the origin ${origin} is ${good ? 'taken' : 'refused'}`, () => expect(isOriginOf(origin, {})).toBe(good))
})

describe('a registration', () => {
  for (const [what, json] of [
    ['an app in browsers', web],
    [
      'an app that keeps access',
      { ...web, offline: true, scopesAllowed: ['offline_access', 'openid', 'fhirUser', 'user/Observation.rs?category=laboratory'] },
    ],
    ['a backend service', backend],
    ['a backend service with keys by URL', { ...backend, jwks: undefined, jwksUri: 'https://penyalur.example/jwks' }],
    ['an app that hears of the end of sessions', { ...web, backchannelLogoutUri: 'https://grafik.example/logout' }],
    [
      'an app under development that hears of it on this machine',
      { ...web, development: true, backchannelLogoutUri: 'http://127.0.0.1:3000/logout' },
    ],
    ['an app of devices alone', { ...web, redirectUris: [], deviceFlow: true }],
    ['an app with tokens bound to a key', { ...web, requireDpop: true }],
    ['a resource server', { name: 'Peladen', type: 'resource-server' }],
    ['an app of this house', { ...web, trust: 'first-party', scopesAllowed: ['__admin', 'user/*.cruds'] }],
  ] as const)
    test(`of ${what} is taken`, () => expect(faultsOf(json)).toEqual([]))

  for (const [what, json, faults] of [
    ['a list', [], ['body object-form', 'type one-of', 'name member-needed']],
    ['nothing', {}, ['type one-of', 'name member-needed']],
    ['a member nobody knows', { ...web, redirectUrl: 'x' }, ['redirectUrl member-unknown']],
    ['a device without a browser of a service', { ...backend, deviceFlow: true }, ['deviceFlow member-not-here']],
    [
      'tokens bound to a key of one that gets none',
      { name: 'Peladen', type: 'resource-server', requireDpop: true },
      ['requireDpop member-not-here'],
    ],
    ['a member that the registry says', { ...web, status: 'active' }, ['status member-unknown']],
    ['no place to go back to', { ...web, redirectUris: [] }, ['redirectUris member-needed']],
    ['places by http', { ...web, redirectUris: ['https://a.example/', 'http://a.example/'] }, ['redirectUris[1] redirect-uri']],
    ['a place twice', { ...web, redirectUris: ['https://a.example/', 'https://a.example/'] }, ['redirectUris list-of']],
    ['a scope that is none', { ...web, scopesAllowed: ['patient/*.rs', 'patient/Observations.rs'] }, ['scopesAllowed[1] scope-form']],
    [
      'a scope of a granular parameter that is not listed',
      { ...web, scopesAllowed: ['patient/Observation.rs?performer=Practitioner/1'] },
      ['scopesAllowed[0] scope-form'],
    ],
    ['system scopes of an app', { ...web, scopesAllowed: ['system/*.rs'] }, ['scopesAllowed[0] scope-of-backend']],
    ['patient scopes of a service', { ...backend, scopesAllowed: ['patient/*.rs'] }, ['scopesAllowed[0] scope-of-backend']],
    ['__admin of a stranger', { ...web, scopesAllowed: ['__admin'] }, ['scopesAllowed[0] scope-of-house']],
    [
      'offline_access of an app that may not keep access',
      { ...web, scopesAllowed: ['offline_access'] },
      ['scopesAllowed[0] scope-offline'],
    ],
    ['a service without keys', { ...backend, jwks: undefined }, ['jwks keys-once']],
    ['keys twice', { ...backend, jwksUri: 'https://penyalur.example/jwks' }, ['jwks keys-once']],
    ['a key set that is none', { ...backend, jwks: { keys: [{ ...key, kid: '' }] } }, ['jwks key-set']],
    ['keys of an app without', { ...web, jwks: { keys: [key] } }, ['jwks member-not-here']],
    ['a place to go back to of a service', { ...backend, redirectUris: ['https://a.example/'] }, ['redirectUris member-not-here']],
    ['the end of sessions told by http', { ...web, backchannelLogoutUri: 'http://127.0.0.1/logout' }, ['backchannelLogoutUri https-url']],
    [
      'the end of sessions told to a service',
      { ...backend, backchannelLogoutUri: 'https://a.example/' },
      ['backchannelLogoutUri member-not-here'],
    ],
    ['grants of an app', { ...web, grants: backend.grants }, ['grants member-not-here']],
    ['grants with a relation', { ...backend, grants: [{ clause: 'Observation rs@A', reach: 'any' }] }, ['grants client-grants']],
    ['an app of this house under development', { ...web, trust: 'first-party', development: true }, ['development development-trust']],
    ['a permission that is not there', { ...backend, permissions: ['all'] }, ['permissions[0] member-unknown']],
    ['tokens of two hours', { ...web, accessTokenMinutes: 120 }, ['accessTokenMinutes whole-number-from-to']],
    ['an address that is none', { ...backend, ipAllow: ['10.0.0.0/33'] }, ['ipAllow address-ranges']],
    ['a name with a line break', { ...web, name: 'a\nb' }, ['name text-of']],
    [
      'many things at once',
      { ...web, name: 7, offline: 'yes', jwksUri: 'http://a.example/' },
      ['name text-of', 'jwksUri https-url', 'offline true-or-false'],
    ],
  ] as const)
    test(`with ${what} is refused`, () => expect(faultsOf(json)).toEqual(faults))

  test('of a client under development is refused in production', () =>
    expect(faultsOf({ ...web, development: true }, { production: true })).toEqual(['development not-in-production']))

  for (const [what, json, needed] of [
    ['an app in browsers', web, false],
    ['an app of this house', { ...web, trust: 'first-party' }, true],
    ['a backend service', backend, true],
    ['a resource server', { name: 'Peladen', type: 'resource-server' }, true],
    ['an app that asks for launches', { ...web, scopesAllowed: ['__launch.create'] }, true],
  ] as const)
    test(`of ${what} is ${needed ? '' : 'not '}looked at by a second person`, () => {
      const read = readRegistration(json, rules)
      expect(read.ok && needsApproval(read.value)).toBe(needed)
    })

  test('never throws, whatever comes', () => {
    const members = ['type', 'name', 'redirectUris', 'scopesAllowed', 'jwks', 'grants', 'ipAllow', 'development', '__proto__']
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...members), fc.jsonValue()), json => {
        const read = readRegistration(json, rules)
        expect(read.ok || read.failure.kind).toBe(read.ok ? true : 'bad-member')
      }),
    )
  })
})
