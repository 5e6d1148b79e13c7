import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import type { InteractionResults } from 'oidc-provider'
import { intersectScopes } from '../scopes/narrow.ts'
import { hasPlainScope, renderScopes } from '../scopes/scope.ts'
import { acrOf, isFresh, type Proof, type Session } from '../sessions/session.ts'
import type { LiveSession } from '../sessions/sessions.ts'
import type { WebOrigin } from '../web.ts'
import { needsPatient, readScopes } from './asked-scopes.ts'
import type { Interaction, Interactions } from './interaction.ts'
import { makeGrant, offlineMs } from './make-grant.ts'
import { ownSession } from './own-session.ts'
import { originOf } from './request-origin.ts'
import type { AuthorizationServerParts } from './server-parts.ts'
import { mayOpen, mayOpenEncounter, type Standing, type StepResults, standingFor, stepsOf, textOf } from './standing.ts'

type LibraryInteraction = Awaited<ReturnType<Provider['interactionDetails']>>

type InHand = {
  readonly kept: LibraryInteraction
  readonly standing: Standing
  readonly prompt: Interaction['prompt']
  readonly live?: LiveSession
  readonly again?: Interaction['again']
  readonly steps: StepResults
}

const prompts: ReadonlySet<string> = new Set(['login', 'select_patient', 'select_encounter', 'emergency', 'consent'])
/** Reasons for which who is signed in has to prove it again, and what then. */
const reasonsAgain: Readonly<Record<string, NonNullable<Interaction['again']>>> = {
  login_prompt: 'login',
  max_age: 'login',
  login_now: 'login',
  second_factor: 'factor',
}

