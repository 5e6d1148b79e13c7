/** Whether the Host header names none of `hosts`. Without `hosts` every name will do: links are never built from it. */
export const hostIsForeign = (host: string | undefined, hosts: readonly string[] | undefined): boolean =>
  hosts !== undefined && !hosts.includes(withoutPort(host ?? '').toLowerCase())

const withoutPort = (host: string): string => host.replace(/:\d{1,5}$/, '')
