import { statusOf, type Failure } from '../../base/outcome.ts'
import { sendError } from './error-page.ts'
import { type FormBody, readForm } from './form-body.ts'
import { isOurForm } from './form-token.ts'
import type { PagesParts } from './parts.ts'
import type { Visit } from './visit.ts'

/** A page. `form`: what was sent to it; it is ours, and has none where the page was only asked for. `rest`: what its path ends with. */
export type Page = (at: {
  readonly visit: Visit
  readonly parts: PagesParts
  readonly form: FormBody
  readonly rest: string
}) => Promise<void>

/** Pages by method and path; `POST /login/reset/*` takes one segment more, which the page gets as `rest`. */
export type Pages = Readonly<Record<string, Page>>

const noForm: FormBody = { one: () => undefined, all: () => [] }

/** Finds the page and, where a form comes, makes sure that it is ours before anything is looked at. */
export const answer = async (pages: Pages, parts: PagesParts, visit: Visit, path: string): Promise<void> => {
  const { method } = visit.req
  const kind = method === 'HEAD' ? 'GET' : (method ?? '')
  const found = find(pages, kind, path)
  if (found === undefined) {
    const other = find(pages, kind === 'GET' ? 'POST' : 'GET', path)
    if (other !== undefined) visit.res.setHeader('Allow', kind === 'GET' ? 'POST' : 'GET, HEAD')
    return sendError(visit, { status: other === undefined ? 404 : 405, about: 'not-found' })
  }
  const { page, rest } = found
  if (kind === 'GET') return page({ visit, parts, form: noForm, rest })
  const form = await readForm(visit.req)
  if (form === undefined) return sendError(visit, { status: 400 })
  if (!isOurForm(visit, form.one('token'))) return sendError(visit, { status: 403, about: 'forged' })
  return page({ visit, parts, form, rest })
}

const find = (pages: Pages, method: string, path: string): { readonly page: Page; readonly rest: string } | undefined => {
  const whole = `${method} ${path}`
  if (Object.hasOwn(pages, whole) && pages[whole] !== undefined) return { page: pages[whole], rest: '' }
  const slash = path.lastIndexOf('/')
  const open = `${method} ${path.slice(0, slash)}/*`
  return Object.hasOwn(pages, open) && pages[open] !== undefined ? { page: pages[open], rest: path.slice(slash + 1) } : undefined
}

/** What did not work for reasons of the house: a queue that is full, a store that is away. */
export const sendFailure = (visit: Visit, failure: Failure): void => {
  const status = statusOf(failure)
  const { retryAfterSeconds } = failure
  sendError(visit, {
    status,
    ...(status === 503 || status === 429 ? { about: status === 429 ? 'too-many' : 'away' } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  })
}
