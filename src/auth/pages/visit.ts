import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Browser } from '../login-answers.ts'
import { newSecret } from '../secrets.ts'
import { type BrowserCookie, cookieOf, dropCookie, setCookie } from '../sessions/browser-cookies.ts'
import { deviceMs } from '../sessions/device-cookies.ts'
import { findSession, type LiveSession, noteRequest } from '../sessions/sessions.ts'
import type { WebOrigin } from '../web.ts'
import type { Interaction } from '../server/interaction.ts'
import { type Language, languageOf } from './languages.ts'
import type { Fragment } from './html.ts'
import type { PagesParts } from './parts.ts'
import { type Say, sayIn } from './texts.ts'

/** What pages need to know who comes. */
export type VisitParts = Pick<PagesParts, 'accounts' | 'address' | 'forms' | 'frameAncestors'>

/** One request of a browser to a page: who comes, in which language, and what for. */
export type Visit = {
  readonly parts: VisitParts
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly from: WebOrigin
  readonly path: string
  readonly query: URLSearchParams
  /** Who is signed in. */
  readonly live?: LiveSession
  /** The browser has the cookie of a session that is over. */
  readonly hadSession: boolean
  readonly language: Language
  /** In which times are shown. */
  readonly zone: string
  readonly say: Say
  /** What forms of this browser are bound to. */
  readonly formSecret: string
  readonly interaction?: Interaction
  /** Above everything: an emergency that is open. */
  readonly banner?: Fragment
}

/** Looks at what the browser brought. A browser that never came gets what its forms are bound to. */
export const newVisit = async (parts: VisitParts, req: IncomingMessage, res: ServerResponse, from: WebOrigin): Promise<Visit> => {
  const { base } = parts.address
  const { ground, rules } = parts.accounts
  const url = new URL(req.url ?? '/', 'http://page.invalid')
  const cookie = cookieOf(req, 'sid', base)
  const live = cookie === undefined ? undefined : await findSession(ground, cookie)
  // Where the note fails somebody else noted, or ended, the session: the next request tells.
  if (live !== undefined) await noteRequest(ground, rules, live, from)
  const known = cookieOf(req, 'form', base)
  const formSecret = known !== undefined && /^[A-Za-z0-9_-]{43}$/.test(known) ? known : newSecret(ground.random)
  if (formSecret !== known) setCookie(res, 'form', formSecret, base)
  const visit: Visit = {
    parts,
    req,
    res,
    from,
    path: url.pathname,
    query: url.searchParams,
    ...(live === undefined ? {} : { live }),
    hadSession: cookie !== undefined && live === undefined,
    ...spoken(req, parts, live),
    zone: rules.zone,
    formSecret,
  }
  return visit
}

/** The visit of somebody whom an application sent. */
export const withInteraction = (visit: Visit, interaction: Interaction): Visit => ({
  ...visit,
  interaction,
  from: { ...visit.from, client: interaction.client.id },
  ...spoken(visit.req, visit.parts, visit.live, interaction.uiLocales),
})

const spoken = (
  req: IncomingMessage,
  parts: VisitParts,
  live: LiveSession | undefined,
  uiLocales?: string,
): { readonly language: Language; readonly say: Say } => {
  const chosen = cookieOf(req, 'language', parts.address.base)
  const acceptLanguage = req.headers['accept-language']
  const language = languageOf({
    ...(live === undefined ? {} : { account: live.account.value.locale }),
    ...(chosen === undefined ? {} : { chosen }),
    ...(uiLocales === undefined ? {} : { uiLocales }),
    ...(acceptLanguage === undefined ? {} : { acceptLanguage }),
  })
  return { language, say: sayIn(language) }
}

export const browserOf = ({ req, parts, from }: Visit): Browser => {
  const device = cookieOf(req, 'device', parts.address.base)
  return { origin: from, ...(device === undefined ? {} : { device }) }
}

export const cookieIn = ({ req, parts }: Visit, cookie: BrowserCookie): string | undefined => cookieOf(req, cookie, parts.address.base)

export const giveCookie = ({ res, parts }: Visit, cookie: BrowserCookie, value: string, ageMs?: number): void =>
  setCookie(res, cookie, value, parts.address.base, ageMs)

export const takeCookie = ({ res, parts }: Visit, cookie: BrowserCookie): void => dropCookie(res, cookie, parts.address.base)

/** A login: the cookies anew, and forms that were open before are void. The visit as it is from now on. */
export const withSession = async (
  visit: Visit,
  { cookie, device }: { readonly cookie: string; readonly device: string },
): Promise<Visit> => {
  const { ground } = visit.parts.accounts
  const formSecret = newSecret(ground.random)
  giveCookie(visit, 'sid', cookie)
  giveCookie(visit, 'device', device, deviceMs)
  giveCookie(visit, 'form', formSecret)
  takeCookie(visit, 'step')
  const live = await findSession(ground, cookie)
  const uiLocales = visit.interaction?.uiLocales
  return { ...visit, formSecret, ...(live === undefined ? {} : { live }), ...spoken(visit.req, visit.parts, live, uiLocales) }
}

/** Nobody is signed in any more. The device stays known. */
export const takeSession = (visit: Visit): void => {
  takeCookie(visit, 'sid')
  takeCookie(visit, 'step')
  takeCookie(visit, 'form')
}
