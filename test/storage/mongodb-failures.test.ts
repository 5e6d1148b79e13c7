/** What errors of the driver mean: which of them pass, so that what was asked is asked again. */
import { describe, expect, test } from '@jest/globals'
import { MongoErrorLabel, MongoNetworkError, MongoServerError } from 'mongodb'
import { isKnownCommit, isPassing, isTooLarge, isTransient } from '../../src/storage/mongodb/failures.ts'

const serverError = (code: number, errorLabels: readonly string[] = []): MongoServerError =>
  new MongoServerError({ message: 'no', code, errorLabels: [...errorLabels] })

/** Labels stand only on errors of commands that the driver would try again by itself: not on those of `create`, `createIndexes` or a bare command. */
const elections = [
  ['there is no primary here', 10_107],
  ['no primary, and no secondary either', 13_435],
  ['the primary steps down', 189],
  ['the server shuts down', 91],
  ['an election interrupted it', 11_602],
  ['a shutdown interrupted it', 11_600],
  ['a member is not reached', 6],
] as const

describe('a command that fails because', () => {
  for (const [name, code] of elections)
    test(`${name} may be tried again, by whatever label`, () => {
      expect([isPassing(serverError(code)), isTransient(serverError(code))]).toEqual([true, true])
    })

  test('the connection was cut may be tried again', () => {
    expect(isTransient(new MongoNetworkError('cut'))).toBe(true)
  })

  for (const [name, code] of [
    ['the key is there', 11_000],
    ['a validator refuses the document', 121],
    ['the user may not', 13],
    ['its time is over', 50],
  ] as const)
    test(`${name} fails`, () => expect(isTransient(serverError(code))).toBe(false))
})

test('a commit that an election broke may have been done, unless the server says that it was not', () => {
  expect(isKnownCommit(serverError(10_107, [MongoErrorLabel.UnknownTransactionCommitResult]))).toBe(false)
  expect(isKnownCommit(serverError(251, [MongoErrorLabel.TransientTransactionError]))).toBe(true)
})

test('a transaction that the cache cannot hold is told, by whatever the driver wraps it in, and not tried again', () => {
  const error = serverError(388)
  const wrapped = Object.assign(serverError(0), { errorResponse: error })
  expect([error, wrapped, serverError(112)].map(isTooLarge)).toEqual([true, true, false])
  expect(isTransient(error)).toBe(false)
})
