import { MongoClient, type MongoClientOptions, type ServerDescription } from 'mongodb'
import { type Address, memberAddress } from './address.ts'

/** What mongod keeps when nobody asks it for more (ms). */
const unaskedMs = 300_000
const parameter = 'minSnapshotHistoryWindowInSeconds'
/** For one member, which may be away at that very moment. */
const memberMs = 5000

const dataBearing = new Set(['RSPrimary', 'RSSecondary'])

/**
 * Asks every data-bearing member to keep snapshots as long as page links live. A member forgets it when it restarts and any of them may be
 * primary next, so each is asked again when it comes (back). Only ever raised: others may need more. Needs a role that may set parameters.
 */
export class SnapshotWindow {
  readonly #address: Address
  readonly #options: MongoClientOptions
  readonly #wantedSeconds: number
  /** By member: what it granted when it was asked last (ms). */
  readonly #granted = new Map<string, number>()
  readonly #asking = new Set<Promise<void>>()
  #closed = false

  constructor(address: Address, options: MongoClientOptions, cursorMinutes: number) {
    this.#address = address
    this.#options = options
    this.#wantedSeconds = cursorMinutes * 60
  }

  /** Before the client connects: members that are there already are told of as they are met. */
  follow(client: MongoClient): void {
    client.on('serverDescriptionChanged', ({ address, previousDescription, newDescription }) => {
      if (!dataBearing.has(newDescription.type)) return
      if (this.#granted.has(address) && processOf(previousDescription) === processOf(newDescription)) return
      this.#ask(address)
    })
  }

  /** When every member met so far has answered or was given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#asking)
  }

  /** How long the least generous member keeps snapshots (ms); never more than was asked for. */
  get ms(): number {
    const known = [...this.#granted.values()]
    return Math.min(this.#wantedSeconds * 1000, known.length === 0 ? unaskedMs : Math.min(...known))
  }

  get warning(): string | undefined {
    const { ms } = this
    return ms >= this.#wantedSeconds * 1000
      ? undefined
      : `Page links work for ${Math.floor(ms / 1000)} s instead of ${this.#wantedSeconds} s: MongoDB keeps snapshots no longer and may not be asked to by this user. ` +
          `Start every mongod with --setParameter ${parameter}=${this.#wantedSeconds}, or grant the role hostManager on admin.`
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.settled()
  }

  #ask(member: string): void {
    if (this.#closed) return
    const asking = this.#grantOf(member)
      .then(ms => void this.#granted.set(member, ms))
      // Away again: it is asked when it is back.
      .catch(() => void this.#granted.delete(member))
      .finally(() => this.#asking.delete(asking))
    this.#asking.add(asking)
  }

  async #grantOf(member: string): Promise<number> {
    const bounds = { serverSelectionTimeoutMS: memberMs, connectTimeoutMS: memberMs, socketTimeoutMS: memberMs, maxPoolSize: 1 }
    await using client = new MongoClient(memberAddress(this.#address, member), { ...this.#options, ...bounds })
    const admin = client.db('admin')
    const kept = await admin
      .command({ getParameter: 1, [parameter]: 1 })
      .then(answer => Number(answer[parameter]))
      .catch(() => unaskedMs / 1000)
    if (kept >= this.#wantedSeconds) return kept * 1000
    const raised = await admin.command({ setParameter: 1, [parameter]: this.#wantedSeconds }).then(
      () => true,
      () => false,
    )
    return (raised ? this.#wantedSeconds : kept) * 1000
  }
}

/** Another one after a restart. */
const processOf = ({ topologyVersion }: ServerDescription): string => topologyVersion?.processId.toHexString() ?? ''
