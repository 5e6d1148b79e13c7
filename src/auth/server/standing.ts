import type { KoaContextWithOIDC } from 'oidc-provider'
import { isStaff } from '../accounts/account.ts'
import type { Client } from '../clients/client.ts'
import { sessionPrincipal } from '../principal/person.ts'
import type { SmartScope } from '../scopes/scope.ts'
import { type LiveSession, sessionById, sessionByLibraryUid, tieLibrarySession } from '../sessions/sessions.ts'
import { findLaunch, type KeptLaunch } from '../smart/launch-record.ts'
import { needsEncounter, needsPatient, scopesForPerson } from './asked-scopes.ts'
import type { AuthorizationServerParts } from './server-parts.ts'

/** How far one authorization request has come: read anew at each of its steps. */
export type Standing = {
  readonly client: Client
  readonly live?: LiveSession
  /** Requested ∩ registered ∩ roles, once somebody is signed in. */
  readonly scopes: readonly SmartScope[]
  readonly launch?: KeptLaunch
  readonly patient?: string
  readonly encounter?: string
  readonly next: 'login' | 'other-user' | 'launch-over' | 'select_patient' | 'no-patient' | 'select_encounter' | 'agree'
}

/** What our steps leave in the result of an interaction, beside the library's own. */
export type StepResults = {
  readonly login?: { readonly accountId: string; readonly session?: string }
  readonly select_patient?: { readonly patient: string }
  readonly select_encounter?: { readonly encounter: string }
  /** The screen for emergency access was seen; whether one was opened stands in its own record. */
  readonly emergency?: { readonly opened: boolean }
  readonly consent?: { readonly grantId?: string }
}

/** The parameters of the request, and what its steps have left so far. */
export type RequestInHand = { readonly client: string; readonly params: Readonly<Record<string, unknown>>; readonly results: StepResults }

/** The library keeps what it is given, and knows less of it. */
export const stepsOf = (result: object | undefined): StepResults => (result ?? {}) as StepResults

const standings = new WeakMap<KoaContextWithOIDC, Promise<Standing>>()

/** Once for each request to the library. */
export const standingOf = (parts: AuthorizationServerParts, ctx: KoaContextWithOIDC): Promise<Standing> => {
  const known = standings.get(ctx)
  if (known !== undefined) return known
  const { params = {}, client, result } = ctx.oidc
  const results = stepsOf(result)
  const standing = liveOf(parts, ctx).then(live => standingFor(parts, { client: client?.clientId ?? '', params, results }, live))
  standings.set(ctx, standing)
  return standing
}

/** Our session behind the library's; one that has just been logged in is tied to it. */
export const liveOf = async ({ ground }: AuthorizationServerParts, ctx: KoaContextWithOIDC): Promise<LiveSession | undefined> => {
  const { session, result } = ctx.oidc
  const { login } = stepsOf(result)
  if (session?.accountId === undefined) return undefined
  for (let round = 0; round < roundsMax; round++) {
    const live = login?.session === undefined ? await sessionByLibraryUid(ground, session.uid) : await sessionById(ground, login.session)
    if (live === undefined || live.account.key !== session.accountId) return undefined
    if (live.session.value.libraryUid === session.uid) return live
    const tied = await tieLibrarySession(ground, live, session.uid)
    if (!tied.ok) return undefined
  }
  return undefined
}

/** Others note requests in the same row. */
const roundsMax = 5

export const standingFor = async (parts: AuthorizationServerParts, request: RequestInHand, live?: LiveSession): Promise<Standing> => {
  const { params, results } = request
  const client = await parts.clients.find(request.client)
  if (client === undefined) throw new Error('The client is gone')
  const scopes = scopesForPerson(parts, client, textOf(params.scope), live?.account.value)
  const launch = await findLaunch(parts.ground, textOf(params.launch), client.id)
  const base = { client, scopes, ...(live !== undefined && { live }), ...(launch !== undefined && { launch }) }
  if (live === undefined) return { ...base, next: 'login' }
  // The launch is used up by now.
  if (results.consent?.grantId !== undefined) return { ...base, next: 'agree' }
  if (launch !== undefined && launch.value.account !== live.account.key) return { ...base, next: 'other-user' }
  if (launch !== undefined) {
    const { patient, encounter } = launch.value
    return { ...base, patient, ...(encounter !== undefined && { encounter }), next: 'agree' }
  }
  // Used or over since it was asked with: nobody gets on without the context that was meant.
  if (textOf(params.launch) !== '') return { ...base, next: 'launch-over' }
  if (!needsPatient(scopes) && !needsEncounter(scopes)) return { ...base, next: 'agree' }
  const patient = results.select_patient?.patient ?? (await onlyPatient(parts, live))
  if (patient === undefined) return { ...base, next: 'select_patient' }
  if (patient === 'none') return { ...base, next: 'no-patient' }
  const encounter = results.select_encounter?.encounter
  if (encounter !== undefined) return { ...base, patient, encounter, next: 'agree' }
  return { ...base, patient, next: needsEncounter(scopes) ? 'select_encounter' : 'agree' }
}

/** Somebody who comes for himself, or for one other person, has nothing to choose; who comes for nobody never gets further. */
const onlyPatient = async (parts: AuthorizationServerParts, live: LiveSession): Promise<string | undefined> => {
  if (isStaff(live.account.value)) return undefined
  const [first, ...more] = await patientsFor(parts, live)
  return first === undefined ? 'none' : more.length === 0 ? first : undefined
}

/** Ids of the patients that someone who is no staff may open: himself, and those he acts for. */
const patientsFor = async (parts: AuthorizationServerParts, { account }: LiveSession): Promise<readonly string[]> => {
  const { fhirUser } = account.value
  if (fhirUser === undefined) return []
  const own = fhirUser.startsWith('Patient/') ? [fhirUser.slice('Patient/'.length)] : []
  return [...new Set([...own, ...(await parts.reach.represents(fhirUser))])]
}

/** Whether whoever is signed in may open an application for this patient. */
export const mayOpen = async (parts: AuthorizationServerParts, live: LiveSession, patient: string): Promise<boolean> => {
  if (!isStaff(live.account.value)) return (await patientsFor(parts, live)).includes(patient)
  return (await parts.see(await sessionPrincipal(parts, live), 'Patient', patient)) !== undefined
}

/** Whether the encounter is that patient's, and visible. */
export const mayOpenEncounter = async (
  parts: AuthorizationServerParts,
  live: LiveSession,
  encounter: string,
  patient: string,
): Promise<boolean> => (await parts.see(await sessionPrincipal(parts, live), 'Encounter', encounter))?.subject === patient

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
