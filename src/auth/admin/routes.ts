import type { Outcome } from '../../base/outcome.ts'
import type { RecordPosition } from '../../storage/port.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'

/** One row of what administrators can ask. */
export type AdminRoute = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** `/admin/users/{id}/disable` */
  readonly path: string
  /** One of these is needed; none: whoever may come here at all. */
  readonly permissions: readonly string[]
  /** For anybody who is signed in, about themselves: no `__admin`, no second factor. */
  readonly own?: true
  /** A second factor of the last five minutes is needed. */
  readonly fresh?: true
  readonly run: (parts: AdminParts, call: AdminCall) => Promise<Outcome<AdminReply>>
}

/** What stood in a place of the path: the table has it, so it is there. */
export const placeOf = ({ path }: AdminCall, name: string): string => path[name] ?? ''

const countDefault = 50
const countMost = 200

/**
 * How many rows of a list are asked for, and where it goes on. `shape` has a letter for each part of a position: s a text, n a number. A page link that is none
 * begins anew.
 */
export const pageOf = ({ query }: AdminCall, shape: string): { readonly limit: number; readonly after?: RecordPosition } => {
  const count = Number(query.get('count') ?? countDefault)
  const after = positionOf(query.get('after'), shape)
  const limit = Number.isInteger(count) && count > 0 ? Math.min(count, countMost) : countDefault
  return { limit, ...(after === undefined ? {} : { after }) }
}

export const nextOf = (next: RecordPosition | undefined): { readonly next?: string } =>
  next === undefined ? {} : { next: Buffer.from(JSON.stringify(next)).toString('base64url') }

const positionOf = (text: string | null, shape: string): RecordPosition | undefined => {
  if (text === null || text.length > positionCharactersMax) return undefined
  const read = jsonOf(Buffer.from(text, 'base64url').toString('utf8'))
  if (!Array.isArray(read) || read.length !== shape.length) return undefined
  const fits = read.every((part: unknown, index) => (shape[index] === 'n' ? Number.isSafeInteger(part) : isKeyText(part)))
  return fits ? read : undefined
}

const positionCharactersMax = 2_000

/** As indexes keep them. */
const isKeyText = (part: unknown): boolean => typeof part === 'string' && part.length <= 512 && part.isWellFormed() && !part.includes('\0')

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** ms as ISO 8601. */
export const iso = (ms: number): string => new Date(ms).toISOString()
