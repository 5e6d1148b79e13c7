import { BlockList, isIP } from 'node:net'

/** Lists of IP addresses, as variables hold them: with commas between, bounded. */

const entriesMax = 32

const entriesOf = (text: string): readonly string[] => text.split(',').map(entry => entry.trim())

/** Single addresses; undefined when one is none. */
export const addressesOf = (text: string): readonly string[] | undefined => {
  const entries = entriesOf(text)
  return entries.length <= entriesMax && entries.every(entry => isIP(entry) !== 0) ? entries : undefined
}

/** Addresses and CIDR ranges; undefined when one is neither. */
export const rangesOf = (text: string): readonly string[] | undefined => {
  const entries = entriesOf(text)
  return entries.length <= entriesMax && entries.every(isRange) ? entries : undefined
}

const isRange = (entry: string): boolean => {
  const [address = '', bits, ...more] = entry.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

/** Whether an address is one of those in `ranges`; an IPv4 address also when it is written as IPv6. */
export const within = (ranges: readonly string[]): ((address: string) => boolean) => {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = familyOf(address)
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return address => isIP(address) !== 0 && list.check(address, familyOf(address))
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Never routed in the open: RFC 1918, RFC 4193. */
export const isPrivate = within(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'])

export const isLoopback = within(['127.0.0.0/8', '::1'])
