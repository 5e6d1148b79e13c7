import { defaultLimits, type Limits } from '../base/limits.ts'
import { type VariableValues, variables } from './variables.ts'

/** The whole configuration, checked once at start; nothing reads the environment later. Secrets print as `***`. */
export type Config = VariableValues & { readonly limits: Limits }

export type ConfigProblem = { readonly name: string; readonly rule: string }

export type ReadConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }

/** Reads all variables and reports every problem together. Unknown `SIMPUL_…` names are problems too: a typing error must not start a server open. */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): ReadConfig => {
  const problems: ConfigProblem[] = []
  const values: Record<string, unknown> = {}
  for (const [key, variable] of Object.entries(variables)) {
    const given = environment[variable.name] || ('default' in variable ? variable.default : undefined)
    if (given === undefined) continue
    const read = variable.read(given)
    if ('rule' in read) problems.push({ name: variable.name, rule: read.rule })
    else values[key] = read.value
  }
  problems.push(...unknownNames(environment))
  if (problems.length > 0) return { ok: false, problems }
  // Every key of the table was read above; the table's types say what each read gives.
  const known = values as VariableValues
  return { ok: true, config: { ...known, limits: limitsOf(known) } }
}

const testVariables = /^SIMPUL_TEST_/

const unknownNames = (environment: Readonly<Record<string, string | undefined>>): ConfigProblem[] => {
  const names = new Set<string>(Object.values(variables).map(variable => variable.name))
  return Object.keys(environment)
    .filter(name => name.startsWith('SIMPUL_') && !names.has(name) && !testVariables.test(name))
    .map(name => ({ name, rule: 'a name in docs/operate/configuration.md' }))
}

const limitsOf = (values: VariableValues): Limits => ({
  ...defaultLimits,
  urlBytesMax: values.urlBytesMax,
  resourceBytesMax: values.resourceBytesMax,
  bundleBytesMax: values.bundleBytesMax,
  binaryBytesMax: values.binaryBytesMax,
  // The largest single body must always fit.
  bodiesBytesMax: Math.max(values.bodiesBytesMax, 2 * values.bundleBytesMax, 2 * values.binaryBytesMax),
  transactionEntriesMax: values.bundleEntriesMax,
  countDefault: Math.min(values.countDefault, values.countMax),
  countMax: values.countMax,
  conditionalDeleteMax: values.conditionalDeleteMax,
  readMs: values.deadlineReadMs,
  searchMs: values.deadlineSearchMs,
  transactionMs: values.deadlineTransactionMs,
  cursorMinutes: values.cursorMinutes,
})

const loopback = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|localhost)$/

/** What is asked before a server starts. */
type Starting = Pick<Config, 'auth' | 'host' | 'port'> &
  Partial<Pick<Config, 'authOffFrom' | 'baseUrl' | 'environment' | 'logLevel' | 'smtpUrl' | 'mailFolder'>>

/** Closed until it can be opened: without accounts the server may only talk to its own machine, or to addresses that stand for it by name. */
export const mayStart = (config: Starting): ConfigProblem | undefined => {
  if (config.auth === 'smart') return mayStartClosed(config)
  if (!loopback.test(config.host) && config.authOffFrom === undefined)
    return {
      name: 'SIMPUL_HOST',
      rule: 'a loopback address while SIMPUL_AUTH=off: anyone who reaches the port may read and change everything',
    }
  return undefined
}

/** Passwords and tokens travel in the clear where the public address has no https. */
const mayStartClosed = (config: Starting): ConfigProblem | undefined => {
  const address = new URL(publicUrl(config))
  const open = address.protocol === 'http:' && !isLocalUrl(address.href)
  if (open && environmentOf(config) !== 'development')
    return {
      name: 'SIMPUL_BASE_URL',
      rule: 'an https address beyond this machine: passwords and tokens would be readable on their way. SIMPUL_ENVIRONMENT=development does without',
    }
  if (config.environment === 'production' && address.protocol === 'http:')
    return { name: 'SIMPUL_BASE_URL', rule: 'an https address while SIMPUL_ENVIRONMENT=production' }
  if (config.environment === 'production' && config.logLevel === 'debug')
    return { name: 'SIMPUL_LOG_LEVEL', rule: 'info, warn or error while SIMPUL_ENVIRONMENT=production' }
  if (config.smtpUrl !== undefined && config.mailFolder !== undefined)
    return { name: 'SIMPUL_MAIL_FOLDER', rule: 'absent where SIMPUL_SMTP_URL is set: mails go one way' }
  return undefined
}

/** The public address: as configured, else where it listens. Without a slash at the end. */
export const publicUrl = ({ baseUrl, host, port }: Pick<Config, 'host' | 'port'> & Partial<Pick<Config, 'baseUrl'>>): string =>
  baseUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`

const isLoopbackName = (hostname: string): boolean => loopback.test(hostname.replace(/^\[|\]$/g, ''))

/** Whether a URL leads to this machine itself. */
export const isLocalUrl = (url: string): boolean => isLoopbackName(new URL(url).hostname)

/** Whether mails leave. */
export const sendsMails = ({ smtpUrl, mailFolder }: Partial<Pick<Config, 'smtpUrl' | 'mailFolder'>>): boolean =>
  smtpUrl !== undefined || mailFolder !== undefined

export const environmentOf = (
  config: Parameters<typeof publicUrl>[0] & Partial<Pick<Config, 'environment'>>,
): 'development' | 'staging' | 'production' => config.environment ?? (isLocalUrl(publicUrl(config)) ? 'development' : 'production')

/** How long the server goes on after it was asked to end, in ms: on loopback no balancer need notice. */
export const drainMsOf = ({ drainMs, host }: Pick<Config, 'drainMs' | 'host'>): number =>
  drainMs ?? (loopback.test(host) ? 0 : drainDefaultMs)

const drainDefaultMs = 5000

/** Who may do everything while there is no sign-in. */
export const everyone = ({ authOffFrom }: Pick<Config, 'authOffFrom'>): string =>
  `everyone on this machine${authOffFrom === undefined ? '' : ` and at ${authOffFrom.join(', ')}`}`

/** An address as it may be shown: without the user and the password that it may hold, and without options that are secret. */
export const withoutCredentials = (address: string): string =>
  // Of a database or Redis up to the last @: in a badly written address a password may hold any sign.
  address
    .replace(/^((?:mongodb|redis)[a-z+]*:\/\/).*@/s, '$1***@')
    .replace(/:\/\/[^/]*@/, '://***@')
    .replace(/([?&][^=&]*(?:password|properties|secret|token)[^=&]*=)[^&]*/gi, '$1***')

/** The configuration as text for people: secrets hidden. */
export const printableConfig = (config: Config): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([key, variable]) => {
      const value = config[key as keyof VariableValues]
      return [variable.name, value === undefined ? '' : 'secret' in variable ? '***' : withoutCredentials(String(value))]
    }),
  )
