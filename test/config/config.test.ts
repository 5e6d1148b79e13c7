/** Variables of docs/operate/configuration.md: read once, every problem together, secrets hidden. */
import { describe, expect, test } from '@jest/globals'
import { drainMsOf, environmentOf, mayStart, printableConfig, readConfig, withoutCredentials } from '../../src/config/config.ts'
import { variables } from '../../src/config/variables.ts'

const configOf = (environment: Record<string, string> = {}) => {
  const read = readConfig(environment)
  if (!read.ok) throw new Error(read.problems.map(({ name, rule }) => `${name}: ${rule}`).join('; '))
  return read.config
}

const refusals: readonly (readonly [name: string, value: string])[] = [
  ['SIMPUL_PORT', '65536'],
  ['SIMPUL_PORT', 'http'],
  ['SIMPUL_PORT', '-1'],
  ['SIMPUL_BASE_URL', 'ftp://example.org'],
  ['SIMPUL_BASE_URL', 'https://example.org/'],
  ['SIMPUL_BASE_URL', 'https://example.org?x=1'],
  ['SIMPUL_STORE', 'mongodb://127.0.0.1/'],
  ['SIMPUL_AUTH', 'none'],
  ['SIMPUL_VALIDATION', 'base'],
  ['SIMPUL_ZONE', 'Asia/Atlantis'],
  ['SIMPUL_COUNT_MAX', '0'],
  ['SIMPUL_WORKERS', '0'],
  ['SIMPUL_WORKERS', '65'],
  ['SIMPUL_DRAIN_MS', '600001'],
  ['SIMPUL_CURSOR_SECRET', 'short'],
  ['SIMPUL_RESOURCE_BYTES_MAX', String(13 * 1024 * 1024)],
  ['SIMPUL_PROT', '8081'],
  ['SIMPUL_REDIS_URL', 'http://127.0.0.1:6379'],
  ['SIMPUL_REDIS_URL', 'redis://'],
  ['SIMPUL_REDIS_URL', 'redis://127.0.0.1:6379?enableOfflineQueue=true'],
  ['SIMPUL_REDIS_URL', 'redis://127.0.0.1:6379/other'],
  ['SIMPUL_REDIS_URL', 'redis://simpul:%C3%28@127.0.0.1:6379'],
  ['SIMPUL_SMTP_URL', 'mail.example'],
  ['SIMPUL_SMTP_URL', 'https://mail.example'],
  ['SIMPUL_SMTP_URL', 'smtp://'],
  ['SIMPUL_SMTP_URL', 'smtp://mail.example?tls=off'],
  ['SIMPUL_SMTP_URL', 'smtp://simpul:%C3%28@mail.example'],
  ['SIMPUL_RATE_LIMIT', '-1'],
  ['SIMPUL_RATE_LIMIT', '1.5'],
  ['SIMPUL_TRUST_PROXY', 'proxy.example'],
  ['SIMPUL_TRUST_PROXY', '10.0.0.0/33'],
  ['SIMPUL_TRUST_PROXY', '10.0.0.0/8,'],
  ['SIMPUL_TRUST_PROXY', Array.from({ length: 33 }, (_, n) => `10.0.0.${n}`).join(',')],
  ['SIMPUL_METRICS_PORT', '0'],
  ['SIMPUL_AUTH_OFF_FROM', '0.0.0.0'],
  ['SIMPUL_AUTH_OFF_FROM', '8.8.8.8'],
  ['SIMPUL_AUTH_OFF_FROM', '172.16.0.0/12'],
  ['SIMPUL_AUTH_OFF_FROM', '172.30.61.1,203.0.113.9'],
]

