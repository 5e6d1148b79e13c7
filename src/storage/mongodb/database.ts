import { type Db, type Document, MongoClient, MongoServerError, MongoServerSelectionError } from 'mongodb'
import type { Clock } from '../../base/clock.ts'
import { StoreUnusable } from '../unusable.ts'
import { type Address, clientOptions, memberAddress, readAddress } from './address.ts'
import { Collections } from './collections.ts'
import { Dictionary } from './dictionary.ts'
import { ServedWords } from './served-words.ts'
import { SnapshotWindow } from './snapshot-window.ts'

/** A connection to a replica set that can keep what the port promises, and what all parts of the store share. */
export type Database = {
  readonly client: MongoClient
  readonly db: Db
  readonly clock: Clock
  readonly collections: Collections
  readonly dictionary: Dictionary
  readonly served: ServedWords
  /** How long snapshots live, as far as the members grant it (ms); may change when members come and go. */
  readonly snapshotMs: number
  /** What works less well than it could, as sentences for the operator. */
  readonly warnings: readonly string[]
  close(): Promise<void>
}

export type DatabaseOptions = {
  /** `mongodb://{hosts}/{database}` */
  readonly address: string
  readonly clock: Clock
  /** How long page links shall live. */
  readonly cursorMinutes: number
  readonly appName?: string
}

const versionMin = 6

/** Throws `StoreUnusable` when what answers cannot keep the promise, with what mends it. */
export const openDatabase = async ({ address: url, clock, cursorMinutes, appName = 'simpul' }: DatabaseOptions): Promise<Database> => {
  const address = readAddress(url)
  const options = clientOptions(address, appName)
  const client = clientFor(address, () => new MongoClient(url, options))
  const window = new SnapshotWindow(address, options, cursorMinutes)
  window.follow(client)
  const close = async (): Promise<void> => {
    await window.close()
    await client.close()
  }
  try {
    await client.connect()
    const db = client.db(address.database)
    await Promise.all([mustHaveTransactions(db, address), mustBeNew(db), mustBeLetIn(db), window.settled()])
    const collections = new Collections(db)
    return {
      client,
      db,
      clock,
      collections,
      dictionary: new Dictionary(collections),
      served: new ServedWords(collections),
      get snapshotMs() {
        return window.ms
      },
      get warnings() {
        return window.warning === undefined ? [] : [window.warning]
      },
      close,
    }
  } catch (error) {
    const unusable = await unusableFor(error, address)
    await close()
    throw unusable
  }
}

/** The driver's own words may repeat the address, so they are told only when they do not. */
const clientFor = (address: Address, make: () => MongoClient): MongoClient => {
  try {
    return make()
  } catch (error) {
    const says = Error.isError(error) && !error.message.includes('://') && !address.user ? `: ${error.message}` : ''
    throw new StoreUnusable('configuration', `SIMPUL_STORE is no address that the MongoDB driver understands${says}`)
  }
}

const mustHaveTransactions = async (db: Db, address: Address): Promise<void> => {
  const hello = await db.command({ hello: 1 })
  if (hello.msg === 'isdbgrid') return
  if (hello.setName === undefined) throw standsAlone(placeOf(address))
  if (hello.isWritablePrimary !== true)
    throw new StoreUnusable(
      'configuration',
      `${hello.me} is not the primary of ${hello.setName}. Name the whole set in SIMPUL_STORE (replicaSet=${hello.setName}), without directConnection.`,
    )
}

/** Without user, password and options. */
const placeOf = ({ hosts, database }: Address): string => `${hosts.join(',')}/${database}`

const standsAlone = (place: string): StoreUnusable =>
  new StoreUnusable(
    'refused',
    `The mongod at ${place} stands alone and has no transactions. Start it with --replSet rs0 (replication.replSetName), then once: mongosh --eval "rs.initiate()"`,
  )

const mustBeNew = async (db: Db): Promise<void> => {
  const { version, versionArray } = await db.command({ buildInfo: 1 })
  if (Number(versionArray[0]) < versionMin)
    throw new StoreUnusable('refused', `MongoDB ${version} is too old: upgrade mongod to ${versionMin}.0 or later.`)
}

const mustBeLetIn = async (db: Db): Promise<void> => {
  await db.collection('simpul.migrations').findOne({}, { projection: { _id: 1 } })
}

/** What is done while a store is opened. Throws `StoreUnusable` as `openDatabase` does, such as for a user who may read and not write. */
export const whileOpening = async <T>(url: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw await unusableFor(error, readAddress(url))
  }
}

const accessCodes: Readonly<Record<number, string>> = {
  13: 'may not read and write the database: grant it the role readWrite on that database',
  18: 'is not let in: correct user, password or authSource in SIMPUL_STORE',
}

/** What the driver's error means to an operator; anything unforeseen as it is. */
const unusableFor = async (error: unknown, address: Address): Promise<unknown> => {
  const place = placeOf(address)
  if (error instanceof MongoServerError) {
    const why = accessCodes[Number(error.code)]
    return why === undefined ? error : new StoreUnusable('access', `The user of ${place} ${why}.`)
  }
  if (error instanceof MongoServerSelectionError) return (await whatAnswers(address)) ?? unreachable(place)
  if (Error.isError(error) && /ENOTFOUND|ENODATA|querySrv|ESERVFAIL|ETIMEOUT/.test(`${'code' in error ? error.code : ''}${error.message}`))
    return unreachable(place)
  return error
}

const unreachable = (place: string): StoreUnusable =>
  new StoreUnusable(
    'unreachable',
    `No MongoDB answers at ${place}. See that mongod runs there, that this machine may reach it, and that both mean the same by TLS.`,
  )

const probeMs = 3000

/** Nobody could be chosen to talk to: asks the members named, each alone and as a stranger, why. */
const whatAnswers = async (address: Address): Promise<StoreUnusable | undefined> => {
  if (address.srv) return undefined
  for (const host of address.hosts) {
    const hello = await helloOf({ ...address, user: undefined }, host)
    if (hello === undefined) continue
    if (hello.isreplicaset === true)
      return new StoreUnusable('refused', `The mongod at ${host} waits to be told its replica set. Once: mongosh --eval "rs.initiate()"`)
    if (hello.setName === undefined && hello.msg !== 'isdbgrid') return standsAlone(host)
    const asked = address.options.get('replicaSet')
    if (asked !== null && hello.setName !== undefined && hello.setName !== asked)
      return new StoreUnusable(
        'configuration',
        `The replica set at ${host} is ${hello.setName}: say replicaSet=${hello.setName} in SIMPUL_STORE.`,
      )
    return new StoreUnusable(
      'unreachable',
      `The replica set at ${host} has no primary that can be reached. See rs.status(): most members must run, and this machine must reach them by the names in it.`,
    )
  }
  return undefined
}

const helloOf = async (address: Address, host: string): Promise<Document | undefined> => {
  const patience = Math.min(probeMs, Number(address.options.get('serverSelectionTimeoutMS') ?? probeMs))
  const client = new MongoClient(memberAddress(address, host), { serverSelectionTimeoutMS: patience, connectTimeoutMS: patience })
  try {
    return await client.db('admin').command({ hello: 1 })
  } catch {
    return undefined
  } finally {
    await client.close()
  }
}
