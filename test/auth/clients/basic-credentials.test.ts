/** RFC 6749 2.3.1: some clients form-encode what they say by Basic, others do not. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { basicCredentials } from '../../../src/auth/clients/basic-credentials.ts'

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

// biome-ignore format: a table
const rows: readonly (readonly [what: string, authorization: string | undefined, expected: object | undefined])[] = [
  ['left alone',             basic('app-0001:s_e-cret'),         { id: 'app-0001', secret: 's_e-cret' }],
  ['form-encoded',           basic('app%2D0001:s%5Fe%2Dcret'),   { id: 'app-0001', secret: 's_e-cret' }],
  ['a colon in the secret',  basic('app:one:two'),               { id: 'app', secret: 'one:two' }],
  ['an empty secret',        basic('app:'),                      { id: 'app', secret: '' }],
  ['any case of the scheme', basic('app:x').replace('B', 'b'),   { id: 'app', secret: 'x' }],
  ['no id',                  basic(':secret'),                   undefined],
  ['no colon',               basic('app'),                       undefined],
  ['a broken escape',        basic('app:%2'),                    undefined],
  ['bytes that are no text', basic('app:%ff'),                   undefined],
  ['another scheme',         'Bearer YXBwOng=',                  undefined],
  ['nothing',                undefined,                          undefined],
]
for (const [what, authorization, expected] of rows)
  test(`${what}: ${expected === undefined ? 'nobody' : 'the client'}`, () => expect(basicCredentials(authorization)).toEqual(expected))

test('ids and secrets that we give are the same, encoded and not', () => {
  const ours = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
  const escaped = (text: string): string => text.replaceAll('-', '%2D').replaceAll('_', '%5F')
  fc.assert(
    fc.property(ours, ours, (id, secret) => {
      expect(basicCredentials(basic(`${id}:${secret}`))).toEqual({ id, secret })
      expect(basicCredentials(basic(`${escaped(id)}:${escaped(secret)}`))).toEqual({ id, secret })
    }),
  )
})
