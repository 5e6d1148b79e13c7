import type { WebHandler } from '../web.ts'
import { aroundLogin, homePages } from './account-pages.ts'
import { appStartPages } from './app-start-pages.ts'
import { isAsset, serveAsset } from './assets.ts'
import { emergencyPages, withBanner } from './emergency-page.ts'
import { createErrorPage, type ErrorPage, sendError } from './error-page.ts'
import { errorsPages } from './errors-page.ts'
import { callbackOf, federationCallback } from './federation-pages.ts'
import { interactionPages } from './interaction-pages.ts'
import { linkPages } from './link-pages.ts'
import { loginSteps } from './login-pages.ts'
import type { PagesParts } from './parts.ts'
import { answer, type Pages } from './routing.ts'
import { securityPages } from './security-actions.ts'
import { newVisit, withInteraction } from './visit.ts'

/**
 * Sign-in and one's own account: HTML from the server, usable without script. @see auth.md 14
 *
 * `login` serves `/login` and all below, `account` serves `/account` and all below, `assets` serves `/login/assets/*`, which are the same for
 * everybody and never change under their name. Forms that were refused answer 422: that is what a limit by address counts.
 */
export type SignInPages = {
  readonly login: WebHandler
  readonly account: WebHandler
  readonly assets: WebHandler
  /** The page for whoever came with a browser and cannot go on; `createErrorPage` makes it alone. */
  readonly renderError: ErrorPage
}

export const createPages = (parts: PagesParts): SignInPages => ({
  login: async (req, res, from) => {
    const { pathname } = new URL(req.url ?? '/', 'http://page.invalid')
    if (isAsset(pathname)) return serveAsset(req, res, from)
    const visit = await newVisit(parts, req, res, from)
    const provider = callbackOf(pathname)
    if (provider !== undefined) return answer(federationCallback, parts, visit, `/${provider}`)
    const uid = uidOf(pathname)
    if (uid === undefined) return answer(ownDoor, parts, visit, pathname)
    const interaction = await parts.interactions?.find(req, res)
    if (res.writableEnded) return
    if (interaction === undefined || interaction.uid !== uid) return sendError(visit, { status: 400, about: 'expired' })
    return answer(
      interactionPages,
      parts,
      await withBanner(parts, withInteraction(visit, interaction)),
      pathname.slice(`/login/${uid}`.length),
    )
  },
  account: async (req, res, from) => {
    const visit = await newVisit(parts, req, res, from)
    return answer(accountPages, parts, await withBanner(parts, visit), visit.path)
  },
  assets: serveAsset,
  renderError: createErrorPage(parts),
})

const under = (prefix: string, pages: Pages): Pages =>
  Object.fromEntries(
    Object.entries(pages).map(([where, page]) => {
      const [method = '', path = ''] = where.split(' ')
      return [`${method} ${prefix}${path}`, page]
    }),
  )

const ownDoor: Pages = { ...under('/login', loginSteps), ...linkPages, ...aroundLogin, ...errorsPages }
const accountPages: Pages = { ...homePages, ...appStartPages, ...securityPages, ...emergencyPages }

/** Longer than any word of ours, so that neither is taken for the other. */
const uidOf = (path: string): string | undefined => /^\/login\/([A-Za-z0-9_-]{16,64})(?:\/|$)/.exec(path)?.[1]
