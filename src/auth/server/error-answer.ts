import type { KoaContextWithOIDC } from 'oidc-provider'
import { errorUri } from '../oauth-errors.ts'

type Answer = Pick<KoaContextWithOIDC, 'body' | 'response' | 'set'>

/** Errors of the library, in a body or on their way to an application, say where they are explained. @see auth.md 15 */
export const explainError = (ctx: Answer, base: string): void => {
  const { body } = ctx
  if (isError(body)) ctx.body = { ...body, ...errorUri(body.error, base) }
  const to: unknown = ctx.response.get('Location')
  const error = typeof to === 'string' && URL.canParse(to) ? errorIn(to) : undefined
  const { error_uri: uri } = error === undefined ? {} : errorUri(error, base)
  if (uri !== undefined) ctx.set('Location', `${to}&error_uri=${encodeURIComponent(uri)}`)
}

const isError = (body: unknown): body is { readonly error: string } =>
  typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string'

/** The library writes its parameters behind those that the redirect URI has, and names itself with each error (RFC 9207). */
const errorIn = (to: string): string | undefined => {
  const { searchParams } = new URL(to)
  return searchParams.has('iss') && !searchParams.has('code') ? searchParams.getAll('error').at(-1) : undefined
}
