/**
 * Argon2id hashes as PHC strings: `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`, salt and tag in base64 without padding.
 * @see https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
 */
export type Argon2idHash = Argon2idCost & { readonly salt: Buffer; readonly tag: Buffer }

/** `memory` in KiB. */
export type Argon2idCost = { readonly memory: number; readonly passes: number; readonly lanes: number }

const pattern = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/

/** What one hash may cost, wherever its parameters came from. */
const memoryMax = 256 * 1024
const passesMax = 16
const lanesMax = 8

export const writePhc = ({ memory, passes, lanes, salt, tag }: Argon2idHash): string =>
  `$argon2id$v=19$m=${memory},t=${passes},p=${lanes}$${base64(salt)}$${base64(tag)}`

/** Undefined for anything that is no such hash, or would cost too much to check. */
export const readPhc = (text: string): Argon2idHash | undefined => {
  const parts = pattern.exec(text)
  if (parts === null) return undefined
  const [memory, passes, lanes] = parts.slice(1, 4).map(Number) as [number, number, number]
  if (lanes < 1 || lanes > lanesMax || passes < 1 || passes > passesMax || memory < 8 * lanes || memory > memoryMax) return undefined
  return { memory, passes, lanes, salt: Buffer.from(parts[4] as string, 'base64'), tag: Buffer.from(parts[5] as string, 'base64') }
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
