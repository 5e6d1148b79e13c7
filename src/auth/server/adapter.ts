import { type Adapter, type AdapterPayload, errors, Provider } from 'oidc-provider'
import type { Outcome } from '../../base/outcome.ts'
import type { RecordHeld, Records } from '../../storage/port.ts'
import { endGrant, grantById, grantStands } from '../grants/grants.ts'
import type { Ground } from '../ground.ts'
import { firstOf } from '../record-plans.ts'
import { secretHash } from '../secrets.ts'
import { DeviceCodeAdapter, type DeviceCodeParts } from './device-codes.ts'
import { type KeptLibraryRow, type LibraryPayload, type LibraryRow, libraryRecords, libraryRow } from './library-rows.ts'
import { currentOrigin } from './request-origin.ts'

export type AdapterParts = DeviceCodeParts & {
  readonly refreshGraceSeconds: number
  /** Metadata of a client as the library wants it; undefined: there is no such client for this request. */
  clientMetadata(id: string): Promise<AdapterPayload | undefined>
}

/**
 * What the library keeps, in records of ours: hashed, without the ids themselves, each single use one conditional write. Whoever loses it ends the grant
 * before he is refused, so what the winner stores a moment later is dead too. @see auth.md 8
 */
export const createAdapter =
  (parts: AdapterParts) =>
  (model: string): Adapter =>
    guarded(adapterOf(model, parts))

const adapterOf = (model: string, parts: AdapterParts): Adapter => {
  if (model === 'Client') return new ClientAdapter(parts)
  const rows = new RowAdapter(model, parts)
  return model === 'DeviceCode' ? new DeviceCodeAdapter(parts, rows) : rows
}

/** What breaks below is the store: whoever asks hears that, and not of a bug of ours. */
const guarded = (adapter: Adapter): Adapter => {
  const guard =
    <A extends readonly unknown[], R>(act: (...given: A) => Promise<R>) =>
    (...given: A): Promise<R> =>
      act.apply(adapter, given as never).catch((error: unknown) => {
        throw error instanceof errors.OIDCProviderError ? error : away(error)
      })
  return {
    upsert: guard(adapter.upsert),
    find: guard(adapter.find),
    findByUid: guard(adapter.findByUid),
    findByUserCode: guard(adapter.findByUserCode),
    consume: guard(adapter.consume),
    destroy: guard(adapter.destroy),
    revokeByGrantId: guard(adapter.revokeByGrantId),
  }
}

class RowAdapter implements Adapter {
  readonly #model: string
  readonly #parts: AdapterParts
  readonly #ground: Ground
  readonly #rows: Records<LibraryRow>

  constructor(model: string, parts: AdapterParts) {
    this.#model = model
    this.#parts = parts
    this.#ground = parts.ground
    this.#rows = parts.ground.store.records<LibraryRow>(libraryRecords)
  }

