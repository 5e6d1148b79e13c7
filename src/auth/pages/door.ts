import type { LoggedIn, LoginNotes } from '../login-answers.ts'
import { backupCodesFew } from '../factors/backup-codes.ts'
import type { Signing } from '../keys/signing.ts'
import type { LiveSession } from '../sessions/sessions.ts'
import { redirect, sendPage } from './answers.ts'
import { sendError } from './error-page.ts'
import { button, form, hidden, notice } from './form-parts.ts'
import { type Fragment, type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { ownPath } from './own-path.ts'
import type { PagesParts } from './parts.ts'
import type { Visit } from './visit.ts'

/**
 * Where somebody comes in: by our own door, to a page of the account (`next`), or for an application that waits. The steps of a login are the same at
 * both; only where they lead differs.
 */
export const doorOf = ({ interaction }: Visit): string => (interaction === undefined ? '/login' : `/login/${interaction.uid}`)

/** Of a door, with where our own leads to. */
export const within = (visit: Visit, step: string, next: string | undefined): string =>
  `${doorOf(visit)}${step}${visit.interaction === undefined && next !== undefined ? `?next=${encodeURIComponent(ownPath(next))}` : ''}`

/** Signed in. What has to be shown first is shown; then it goes on. */
export const arrive = async (parts: PagesParts, visit: Visit, notes: ArrivalNotes, next: string | undefined): Promise<void> => {
  const { live, interaction } = visit
  if (live === undefined) return redirect(visit.res, '/login?why=ended')
  if (interaction === undefined) {
    return notes.backupCodes === undefined
      ? redirect(visit.res, ownPath(next))
      : sendPage(
          visit,
          backupCodesPage(
            visit,
            notes.backupCodes,
            html`<a class="button first" href="${ownPath(next)}">${visit.say('mfa.codesSaved')}</a>`,
          ),
        )
  }
  if (notes.backupCodes !== undefined)
    return sendPage(visit, backupCodesPage(visit, notes.backupCodes, goOn(visit, live, visit.say('mfa.codesSaved'))))
  const words = noticesOf(visit, notes)
  return words.length === 0 ? finish(parts, visit, live) : sendPage(visit, noticePage(visit, words, live))
}

export type ArrivalNotes = LoginNotes & Partial<Pick<LoggedIn, 'enrolSoon' | 'passwordDaysLeft'>>

/** Back to the application. */
export const finish = async ({ interactions }: PagesParts, { req, res }: Visit, live: LiveSession): Promise<void> =>
  interactions?.loggedIn(req, res, live.session.value)

/** Shows that a login was for this interaction: after a notice it goes on without another one. */
const arrivedText = (uid: string, session: string): string => `arrived ${uid} ${session}`

export const arrivalProof = (forms: Signing, uid: string, live: LiveSession): string => forms.sign(arrivedText(uid, live.session.key))

export const isArrivalProof = (forms: Signing, { live, interaction }: Visit, proof: string | undefined): boolean =>
  live !== undefined &&
  interaction !== undefined &&
  proof !== undefined &&
  forms.verify(proof, arrivedText(interaction.uid, live.session.key))

const goOn = (visit: Visit, live: LiveSession, words: string): Html => {
  const uid = visit.interaction?.uid ?? ''
  const proof = arrivalProof(visit.parts.forms, uid, live)
  return form(visit, `/login/${uid}/continue`, html`${hidden('arrived', proof)}${button(words)}`)
}

/** The button of a notice. */
export const continueInteraction = async (parts: PagesParts, visit: Visit, proof: string | undefined): Promise<void> => {
  const { live } = visit
  if (live === undefined || !isArrivalProof(parts.forms, visit, proof)) return sendError(visit, { status: 403, about: 'forged' })
  return finish(parts, visit, live)
}

/** What a user should do soon, in words. */
export const noticesOf = ({ say }: Visit, { fewBackupCodes, enrolSoon, passwordDaysLeft }: ArrivalNotes): readonly string[] => [
  ...(enrolSoon === true ? [say('mfa.soon')] : []),
  ...(fewBackupCodes === true ? [say('mfa.few')] : []),
  ...(passwordDaysLeft === undefined ? [] : [say('password.ending', { days: passwordDaysLeft })]),
]

export const areFew = (codes: number): boolean => codes < backupCodesFew

const noticePage = (visit: Visit, words: readonly string[], live: LiveSession): Html =>
  layout(visit, {
    title: visit.say('notice.title'),
    here: doorOf(visit),
    body: html`
      <div class="card">
        <h1>${visit.say('notice.title')}</h1>
        ${words.map(one => notice('note', html`<p>${one}</p>`))}
        ${goOn(visit, live, visit.say('page.continue'))}
      </div>`,
  })

/** They are kept nowhere as they are, so this page answers the form itself; asking for it again shows them no more. */
export const backupCodesPage = (visit: Visit, codes: readonly string[], onward: Fragment): Html =>
  layout(visit, {
    title: visit.say('mfa.codesTitle'),
    here: visit.live === undefined ? doorOf(visit) : visit.interaction === undefined ? '/account/security' : doorOf(visit),
    body: html`
      <div class="card">
        <h1>${visit.say('mfa.codesTitle')}</h1>
        <p class="lead">${visit.say('mfa.codesHint')}</p>
        <ul class="codes">${codes.map(code => html`<li>${code}</li>`)}</ul>
        ${onward}
      </div>`,
  })
