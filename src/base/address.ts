/** The address of a store or server as people may see it: without user, password and options, any of which may be secret. */
export const shownAddress = (address: string): string => {
  const scheme = /^[a-z+]+:\/\//.exec(address)?.[0]
  if (scheme === undefined) return address
  // The last @, wherever it stands: in a badly written address a password may hold any sign.
  const place = address.slice(Math.max(scheme.length, address.lastIndexOf('@') + 1))
  return `${scheme}${/^[^?]*/.exec(place)?.[0] ?? ''}`
}
