/** Who is counted: headers are believed from our own proxies alone, and nobody can write himself another address. */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { callerOf, countedAs, isLocal } from '../../src/http/caller.ts'

const requestFrom = (peer: string, headers: Readonly<Record<string, string>> = {}): IncomingMessage => {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: peer })
  const req = new IncomingMessage(socket)
  Object.assign(req.headers, headers)
  return req
}

const proxies = ['10.0.0.0/8', '2001:db8:ffff::/48']
const caller = callerOf(proxies)
const proxy = '10.0.0.1'
const list = (value: string) => ({ 'x-forwarded-for': value })
const forwarded = (value: string) => ({ forwarded: value })

const rows: readonly (readonly [says: string, peer: string, headers: Readonly<Record<string, string>>, address: string])[] = [
  ['no proxy, no header', '198.51.100.7', {}, '198.51.100.7'],
  ['a stranger’s header', '198.51.100.7', list('192.0.2.1'), '198.51.100.7'],
  ['a stranger’s other header', '198.51.100.7', forwarded('for=192.0.2.1'), '198.51.100.7'],
  ['a proxy’s header', proxy, list('198.51.100.7'), '198.51.100.7'],
  ['a proxy, as IPv6 writes it', '::ffff:10.0.0.1', list('198.51.100.7'), '198.51.100.7'],
  ['what the client wrote before the proxy', proxy, list('192.0.2.1, 198.51.100.7'), '198.51.100.7'],
  ['two proxies of ours', proxy, list('192.0.2.1, 198.51.100.7, 10.9.9.9'), '198.51.100.7'],
  ['ours alone', proxy, list('10.9.9.9'), '10.9.9.9'],
  ['a port', proxy, list('198.51.100.7:4711'), '198.51.100.7'],
  ['IPv6, IPv6 with a port', proxy, list('[2001:db8::7]:4711'), '2001:db8::7'],
  ['one spelling of IPv6', proxy, list('2001:0DB8:0:0::7'), '2001:db8::7'],
  ['IPv4 within IPv6', proxy, list('::ffff:198.51.100.7'), '198.51.100.7'],
  ['no header although a proxy', proxy, {}, proxy],
  ['an empty header', proxy, list(''), proxy],
  ['a name', proxy, list('client.example'), proxy],
  ['a name before ours', proxy, list('client.example, 10.9.9.9'), '10.9.9.9'],
  ['a zone', proxy, list('fe80::1%eth0'), proxy],
  ['Forwarded', proxy, forwarded('for=198.51.100.7;proto=https;by=10.0.0.1'), '198.51.100.7'],
  ['Forwarded with quotes', proxy, forwarded('for=192.0.2.1, For="[2001:db8::7]:80";host=x'), '2001:db8::7'],
  ['Forwarded unknown', proxy, forwarded('for=198.51.100.7, for=unknown'), proxy],
  ['Forwarded hidden', proxy, forwarded('for=_secret'), proxy],
  ['Forwarded that says it twice', proxy, forwarded('for=198.51.100.7;for=198.51.100.8'), proxy],
  ['Forwarded that says nothing of it', proxy, forwarded('proto=https'), proxy],
  ['both headers, of one mind', proxy, { ...list('198.51.100.7'), ...forwarded('for=198.51.100.7') }, '198.51.100.7'],
  ['both headers, of two minds', proxy, { ...list('198.51.100.7'), ...forwarded('for=192.0.2.1') }, proxy],
]

describe('who calls', () => {
  for (const [says, peer, headers, address] of rows) {
    test(`${says}: ${address}`, () => expect(caller(requestFrom(peer, headers))).toBe(address))
  }

  test('without proxies is the peer, whatever is said', () => {
    expect(callerOf()(requestFrom(proxy, list('198.51.100.7')))).toBe(proxy)
  })

  test('is for no header a client writes another than the nearest that is not ours', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())), before => {
        const headers = list([...before, '198.51.100.7', '10.1.1.1'].join(', ').replaceAll(/[\r\n]/g, ''))
        expect(caller(requestFrom(proxy, headers))).toBe('198.51.100.7')
      }),
    )
  })
})

describe('what is counted', () => {
  const counts: readonly (readonly [address: string, as: string])[] = [
    ['198.51.100.7', '198.51.100.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['2001:db8::3:4:5:6', '2001:db8:0:0'],
    ['2001:db8::2:3:4:5:6', '2001:db8:0:2'],
    ['::1', '0:0:0:0'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
  ]
  for (const [address, as] of counts) test(`${address} as ${as}`, () => expect(countedAs(address)).toBe(as))
})

describe('a caller on this machine', () => {
  test('is one by its connection', () => {
    for (const peer of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.8.8.8']) expect(isLocal(requestFrom(peer))).toBe(true)
    for (const peer of ['10.0.0.1', '::', '0.0.0.0', '']) expect(isLocal(requestFrom(peer))).toBe(false)
  })

  test('is none whose request somebody passed on', () => {
    for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host'])
      expect(isLocal(requestFrom('127.0.0.1', { [name]: '' }))).toBe(false)
  })
})
