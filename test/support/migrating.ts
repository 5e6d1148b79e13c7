import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MongoClient } from 'mongodb'
import type { Clock } from '../../src/base/clock.ts'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import type { Migrations } from '../../src/storage/migrations.ts'
import { deepCheck as deepCheckMongo } from '../../src/storage/mongodb/check.ts'
import { Collections } from '../../src/storage/mongodb/collections.ts'
import { type Step, steps } from '../../src/storage/mongodb/layout.ts'
import { checksum as mongoChecksum, migrationsAt as mongoMigrationsAt } from '../../src/storage/mongodb/migrate.ts'
import { openMongoStore } from '../../src/storage/mongodb/store.ts'
import type { Store } from '../../src/storage/port.ts'
import { deepCheck } from '../../src/storage/sqlite/check.ts'
import { checksum, type Migration, migrations, migrationsAt } from '../../src/storage/sqlite/migrate.ts'
import { openSqliteStore } from '../../src/storage/sqlite/store.ts'
import { mongodbAddress, mongodbThere } from './mongodb-address.ts'
import { temporaryFolder } from './sqlite-store.ts'

/** A step of whatever engine; `known` is what is released. */
export type AnyStep = { readonly number: number; readonly name: string }

/** The schema of an engine, as tests of migrations need it. */
export type Migrating = {
  readonly name: 'sqlite' | 'mongodb'
  readonly known: readonly AnyStep[]
  checksumOf(step: AnyStep): string
  /** A step beyond the known ones; another `what` is another content. */
  later(number: number, name: string, what?: string): AnyStep
  /** Of a store that is not there yet, gone when the test ends. */
  address(): string
  at(address: string, clock: Clock, list?: readonly AnyStep[]): Promise<Migrations>
  /** Takes the mark of a step away. */
  forget(address: string, number: number): Promise<void>
  open(address: string, clock: Clock): Promise<Store>
  /** What a store holds, as far as one at an earlier step has a place for it, as if that release had written it. */
  fill(address: string, from: string, list: readonly AnyStep[]): Promise<void>
  check(address: string): Promise<readonly string[]>
  /** Ends what is kept open for addresses. */
  close(): Promise<void>
}

const noDefinitions = {} as Definitions

// The casts: each engine is handed nothing but its own steps and what `later` made.
const sqlite: Migrating = {
  name: 'sqlite',
  known: migrations,
  checksumOf: step => checksum(step as Migration),
  later: (number, name, what = '1') => ({ number, name, sql: `CREATE TABLE ${name}(n INTEGER DEFAULT ${what}) STRICT` }) as Migration,
  address: () => join(temporaryFolder(), 'store.db'),
  at: async (path, clock, list) => migrationsAt(path, clock, list as readonly Migration[] | undefined),
  forget: async (path, number) => {
    using db = new DatabaseSync(path)
    db.prepare('DELETE FROM migration WHERE number = ?').run(number)
  },
  open: (path, clock) => openSqliteStore({ path, definitions: noDefinitions, clock, synchronous: 'NORMAL' }),
  fill: async (path, from) => {
    using db = new DatabaseSync(path)
    db.exec(`ATTACH '${from}' AS source`)
    const tables = db
      .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'migration'")
      .all()
    for (const { name } of tables) {
      const columnsOf = (schema: string) =>
        db
          .prepare(`SELECT name FROM pragma_table_info(?, ?)`)
          .all(name as string, schema)
          .map(column => column.name as string)
      const there = new Set(columnsOf('source'))
      const columns = columnsOf('main').filter(column => there.has(column))
      if (columns.length > 0) db.exec(`INSERT OR REPLACE INTO main.${name}(${columns}) SELECT ${columns} FROM source.${name}`)
    }
    db.exec('DETACH source')
  },
  check: async path => deepCheck(path),
  close: async () => {},
}

let client: MongoClient | undefined
const dropped: string[] = []
const databaseAt = (address: string) => {
  client ??= new MongoClient(address)
  return client.db(new URL(address).pathname.slice(1))
}

const mongodb: Migrating = {
  name: 'mongodb',
  known: steps,
  checksumOf: step => mongoChecksum(step as Step),
  later: (number, name, what = 'n') =>
    ({ number, name, collections: { [name]: {} }, types: { newest: { indexes: [{ name: 'later', key: { [what]: 1 } }] } } }) as Step,
  address: () => {
    const address = mongodbAddress('migrating')
    dropped.push(address)
    return address
  },
  at: (address, clock, list) => mongoMigrationsAt(address, clock, list as readonly Step[] | undefined),
  forget: async (address, number) => {
    await databaseAt(address).collection<{ _id: number }>('simpul.migrations').deleteOne({ _id: number })
  },
  open: (address, clock) => openMongoStore({ address, definitions: noDefinitions, clock }),
  fill: async (address, from, list) => {
    const [to, source] = [databaseAt(address), databaseAt(from)]
    const there = new Set((await to.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name))
    // Types come when their first resource does: laid out as that release did.
    const collections = new Collections(to, list as readonly Step[])
    if (there.has('simpul.types'))
      for (const type of await new Collections(source).types())
        for (const name of [type, `${type}.history`]) {
          await collections.ensure(type)
          there.add(name)
        }
    for (const name of there) {
      if (name === 'simpul.migrations' || name === 'simpul.types' || name === 'simpul.leases') continue
      const documents = await source.collection(name).find({}, { promoteLongs: false }).toArray()
      if (documents.length > 0) await to.collection(name).insertMany(documents)
    }
  },
  check: address => deepCheckMongo(address),
  close: async () => {
    for (const address of dropped.splice(0)) await databaseAt(address).dropDatabase()
    await client?.close()
    client = undefined
  },
}

export const migratingEngines: readonly Migrating[] = mongodbThere ? [sqlite, mongodb] : [sqlite]
