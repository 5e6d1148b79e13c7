import { MongoError, MongoErrorLabel, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb'
import { StoreUnusable } from '../unusable.ts'
import { Fenced } from './slots.ts'

/** What the errors of the driver mean to who writes. @see https://github.com/mongodb/specifications/blob/master/source/transactions/transactions.md */

const codes = { duplicateKey: 11_000, writeConflict: 112, noSpace: 14_031, interrupted: 11_601, tooLargeForCache: 388 } as const

/** Nothing of the transaction was written, and the same may well succeed: a conflict, an election, a cut connection. */
export const isTransient = (thrown: unknown): boolean => {
  const error = rootOf(thrown)
  if (error instanceof Fenced || isInterrupted(error)) return true
  if (isPassing(error) || error instanceof MongoServerSelectionError) return true
  return (
    error instanceof MongoError &&
    (error.hasErrorLabel(MongoErrorLabel.TransientTransactionError) || error.hasErrorLabel(MongoErrorLabel.RetryableWriteError))
  )
}

/** Host unreachable or not found, shutdown, no or another primary, interrupted by an election, closed sockets. */
const passingCodes: ReadonlySet<number> = new Set([6, 7, 89, 91, 134, 189, 9001, 10_107, 11_600, 11_602, 13_435, 13_436])

/**
 * An election or a cut connection: asked again, the next primary answers. Told by its number, for labels stand only on what the driver would try again
 * by itself, which is neither a bare command nor the making of a collection. @see retryable reads
 */
export const isPassing = (error: unknown): boolean =>
  error instanceof MongoNetworkError || (error instanceof MongoServerError && passingCodes.has(Number(error.code)))

/** The driver wraps whatever goes wrong under way of a bulk of writes. */
const rootOf = (error: unknown): unknown =>
  error instanceof MongoServerError && error.errorResponse instanceof MongoError ? error.errorResponse : error

/**
 * Of a commit: the server itself says that nothing was written. Everything else leaves it open, also that no server was found to ask again, which
 * the driver does not mark.
 */
export const isKnownCommit = (error: unknown): boolean =>
  error instanceof MongoServerError && !isInterrupted(error) && !error.hasErrorLabel(MongoErrorLabel.UnknownTransactionCommitResult)

/** Another node took us for dead and ended our session. */
const isInterrupted = (error: unknown): boolean => error instanceof MongoServerError && error.code === codes.interrupted

/** Somebody else wrote the same at the same time. */
export const isConflict = (error: unknown): boolean => error instanceof MongoServerError && error.code === codes.writeConflict

export const isDuplicate = (error: unknown): boolean => error instanceof MongoServerError && error.code === codes.duplicateKey

export const isFull = (error: unknown): boolean => error instanceof MongoServerError && error.code === codes.noSpace

/** One transaction would fill the cache of the database: trying again does not help, a larger cache or fewer versions at once do. */
export const isTooLarge = (thrown: unknown): boolean => {
  const error = rootOf(thrown)
  return error instanceof MongoServerError && error.code === codes.tooLargeForCache
}

/** The database, or a place in it, cannot be had for so long that waiting ends. */
export class Away extends Error {
  constructor(cause: unknown) {
    super('MongoDB could not be reached, or had no primary, for too long', { cause })
    this.name = 'Away'
  }
}

export const isAway = (error: unknown): boolean => error instanceof Away || error instanceof StoreUnusable

/** What the server says may hold keys and values of documents: only its number and name are told. */
export const told = (thrown: unknown): string => {
  const error = rootOf(thrown)
  if (error instanceof MongoServerError)
    return `MongoDB error ${error.code ?? '?'}${error.codeName === undefined ? '' : ` (${error.codeName})`}`
  if (error instanceof MongoError) return error.name
  return Error.isError(error) ? error.message : 'unknown error'
}
