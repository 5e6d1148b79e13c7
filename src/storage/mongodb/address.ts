import type { MongoClientOptions } from 'mongodb'
import { StoreUnusable } from '../unusable.ts'

const parts = /^(?<scheme>mongodb(?:\+srv)?):\/\/(?:(?<user>[^/?]*)@)?(?<hosts>[^/?@]+)(?:\/(?<database>[^/?]*))?(?:\?(?<options>.*))?$/s

export type Address = {
  readonly url: string
  readonly hosts: readonly string[]
  readonly database: string
  /** `user:password`, as it stands in the URL. */
  readonly user: string | undefined
  readonly srv: boolean
  readonly options: URLSearchParams
}

const reserved = new Set(['admin', 'local', 'config'])

/** Throws with the rule that the address breaks, never with the address: it may hold a password. */
export const readAddress = (url: string): Address => {
  const found = parts.exec(url)?.groups
  if (found === undefined)
    throw new StoreUnusable('configuration', 'SIMPUL_STORE must be mongodb://{user}:{password}@{hosts}/{database}?{options}')
  const database = decoded(found.database ?? '')
  if (database === '' || reserved.has(database))
    throw new StoreUnusable('configuration', 'SIMPUL_STORE must name a database of its own: mongodb://{hosts}/simpul')
  const options = new URLSearchParams(found.options ?? '')
  const preference = optionOf(options, 'readPreference')
  if (preference !== undefined && preference !== 'primary')
    throw new StoreUnusable(
      'configuration',
      'SIMPUL_STORE must not ask for a readPreference other than primary: a read sees every write acknowledged before it. Remove that option.',
    )
  return { url, hosts: (found.hosts ?? '').split(','), database, user: found.user, srv: found.scheme === 'mongodb+srv', options }
}

/** Options that concern the set, or how much of it is used. */
const ofTheSet = /^(replicaSet|directConnection|loadBalanced|srv\w*|\w+PoolSize)$/i

/** The same way in, to that one member alone. */
export const memberAddress = (address: Address, hostPort: string): string => {
  const options = new URLSearchParams([...address.options].filter(([name]) => !ofTheSet.test(name)))
  options.set('directConnection', 'true')
  if (address.srv && optionOf(options, 'tls') === undefined && optionOf(options, 'ssl') === undefined) options.set('tls', 'true')
  return `mongodb://${address.user === undefined ? '' : `${address.user}@`}${hostPort}/${encodeURIComponent(address.database)}?${options}`
}

/** What we ask for where the address says nothing. */
const unlessAsked = {
  maxPoolSize: 64,
  maxConnecting: 4,
  maxIdleTimeMS: 300_000,
  connectTimeoutMS: 10_000,
  // An election of a set as MongoDB ships it takes up to 12 s.
  serverSelectionTimeoutMS: 15_000,
  waitQueueTimeoutMS: 15_000,
  // Longer than any request may last: a connection that was cut without a word is not waited for all day.
  socketTimeoutMS: 120_000,
} as const satisfies MongoClientOptions

/** Options of the client. What the port promises is not for the address to change. */
export const clientOptions = (address: Address, appName: string): MongoClientOptions => ({
  ...Object.fromEntries(Object.entries(unlessAsked).filter(([name]) => optionOf(address.options, name) === undefined)),
  appName,
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
  retryWrites: true,
  retryReads: true,
  compressors: ['none'],
})

const optionOf = (options: URLSearchParams, name: string): string | undefined =>
  [...options].find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
