import { factorsOf, hasFactor } from '../factors/factor-set.ts'
import { isFresh } from '../sessions/session.ts'
import { redirect } from './answers.ts'
import { showConsent, takeConsent } from './consent-page.ts'
import { continueInteraction, doorOf, finish } from './door.ts'
import { showEmergencyStep, takeEmergencyStep, withoutEmergency } from './emergency-page.ts'
import { arrived } from './federation-pages.ts'
import { loginSteps, showLogin } from './login-pages.ts'
import { chooseEncounter, choosePatient, searchPatients, showEncounters, showPatients } from './picker-pages.ts'
import type { Page, Pages } from './routing.ts'
import { showStepUp, takeStepUp } from './step-up.ts'
import type { Interaction } from '../server/interaction.ts'

/** What an application waits for, at `/login/{uid}`: login, patient, visit, emergency, consent, in the order that the authorization server says. @see auth.md 7.2 */

/** The page in hand. A session that lives is taken as it is, unless a login of now is asked for. */
const showPrompt: Page = async at => {
  const { visit, parts } = at
  const { interaction, live } = visit
  switch (interaction?.prompt) {
    case 'select_patient':
      return showPatients(at)
    case 'select_encounter':
      return showEncounters(at)
    case 'emergency':
      return showEmergencyStep(at)
    case 'consent':
      return showConsent(at)
    default:
      if (live === undefined) return showLogin(at)
      if (interaction?.again === undefined) return finish(parts, visit, live)
      return interaction.again === 'factor' ? showFactor(at) : showLogin(at)
  }
}

/**
 * A second factor of now. Who has none sets one up, and comes back with `set`: that counts as its first use. Without the word a code is asked for in any
 * case, for the authorization server has found that what was proved before is not enough.
 */
const showFactor: Page = async ({ visit, parts }) => {
  const { live } = visit
  if (live === undefined) return redirect(visit.res, doorOf(visit))
  const { ground } = parts.accounts
  if (!hasFactor(await factorsOf(ground, live.account.key)))
    return redirect(visit.res, `/account/security/factor?next=${encodeURIComponent(`${doorOf(visit)}?set=up`)}`)
  if (visit.query.get('set') === 'up' && isFresh(live.session.value.amr, true, ground.clock())) return finish(parts, visit, live)
  return showStepUp(parts, visit, live, `${doorOf(visit)}/again`, '/account')
}

const takeFactor: Page = async ({ visit, parts, form }) => {
  const { live } = visit
  if (live === undefined) return redirect(visit.res, doorOf(visit))
  const now = await takeStepUp(parts, visit, live, form, { action: `${doorOf(visit)}/again`, next: '/account' })
  if (now !== undefined) return finish(parts, visit, now)
}

const refuse: Page = async ({ visit, parts }) => parts.interactions?.refused(visit.req, visit.res)

type Prompt = Interaction['prompt']

/** A page of one prompt is not there while another one waits: a form that was sent late does nothing. */
const during =
  (prompts: readonly Prompt[], page: Page): Page =>
  async at => {
    const { interaction } = at.visit
    return interaction !== undefined && prompts.includes(interaction.prompt) ? page(at) : redirect(at.visit.res, doorOf(at.visit))
  }

const picking: readonly Prompt[] = ['select_patient', 'consent']

/** Below `/login/{uid}`. The shown patient may be changed while consent is asked. */
export const interactionPages: Pages = {
  ...Object.fromEntries(Object.entries(loginSteps).map(([where, page]) => [where, during(['login'], page)])),
  'GET ': showPrompt,
  'GET /again': during(['login'], showFactor),
  'POST /again': during(['login'], takeFactor),
  'POST /continue': during(['login'], async ({ visit, parts, form }) => continueInteraction(parts, visit, form.one('arrived'))),
  'GET /patient': during(picking, showPatients),
  'GET /patients': async ({ visit }) => redirect(visit.res, doorOf(visit)),
  'POST /patients': during(picking, searchPatients),
  'POST /patient': during(picking, choosePatient),
  'POST /encounter': during(['select_encounter'], chooseEncounter),
  'GET /encounter': async ({ visit }) => redirect(visit.res, doorOf(visit)),
  'GET /emergency': async ({ visit }) => redirect(visit.res, doorOf(visit)),
  'POST /emergency': during(['emergency'], takeEmergencyStep),
  'POST /without': during(['emergency'], withoutEmergency),
  'GET /consent': async ({ visit }) => redirect(visit.res, doorOf(visit)),
  'POST /consent': during(['consent'], takeConsent),
  'POST /refuse': refuse,
  'GET /arrived': during(['login'], arrived),
}
