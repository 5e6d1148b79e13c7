import { addressesOf, isPrivate, rangesOf } from './addresses.ts'

/** What a variable's text means, or the rule it breaks. */
type Read<T> = (text: string) => { readonly value: T } | { readonly rule: string }

type Variable<T> = {
  readonly name: `SIMPUL_${string}`
  readonly read: Read<T>
  /** Text taken when the variable is not set; absent: the value is undefined then. */
  readonly default?: string
  readonly meaning: string
  readonly secret?: true
}

const text: Read<string> = value => ({ value })

const oneOf =
  <const T extends readonly string[]>(...words: T): Read<T[number]> =>
  value =>
    words.includes(value) ? { value } : { rule: `one of ${words.join(', ')}` }

const wholeNumber =
  (min: number, max: number): Read<number> =>
  value =>
    /^\d{1,15}$/.test(value) && Number(value) >= min && Number(value) <= max
      ? { value: Number(value) }
      : { rule: `a whole number from ${min} to ${max}` }

const url: Read<string> = value =>
  URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && !/[?#]|\/$/.test(value)
    ? { value }
    : { rule: 'an http or https URL without query, fragment and slash at the end' }

const zone: Read<string> = value => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
    return { value }
  } catch {
    return { rule: 'an IANA time zone, such as Asia/Jakarta' }
  }
}

const store: Read<string> = value =>
  /^sqlite:.+|^mongodb(\+srv)?:\/\/.+\/[^/?]+(\?.*)?$/.test(value) ? { value } : { rule: 'sqlite:{path} or mongodb://{hosts}/{database}' }

