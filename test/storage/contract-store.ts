import { afterEach } from '@jest/globals'
import type { Outcome } from '../../src/base/outcome.ts'
import type { Committed, RecordDefinition, Store, StoredVersion, WritePlan } from '../../src/storage/port.ts'
import { newVersion, planOf, type Wanted } from '../support/versions.ts'

/** What all parts of the contract begin with: stores that are closed again, and the plainest writes. */

/** The clock of a store under test; tests move it. */
export type TestClock = { now: number }
/** A new, empty store. `reopen` closes it and opens the same data again, with other records if so asked. */
export type Opened = { readonly store: Store; reopen(records?: readonly RecordDefinition[]): Promise<Store>; readonly clock: TestClock }
/** How an engine opens one. */
export type Open = (records?: readonly RecordDefinition[]) => Promise<Opened>

/** Opens stores that are closed after each test. Call it once in a `describe`. */
export const closing = (open: Open): Open => {
  const openStores: Store[] = []
  afterEach(async () => {
    for (const store of openStores.splice(0)) await store[Symbol.asyncDispose]()
  })
  return async records => {
    const one = await open(records)
    openStores.push(one.store)
    const reopen = async (other?: readonly RecordDefinition[]) => {
      const again = await one.reopen(other)
      openStores.splice(openStores.indexOf(one.store), 1, again)
      return again
    }
    return { ...one, reopen }
  }
}

export const valueOf = <T>(outcome: Outcome<T>): T => {
  if (!outcome.ok) throw new Error(`failed: ${outcome.failure.kind}`)
  return outcome.value
}

export const held = async (store: Store, plan: WritePlan): Promise<Extract<Committed, { held: true }>> => {
  const done = valueOf(await store.commit(plan))
  if (!done.held) throw new Error(`not held: ${JSON.stringify(done)}`)
  return done
}

export const textOf = (version: { readonly text: Uint8Array } | undefined): string => new TextDecoder().decode(version?.text)
export const instant = (ms: number): string => new Date(ms).toISOString().replace('Z', '+00:00')
export const idsOf = (rows: readonly { readonly id: string; readonly versionId: number }[]): string[] =>
  rows.map(row => `${row.id}/${row.versionId}`)

export const create = async (store: Store, wanted: Wanted): Promise<StoredVersion> => {
  await held(store, planOf([newVersion(wanted)]))
  return (await store.newest(wanted.type ?? 'Patient', wanted.id)) as StoredVersion
}

export const next = async (store: Store, before: StoredVersion, wanted: Omit<Wanted, 'id'> = {}): Promise<StoredVersion> => {
  const version = newVersion({ ...wanted, type: before.type, id: before.id, versionId: before.versionId + 1 })
  await held(store, planOf([version], [before]))
  return (await store.newest(before.type, before.id)) as StoredVersion
}

export const nothing: WritePlan = { expects: [], guards: [], versions: [] }
