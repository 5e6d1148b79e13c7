/** What a verb that broke tells people. */
import { describe, expect, test } from '@jest/globals'
import { MongoBulkWriteError, MongoServerError } from 'mongodb'
import { troubleOf } from '../../src/cli/trouble.ts'
import { StoreUnusable } from '../../src/storage/unusable.ts'

describe('a verb that broke', () => {
  const secret = 'E11000 { family: "Santoso" }'
  test.each([
    ['a store that cannot be used says itself what to do', new StoreUnusable('access', 'Grant it.'), 'Grant it.', 4],
    ['a port that is taken', Object.assign(new Error('x'), { code: 'EADDRINUSE' }), /port is taken/, 3],
    ['anything else', new Error('No such thing'), /cannot go on: No such thing\./, 1],
    [
      'a command that the database refuses, without the command',
      new MongoServerError({ message: secret, code: 13, codeName: 'Unauthorized' }),
      /MongoDB error Unauthorized\./,
      1,
    ],
    [
      'a bulk of writes, without what was to be written',
      new MongoBulkWriteError({ message: secret, code: 11_000 }, {} as never),
      /MongoDB error 11000\./,
      1,
    ],
  ] as const)('%s', (_, error, line, code) => {
    const told = troubleOf(error)
    expect(told).toEqual({ line: expect.stringMatching(line), code })
    expect(told.line).not.toContain('Santoso')
  })
})
