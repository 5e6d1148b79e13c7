import type { LiveSession } from '../sessions/sessions.ts'
import { redirect } from './answers.ts'
import type { FormBody } from './form-body.ts'
import { ownPath } from './own-path.ts'
import type { PagesParts } from './parts.ts'
import type { Page } from './routing.ts'
import type { Visit } from './visit.ts'

/** A page of the account, for whoever is signed in. */
export type AccountPage = (at: {
  readonly visit: Visit
  readonly live: LiveSession
  readonly parts: PagesParts
  readonly form: FormBody
  readonly rest: string
}) => Promise<void>

/** Who is not signed in does so first, and then comes back to the page. */
export const signedIn =
  (page: AccountPage): Page =>
  async ({ visit, ...at }) => {
    const { live } = visit
    if (live !== undefined) return page({ ...at, visit, live })
    const why = visit.hadSession ? 'why=ended&' : ''
    const path = visit.req.method === 'GET' ? visit.path : '/account'
    return redirect(visit.res, `/login?${why}next=${encodeURIComponent(ownPath(path))}`)
  }

/** A page that asks for a proof of the last 5 minutes sends for it, and is come back to. */
export const toStepUp = (visit: Visit, next: string): void => redirect(visit.res, `/account/verify?next=${encodeURIComponent(next)}`)
