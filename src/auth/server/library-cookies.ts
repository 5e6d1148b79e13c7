import type { PublicAddress } from '../web.ts'

/** Names of the cookies of the library. Over https no neighbour can set the one of its session. */
export const libraryCookies = ({
  base,
}: PublicAddress): { readonly session: string; readonly interaction: string; readonly resume: string } => ({
  session: base.startsWith('https:') ? '__Host-simpul_oauth' : 'simpul_oauth',
  interaction: 'simpul_interaction',
  resume: 'simpul_resume',
})

/** Values by name; of one that comes twice the first counts, which is the one with the longer path. */
export const cookiesOf = (header: string | undefined): ReadonlyMap<string, string> => {
  const cookies = new Map<string, string>()
  for (const part of (header ?? '').split(';')) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(0, equals)).trim()
    if (name !== '' && !cookies.has(name)) cookies.set(name, part.slice(equals + 1).trim())
  }
  return cookies
}

/** The header without a cookie and its signature. */
export const withoutCookie = (header: string, name: string): string =>
  header
    .split(';')
    .filter(part => ![name, `${name}.sig`].includes(part.slice(0, Math.max(0, part.indexOf('='))).trim()))
    .join(';')
