import type { ServerResponse } from 'node:http'
import type { Html } from './html.ts'
import type { Visit } from './visit.ts'

/**
 * What pages answer with. Nothing of it is kept by a browser or on the way, and nothing of it runs that is not ours. `leadsTo`: addresses of applications where
 * a form of the page may end. @see auth.md 14, 16
 */
export const sendPage = (
  { res, parts, interaction, req }: Pick<Visit, 'res' | 'parts' | 'interaction' | 'req'>,
  page: Html,
  status = 200,
  leadsTo: readonly string[] = [],
): void => {
  const body = Buffer.from(page.toString())
  setPageHeaders(res, {
    frameAncestors: parts.frameAncestors ?? [],
    leadsTo: interaction === undefined ? leadsTo : [interaction.redirectUri, ...leadsTo],
  })
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  res.setHeader('Content-Length', body.length)
  res.writeHead(status)
  res.end(req.method === 'HEAD' ? undefined : body)
}

/** To a page of ours, after a form. */
export const redirect = (res: ServerResponse, path: string): void => {
  setPageHeaders(res, { frameAncestors: [], leadsTo: [] })
  res.writeHead(303, { Location: path, 'Content-Length': 0 })
  res.end()
}

/** Out of our pages, after a form: to an application, which is not told from where. */
export const redirectOut = (res: ServerResponse, url: string): void => {
  setPageHeaders(res, { frameAncestors: [], leadsTo: [] })
  res.setHeader('Referrer-Policy', 'no-referrer')
  res.writeHead(303, { Location: url, 'Content-Length': 0 })
  res.end()
}

/** Also for answers that the authorization server ends: its redirects after a form are followed only where `form-action` says so. */
const setPageHeaders = (
  res: ServerResponse,
  at: { readonly frameAncestors: readonly string[]; readonly leadsTo: readonly string[] },
): void => {
  const { frameAncestors, leadsTo } = at
  const ancestors = frameAncestors.length === 0 ? "'none'" : frameAncestors.join(' ')
  const targets = new Set(leadsTo.flatMap(uri => formTarget(uri) ?? []))
  const directives = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' data:",
    "script-src 'self'",
    ["form-action 'self'", ...targets].join(' '),
    `frame-ancestors ${ancestors}`,
    "base-uri 'none'",
  ]
  res.setHeader('Content-Security-Policy', directives.join('; '))
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('Pragma', 'no-cache')
  res.setHeader('X-Content-Type-Options', 'nosniff')
  // With `no-referrer` browsers would say `Origin: null` of our own forms.
  res.setHeader('Referrer-Policy', 'same-origin')
  res.setHeader('Cross-Origin-Opener-Policy', 'same-origin-allow-popups')
  if (frameAncestors.length === 0) res.setHeader('X-Frame-Options', 'DENY')
  else res.removeHeader('X-Frame-Options')
}

/** Browsers hold the redirect after a form against `form-action`: the origin of a web application, the scheme of a native one. */
export const formTarget = (redirectUri: string): string | undefined => {
  if (!URL.canParse(redirectUri)) return undefined
  const { origin, protocol } = new URL(redirectUri)
  const target = protocol === 'http:' || protocol === 'https:' ? origin : protocol
  return /^[a-z][a-z0-9+.-]*:(?:\/\/[a-z0-9.-]+(?::\d{1,5})?|\/\/\[[0-9a-f:]+\](?::\d{1,5})?)?$/.test(target) ? target : undefined
}