/** How pages see authorization requests that wait, and how these go on. `provider` is the library as it is now. @see auth.md 7.2 */
export const createInteractions = (parts: AuthorizationServerParts, provider: () => Provider): Interactions => {
  /** Undefined also when somebody else is signed in by now than when the request began to ask. */
  const inHand = async (req: IncomingMessage, res: ServerResponse): Promise<InHand | undefined> => {
    const library = provider()
    const uid = library.createContext(req, res).cookies.get(library.cookieName('interaction'))
    const kept = uid === undefined ? undefined : await library.Interaction.find(uid)
    if (kept === undefined || !prompts.has(kept.prompt.name)) return undefined
    const prompt = kept.prompt.name as Interaction['prompt']
    const live = await ownSession(parts, req)
    const isSame = live !== undefined && kept.session?.uid === live.session.value.libraryUid && kept.session?.accountId === live.account.key
    if (prompt !== 'login' && !isSame) return undefined
    const steps = stepsOf(kept.lastSubmission)
    const standing = await standingFor(parts, { client: textOf(kept.params.client_id), params: kept.params, results: steps }, live)
    const again = againFor(kept, standing, parts.ground.clock())
    return { kept, prompt, standing, steps, ...(live !== undefined && { live }), ...(again !== undefined && { again }) }
  }

  const goOn = async (res: ServerResponse, kept: LibraryInteraction, result: InteractionResults): Promise<void> => {
    kept.result = result
    await kept.persist()
    res.writeHead(303, { Location: kept.returnTo, 'Content-Length': '0', 'Cache-Control': 'no-store' }).end()
  }

  const over = async (req: IncomingMessage, res: ServerResponse): Promise<void> =>
    parts.renderError(
      req,
      res,
      { status: 400, error: 'invalid_request', description: 'the request is over', about: 'expired' },
      originOf(req),
    )

  const stay = (res: ServerResponse, { kept }: InHand): void =>
    void res
      .writeHead(303, { Location: `${parts.address.base}/login/${kept.uid}`, 'Content-Length': '0', 'Cache-Control': 'no-store' })
      .end()

  return {
    async find(req, res) {
      const found = await inHand(req, res)
      if (found === undefined) return undefined
      const { kept, prompt, standing, live, again } = found
      const { client, scopes, patient, encounter } = standing
      const offline = hasPlainScope(scopes, 'offline_access')
      const { ui_locales: uiLocales } = kept.params
      return {
        uid: kept.uid,
        prompt,
        client,
        asked: scopes,
        redirectUri: textOf(kept.params.redirect_uri),
        ...(typeof uiLocales === 'string' && { uiLocales }),
        ...(live !== undefined && { session: live.session.key }),
        ...(patient !== undefined && { patient }),
        ...(encounter !== undefined && { encounter }),
        ...(offline && { offlineUntil: parts.ground.clock() + offlineMs(client, kept.params) }),
        ...(again !== undefined && { again }),
        ...(scopes.some(({ kind }) => kind === 'resource') && { asksProtected: true as const }),
      }
    },

    /** The session counts as it is in the store; one that is no newer than a request that asks for a fresh proof is sent back. */
    async loggedIn(req, res, session: Session) {
      const found = await inHand(req, res)
      if (found === undefined || found.prompt !== 'login') return over(req, res)
      const { kept, again } = found
      if ((again === 'factor' || again === 'login') && !isProvedSince(session.amr, kept)) return stay(res, found)
      const provedAt = Math.max(...session.amr.map(({ at }) => at))
      // Another session of the library belongs to it, or none yet.
      if (kept.session?.uid !== session.libraryUid) delete kept.session
      const login = {
        accountId: session.account,
        session: session.id,
        acr: `urn:simpul:acr:${acrOf(session.amr)}`,
        amr: session.amr.map(({ method }) => method),
        ts: Math.floor(provedAt / 1000),
        remember: false,
      }
      return goOn(res, kept, { ...kept.lastSubmission, login })
    },

    async patientChosen(req, res, patient) {
      const found = await inHand(req, res)
      if (found?.live === undefined || found.standing.launch !== undefined) return over(req, res)
      if (found.prompt !== 'select_patient' && found.prompt !== 'consent') return over(req, res)
      if (!(await mayOpen(parts, found.live, patient))) return stay(res, found)
      const { select_encounter: _, ...steps } = found.steps
      return goOn(res, found.kept, { ...steps, select_patient: { patient } })
    },

    async encounterChosen(req, res, encounter) {
      const found = await inHand(req, res)
      const patient = found?.standing.patient
      if (found?.live === undefined || patient === undefined || found.prompt !== 'select_encounter') return over(req, res)
      if (!(await mayOpenEncounter(parts, found.live, encounter, patient))) return stay(res, found)
      return goOn(res, found.kept, { ...found.steps, select_encounter: { encounter } })
    },

    async emergencyAnswered(req, res, opened) {
      const found = await inHand(req, res)
      if (found?.live === undefined || found.prompt !== 'emergency') return over(req, res)
      return goOn(res, found.kept, { ...found.steps, emergency: { opened } })
    },

    async allowed(req, res, texts, choice) {
      const found = await inHand(req, res)
      if (found?.live === undefined || found.prompt !== 'consent') return over(req, res)
      const { kept, live, standing } = found
      if (standing.next === 'launch-over') return goOn(res, kept, launchUsed)
      const ticked = readScopes(parts, standing.client, texts.join(' '))
      const scopes = intersectScopes(standing.scopes, ticked)
      if (scopes.length === 0 || (needsPatient(scopes) && standing.patient === undefined)) return goOn(res, kept, denied)
      const from: WebOrigin = originOf(req)
      // What was not said was not ticked.
      const protectedData = choice?.protectedData ?? false
      const grant = await makeGrant(parts, provider(), {
        standing: { ...standing, live },
        scopes,
        params: kept.params,
        protectedData,
        from,
      })
      if (grant === undefined) return goOn(res, kept, launchUsed)
      kept.params.scope = renderScopes(scopes)
      return goOn(res, kept, { ...found.steps, consent: { grantId: grant.jti } })
    },

    async refused(req, res) {
      const found = await inHand(req, res)
      return found === undefined ? over(req, res) : goOn(res, found.kept, denied)
    },
  }
}

const denied = { error: 'access_denied', error_description: 'the request was refused' }
const launchUsed = { error: 'invalid_request', error_description: 'the launch is not known, or was used' }

/** Undefined also once it was proved after the request began: then the session that lives is enough. */
const againFor = (kept: LibraryInteraction, { next, live }: Standing, now: number): Interaction['again'] | undefined => {
  if (next === 'other-user') return 'other-user'
  const asked = kept.prompt.name === 'login' ? kept.prompt.reasons.flatMap(reason => reasonsAgain[reason] ?? []) : []
  const amr = live?.session.value.amr ?? []
  if (asked.length === 0 || isProvedSince(amr, kept)) return undefined
  // A factor that was used a moment ago, and yet is too old for the application: pages would not ask for it again.
  return asked.includes('factor') && !isFresh(amr, true, now) ? 'factor' : 'login'
}

/** Whether somebody proved who they are after the request asked for it, to the millisecond: whoever signed in just before has to do it again. */
const isProvedSince = (amr: readonly Proof[], { prompt }: LibraryInteraction): boolean => {
  const { provedBefore } = prompt.details
  return typeof provedBefore === 'number' && amr.some(({ at }) => at > provedBefore)
}
