/** Lists of addresses decide who is believed and who is let in: in doubt nobody. */
import { describe, expect, test } from '@jest/globals'
import { isLoopback, isPrivate, within } from '../../src/config/addresses.ts'

const rows: readonly (readonly [
  says: string,
  list: (address: string) => boolean,
  inside: readonly string[],
  outside: readonly string[],
])[] = [
  ['loopback', isLoopback, ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'], ['128.0.0.1', '::2', '0.0.0.0', '::', 'localhost', '']],
  [
    'private',
    isPrivate,
    ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', '::ffff:10.0.0.1'],
    ['172.32.0.1', '11.0.0.1', '127.0.0.1', '169.254.1.1', 'fe80::1', '2001:db8::1', '8.8.8.8', '10.0.0.1 ', '10.1'],
  ],
  [
    'a list of ranges and addresses',
    within(['192.0.2.0/24', '2001:db8::/32', '198.51.100.7']),
    ['192.0.2.255', '2001:db8:1::1', '198.51.100.7', '::ffff:192.0.2.1'],
    ['192.0.3.0', '2001:db9::1', '198.51.100.8', '192.0.2.0/24', 'unknown'],
  ],
  ['an empty list', within([]), [], ['127.0.0.1', '::1']],
]

describe.each(rows)('%s', (_, list, inside, outside) => {
  for (const address of inside) test(`holds ${address}`, () => expect(list(address)).toBe(true))
  for (const address of outside) test(`does not hold "${address}"`, () => expect(list(address)).toBe(false))
})
