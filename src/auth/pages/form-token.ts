import { comesFromOurPage } from '../server/own-page.ts'
import type { Visit } from './visit.ts'
import { type Html, html } from './html.ts'

/**
 * The synchronizer token of a form: a signature over what this browser alone has, and over who is signed in. A form of another browser, of another
 * login, or of another site does not have it. @see auth.md 3, 17 (T6)
 */
export const formToken = ({ parts, formSecret, live }: Visit): string => parts.forms.sign(boundTo(formSecret, live?.session.key))

export const tokenField = (visit: Visit): Html => html`<input type="hidden" name="token" value="${formToken(visit)}">`

/** Whether a form was ours: by its token, and by where the browser says it comes from. A browser that says nothing is refused. */
export const isOurForm = (visit: Visit, token: string | undefined): boolean =>
  comesFromOurPage(visit.req, visit.parts.address.base) &&
  token !== undefined &&
  token.length <= tokenLengthMax &&
  visit.parts.forms.verify(token, boundTo(visit.formSecret, visit.live?.session.key))

const tokenLengthMax = 100

const boundTo = (formSecret: string, session: string | undefined): string => `form ${formSecret} ${session ?? '-'}`
