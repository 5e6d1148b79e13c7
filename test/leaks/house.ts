import { type DoorCaller, people } from './door-callers.ts'
import type { Received } from './server.ts'

/** What administrators made: places of routes that are known, by the second segment of their paths, and texts that nobody is shown again. */
export type House = {
  readonly known: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly secrets: readonly string[]
}

type Asked = (who: DoorCaller, method: string, path: string, body?: object) => Promise<Received>

/** Made by the routes themselves. */
export const furnish = async (callerOf: (name: string) => DoorCaller, asked: Asked): Promise<House> => {
  const done = async (who: string, method: string, path: string, body?: object): Promise<unknown> => {
    const { status, text } = await asked(callerOf(who), method, path, body)
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
    return JSON.parse(text) as unknown
  }
  const owner = 'the administrator'
  const invited = await done(owner, 'POST', '/admin/users', { email: 'qxzname-invited@rumah.example', username: 'qxzname-invited' })
  const user = (invited as { user: { id: string } }).user.id
  const registration = {
    name: 'qxzname-client',
    type: 'symmetric',
    redirectUris: ['https://qxzname-client.example/cb'],
    scopesAllowed: ['openid'],
  }
  const client = ((await done(owner, 'POST', '/admin/clients', registration)) as { client: { id: string } }).client.id
  await asked(callerOf(owner), 'POST', `/admin/clients/${client}/activate`, {})
  const secret = (await done(owner, 'POST', `/admin/clients/${client}/secrets`, {})) as {
    secret: string
    client: { secrets: { id: string }[] }
  }
  const initial = (await done(owner, 'POST', '/admin/registration-tokens', { name: 'qxzname-token', scopes: ['openid'] })) as {
    secret: string
    token: { id: string }
  }
  const provider = {
    id: 'qxzname-sso',
    name: 'qxzname-provider',
    issuer: 'https://qxzname-sso.example/realms/rs',
    clientId: 'simpul',
    clientSecret: 'sangat-rahasia-sekali-8431',
  }
  await done(owner, 'POST', '/admin/providers', provider)
  const roles = { roles: [{ role: 'doctor', organization: `Organization/${people.house.A}` }] }
  const approval = ((await done(owner, 'PUT', `/admin/users/${user}/roles`, roles)) as { approval: { id: string } }).approval.id
  const asking = [
    { name: 'reason', valueCode: 'ETREAT' },
    { name: 'text', valueString: 'Pasien tidak sadar di IGD, riwayat alergi dibutuhkan.' },
  ]
  await done('a doctor', 'POST', `/fhir/Patient/${people.patient.B}/$break-glass`, { resourceType: 'Parameters', parameter: asking })
  const { emergencies } = (await done('a data protection officer', 'GET', '/admin/emergencies')) as {
    emergencies: { id: string }[]
  }
  return {
    known: {
      users: { id: user },
      clients: { id: client, secret: secret.client.secrets[0]?.id ?? '' },
      'registration-tokens': { id: initial.token.id },
      providers: { id: provider.id },
      approvals: { id: approval },
      emergencies: { id: emergencies[0]?.id ?? '' },
    },
    secrets: [
      secret.secret,
      initial.secret,
      provider.clientSecret,
      String((invited as { link?: string }).link)
        .split('/')
        .at(-1) ?? '-',
    ],
  }
}
