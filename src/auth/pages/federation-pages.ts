import { openLink } from '../accounts/links.ts'
import type { FederationRefusal, Finished, ShownProvider } from '../federation/federation.ts'
import { federationStepMs } from '../federation/federation-step.ts'
import { stepMs } from '../login-steps.ts'
import { redirect, sendPage } from './answers.ts'
import { arrivalProof, arrive, continueInteraction, isArrivalProof } from './door.ts'
import { sendError } from './error-page.ts'
import { type Fragment, type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { ownPath } from './own-path.ts'
import type { PagesParts } from './parts.ts'
import { type Page, type Pages, sendFailure } from './routing.ts'
import { endOther, stepPaths } from './session-change.ts'
import { browserOf, cookieIn, giveCookie, takeCookie, type Visit, withSession } from './visit.ts'

/** Signing in by an outside identity provider: there and back. @see auth.md 13 */

/** Links, not forms: browsers would hold the way to the provider against `form-action`. `query`: what the link brings along. */
export const providerButtons = (visit: Visit, providers: readonly ShownProvider[], query = ''): Fragment => {
  const { say, interaction } = visit
  const door = interaction === undefined ? '/login' : `/login/${interaction.uid}`
  const link = ({ id, name }: ShownProvider): Html =>
    html`<a class="button second" href="${`${door}/federation/${id}${query}`}">${say('login.with', { provider: name })}</a>`
  return providers.length > 0 && html`<div class="buttons">${providers.map(link)}</div>`
}

export const shownProviders = async ({ federation }: PagesParts): Promise<readonly ShownProvider[]> => (await federation?.shown()) ?? []

const start: Page = async ({ visit, parts, rest }) => {
  const { interaction, language, query } = visit
  const secret = query.get('invitation')
  const invitation = secret !== null && (await openLink(parts.accounts.ground, 'invitation', secret)) !== undefined ? secret : undefined
  const begun = await parts.federation?.begin(rest, {
    next: ownPath(query.get('next') ?? undefined),
    language,
    ...(interaction === undefined ? {} : { uid: interaction.uid }),
    ...(interaction?.again === undefined ? {} : { again: true }),
    ...(invitation === undefined ? {} : { invitation }),
  })
  if (begun?.ok === false) return sendFailure(visit, begun.failure)
  const value = begun?.value ?? { is: 'unknown' as const }
  switch (value.is) {
    case 'unknown':
      return sendError(visit, { status: 404, about: 'not-found' })
    case 'away':
      return sendRefusal(visit, 'away', interaction?.uid)
    default:
      giveCookie(visit, 'provider', value.token, federationStepMs)
      return redirect(visit.res, value.url)
  }
}

const comeBack: Page = async ({ visit, parts, rest }) => {
  const token = cookieIn(visit, 'provider') ?? ''
  const finished = await parts.federation?.finish(rest, token, visit.query, browserOf(visit))
  if (finished === undefined) return sendError(visit, { status: 404, about: 'not-found' })
  if (!finished.ok) return sendFailure(visit, finished.failure)
  const { value } = finished
  // What does not belong to what this browser began leaves that as it is.
  if (value.is === 'answered' || value.why !== 'forged') takeCookie(visit, 'provider')
  return value.is === 'refused' ? sendRefusal(visit, value.why, value.uid) : goOn(parts, visit, value)
}

/** To what is needed still, or to where it leads: an application goes on below its own address, where its cookie is. */
const goOn = async (parts: PagesParts, visit: Visit, { answer, next, uid }: Extract<Finished, { is: 'answered' }>): Promise<void> => {
  const door = uid === undefined ? '/login' : `/login/${uid}`
  switch (answer.is) {
    case 'needed': {
      giveCookie(visit, 'step', answer.token, stepMs)
      const to = uid === undefined ? `?next=${encodeURIComponent(ownPath(next))}` : ''
      return redirect(visit.res, `${door}${stepPaths[answer.needed]}${to}`)
    }
    case 'session': {
      await endOther(visit, answer.account.id)
      const now = await withSession(visit, answer)
      if (uid === undefined) return redirect(visit.res, ownPath(next))
      const proof = now.live === undefined ? '' : arrivalProof(parts.forms, uid, now.live)
      return redirect(visit.res, `${door}/arrived?${new URLSearchParams({ proof, ...(answer.enrolSoon ? { soon: 'yes' } : {}) })}`)
    }
    default:
      return redirect(visit.res, `${door}?why=over`)
  }
}

/** Signed in by a provider, for the application that waits. */
export const arrived: Page = async ({ visit, parts }) => {
  const proof = visit.query.get('proof') ?? undefined
  if (!visit.query.has('soon') || !isArrivalProof(parts.forms, visit, proof)) return continueInteraction(parts, visit, proof)
  return arrive(parts, visit, { enrolSoon: true }, undefined)
}

const refusals: Readonly<Record<FederationRefusal, { readonly status: number; readonly words: (visit: Visit) => string }>> = {
  over: { status: 400, words: ({ say }) => say('federation.over') },
  forged: { status: 400, words: ({ say }) => say('federation.forged') },
  cancelled: { status: 403, words: ({ say }) => say('federation.cancelled') },
  away: { status: 503, words: ({ say }) => say('federation.away') },
  unlinked: { status: 403, words: ({ say }) => say('federation.unlinked') },
  domain: { status: 403, words: ({ say }) => say('federation.domain') },
  account: { status: 403, words: ({ say }) => say('federation.account') },
}

/** Nothing is lost: the way back leads to where the login began. */
const sendRefusal = (visit: Visit, why: FederationRefusal, uid: string | undefined): void => {
  const { say, from } = visit
  const { status, words } = refusals[why]
  const door = uid === undefined ? '/login' : `/login/${uid}`
  const page = layout(visit, {
    title: say('federation.title'),
    failed: true,
    here: door,
    body: html`
      <div class="card">
        <h1>${say('federation.title')}</h1>
        <p class="lead">${words(visit)}</p>
        <p class="small">${say('err.code', { id: from.requestId })}</p>
        <p class="beside"><a href="${door}">${say('federation.back')}</a></p>
      </div>`,
  })
  sendPage(visit, page, status)
}

/** At `/login` and, for an application, at `/login/{uid}`. */
export const federationStart: Pages = { 'GET /federation/*': start }

/** Where providers send browsers back to, whoever waits: the path is `/{provider}`. */
export const federationCallback: Pages = { 'GET /*': comeBack }

/** The provider of `/login/federation/{provider}/callback`. */
export const callbackOf = (path: string): string | undefined => /^\/login\/federation\/([a-z0-9-]{1,64})\/callback$/.exec(path)?.[1]
