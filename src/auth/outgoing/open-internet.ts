import { within } from '../../config/addresses.ts'

/** Globally reachable unicast addresses of IPv6. @see https://www.iana.org/assignments/iana-ipv6-special-registry */
const globalV6 = within(['2000::/3'])

/** What of them is for tunnels, documentation and tests: a tunnel leads to whatever address is written inside it. */
const specialV6 = within(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])

/** @see https://www.iana.org/assignments/iana-ipv4-special-registry */
const specialV4 = within([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
])

/** Whether an address lies in the open internet: not of this machine, not of a network around it, not of a cloud's metadata service, and for one receiver. */
export const isOpenInternet = (address: string): boolean =>
  address.includes(':') ? globalV6(address) && !specialV6(address) : !specialV4(address)