describe('the configuration', () => {
  for (const [name, value] of refusals) {
    test(`refuses ${name}=${value} by name and rule`, () => {
      const read = readConfig({ [name]: value })
      expect(read.ok ? [] : read.problems.map(problem => problem.name)).toEqual([name])
    })
  }

  test('reports every problem together', () => {
    const read = readConfig({ SIMPUL_PORT: 'x', SIMPUL_AUTH: 'x', SIMPUL_NO_SUCH: 'x' })
    expect(read.ok ? [] : read.problems.map(problem => problem.name)).toEqual(['SIMPUL_PORT', 'SIMPUL_AUTH', 'SIMPUL_NO_SUCH'])
  })

  test('never repeats a refused value', () => {
    const read = readConfig({ SIMPUL_CURSOR_SECRET: 'hunter2' })
    expect(JSON.stringify(read)).not.toContain('hunter2')
  })

  test('takes an empty variable for an absent one', () => {
    expect(configOf({ SIMPUL_PORT: '' }).port).toBe(8080)
  })

  test('carries limits from variables', () => {
    const { limits } = configOf({ SIMPUL_COUNT_MAX: '10', SIMPUL_URL_BYTES_MAX: '2048' })
    expect([limits.countMax, limits.countDefault, limits.urlBytesMax]).toEqual([10, 10, 2048])
  })

  test('reads lists of addresses', () => {
    const { trustProxy, authOffFrom } = configOf({
      SIMPUL_TRUST_PROXY: '10.0.0.0/8, ::1,fd00::/64',
      SIMPUL_AUTH_OFF_FROM: '172.30.61.1, fd00::1',
    })
    expect([trustProxy, authOffFrom]).toEqual([
      ['10.0.0.0/8', '::1', 'fd00::/64'],
      ['172.30.61.1', 'fd00::1'],
    ])
  })

  for (const url of ['redis://127.0.0.1', 'rediss://simpul:p%40ss@redis.example:6380/3', 'redis://[::1]:6379/0']) {
    test(`takes ${url} for Redis`, () => {
      const config = configOf({ SIMPUL_REDIS_URL: url })
      expect(config.redisUrl).toBe(url)
      expect(printableConfig(config).SIMPUL_REDIS_URL).toBe('***')
    })
  }

  for (const url of ['smtp://127.0.0.1:25', 'smtp://simpul%40rs:p%40ss@mail.example:587', 'smtps://mail.example/']) {
    test(`takes ${url} for mails`, () => {
      const config = configOf({ SIMPUL_SMTP_URL: url })
      expect(config.smtpUrl).toBe(url)
      expect(printableConfig(config).SIMPUL_SMTP_URL).toBe('***')
    })
  }

  test('hides secrets when printed and shows every variable', () => {
    const printed = printableConfig(configOf({ SIMPUL_CURSOR_SECRET: 'x'.repeat(40) }))
    expect(printed.SIMPUL_CURSOR_SECRET).toBe('***')
    expect(Object.keys(printed)).toEqual(Object.values(variables).map(variable => variable.name))
  })
})

describe('an address, shown', () => {
  const rows: readonly (readonly [address: string, shown: string])[] = [
    [
      'mongodb://simpul:p%40ss@a.example:27017,b.example/simpul?replicaSet=rs0',
      'mongodb://***@a.example:27017,b.example/simpul?replicaSet=rs0',
    ],
    ['mongodb+srv://simpul:p@ss@cluster.example/simpul', 'mongodb+srv://***@cluster.example/simpul'],
    ['mongodb://127.0.0.1/simpul', 'mongodb://127.0.0.1/simpul'],
    ['mongodb://simpul:p/a?s@s@a.example/simpul', 'mongodb://***@a.example/simpul'],
    ['rediss://:p/a@cache.example:6380/1', 'rediss://***@cache.example:6380/1'],
    [
      'mongodb://a.example/simpul?tls=true&tlsCertificateKeyFilePassword=p&authMechanismProperties=AWS_SESSION_TOKEN:t&w=1',
      'mongodb://a.example/simpul?tls=true&tlsCertificateKeyFilePassword=***&authMechanismProperties=***&w=1',
    ],
    ['sqlite:./data/simpul.db', 'sqlite:./data/simpul.db'],
    ['https://simpul.example/a@b', 'https://simpul.example/a@b'],
  ]
  for (const [address, shown] of rows) test(`is ${shown}`, () => expect(withoutCredentials(address)).toBe(shown))
})

