import type { IncomingMessage } from 'node:http'
import { basicCredentials } from '../auth/clients/basic-credentials.ts'
import type { Limit, Shared } from '../nodes/shared.ts'
import { countedAs } from './caller.ts'
import { countedBy, type Meter, meterOf } from './meter.ts'

/**
 * How often the doors may be used. A client is counted together with the address it comes from: else whoever knows its id could use its share up, and an
 * application with thousands of browsers would have one share for all. Who is nobody's client is counted by address alone as well.
 * @see auth.md 16
 */

export type Asked = { readonly path: string; readonly method: string; readonly req: IncomingMessage; readonly address: string }

export type DoorLimits = {
  /** Seconds to wait, where it is too often. By what the head of the request says. */
  readonly beforeBody: (asked: Asked) => Promise<number | undefined>
  /** The same by what the form says. */
  readonly beforeHandler: (asked: Asked & { readonly form: string }) => Promise<number | undefined>
  /** Counts what is counted when it failed. */
  readonly afterAnswer: (asked: Asked & { readonly form: string; readonly status: number }) => Promise<void>
}

type Key = (asked: Asked & { readonly form: string }) => string

type Row = Limit & {
  readonly isFor: (path: string, method: string) => boolean
  readonly key: Key
  /** Absent: every use counts. */
  readonly failed?: (status: number, form: string) => boolean
}

const minute = 60

const at =
  (place: string, wanted?: string): Row['isFor'] =>
  (path, method) =>
    path === place && (wanted === undefined || method === wanted)

const address: Key = asked => countedAs(asked.address)
const client: Key = asked => `${clientOf(asked)} ${countedAs(asked.address)}`

/** A device asks again and again whether somebody typed its code; the answer to that is a 400 too. */
const isPolling = (form: string): boolean => form.includes('device_code')

// biome-ignore format: a table
const rows: readonly Row[] = [
  { name: 'authorize',      most: 60,   windowSeconds: minute,     isFor: at('/oauth/auth'),                key: address },
  // 60 a minute, and twice as many in a burst.
  { name: 'token',          most: 120,  windowSeconds: 2 * minute, isFor: at('/oauth/token', 'POST'),       key: client },
  { name: 'token-failures', most: 10,   windowSeconds: minute,     isFor: at('/oauth/token', 'POST'),       key: client, failed: (status, form) => status === 401 || (status === 400 && !isPolling(form)) },
  // Whoever gives himself another name each time fails as nobody.
  { name: 'token-strangers', most: 60,  windowSeconds: minute,     isFor: at('/oauth/token', 'POST'),       key: address, failed: status => status === 401 },
  { name: 'device',         most: 60,   windowSeconds: minute,     isFor: at('/oauth/device', 'POST'),      key: client },
  { name: 'device-codes',   most: 20,   windowSeconds: 10 * minute, isFor: at('/oauth/device/verify', 'POST'), key: address, failed: status => status === 422 },
  { name: 'introspect',     most: 1200, windowSeconds: minute,     isFor: at('/oauth/introspect', 'POST'),  key: client },
  // Each login that begins at a provider is kept for ten minutes.
  { name: 'provider',       most: 300,  windowSeconds: minute,     isFor: path => /^\/login\/(?:[A-Za-z0-9_-]{16,64}\/)?federation\//.test(path), key: address },
  // Of forms the refused ones count: a hospital at the change of shifts is one address.
  { name: 'login',          most: 20,   windowSeconds: 10 * minute, isFor: (path, method) => method === 'POST' && /^\/login(?:\/|$)/.test(path), key: address, failed: status => status === 422 },
]

export const doorLimitNames: readonly string[] = rows.map(({ name }) => name)

export type DoorLimitParts = {
  readonly shared: Pick<Shared, 'counter'>
  /** Hears of each refusal. */
  readonly limited: (limit: string) => void
}

export const createDoorLimits = ({ shared, limited }: DoorLimitParts): DoorLimits => {
  const uses = rows.filter(({ failed }) => failed === undefined).map(row => ({ row, meter: meterOf(shared, limitOf(row)) }))
  const failures = rows.flatMap(row =>
    row.failed === undefined ? [] : [{ row, failed: row.failed, full: new Full(meterOf(shared, limitOf(row))) }],
  )
  const isByForm = ({ key }: Row): boolean => key === client
  const counted = async (asked: Asked & { readonly form: string }, byForm: boolean): Promise<number | undefined> => {
    for (const { row, full } of failures) {
      if (!row.isFor(asked.path, asked.method) || isByForm(row) !== byForm) continue
      const seconds = full.secondsLeft(row.key(asked))
      if (seconds !== undefined) return refused(row, seconds)
    }
    for (const { row, meter } of uses) {
      if (!row.isFor(asked.path, asked.method) || isByForm(row) !== byForm) continue
      const { allowed, seconds } = await countedBy(meter, row.key(asked))
      if (!allowed) return refused(row, seconds)
    }
    return undefined
  }
  const refused = ({ name }: Row, seconds: number): number => {
    limited(name)
    return seconds
  }
  return {
    beforeBody: asked => counted({ ...asked, form: '' }, false),
    beforeHandler: asked => counted(asked, true),
    afterAnswer: async asked => {
      for (const { row, failed, full } of failures)
        if (row.isFor(asked.path, asked.method) && failed(asked.status, asked.form)) await full.failed(row.key(asked))
    },
  }
}

const limitOf = ({ name, most, windowSeconds }: Row): Limit => ({ name, most, windowSeconds })

/** Keys that are known to be full at once; beyond that the oldest is forgotten, and its next failure tells again. */
const fullMax = 10_000

/** Counts failures, and knows whose share is used up: only a failure asks the nodes together, so that everybody else goes in without being counted. */
class Full {
  readonly #meter: Meter
  readonly #untilMs = new Map<string, number>()

  constructor(meter: Meter) {
    this.#meter = meter
  }

  secondsLeft(key: string): number | undefined {
    const until = this.#untilMs.get(key)
    if (until === undefined) return undefined
    const ms = until - performance.now()
    if (ms > 0) return Math.ceil(ms / 1000)
    this.#untilMs.delete(key)
    return undefined
  }

  async failed(key: string): Promise<void> {
    const { remaining, resetMs } = await this.#meter.count(key)
    if (remaining > 0) return
    const [oldest] = this.#untilMs.keys()
    if (this.#untilMs.size >= fullMax && oldest !== undefined) this.#untilMs.delete(oldest)
    this.#untilMs.set(key, performance.now() + resetMs)
  }
}

const idPattern = /^[A-Za-z0-9_.~-]{1,64}$/

/** The id that a client says it has, by Basic, in the form, or in its assertion; nothing is proved yet. */
const clientOf = ({ req, form }: Asked & { readonly form: string }): string => {
  const fields = new URLSearchParams(form)
  const said = basicCredentials(req.headers.authorization)?.id ?? fields.get('client_id') ?? assertedName(fields.get('client_assertion'))
  return said !== undefined && idPattern.test(said) ? said : ''
}

const assertedName = (assertion: string | null): string | undefined => {
  const claims = assertion?.split('.', 2)[1]
  if (claims === undefined) return undefined
  try {
    const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { readonly sub?: unknown }
    return typeof sub === 'string' ? sub : undefined
  } catch {
    return undefined
  }
}