const redisUrl: Read<string> = value =>
  /^rediss?:\/\/[^/?#]+(?:\/\d{0,4})?$/.test(value) && isAddress(value)
    ? { value }
    : { rule: 'redis://{user}:{password}@{host}:{port}/{database}, or rediss:// for TLS, without a query' }

const smtpUrl: Read<string> = value =>
  /^smtps?:\/\/[^/?#]+\/?$/.test(value) && isAddress(value)
    ? { value }
    : { rule: 'smtp://{user}:{password}@{host}:{port}, or smtps:// for TLS from the start, without path and query' }

/** Whoever uses it decodes the user and the password. */
const isAddress = (value: string): boolean => {
  try {
    const { username, password } = new URL(value)
    return [username, password].every(part => decodeURIComponent(part) !== undefined)
  } catch {
    return false
  }
}

const origins: Read<readonly string[]> = value => {
  const read = value.split(',').map(entry => entry.trim())
  return read.length <= originsMax && read.every(entry => URL.canParse(entry) && new URL(entry).origin === entry)
    ? { value: read }
    : { rule: `origins such as https://portal.rumahsakit.example, at most ${originsMax}, with commas between` }
}

const originsMax = 16

/** It stands on pages and in authenticator apps. */
const facilityName: Read<string> = value =>
  /^[^\p{Cc}\p{Cf}:]{2,80}$/u.test(value) && value.trim() === value ? { value } : { rule: 'a name of 2 to 80 characters, without a colon' }

const identifier: Read<{ readonly system: string; readonly value: string }> = text => {
  const [system = '', value = '', ...more] = text.split('|')
  return URL.canParse(system) && /^\S{1,100}$/.test(value) && more.length === 0
    ? { value: { system, value } }
    : { rule: 'a system, which is a URL or URN, and a value, with | between' }
}

const ranges: Read<readonly string[]> = value => {
  const read = rangesOf(value)
  return read === undefined ? { rule: 'IP addresses or ranges such as 10.0.0.0/8, at most 32, with commas between' } : { value: read }
}

const privateAddresses: Read<readonly string[]> = value => {
  const read = addressesOf(value)
  return read?.every(isPrivate)
    ? { value: read }
    : { rule: 'single IP addresses of a private network, such as 172.30.61.1, at most 32, with commas between' }
}

const MiB = 1024 * 1024

/**
 * Every variable the server knows; `docs/operate/configuration.md` is generated from this table.
 * Nothing reads the environment elsewhere.
 */
export const variables = {
  host: { name: 'SIMPUL_HOST', read: text, default: '127.0.0.1', meaning: 'Address to listen on.' },
  workers: {
    name: 'SIMPUL_WORKERS',
    read: wholeNumber(1, 64),
    default: '1',
    meaning:
      'Processes that serve HTTP on the one port (`serve` only); bounds of memory and of requests under way hold for each. See [nodes](nodes.md).',
  },
  drainMs: {
    name: 'SIMPUL_DRAIN_MS',
    read: wholeNumber(0, 600_000),
    meaning:
      'How long a server that was asked to end goes on taking requests while `/health/ready` says 503, so that a balancer looks elsewhere first, in milliseconds. Default: 0 on loopback, 5000 elsewhere.',
  } satisfies Variable<number>,
  port: { name: 'SIMPUL_PORT', read: wholeNumber(0, 65535), default: '8080', meaning: 'Port to listen on. The FHIR base is `/fhir`.' },
  baseUrl: {
    name: 'SIMPUL_BASE_URL',
    read: url,
    meaning: 'Public URL; links are built from it, never from request headers. Default: from host and port.',
  },
  store: {
    name: 'SIMPUL_STORE',
    read: store,
    meaning:
      'Where data are kept: `sqlite:{path}`, `mongodb://{user}:{password}@{hosts}/{database}?{options}` or `mongodb+srv://…`. Default: `sqlite:{SIMPUL_DATA_DIR}/simpul.db`.',
  },
  migrate: {
    name: 'SIMPUL_MIGRATE',
    read: oneOf('start', 'wait'),
    default: 'start',
    meaning:
      'What a server does that starts on a store whose schema is older than it needs: bring it up (`start`), or `wait` up to 10 minutes until `simpul migrate up` did.',
  },
  dataDir: { name: 'SIMPUL_DATA_DIR', read: text, default: './data', meaning: 'Folder for everything the embedded default writes.' },
  auth: {
    name: 'SIMPUL_AUTH',
    read: oneOf('smart', 'off'),
    default: 'smart',
    meaning:
      '`smart`: whoever uses the API has an access token, by SMART on FHIR. `off`: everybody may read and change everything; accepted only while the server listens on loopback.',
  },
  authOffFrom: {
    name: 'SIMPUL_AUTH_OFF_FROM',
    read: privateAddresses,
    meaning:
      'For a container on a machine for trials: with `SIMPUL_AUTH=off` the server may listen beyond loopback, and takes connections from loopback and from these private addresses alone, without sign-in. Meant for the gateway of the container network, which is the machine itself; publish the port on 127.0.0.1 only.',
  },
  environment: {
    name: 'SIMPUL_ENVIRONMENT',
    read: oneOf('development', 'staging', 'production'),
    meaning:
      'What this installation is for. `production` refuses a public URL without https and the log level `debug`, and applications that are marked as being developed get nothing. Default: `development` where the public URL is on loopback, else `production`.',
  } satisfies Variable<'development' | 'staging' | 'production'>,
  authKek: {
    name: 'SIMPUL_AUTH_KEK',
    read: text,
    meaning: 'The key that all other keys are wrapped with: 32 random bytes in base64 or hexadecimal. Rather in a file, see the next one.',
    secret: true,
  } satisfies Variable<string>,
  authKekFile: {
    name: 'SIMPUL_AUTH_KEK_FILE',
    read: text,
    meaning:
      'File with that key, which not everybody may read. Every node has the same; without it nothing that is encrypted opens, so keep two copies apart from backups. Default: made at the first start, in SIMPUL_DATA_DIR as `auth.key`; each further machine that shares the store gets a copy.',
  } satisfies Variable<string>,
  facility: {
    name: 'SIMPUL_AUTH_FACILITY',
    read: facilityName,
    default: 'Simpul',
    meaning: 'Name of the facility, as it stands on the pages of sign-in and in authenticator apps.',
  },
  facilityIdentifier: {
    name: 'SIMPUL_AUTH_FACILITY_IDENTIFIER',
    read: identifier,
    meaning:
      'Identifier of the facility for directories of applications, as `{system}|{value}`, such as `https://fhir.kemkes.go.id/id/organisasi|1000001`. Default: the public URL.',
  } satisfies Variable<{ readonly system: string; readonly value: string }>,
  frameAncestors: {
    name: 'SIMPUL_AUTH_FRAME_ANCESTORS',
    read: origins,
    meaning: 'Origins of pages that may show the pages of sign-in in a frame. Default: none.',
  } satisfies Variable<readonly string[]>,
  passwordDays: {
    name: 'SIMPUL_AUTH_PASSWORD_DAYS',
    read: wholeNumber(0, 3650),
    default: '90',
    meaning:
      'Days after which staff choose a new password; patients never have to. `0`: never. NIST (SP 800-63B) and OWASP advise against periodic change; many hospitals are bound to it.',
  },
  passwordClasses: {
    name: 'SIMPUL_AUTH_PASSWORD_CLASSES',
    read: oneOf('on', 'off'),
    default: 'off',
    meaning: '`on`: a password has three of these four: small letters, capitals, digits, other signs.',
  },
  idleMinutes: {
    name: 'SIMPUL_AUTH_IDLE_MINUTES',
    read: wholeNumber(2, 720),
    default: '30',
    meaning: 'Minutes without a request of the browser after which a session ends. Each ends after 12 hours.',
  },
  sessionsMax: {
    name: 'SIMPUL_AUTH_SESSIONS_MAX',
    read: wholeNumber(0, 1000),
    default: '0',
    meaning: 'Sessions that an account may have at once; one more ends the oldest. `0`: any number.',
  },
  dormantDays: {
    name: 'SIMPUL_AUTH_DORMANT_DAYS',
    read: wholeNumber(0, 3650),
    default: '90',
    meaning: 'Days without a login after which accounts of staff are disabled. `0`: never.',
  },
  refreshGraceSeconds: {
    name: 'SIMPUL_AUTH_REFRESH_GRACE_SECONDS',
    read: wholeNumber(0, 10),
    default: '0',
    meaning:
      'Seconds for which a refresh token that was just replaced may be used once more from the same address, for applications that lost the answer. `0`: a second use ends the access.',
  },
  registration: {
    name: 'SIMPUL_AUTH_REGISTRATION',
    read: oneOf('on', 'off'),
    default: 'off',
    meaning: 'Whether applications may register themselves, with a token that an administrator gave them.',
  },
  providersFrom: {
    name: 'SIMPUL_AUTH_PROVIDERS_FROM',
    read: ranges,
    meaning:
      'Addresses outside the open internet at which identity providers may be reached, by https: ranges such as `10.0.0.0/8`, with commas between. For a Keycloak in the network of the house. Default: none; the open internet alone.',
  } satisfies Variable<readonly string[]>,
  smtpUrl: {
    name: 'SIMPUL_SMTP_URL',
    read: smtpUrl,
    meaning:
      'Mail server that takes our mails: `smtp://{user}:{password}@{host}:587` (STARTTLS) or `smtps://` (TLS from the start). TLS is demanded, but from this machine itself. Default: none; then no mail goes out, and links of invitations are handed over by whoever invites. See [Sign-in](sign-in.md).',
    secret: true,
  } satisfies Variable<string>,
  mailFolder: {
    name: 'SIMPUL_MAIL_FOLDER',
    read: text,
    meaning: 'In place of a mail server, for development: folder into which mails are written, one file (`.eml`) each.',
  } satisfies Variable<string>,
  mailFrom: {
    name: 'SIMPUL_MAIL_FROM',
    read: value => (/^[^\p{Cc}]{3,200}$/u.test(value) ? { value } : { rule: 'an address, or a name and an address in angle brackets' }),
    default: 'Simpul <simpul@localhost>',
    meaning: 'Sender of mails. Mail servers want an address that they may send for.',
  },
  consentDefault: {
    name: 'SIMPUL_CONSENT_DEFAULT',
    read: oneOf('normal', 'deny', 'all'),
    default: 'normal',
    meaning:
      'What holds for a patient who recorded no consent. `normal`: treatment, payment and operations inside the facility; `deny`: nothing but emergencies; `all`: everything, for test systems.',
  },
  doctorRelation: {
    name: 'SIMPUL_ACCESS_DOCTOR_RELATION',
    read: oneOf('facility', 'care'),
    default: 'facility',
    meaning: 'Which patients doctors reach: those known to their facility, or only those in their own care.',
  },
  nurseRelation: {
    name: 'SIMPUL_ACCESS_NURSE_RELATION',
    read: oneOf('facility', 'care'),
    default: 'facility',
    meaning: 'The same for nurses.',
  },
  redisUrl: {
    name: 'SIMPUL_REDIS_URL',
    read: redisUrl,
    meaning:
      'Redis for what several nodes share: counts of rate limits, wake-ups. Optional; while it is away each node is on its own. See [Redis](redis.md).',
    secret: true,
  },
  rateLimit: {
    name: 'SIMPUL_RATE_LIMIT',
    read: wholeNumber(0, 1_000_000),
    default: '0',
    meaning:
      'Requests to the FHIR API a minute that one address may read with, and half as many that may write; beyond it 429. `0`: no limit by address. Each access token has limits of its own, see [Redis](redis.md).',
  },
  tokenLimitTimes: {
    name: 'SIMPUL_RATE_LIMIT_TOKENS',
    read: wholeNumber(1, 10_000),
    default: '1',
    meaning:
      'How many times the usual each access token may ask: 1,200 reads a minute for applications that people work with, 6,000 for services, 300 for those of patients, and half as many writes.',
  },
  trustProxy: {
    name: 'SIMPUL_TRUST_PROXY',
    read: ranges,
    meaning:
      'Addresses and ranges of our own proxies: from these alone `X-Forwarded-For` and `Forwarded` are believed when a request is counted. Each must set or lengthen the header itself.',
  },
  metricsPort: {
    name: 'SIMPUL_METRICS_PORT',
    read: wholeNumber(1, 65535),
    meaning: 'Port of its own for `/metrics`. Default: `/metrics` on the main port, for callers on this machine only.',
  },
  validation: {
    name: 'SIMPUL_VALIDATION',
    read: oneOf('off'),
    default: 'off',
    meaning: 'Syntax, resourceType and ids are always checked; validation against R4 and profiles is not built yet.',
  },
  synchronous: {
    name: 'SIMPUL_SQLITE_SYNCHRONOUS',
    read: oneOf('FULL', 'NORMAL'),
    default: 'FULL',
    meaning: '`FULL`: an acknowledged write is on disk. `NORMAL` may lose the last moments when power fails.',
  },
  logLevel: {
    name: 'SIMPUL_LOG_LEVEL',
    read: oneOf('debug', 'info', 'warn', 'error'),
    default: 'info',
    meaning: 'Least level of log lines.',
  },
  zone: { name: 'SIMPUL_ZONE', read: zone, default: 'Asia/Jakarta', meaning: 'Time zone of dates and times that carry none.' },
  updateCreate: {
    name: 'SIMPUL_UPDATE_CREATE',
    read: oneOf('on', 'off'),
    default: 'on',
    meaning: 'Whether a PUT may create an instance under the id of its URL.',
  },
  ifMatch: {
    name: 'SIMPUL_IF_MATCH',
    read: oneOf('optional', 'required'),
    default: 'optional',
    meaning: '`required`: changes of existing instances need If-Match.',
  },
  deleteReferenced: {
    name: 'SIMPUL_DELETE_REFERENCED',
    read: oneOf('refuse', 'allow'),
    default: 'refuse',
    meaning: 'Whether an instance that others refer to may be deleted.',
  },
  conditionalDelete: {
    name: 'SIMPUL_CONDITIONAL_DELETE',
    read: oneOf('single', 'multiple', 'off'),
    default: 'single',
    meaning: 'How many matches a conditional delete may delete.',
  },
  conditionalDeleteMax: {
    name: 'SIMPUL_CONDITIONAL_DELETE_MAX',
    read: wholeNumber(1, 1000),
    default: '100',
    meaning: 'Most instances of one conditional delete in `multiple` mode.',
  },
  idNik: { name: 'SIMPUL_ID_NIK', read: oneOf('refuse', 'allow'), default: 'refuse', meaning: 'Whether a client id may look like an NIK.' },
  countDefault: {
    name: 'SIMPUL_COUNT_DEFAULT',
    read: wholeNumber(1, 1000),
    default: '20',
    meaning: 'Matches on a page when `_count` is absent.',
  },
  countMax: { name: 'SIMPUL_COUNT_MAX', read: wholeNumber(1, 1000), default: '1000', meaning: 'Most matches on a page.' },
  cursorMinutes: {
    name: 'SIMPUL_CURSOR_MINUTES',
    read: wholeNumber(1, 1440),
    default: '60',
    meaning: 'How long page links work, counted from the first page.',
  },
  urlBytesMax: { name: 'SIMPUL_URL_BYTES_MAX', read: wholeNumber(1024, 60_000), default: '16384', meaning: 'Longest URL.' },
  resourceBytesMax: {
    name: 'SIMPUL_RESOURCE_BYTES_MAX',
    read: wholeNumber(1024, 12 * MiB),
    default: String(8 * MiB),
    meaning: 'Largest resource, as stored JSON.',
  },
  bundleBytesMax: {
    name: 'SIMPUL_BUNDLE_BYTES_MAX',
    read: wholeNumber(1024, 512 * MiB),
    default: String(64 * MiB),
    meaning: 'Largest Bundle body.',
  },
  binaryBytesMax: {
    name: 'SIMPUL_BINARY_BYTES_MAX',
    read: wholeNumber(1024, 512 * MiB),
    default: String(64 * MiB),
    meaning: 'Largest raw Binary body.',
  },
  bodiesBytesMax: {
    name: 'SIMPUL_BODIES_BYTES_MAX',
    read: wholeNumber(MiB, 16_384 * MiB),
    default: String(512 * MiB),
    meaning: 'Bytes that all request bodies under way may hold together; beyond it a request is told to come again (503).',
  },
  bundleEntriesMax: {
    name: 'SIMPUL_BUNDLE_ENTRIES_MAX',
    read: wholeNumber(1, 50_000),
    default: '5000',
    meaning: 'Most entries of a transaction.',
  },
  deadlineReadMs: {
    name: 'SIMPUL_DEADLINE_READ_MS',
    read: wholeNumber(10, 600_000),
    default: '10000',
    meaning: 'Time for a read or a single write, in milliseconds.',
  },
  deadlineSearchMs: {
    name: 'SIMPUL_DEADLINE_SEARCH_MS',
    read: wholeNumber(10, 600_000),
    default: '30000',
    meaning: 'Time for a search, a history or a batch, in milliseconds.',
  },
  deadlineTransactionMs: {
    name: 'SIMPUL_DEADLINE_TRANSACTION_MS',
    read: wholeNumber(10, 600_000),
    default: '60000',
    meaning: 'Time for a transaction, in milliseconds.',
  },
  cursorSecret: {
    name: 'SIMPUL_CURSOR_SECRET',
    read: value => (value.length >= 32 ? { value } : { rule: 'at least 32 characters' }),
    meaning: 'Seals page links; nodes behind one balancer share it. Default: made once and kept in SIMPUL_DATA_DIR.',
    secret: true,
  } satisfies Variable<string>,
} satisfies Record<string, Variable<unknown>>

type Variables = typeof variables
type ValueOf<V> = V extends { readonly read: Read<infer T> } ? (V extends { readonly default: string } ? T : T | undefined) : never

export type VariableValues = { readonly [K in keyof Variables]: ValueOf<Variables[K]> }
