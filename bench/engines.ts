import { startMongod } from './mongod.ts'
import { cpuSecondsOf, type Measured, startSimpul } from './processes.ts'

/** An engine under measurement: each server begins with an empty store. */
export type MeasuredEngine = AsyncDisposable & {
  readonly name: string
  start(environment?: Readonly<Record<string, string>>): Promise<Measured>
}

const onSqlite = async (): Promise<MeasuredEngine> => ({ name: 'SQLite', start: startSimpul, [Symbol.asyncDispose]: async () => undefined })

const onMongodb = async (): Promise<MeasuredEngine> => {
  const mongod = await startMongod()
  let stores = 0
  return {
    name: `MongoDB ${mongod.version}`,
    start: async environment => {
      const server = await startSimpul({ ...environment, SIMPUL_STORE: mongod.address(`bench${++stores}`) })
      return { ...server, databaseCpuSeconds: () => cpuSecondsOf(mongod.pid) }
    },
    [Symbol.asyncDispose]: () => mongod[Symbol.asyncDispose](),
  }
}

export const engines: Readonly<Record<string, () => Promise<MeasuredEngine>>> = { sqlite: onSqlite, mongodb: onMongodb }
