import helmet, { type HelmetOptions } from 'helmet'

/** Headers of security, made once: helmet is asked what it would set, and every answer carries that. @see auth.md 16 */

export type SecurityOptions = {
  /** The public address is https. */
  readonly https: boolean
  /** Origins that may frame the pages; none unless said otherwise. */
  readonly frameAncestors?: readonly string[]
}

const yearSeconds = 31_536_000

/** What helmet would add and section 16 does not ask for: older browsers' switches, and what has no meaning for an API. */
const left = {
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
} as const satisfies HelmetOptions

const everywhere = ({ https }: SecurityOptions) =>
  ({
    ...left,
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: https && { maxAge: yearSeconds, includeSubDomains: true },
  }) satisfies HelmetOptions

/** Of the FHIR API and all that is no page, as flat pairs of name and value. */
export const apiSecurity = (options: SecurityOptions): readonly string[] =>
  headersOf({
    ...everywhere(options),
    contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } },
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  })

/** Of pages. One that leads to another origin by a form names it in a policy of its own, in place of this one. */
export const pageSecurity = (options: SecurityOptions): readonly string[] => {
  const ancestors = options.frameAncestors ?? []
  return headersOf({
    ...everywhere(options),
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'script-src': ["'self'"],
        'form-action': ["'self'"],
        'frame-ancestors': ancestors.length === 0 ? ["'none'"] : [...ancestors],
        'base-uri': ["'none'"],
      },
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginOpenerPolicy: { policy: 'same-origin-allow-popups' },
    xFrameOptions: ancestors.length === 0 && { action: 'deny' },
  })
}

const headersOf = (options: HelmetOptions): readonly string[] => {
  const flat: string[] = []
  const collecting = { setHeader: (name: string, value: string) => void flat.push(name, value), removeHeader: () => undefined }
  // helmet takes a request and a response; of these it uses nothing else.
  helmet(options)({} as never, collecting as never, (error?: unknown) => {
    if (error !== undefined) throw error
  })
  return flat
}
