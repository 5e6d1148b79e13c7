import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthorizationProblem } from '../server/server-parts.ts'
import type { WebOrigin } from '../web.ts'
import { sendPage } from './answers.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { TextKey } from './texts.ts'
import { newVisit, type Visit, type VisitParts } from './visit.ts'

/** What a page can say of an error; anything else is said with the request's code alone. */
export type ErrorAbout = NonNullable<AuthorizationProblem['about']> | 'not-found' | 'app' | 'forged' | 'too-many' | 'away'

export type PageError = {
  readonly status: number
  readonly about?: ErrorAbout
  readonly retryAfterSeconds?: number
}

/** The page for a browser that cannot go on. It ends the answer. @see auth.md 14 (err.*), 15 */
export const createErrorPage =
  (parts: VisitParts): ErrorPage =>
  async (req, res, error, from) => {
    const visit = await newVisit(parts, req, res, from)
    sendError(visit, error)
  }

/** Takes what the authorization server tells of a problem (`RenderError`) as well. */
export type ErrorPage = (req: IncomingMessage, res: ServerResponse, error: PageError, from: WebOrigin) => Promise<void>

export const sendError = (visit: Visit, { status, about, retryAfterSeconds }: PageError): void => {
  if (retryAfterSeconds !== undefined) visit.res.setHeader('Retry-After', retryAfterSeconds)
  sendPage(visit, errorPage(visit, about), status)
}

const errorPage = (visit: Visit, about: ErrorAbout | undefined): Html => {
  const { say, from } = visit
  const key: TextKey | undefined = about === undefined ? undefined : `err.${about}`
  return layout(visit, {
    title: say('err.title'),
    here: '/account',
    body: html`
      <div class="card">
        <h1>${say('err.title')}</h1>
        ${key === undefined ? html`<p>${say('err.generic', { id: from.requestId })}</p>` : html`<p>${say(key)}</p><p class="small">${say('err.code', { id: from.requestId })}</p>`}
        <p class="beside"><a href="/account">${say('page.continue')}</a></p>
      </div>`,
  })
}
