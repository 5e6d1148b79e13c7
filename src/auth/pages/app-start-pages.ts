import { type AccountPage, signedIn } from './account-guard.ts'
import { redirectOut, sendPage } from './answers.ts'
import { sendError } from './error-page.ts'
import { button, form, hidden, notice } from './form-parts.ts'
import { type Fragment, type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { makerWords } from './maker-words.ts'
import type { AppLaunches, EncounterRow, LaunchableApp, PatientRow } from './parts.ts'
import { encounterChoice, isPatientAlone, patientChoice, patientIn, type PatientsShown, searchText } from './patient-choice.ts'
import { choices, detailsOf } from './patient-words.ts'
import { type Pages, sendFailure } from './routing.ts'
import type { Visit } from './visit.ts'

/**
 * Applications that are opened out of the record: which one, for whom, at which visit. Every step is a form, so that neither a person nor the launch stands in an
 * address of ours; what may be launched is asked of the launch itself. @see auth.md 7.3
 */

/** Where the page *Apps* lists them. */
export const startableApps = (visit: Visit, apps: readonly LaunchableApp[]): Fragment => {
  const { say } = visit
  const rows = apps.map(app => ({ value: app.id, title: app.name, details: makerWords(visit, app) }))
  return html`
    <section class="card">
      <h2>${say('apps.open')}</h2>
      <p class="lead">${say('apps.openHint')}</p>
      ${form(visit, '/account/apps/open', choices(rows, 'client'))}
    </section>`
}

/** Addresses where the list itself may lead: who has nobody to choose goes on to the application at once. */
export const listLeadsTo = (visit: Visit, apps: readonly LaunchableApp[]): readonly string[] =>
  isPatientAlone(visit) ? apps.map(({ launchUri }) => launchUri) : []

type Start = Parameters<AccountPage>[0] & { readonly launches: AppLaunches; readonly app: LaunchableApp }

/** A step with an application that whoever is signed in may start: each step asks again, since forms can wait. */
const withApp =
  (step: (at: Start) => Promise<void>): AccountPage =>
  async at => {
    const { launches } = at.parts
    const app = await launches?.find(at.live, (at.form.one('client') ?? '').slice(0, 64))
    return launches === undefined || app === undefined ? sendError(at.visit, { status: 404, about: 'app' }) : step({ ...at, launches, app })
  }

const open = withApp(async at => {
  const own = await at.parts.patients.own(at.live)
  if (!own.ok) return sendFailure(at.visit, own.failure)
  const [only, ...more] = own.value
  // Nobody has to choose where there is no choice.
  if (only !== undefined && more.length === 0 && isPatientAlone(at.visit)) return forPatient(at, only)
  return sendStep(at, patientPage(at, { own: own.value }))
})

const search = withApp(async at => {
  const { visit, live, parts } = at
  if (isPatientAlone(visit)) return sendError(visit, { status: 403, about: 'not-found' })
  const { text, short } = searchText(at.form)
  const own = await parts.patients.own(live)
  if (!own.ok) return sendFailure(visit, own.failure)
  if (short) return sendStep(at, patientPage(at, { own: own.value, text, error: visit.say('picker.short') }), 422)
  const found = await parts.patients.find(live, text)
  return found.ok ? sendStep(at, patientPage(at, { own: own.value, text, found: found.value })) : sendFailure(visit, found.failure)
})

const choosePatient = withApp(async at => {
  const patient = await chosenPatient(at)
  if (patient !== undefined) await forPatient(at, patient)
})

const chooseEncounter = withApp(async at => {
  const patient = await chosenPatient(at)
  if (patient === undefined) return
  const encounter = at.form.one('encounter') ?? ''
  await launch(at, patient, encounter === '' ? undefined : encounter.slice(0, 64))
})

/** Chosen is only whom the user may see: the id comes from a form. Undefined: the answer was given. */
const chosenPatient = async (at: Start): Promise<PatientRow | undefined> => {
  const patient = patientIn(at.form)
  const seen = patient === undefined ? undefined : await at.parts.patients.byId(at.live, patient)
  if (seen?.ok === false) sendFailure(at.visit, seen.failure)
  else if (seen?.value === undefined) await sendGone(at)
  return seen?.ok === true ? seen.value : undefined
}

const sendGone = async (at: Start): Promise<void> => {
  const own = await at.parts.patients.own(at.live)
  return own.ok ? sendStep(at, patientPage(at, { own: own.value, gone: true }), 422) : sendFailure(at.visit, own.failure)
}

/** Its visits where the application may ask for one, and there is one; else the application. */
const forPatient = async (at: Start, patient: PatientRow): Promise<void> => {
  const rows = at.app.ofEncounters ? await at.parts.patients.encounters(at.live, patient.id) : undefined
  if (rows?.ok === false) return sendFailure(at.visit, rows.failure)
  return rows === undefined || rows.value.length === 0 ? launch(at, patient) : sendStep(at, encounterPage(at, patient, rows.value))
}

const launch = async (at: Start, patient: PatientRow, encounter?: string): Promise<void> => {
  const { visit, live, launches, app } = at
  const made = await launches.start(live, { clientId: app.id, patient: patient.id, ...(encounter === undefined ? {} : { encounter }) })
  if (!made.ok) return sendFailure(visit, made.failure)
  if (made.value.is === 'made') return redirectOut(visit.res, made.value.url)
  const { why } = made.value
  if (why === 'patient') return sendGone(at)
  return sendError(visit, why === 'clientId' ? { status: 404, about: 'app' } : { status: 422, about: 'launch' })
}

const sendStep = ({ visit, app }: Start, page: Html, status = 200): void => sendPage(visit, page, status, [app.launchUri])

const patientPage = ({ visit, app }: Start, shown: PatientsShown): Html => {
  const { say } = visit
  const forms = { search: '/account/apps/patients', choose: '/account/apps/patient', carried: hidden('client', app.id) }
  const nobody = isPatientAlone(visit) && shown.own.length === 0 && shown.gone !== true
  return stepPage(visit, {
    title: say('picker.title'),
    failed: shown.error !== undefined || shown.gone === true,
    lead: say('picker.for', { app: app.name }),
    body: [nobody && notice('note', html`<p>${say('picker.none')}</p>`), patientChoice(visit, forms, shown)],
  })
}

const encounterPage = ({ visit, app }: Start, patient: PatientRow, rows: readonly EncounterRow[]): Html => {
  const { say } = visit
  const action = '/account/apps/encounter'
  const carried = [hidden('client', app.id), hidden('patient', patient.id)]
  return stepPage(visit, {
    title: say('visit.title'),
    lead: say('visit.for', { app: app.name }),
    body: [
      html`<div class="who"><p><strong>${say('consent.patient', { patient: patient.name })}</strong><br><span class="small">${detailsOf(visit, patient)}</span></p></div>`,
      encounterChoice(visit, action, rows, carried),
      html`<div class="beside">${form(visit, action, [carried, button(say('visit.without'), 'second')])}</div>`,
    ],
  })
}

type Step = { readonly title: string; readonly lead: string; readonly failed?: boolean; readonly body: Fragment }

const stepPage = (visit: Visit, { title, lead, failed = false, body }: Step): Html =>
  layout(visit, {
    title,
    width: 'list',
    failed,
    here: '/account/apps',
    body: html`
      <div class="card">
        <h1>${title}</h1>
        <p class="lead">${lead}</p>
        ${body}
        <div class="buttons"><a class="button second" href="/account/apps">${visit.say('page.cancel')}</a></div>
      </div>`,
  })

export const appStartPages: Pages = {
  'POST /account/apps/open': signedIn(open),
  'POST /account/apps/patients': signedIn(search),
  'POST /account/apps/patient': signedIn(choosePatient),
  'POST /account/apps/encounter': signedIn(chooseEncounter),
}