  async upsert(id: string, { jti: _, ...payload }: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    const hash = secretHash(id)
    const expires =
      this.#ground.clock() + (expiresInSeconds ?? lifeSecondsMax) * 1000 + (accessTokens.has(this.#model) ? expiredKnownMs : 0)
    const row: LibraryRow = {
      id: hash,
      model: this.#model,
      expires,
      ...(isSealed(this.#model)
        ? { sealed: this.#ground.fields.encrypt(JSON.stringify(payload), placeOf(hash)) }
        : { payload: payload as LibraryPayload }),
      ...(this.#model === 'Session' && payload.uid !== undefined && { uid: payload.uid }),
    }
    held(await this.#rows.put(row))
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const row = await this.#row(id)
    const payload = row === undefined ? undefined : await this.#opened(row)
    if (row === undefined || payload === undefined) return undefined
    if (this.#model === 'Grant' && !(await this.#stands(id))) return undefined
    const { consumed } = row.value
    const isUsed = consumed !== undefined && !this.#isGraced(row)
    return { ...payload, jti: id, ...(isUsed && { consumed: Math.floor(consumed.at / 1000) }) }
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const row = await firstOf(this.#rows, 'uid', [uid])
    const payload = row === undefined || row.value.model !== this.#model ? undefined : await this.#opened(row)
    return payload && { ...payload, uid }
  }

  async findByUserCode(): Promise<undefined> {}

  async consume(id: string): Promise<void> {
    const row = await this.#row(id)
    const at = this.#ground.clock()
    const { address } = currentOrigin()
    if (row !== undefined && (row.value.consumed === undefined || this.#isGraced(row))) {
      const consumed = row.value.consumed === undefined ? { at, address } : { ...row.value.consumed, again: true as const }
      if (held(await this.#rows.put({ ...row.value, consumed }, row.revision))) return
    }
    const grant = row?.value.payload?.grantId
    if (grant !== undefined) await this.revokeByGrantId(grant)
    throw new errors.InvalidGrant('already consumed')
  }

  async destroy(id: string): Promise<void> {
    // The library destroys a grant when it revokes it: it stays, and says so.
    if (this.#model === 'Grant') await this.revokeByGrantId(id)
    else if (this.#model === 'Interaction') await this.#useUp(id)
    else held(await this.#rows.delete(secretHash(id)))
  }

  /** An interaction goes on once: of two browsers' requests that come with its answer together, one gets a code. */
  async #useUp(id: string): Promise<void> {
    const row = await this.#row(id)
    if (row === undefined || !held(await this.#rows.delete(row.key, row.revision)))
      throw new errors.SessionNotFound('the request went on already')
  }

  async revokeByGrantId(grant: string): Promise<void> {
    const revoked = Provider.ctx?.oidc?.route === 'revocation'
    const by = Provider.ctx?.oidc?.client?.clientId ?? 'oauth'
    const done = await endGrant(this.#ground, grant, { by, reason: revoked ? 'client' : 'reuse' }, currentOrigin())
    if (!done.ok) throw away()
  }

  async #row(id: string): Promise<KeptLibraryRow | undefined> {
    const row = await libraryRow(this.#ground.store, id)
    return row?.value.model === this.#model ? row : undefined
  }

  /** As upsert was given it. */
  async #opened({ key, value }: KeptLibraryRow): Promise<AdapterPayload | undefined> {
    if (value.sealed === undefined) return value.payload as AdapterPayload | undefined
    const text = await this.#ground.fields.decrypt(value.sealed, placeOf(key))
    return text === undefined ? undefined : (JSON.parse(text) as AdapterPayload)
  }

  async #stands(id: string): Promise<boolean> {
    const grant = await grantById(this.#ground, id)
    return grant !== undefined && grantStands(grant, this.#ground.clock())
  }

  /** A refresh token whose answer may have been lost on its way, sent again from the same address. */
  #isGraced({ value: { consumed } }: KeptLibraryRow): boolean {
    if (this.#model !== 'RefreshToken' || consumed === undefined || consumed.again) return false
    const sinceMs = this.#ground.clock() - consumed.at
    return sinceMs < this.#parts.refreshGraceSeconds * 1000 && consumed.address === currentOrigin().address
  }
}

/** Clients are rows of ours, which the library only reads. */
class ClientAdapter implements Adapter {
  readonly #parts: AdapterParts

  constructor(parts: AdapterParts) {
    this.#parts = parts
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return this.#parts.clientMetadata(id)
  }

  async upsert(): Promise<void> {}
  async findByUid(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}
  async consume(): Promise<void> {}
  async destroy(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
}

/** Nothing is kept longer; what the library gives no time is kept so long. */
const lifeSecondsMax = 366 * 86_400

/** Who comes with a token that has expired is told so for an hour, and not taken for a guesser. */
const accessTokens: ReadonlySet<string> = new Set(['AccessToken', 'ClientCredentials'])
const expiredKnownMs = 3_600_000

/** Interactions know the cookie of the library's session, the value of a launch, and in their own address themselves. */
const isSealed = (model: string): boolean => model === 'Interaction'

const placeOf = (row: string) => ({ table: libraryRecords.name, column: 'sealed', row })

const held = (done: Outcome<RecordHeld>): boolean => {
  if (!done.ok) throw away()
  return done.value.held
}

/** The store is away: whoever asks may come again. */
export const away = (cause?: unknown): Error =>
  Object.assign(new errors.TemporarilyUnavailable('try again later', { cause }), { status: 503, statusCode: 503 })
