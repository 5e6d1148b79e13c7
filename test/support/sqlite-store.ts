import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import type { RecordDefinition, Store } from '../../src/storage/port.ts'
import { openSqliteStore } from '../../src/storage/sqlite/store.ts'

/** The engine asks nothing of the definitions yet; whatever it should ask one day would fail loudly. */
const noDefinitions = {} as Definitions

const folders: string[] = []
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder for store files that is gone when the process ends. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'simpul-'))
  folders.push(folder)
  return folder
}

/** A store in a temporary file. `clock.now` begins on a round second of 2026. */
export const openTestStore = async (
  clock: { now: number } = { now: Date.UTC(2026, 10, 21, 8) },
  path = join(temporaryFolder(), 'store.db'),
  bytesMax?: number,
  records: readonly RecordDefinition[] = [],
) => {
  const limits = bytesMax === undefined ? {} : { bytesMax }
  const open = (kept = records) =>
    openSqliteStore({ path, definitions: noDefinitions, clock: () => clock.now, synchronous: 'NORMAL', records: kept, ...limits })
  const store = await open()
  let current: Store = store
  const reopen = async (other?: readonly RecordDefinition[]): Promise<Store> => {
    await current[Symbol.asyncDispose]()
    current = await open(other)
    return current
  }
  return { store, reopen, clock, path }
}
