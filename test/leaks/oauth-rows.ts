import { type DoorCaller, people } from './door-callers.ts'
import type { House } from './house.ts'

/** Of the same form as an id that is known, and nobody's. */
export const never = (id: string): string => `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`

/** `known` and `unknown` differ in a name that the caller should learn nothing of. */
export type OAuthRow = {
  readonly path: string
  readonly method?: 'POST'
  readonly who?: string
  readonly known?: Readonly<Record<string, string>> | string
  readonly unknown?: Readonly<Record<string, string>> | string
  /** What stands for `{id}` where it is known, and where it is not. */
  readonly places?: readonly [known: string, unknown: string]
  /** Who holds a token learns of it whatever it can do by using it: what it costs to look it up tells no more. */
  readonly isHeld?: true
  readonly says: readonly number[]
}
const credentials = (id: string, secret: string) => ({ client_id: id, client_secret: secret })
/** Every endpoint of the authorization server and of SMART, and what asks it. */
// biome-ignore format: a table
export const oauthRows = (callerOf: (name: string) => DoorCaller, house: House): readonly OAuthRow[] => {
  const tokenOf = (name: string): string => callerOf(name).headers.authorization?.slice('Bearer '.length) ?? ''
  const client = house.known.clients?.id ?? ''
  const own = credentials(client, house.secrets[0] ?? '')
  const launch = (patient: string) => JSON.stringify({ clientId: 'app-of-others', patient })
  const dead = 'n'.repeat(43)
  return [
    { path: '/oauth/auth?client_id=nobody&response_type=code', says: [400] },
    { path: '/oauth/auth', method: 'POST', known: {}, says: [303, 400] },
    { path: '/oauth/token', method: 'POST', known: { grant_type: 'client_credentials', ...credentials(client, dead) }, unknown: { grant_type: 'client_credentials', ...credentials(never(client), dead) }, says: [401] },
    { path: '/oauth/token', method: 'POST', isHeld: true, known: { grant_type: 'refresh_token', refresh_token: tokenOf('the administrator by a refresh token'), ...own }, unknown: { grant_type: 'refresh_token', refresh_token: dead, ...own }, says: [400] },
    { path: '/oauth/token', method: 'POST', known: { grant_type: 'password', username: 'qxzname-a-doctor', password: 'x', ...own }, says: [400] },
    { path: '/oauth/introspect', method: 'POST', known: { token: tokenOf('a doctor') }, unknown: { token: dead }, says: [401] },
    { path: '/oauth/introspect', method: 'POST', known: { token: tokenOf('a doctor'), ...credentials(client, dead) }, unknown: { token: dead, ...credentials(never(client), dead) }, says: [401] },
    { path: '/oauth/introspect', method: 'POST', isHeld: true, known: { token: tokenOf('a doctor'), ...own }, unknown: { token: dead, ...own }, says: [200] },
    { path: '/oauth/revoke', method: 'POST', isHeld: true, known: { token: tokenOf('a doctor'), ...own }, unknown: { token: dead, ...own }, says: [200, 400] },
    { path: '/oauth/device', method: 'POST', known: credentials(client, dead), unknown: credentials(never(client), dead), says: [401] },
    { path: '/oauth/device/verify', says: [200, 303, 400] },
    { path: '/oauth/me', says: [401] },
    { path: '/oauth/me', who: 'a service of this house', says: [401, 403] },
    { path: '/oauth/me', who: 'an administrator who has left', says: [401] },
    { path: '/oauth/session/end', says: [200, 303, 400] },
    { path: '/oauth/jwks', says: [200] },
    { path: '/oauth/.well-known/openid-configuration', says: [200] },
    { path: '/oauth/.well-known/oauth-authorization-server', says: [200] },
    { path: '/.well-known/oauth-authorization-server/oauth', says: [200] },
    { path: '/oauth/register', method: 'POST', known: '{}', says: [401] },
    { path: '/oauth/register', method: 'POST', known: '{}', who: 'the administrator', says: [401] },
    { path: '/oauth/nothing', says: [404] },
    { path: '/smart/launches', method: 'POST', known: launch(people.patient.B), unknown: launch(never(people.patient.B)), says: [401] },
    { path: '/smart/launches', method: 'POST', who: 'the administrator', known: launch(people.patient.B), unknown: launch(never(people.patient.B)), says: [403] },
    { path: '/smart/launches', method: 'POST', who: 'the administrator by his cookie', known: launch(people.patient.B), unknown: launch(never(people.patient.B)), says: [400] },
    { path: '/smart/styles/x.json', says: [404] },
    { path: '/.well-known/brands.json', says: [200] },
    { path: `/login/federation/{id}`, places: [house.known.providers?.id ?? '', 'never'], says: [400, 404] },
    { path: '/login/backchannel-logout/{id}', method: 'POST', places: [house.known.providers?.id ?? '', 'never'], known: { logout_token: 'x.y.z' }, says: [400, 404] },
  ]
}
