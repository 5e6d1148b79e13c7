import { type Adapter, type AdapterPayload, errors, Provider } from 'oidc-provider'
import type { Records } from '../../storage/port.ts'
import { firstOf } from '../record-plans.ts'
import { secretHash } from '../secrets.ts'
import type { Ground } from '../ground.ts'
import { type KeptLibraryRow, type LibraryPayload, type LibraryRow, libraryRecords } from './library-rows.ts'

export type DeviceCodeParts = {
  readonly ground: Ground
  /** False: a device asks too often. `code`: hash of its code. */
  mayPoll(code: string): Promise<boolean>
}

/** Who comes late is told that it is late. */
const expiredKnownMs = 3_600_000

/** Where a browser came with the code that was typed, the row stands for the device's own code, which only the device knows. */
const handlePrefix = '#'
const browserRoutes: ReadonlySet<string> = new Set(['code_verification', 'device_resume'])

/**
 * Codes of devices, each found by hashes of two: the long one that the device polls with, and the short one that somebody types, which is kept under a key
 * (so short a code could be guessed from a plain hash). Whoever confirms or ends one first has it. `rows` does what is the same for all kinds. @see RFC 8628
 */
export class DeviceCodeAdapter implements Adapter {
  readonly #parts: DeviceCodeParts
  readonly #rows: Adapter
  readonly #records: Records<LibraryRow>

  constructor(parts: DeviceCodeParts, rows: Adapter) {
    this.#parts = parts
    this.#rows = rows
    this.#records = parts.ground.store.records<LibraryRow>(libraryRecords)
  }

  async upsert(id: string, { jti: _, userCode, ...payload }: AdapterPayload, expiresInSeconds: number): Promise<void> {
    const { clock, hash } = this.#parts.ground
    const before = await this.#row(id)
    if (before !== undefined && isTaken(before.value.payload ?? {}, payload)) throw used()
    const typed = userCode === undefined ? before?.value.userCode : hash.of('user-code', userCode)
    const row: LibraryRow = {
      id: keyOf(id),
      model: 'DeviceCode',
      payload: payload as LibraryPayload,
      expires: clock() + expiresInSeconds * 1000 + expiredKnownMs,
      ...(typed === undefined ? {} : { userCode: typed }),
    }
    const done = await this.#records.put(row, before?.revision ?? 'none')
    if (!done.ok) throw new Error('A device code could not be written')
    if (!done.value.held) throw used()
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const row = await this.#row(id)
    if (row === undefined) return undefined
    if (Provider.ctx?.oidc?.route === 'token' && isPending(row.value.payload) && !(await this.#parts.mayPoll(row.key)))
      throw new errors.SlowDown()
    return { ...payloadOf(row), jti: id }
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    if (!/^[A-Z]{8}$/.test(userCode)) return undefined
    for (const hash of this.#parts.ground.hash.all('user-code', userCode)) {
      const row = await firstOf(this.#records, 'typed', [hash])
      if (row !== undefined) return { ...payloadOf(row), userCode, jti: `${handlePrefix}${row.key}` }
    }
    return undefined
  }

  findByUid(uid: string) {
    return this.#rows.findByUid(uid)
  }

  consume(id: string) {
    return this.#rows.consume(id)
  }

  destroy(id: string) {
    return this.#rows.destroy(id)
  }

  revokeByGrantId(grant: string) {
    return this.#rows.revokeByGrantId(grant)
  }

  async #row(id: string): Promise<KeptLibraryRow | undefined> {
    // A device that came with what is in the store would be nobody's.
    if (id.startsWith(handlePrefix) && !browserRoutes.has(Provider.ctx?.oidc?.route ?? '')) return undefined
    const row = await this.#records.get(keyOf(id))
    return row?.value.model === 'DeviceCode' ? row : undefined
  }
}

const keyOf = (id: string): string => (id.startsWith(handlePrefix) ? id.slice(handlePrefix.length) : secretHash(id))

const payloadOf = ({ value: { payload, consumed } }: KeptLibraryRow): AdapterPayload => ({
  ...(payload as AdapterPayload),
  ...(consumed !== undefined && { consumed: Math.floor(consumed.at / 1000) }),
})

const isPending = (payload: LibraryPayload | undefined): boolean => payload?.accountId === undefined && payload?.error === undefined

/** Somebody let it in or refused it; or two confirmed it at once. */
const isTaken = (before: LibraryPayload, after: AdapterPayload): boolean =>
  !isPending(before) || (before.inFlight === true && isPending(after as LibraryPayload))

const used = (): Error => new errors.InvalidRequest('the code was used already')
