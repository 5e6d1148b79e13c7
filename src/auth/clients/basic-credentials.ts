/** What a client says by Basic that it is. @see RFC 6749 2.3.1 */
export type BasicCredentials = { readonly id: string; readonly secret: string }

/**
 * Both halves are form-encoded by some clients, as OAuth wants it, and left alone by others, as SMART shows it; our own ids and secrets have nothing that the
 * two would read differently. Undefined for everything that is no Basic with a colon in it.
 */
export const basicCredentials = (authorization: string | undefined): BasicCredentials | undefined => {
  const encoded = /^basic +([A-Za-z0-9+/=]{1,2048})$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  const [id, secret] = [formDecoded(text.slice(0, colon)), formDecoded(text.slice(colon + 1))]
  return colon > 0 && id !== undefined && secret !== undefined ? { id, secret } : undefined
}

const formDecoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