describe('ending', () => {
  test('waits for a balancer to notice, but on loopback, where there is none', () => {
    expect(drainMsOf(configOf())).toBe(0)
    expect(drainMsOf(configOf({ SIMPUL_HOST: '0.0.0.0' }))).toBe(5000)
    expect(drainMsOf(configOf({ SIMPUL_HOST: '0.0.0.0', SIMPUL_DRAIN_MS: '0' }))).toBe(0)
    expect(drainMsOf(configOf({ SIMPUL_DRAIN_MS: '100' }))).toBe(100)
  })
})

describe('starting', () => {
  const rows: readonly (readonly [auth: 'off' | 'smart', host: string, refusedFor: string | undefined])[] = [
    ['smart', '127.0.0.1', undefined],
    ['smart', '0.0.0.0', 'SIMPUL_BASE_URL'],
    ['off', '0.0.0.0', 'SIMPUL_HOST'],
    ['off', '192.168.1.7', 'SIMPUL_HOST'],
    ['off', '::', 'SIMPUL_HOST'],
    ['off', '127.0.0.1.evil.example', 'SIMPUL_HOST'],
    ['off', '127.0.0.1', undefined],
    ['off', '::1', undefined],
    ['off', 'localhost', undefined],
  ]
  for (const [auth, host, refusedFor] of rows) {
    test(`with SIMPUL_AUTH=${auth} on ${host} is ${refusedFor ? `refused for ${refusedFor}` : 'allowed'}`, () => {
      expect(mayStart({ auth, host, port: 8080 })?.name).toBe(refusedFor)
    })
  }

  type Given = Partial<Parameters<typeof mayStart>[0]>
  // biome-ignore format: a table
  const closed: readonly (readonly [what: string, given: Given, refusedFor: string | undefined])[] = [
    ['behind https',                            { host: '0.0.0.0', baseUrl: 'https://simpul.rumahsakit.example' },                                undefined],
    ['behind https, in production',             { host: '0.0.0.0', baseUrl: 'https://simpul.rumahsakit.example', environment: 'production' },     undefined],
    ['in the clear',                            { host: '0.0.0.0', baseUrl: 'http://simpul.rumahsakit.example' },                                 'SIMPUL_BASE_URL'],
    ['in the clear, for development',           { host: '0.0.0.0', baseUrl: 'http://simpul.rumahsakit.example', environment: 'development' },     undefined],
    ['in the clear on loopback',                { host: '0.0.0.0', baseUrl: 'http://127.0.0.1:8080' },                                            undefined],
    ['in the clear on loopback by IPv6',        { host: '::1' },                                                                                  undefined],
    ['in the clear on loopback, in production', { host: '127.0.0.1', environment: 'production' },                                                 'SIMPUL_BASE_URL'],
    ['with two ways for mails',                 { smtpUrl: 'smtps://mail.example', mailFolder: '/var/spool/simpul' },                            'SIMPUL_MAIL_FOLDER'],
    ['with a talkative log, in production',     { baseUrl: 'https://a.example', environment: 'production', logLevel: 'debug' },                   'SIMPUL_LOG_LEVEL'],
  ]
  for (const [what, given, refusedFor] of closed)
    test(`with sign-in, ${what}, is ${refusedFor ? `refused for ${refusedFor}` : 'allowed'}`, () => {
      expect(mayStart({ auth: 'smart', host: '127.0.0.1', port: 8080, ...given })?.name).toBe(refusedFor)
    })

  test('is in production unless it says otherwise, or is this machine itself', () => {
    const environment = (given: Readonly<Record<string, string>>) => environmentOf(configOf(given))
    expect(environment({})).toBe('development')
    expect(environment({ SIMPUL_BASE_URL: 'https://a.example' })).toBe('production')
    expect(environment({ SIMPUL_BASE_URL: 'https://a.example', SIMPUL_ENVIRONMENT: 'staging' })).toBe('staging')
    expect(environment({ SIMPUL_ENVIRONMENT: 'production' })).toBe('production')
  })

  test('beyond loopback needs the addresses that may come, and those are no sign-in', () => {
    const authOffFrom = ['172.30.61.1']
    expect(mayStart({ auth: 'off', host: '0.0.0.0', port: 8080, authOffFrom })).toBeUndefined()
    expect(mayStart({ auth: 'smart', host: '0.0.0.0', port: 8080, authOffFrom })?.name).toBe('SIMPUL_BASE_URL')
  })
})
